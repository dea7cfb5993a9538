"""The contract of all adapters: a new module in the package is tested without a change here.

It needs a layout of its own name in `corpus_layouts`.
"""

import importlib
import pkgutil
import re

import pytest
from corpus_layouts.sound import write_tone

from data_prep import corpora
from data_prep.corpora import find_adapter, list_corpora
from ser_aae.config.datasets import PATH_KINDS
from ser_aae.errors import UserError
from ser_aae.labels import GENDERS, UNKNOWN_GENDER, canonical_emotion, is_known_emotion

NAMES = [adapter.name for adapter in list_corpora()]
UNKNOWN_SPEAKERS = ("podcast",)
"""Corpora with utterances of which they do not say who speaks."""
MODULES = {adapter.name: adapter.parse.__module__ for adapter in list_corpora()}


@pytest.fixture(params=NAMES)
def case(request, tmp_path):
    """An adapter, a data root with its layout, and the corpus read from it."""
    layout = importlib.import_module(f"corpus_layouts.{request.param}")
    adapter = find_adapter(layout.write(tmp_path))
    return adapter, tmp_path, adapter.read(tmp_path, allow_partial=True)


def test_every_module_of_the_package_is_an_adapter():
    modules = {module.name for module in pkgutil.iter_modules(corpora.__path__)}

    assert len(modules) == len(NAMES) == len(set(NAMES))
    assert sorted(NAMES) == NAMES


@pytest.mark.parametrize("adapter", list_corpora(), ids=NAMES)
def test_adapter_says_what_a_user_must_know(adapter):
    assert re.fullmatch("[a-z0-9-]+", adapter.name)
    assert all((adapter.version, adapter.title, adapter.license, adapter.obtain, adapter.tree))
    assert not adapter.bibtex or re.match(r"@\w+\{\w+,\n", adapter.bibtex)
    assert not adapter.language or re.fullmatch("[a-z]{3}", adapter.language)


@pytest.mark.parametrize("name", NAMES)
def test_adapter_has_a_table_of_labels_and_one_of_reasons(name):
    module = importlib.import_module(MODULES[name])
    emotions = {canonical_emotion(word) for word in module.EMOTION_CODES.values()} - {""}

    assert all(is_known_emotion(emotion) for emotion in emotions)
    counted = {what.removeprefix("utterances of ") for what in module.EXPECTED}
    # of a corpus that grows from release to release its own table is expected
    assert emotions <= counted or not module.EXPECTED
    assert len(set(module.EXCLUDED.values())) == len(module.EXCLUDED)
    assert all(module.EXCLUDED.values())


@pytest.mark.parametrize(
    ("name", "utterances", "emotions"),
    [
        ("cremad", 7441, 6),
        ("emodb", 535, 7),
        ("esd", 35000, 5),
        ("nemo", 4481, 6),
        ("ravdess", 1440, 8),
        ("savee", 480, 7),
        ("tess", 2800, 7),
        ("turev", 1735, 4),
        ("urdu", 400, 4),
    ],
)
def test_expected_counts_of_emotions_add_up(name, utterances, emotions):
    expected = find_adapter(name).expected
    per_emotion = [count for what, count in expected.items() if " of " in what]

    assert len(per_emotion) == emotions
    assert sum(per_emotion) == expected["utterances"] == utterances


@pytest.mark.parametrize(
    ("name", "known", "unknown", "label"),
    [
        ("cremad", "1001_IEO_SUR_XX", "1001_IEO_ZZZ_XX", "zzz"),
        ("emodb", "wav/03a01Fa", "wav/03a01Xa", "x"),
        ("ravdess", "Actor_01/03-01-01-01-01-01-01", "Actor_01/03-01-09-01-01-01-01", "09"),
        ("savee", "DC/sa01", "DC/s01", "s"),
        ("tess", "OAF_back_calm", "OAF_back_zest", "zest"),
        ("turev", "clips/1157_kz_acik", "clips/1157_zz_acik", "zz"),
        ("urdu", "clips/SM1_F1_A01", "clips/SM1_F1_X01", "x"),
    ],
)
def test_unknown_emotion_of_a_name_stays_a_class_of_its_own(tmp_path, name, known, unknown, label):
    for file in (known, unknown):
        write_tone(tmp_path / name / f"{file}.wav")

    corpus = find_adapter(name).read(tmp_path, allow_partial=True)

    assert len(corpus.utterances) == 2
    assert corpus.unknown_labels == (label,)


def test_utterances_are_sorted_and_unique(case):
    _, _, corpus = case
    ids = [utterance.utterance_id for utterance in corpus.utterances]

    assert ids
    assert ids == sorted(set(ids))


def test_fields_of_utterances_are_valid(case):
    adapter, root, corpus = case
    for utterance in corpus.utterances:
        prefix, _, speaker = utterance.speaker.partition(":")
        assert prefix == utterance.corpus
        assert speaker or prefix in UNKNOWN_SPEAKERS
        assert prefix == adapter.name or (adapter.given and prefix.startswith(f"{adapter.name}-"))
        assert utterance.gender in (*GENDERS, UNKNOWN_GENDER)
        assert utterance.emotion == utterance.emotion.strip().casefold()
        assert bool(utterance.emotion) == bool(utterance.emotion_raw)
        assert str(root) not in utterance.utterance_id
        assert all(isinstance(text, str) for text in utterance.extra.values())
        for rating in (utterance.activation, utterance.valence):
            assert rating is None or 0.5 <= rating <= 5.5  # IEMOCAP leaves 1 to 5


def test_files_exist_below_the_root(case):
    _, _, corpus = case
    for utterance in corpus.utterances:
        assert utterance.audio_path(corpus.root).is_file()
        assert not any(part.startswith(".") for part in utterance.path.split("/"))


def test_one_gender_a_speaker(case):
    _, _, corpus = case
    named = [item for item in corpus.utterances if item.has_known_speaker]
    pairs = {(item.speaker, item.gender) for item in named}
    known = [speaker for speaker, gender in pairs if gender != UNKNOWN_GENDER]

    assert len(known) == len(set(known))


def test_dropped_files_have_reasons_and_are_no_utterances(case):
    _, _, corpus = case
    paths = {utterance.path for utterance in corpus.utterances}
    for item in corpus.dropped:
        assert item.where
        assert item.reason
        assert item.where not in paths


def test_reading_twice_gives_the_same(case):
    adapter, root, corpus = case

    assert adapter.read(root, allow_partial=True) == corpus


def test_absent_corpus_is_explained(case, tmp_path):
    adapter, _, _ = case
    if adapter.given is not None:
        adapter = find_adapter(f"{adapter.name}:{tmp_path / 'nowhere'}")

    with pytest.raises(UserError) as caught:
        adapter.read(tmp_path / "no such root")

    message = str(caught.value)
    assert adapter.tree in message
    assert adapter.obtain in message
    assert "found nothing" in message
    assert not adapter.is_found(tmp_path / "no such root")


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(PATH_KINDS)))
def test_empty_folder_is_explained(name, tmp_path):
    (tmp_path / name).mkdir()
    (tmp_path / name / ".DS_Store").write_bytes(b"\x00")

    with pytest.raises(UserError, match="found an empty folder"):
        find_adapter(name).read(tmp_path)


@pytest.mark.parametrize("name", ["ravdess", "urdu"])
def test_folder_without_audio_is_explained(name, tmp_path):
    (tmp_path / name).mkdir()
    (tmp_path / name / "README.md").write_text("nothing yet")

    with pytest.raises(UserError, match="found no such audio"):
        find_adapter(name).read(tmp_path, allow_partial=True)


@pytest.mark.parametrize(
    ("given", "hint"),
    [("ravdes", "did you mean ravdess"), ("libri-speech", "did you mean librispeech"),
     ("xyzzy", "see: ser-aae corpora"), ("../ravdess", "did you mean ravdess")],
)  # fmt: skip
def test_unknown_name_gets_a_hint(given, hint):
    with pytest.raises(UserError, match=hint):
        find_adapter(given)


@pytest.mark.parametrize("given", ["csv", "csv:", "audformat", "audformat:", "audformat:#emotion"])
def test_a_path_must_be_given_where_one_is_needed(given):
    kind = given.partition(":")[0]
    with pytest.raises(UserError, match=f"{kind}:{PATH_KINDS[kind]}"):
        find_adapter(given)


@pytest.mark.parametrize(
    ("given", "name"),
    [("CREMA-D", "cremad"), ("EMO-DB", "emodb"), ("RAVDESS", "ravdess"), ("msp-improv", "msp"),
     ("MSP_IMPROV", "msp")],
)  # fmt: skip
def test_names_are_found_in_any_spelling(given, name):
    assert find_adapter(given).name == name


def test_incomplete_copy_is_refused_with_both_counts(tmp_path):
    importlib.import_module("corpus_layouts.ravdess").write(tmp_path)

    with pytest.raises(UserError) as caught:
        find_adapter("ravdess").read(tmp_path)

    message = str(caught.value)
    assert "utterances: expected 1440, found 4" in message
    assert "speakers: expected 24, found 2" in message
    assert "utterances of sadness: expected 192, found 0" in message
    assert "--allow-partial" in message
