"""BAVED: names, the table of speakers, recordings under two names, and the real corpus."""

from collections import Counter

import pytest

from data_prep.build import prepare
from data_prep.corpora import baved, find_adapter
from data_prep.corpus_check import check_corpus
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError


def test_name_has_the_speaker_and_what_is_said():
    name = baved.parse_name("100-f-6-5-2-1408")

    assert name == baved.RecordingName("100", "F", 6, "5", "2")
    assert baved.parse_name("03-m-21-0-0-1").speaker == "3"


@pytest.mark.parametrize(
    "stem",
    ["3-x-21-0-0-1", "3-f-21-7-0-1", "3-f-21-0-3-1", "3-f-21-0-0", "-f-21-0-0-1", "3-f--0-0-1",
     "3-f-21-0-0-1-1", "3-f-21-0-0-1 copy", "3_f_21_0_0_1", "recording"],
)  # fmt: skip
def test_other_names_are_no_recordings(stem):
    assert baved.parse_name(stem) is None


def test_recordings_have_speaker_and_gender_and_no_emotion(corpus, by_id):
    girl = by_id["100-f-6-1-0-0"]

    assert (girl.speaker, girl.gender, girl.language) == ("baved:100", "F", "ara")
    assert girl.extra == {"level": "0", "age": "6", "sentence": "1"}
    assert {item.emotion for item in corpus.utterances} == {""}
    assert by_id["03-f-21-2-2-1082"].speaker == by_id["3-f-21-2-2-1081"].speaker == "baved:3"


def test_a_word_that_folder_and_name_do_not_agree_on_is_unknown(by_id):
    assert "sentence" not in by_id["0-m-21-6-2-201"].extra
    assert by_id["0-m-21-0-1-105"].extra["sentence"] == "0"


def test_men_and_women_are_counted(corpus):
    assert {"speakers": 5, "men": 3, "women": 2}.items() <= corpus.counts.items()
    with pytest.raises(UserError, match="women: expected 16, found 2"):
        find_adapter("baved").read(corpus.root.parent)


def test_names_that_the_table_contradicts_are_listed(left_out):
    assert left_out == {
        ("0/3-m-21-0-0-7.flac", baved.EXCLUDED["info"]),
        ("0/3-f-22-0-0-8.flac", baved.EXCLUDED["info"]),
        ("0/60-f-21-0-0-9.flac", baved.EXCLUDED["speaker"]),
        ("0/3-f-21-7-0-10.flac", baved.EXCLUDED["name"]),
        ("0/3-f-21-0-3-11.flac", baved.EXCLUDED["name"]),
        ("0/recording.wav", baved.EXCLUDED["name"]),
    }


def test_without_the_table_names_tell_all(corpus):
    (corpus.root / baved.SPEAKERS_FILE).unlink()
    read = baved.read(corpus.root)

    assert len(read.utterances) == len(corpus.utterances) + 3
    assert {item.reason for item in read.dropped} == {baved.EXCLUDED["name"]}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"0": {"age": 21', "expected a JSON object of speakers, got none"),
        ("[1, 2]", r"expected a JSON object of speakers, got \[1, 2\]"),
        ('{"0": {"age": 21}}', "speaker 0: expected gender, m or f, and age, got"),
        ('{"0": {"age": "21", "gender": "m"}}', "speaker 0: expected gender"),
        ('{"0": null}', "speaker 0: expected gender, m or f, and age, got None"),
    ],
)
def test_a_damaged_table_is_named(corpus, content, told):
    (corpus.root / baved.SPEAKERS_FILE).write_text(content)

    with pytest.raises(UserError, match=rf"speakers_info\.json: {told}"):
        baved.read(corpus.root)


def test_real_corpus_is_complete(real_corpora):
    corpus = find_adapter("BAVED").read(real_corpora)

    assert dict(corpus.counts) == baved.EXPECTED
    assert corpus.dropped == ()
    each = Counter(item.speaker for item in corpus.utterances)
    assert sum(count < 20 for count in each.values()) == 44
    odd = [item.utterance_id for item in corpus.utterances if "sentence" not in item.extra]
    assert odd == ["49-m-23-6-1-201"]


def test_real_recordings_under_two_names_are_found(real_corpora):
    report = check_corpus("baved", real_corpora)

    assert report["ok"]
    assert len(report["duplicates"]) == 27
    across = [group for group in report["duplicates"] if len(group["speakers"]) > 1]
    assert len(across) == 21
    assert {tuple(group["speakers"]) for group in across} == {("baved:46", "baved:53")}
    each = Counter(row["speaker"] for row in report["speakers"] for _ in range(row["utterances"]))
    assert (each["baved:46"], each["baved:53"]) == (21, 21)


def test_prepare_tells_of_recordings_under_two_names(corpus, tmp_path):
    root, store = corpus.root.parent, tmp_path / "store"
    prepared = prepare("baved", root, store, FrontEndConfig(), allow_partial=True)

    (told,) = (line for line in prepared.messages if "several names" in line)
    assert "several names: 1, of which 1 differ in speaker" in told
    assert "46-m-20-3-2-954, 53-m-20-3-2-1021" in told
