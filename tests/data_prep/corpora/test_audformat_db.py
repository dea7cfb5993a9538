"""Databases of audformat as corpora: the places of their fields, and what is left out."""

import audformat
import pytest
from corpus_layouts import audformat as layout
from corpus_layouts.sound import write_tone

from data_prep.build import prepare
from data_prep.corpora import find_adapter
from data_prep.corpora.audformat_db import parse_time
from ser_aae.config import FrontEndConfig
from ser_aae.config.datasets import stored_name
from ser_aae.errors import UserError

GOLD = "emotion.categories.test.gold_standard"


def read_layout(tmp_path, **options):
    return find_adapter(layout.write(tmp_path)).read(tmp_path, **options)


def test_the_layout_comes_through_whole(tmp_path):
    corpus = read_layout(tmp_path)
    name = stored_name(f"audformat:{tmp_path / layout.FOLDER}")

    found = {item.path: item for item in corpus.utterances}
    assert found.keys() == layout.ROWS.keys()
    for path, (speaker, emotion, arousal) in layout.ROWS.items():
        item = found[path]
        assert (item.corpus, item.speaker) == (name, f"{name}:{speaker}")
        assert (item.gender, item.language) == ("F" if speaker == 8 else "M", "deu")
        assert (item.emotion, item.emotion_raw) == (emotion or "", emotion or "")
        assert item.activation == (None if arousal is None else 3 + 2 * arousal)
        assert item.valence is None  # nobody says from where to where it goes
        assert item.extra["valence"] == "0.5"
        assert item.extra["split"] == ("train" if path in layout.TRAIN else "test")
        assert item.extra["emotion.confidence"] == "0.9"
        assert item.extra["duration"] == "0 days 00:00:00.200000"
    segments = [(item.start_s, item.end_s) for item in map(found.get, layout.TEST)]
    assert segments == [(0.0, None), (0.05, None), (0.0, 0.1)]
    assert [item.reason for item in corpus.dropped] == [
        "scheme without minimum and maximum: its ratings are left out"
    ]
    assert corpus.dropped[0].where == "db.yaml: scheme valence"


@pytest.mark.parametrize("storage", ["csv", "parquet"])
def test_both_storage_formats_are_one_corpus(tmp_path, storage):
    expected = read_layout(tmp_path)
    for table in (tmp_path / layout.FOLDER).glob("db.*.csv"):
        table.unlink()
    layout.build().save(
        str(tmp_path / layout.FOLDER), storage_format=storage, update_other_formats=False
    )

    assert find_adapter(f"audformat:{tmp_path / layout.FOLDER}").read(tmp_path) == expected
    assert not (tmp_path / layout.FOLDER / layout.TRAP).exists()


def test_other_signals_and_doubtful_files_are_no_utterances(tmp_path):
    paths = {item.path for item in read_layout(tmp_path).utterances}

    assert not any("laryngo" in path for path in paths)
    assert layout.DOUBTFUL not in paths


def test_they_can_be_chosen(tmp_path):
    chosen = f"{layout.write(tmp_path)}#laryngo.{GOLD}"
    corpus = find_adapter(chosen).read(tmp_path)

    assert {item.path.split("/")[0] for item in corpus.utterances} == {"laryngo"}
    assert {item.gender for item in corpus.utterances} == {"F"}
    assert {item.corpus for item in corpus.utterances} == {stored_name(chosen)}
    assert {item.extra["split"] for item in corpus.utterances} == {"test"}


def test_missing_media_are_counted(tmp_path):
    dataset = layout.write(tmp_path)
    for path in layout.TRAIN:
        (tmp_path / layout.FOLDER / path).unlink()
    with pytest.raises(UserError) as caught:
        find_adapter(dataset).read(tmp_path)
    assert "media files: expected 5, found 3" in str(caught.value)
    assert "--allow-partial" in str(caught.value)

    corpus = find_adapter(dataset).read(tmp_path, allow_partial=True)

    assert len(corpus.utterances) == 3
    missing = [item.where for item in corpus.dropped if item.reason == "media file is not there"]
    assert missing == layout.TRAIN


@pytest.mark.parametrize("allow_partial", [False, True])
def test_tables_alone_are_no_corpus(tmp_path, allow_partial):
    layout.build().save(str(tmp_path), storage_format="csv")
    with pytest.raises(UserError, match="expected 5 media files, found none of them"):
        find_adapter(f"audformat:{tmp_path}").read(tmp_path, allow_partial=allow_partial)


@pytest.mark.parametrize(
    ("given", "part"),
    [("db.yaml", "expected the folder of an audformat"), ("wav", "found no db.yaml")],
)
def test_what_is_no_database_is_explained(tmp_path, given, part):
    dataset = f"{layout.write(tmp_path)}/{given}"
    with pytest.raises(UserError, match=part):
        find_adapter(dataset).read(tmp_path)


def test_times_that_are_none_are_explained(tmp_path):
    dataset = layout.write(tmp_path)
    table = tmp_path / layout.FOLDER / f"db.{GOLD}.csv"
    table.write_text(table.read_text().replace("0 days 00:00:00.050000", "soon"))

    with pytest.raises(UserError, match=f"table {GOLD}, wav/08a02La.wav: expected times") as caught:
        find_adapter(dataset).read(tmp_path)
    assert "'soon'" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("", None), ("0 days 00:00:06.290100", 6.2901), ("00:01:00", 60.0), ("1 days", 86400.0)],
)
def test_times(given, expected):
    assert parse_time(given) == expected


def test_accents_coded_in_two_ways_make_one_speaker_and_session(tmp_path):
    database = audformat.Database("x", source="synthetic")
    files = ["a.wav", "b.wav"]
    table = database["emotion"] = audformat.Table(audformat.filewise_index(files))
    for column in ("emotion", "speaker", "session"):
        table[column] = audformat.Column()
        table[column].set(["a\u0308rger", "\xe4rger"])
    database.save(str(tmp_path), storage_format="csv")
    for file in files:
        write_tone(tmp_path / file)

    first, second = find_adapter(f"audformat:{tmp_path}").read(tmp_path).utterances

    assert first.speaker.endswith(":\xe4rger")
    assert (first.speaker, first.session) == (second.speaker, second.session)
    assert first.emotion == second.emotion == "anger"


def test_a_name_that_is_too_long_is_that_of_no_file(tmp_path):
    dataset = layout.write(tmp_path)
    table = tmp_path / layout.FOLDER / f"db.{GOLD}.csv"
    table.write_text(table.read_text().replace("wav/08a01Wa", "x" * 5000))

    dropped = find_adapter(dataset).read(tmp_path, allow_partial=True).dropped

    assert ("x" * 5000 + ".wav", "media file is not there") in {
        (item.where, item.reason) for item in dropped
    }


def test_it_is_prepared_under_a_name_of_its_own(tmp_path):
    dataset = layout.write(tmp_path)
    frontend = FrontEndConfig()

    result = prepare(dataset, tmp_path, tmp_path / "store", frontend)

    assert result.num_utterances == len(layout.ROWS)
    assert stored_name(dataset) in str(result.folder)
    again = prepare(dataset, tmp_path, tmp_path / "store", frontend)
    assert not again.is_new
