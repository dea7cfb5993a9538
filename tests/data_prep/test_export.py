"""Exported tables are read again as the same corpus, in both formats."""

import csv
import importlib

import audformat
import pytest
import yaml
from corpus_layouts.sound import write_tone

from data_prep.corpora import find_adapter, list_corpora
from data_prep.corpus import build_corpus
from data_prep.export import FORMATS, UNKNOWN_SPEAKER, export_manifest, make_portable
from ser_aae.errors import UserError
from ser_aae.utterance import Dropped, Utterance

CORPORA = [adapter.name for adapter in list_corpora()]


def facts(corpus):
    """Return what must survive: all but the corpus' name and ids, and what it calls emotions."""
    return sorted(
        (
            str((corpus.root / item.path).resolve()),
            item.start_s,
            -1.0 if item.end_s is None else item.end_s,
            # a table has to name somebody, and the export tells whom it means
            item.speaker.removeprefix(f"{item.corpus}:") or UNKNOWN_SPEAKER,
            item.gender,
            item.emotion,
            item.session,
            item.language,
            *(min(max(rating, 1.0), 5.0) if rating else 0.0 for rating in ratings(item)),
        )
        for item in corpus.utterances
    )


def ratings(item):
    return item.activation, item.valence


def extras(corpus):
    """Return the further columns, without those that the export adds or renames."""
    renamed = ("extra_", "emotion_raw", "activation_unclipped", "valence_unclipped")
    return sorted(
        sorted((k, v.strip()) for k, v in item.extra.items() if v and not k.startswith(renamed))
        for item in corpus.utterances
    )


def export(tmp_path, form, dataset="demo", **options):
    return export_manifest(dataset, tmp_path / "data", tmp_path / "out", form, **options)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a function that lets `demo` consist of given utterances, and exports it."""

    def make(form, *utterances, dropped=()):
        for item in utterances:
            write_tone(tmp_path / "data" / "demo" / item.path)
        root = tmp_path / "data" / "demo"
        corpus = build_corpus(root, utterances, dropped)
        monkeypatch.setattr("data_prep.corpora.Adapter.read", lambda *_, **__: corpus)
        exported = export(tmp_path, form)
        monkeypatch.undo()
        return exported, corpus

    return make


def utterance(name, **fields):
    known = {"speaker": "demo:7", "gender": "F", "emotion": "anger", "emotion_raw": "W"}
    return Utterance("demo", name, f"wav/{name}.wav", **(known | fields))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", CORPORA)
def test_every_corpus_comes_back(tmp_path, name, form):
    dataset = importlib.import_module(f"corpus_layouts.{name}").write(tmp_path / "data")
    before = find_adapter(dataset).read(tmp_path / "data", allow_partial=True)

    exported = export(tmp_path, form, dataset, allow_partial=True)

    after = find_adapter(exported.dataset).read(tmp_path / "nowhere")
    assert facts(after) == facts(before)
    assert extras(after) == extras(before) or name in ("audformat", "csv")
    assert after.dropped == ()
    assert f"{len(before.utterances)} utterances: {exported.dataset}" in exported.messages
    assert len([m for m in exported.messages if m.startswith("dropped")]) == len(
        {item.reason for item in before.dropped}
    )


@pytest.mark.parametrize("form", FORMATS)
def test_line_ends_in_a_field_are_written_as_blanks(tmp_path, form, own):
    exported, _ = own(form, utterance("a", extra={"text": "one,\r\ntwo\nthree"}))

    (item,) = find_adapter(exported.dataset).read(tmp_path).utterances
    assert item.extra["text"] == "one, two three"


@pytest.mark.parametrize("form", FORMATS)
def test_awkward_values_come_back(tmp_path, form, own):
    exported, corpus = own(
        form,
        utterance("a", speaker="demo:Jürgen, 3", activation=10 / 3, extra={"text": 'say "hi", ok'}),
        utterance("b", emotion="", emotion_raw="", gender="unknown", language="deu"),
        utterance("c", start_s=6.2901, end_s=8.2357, session="Ses 1", extra={"text": "a;b"}),
        utterance("d", start_s=0.1, valence=1.0, emotion="no_agreement", gender="M"),
        utterance("e", end_s=0.1 + 0.2, language="urd", session="Ses 2"),
    )

    after = find_adapter(exported.dataset).read(tmp_path)

    assert facts(after) == [
        # a table of audformat counts in nanoseconds
        tuple(round(value, 9) if index in (1, 2) else value for index, value in enumerate(row))
        if form == "audformat"
        else row
        for row in facts(corpus)
    ]
    assert extras(after) == extras(corpus)
    assert {item.extra["emotion_raw"] for item in after.utterances if item.path[-5] != "b"} == {"W"}


@pytest.mark.parametrize("form", FORMATS)
def test_ratings_beyond_the_scale_are_clipped_and_kept(tmp_path, form, own):
    exported, _ = own(form, utterance("a", valence=5.5, activation=0.5), utterance("b", valence=5))

    first, second = find_adapter(exported.dataset).read(tmp_path).utterances
    assert ratings(first) == (1.0, 5.0)
    assert first.extra["valence_unclipped"] == "5.5"
    assert first.extra["activation_unclipped"] == "0.5"
    assert not second.extra.get("valence_unclipped")
    assert exported.messages[-1].startswith("clipped 2 ratings to 1..5")


@pytest.mark.parametrize("form", FORMATS)
def test_what_became_no_utterance_is_told(form, own):
    exported, _ = own(form, utterance("a"), dropped=[Dropped("x", "odd"), Dropped("y", "odd")])

    assert exported.messages[1:] == ("dropped 2: odd: x, y",)


@pytest.mark.parametrize("form", FORMATS)
def test_extra_fields_do_not_hide_others(tmp_path, form, own):
    exported, _ = own(form, utterance("a", extra={"speaker": "Ada", "end": "soon", "empty": ""}))

    (item,) = find_adapter(exported.dataset).read(tmp_path).utterances
    assert item.speaker.endswith(":7")
    assert (item.end_s, item.extra["extra_end"]) == (None, "soon")
    assert item.extra["extra_speaker"] == "Ada"


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_is_overwritten(tmp_path, form, own):
    own(form, utterance("a"))
    (tmp_path / "out" / "notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    with pytest.raises(UserError, match="give another --out"):
        own(form, utterance("b"))

    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize("left", ["db.files.pkl", "db.emotion.parquet"])
def test_no_table_is_left_that_would_be_preferred(tmp_path, left, own):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / left).write_bytes(b"")

    with pytest.raises(UserError, match=f"{left}: a database is there already"):
        own("audformat", utterance("a"))


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_in_place_of_the_folder_is_refused(tmp_path, form, own):
    (tmp_path / "out").write_text("")
    with pytest.raises(UserError, match="expected a folder to write to, found a file"):
        own(form, utterance("a"))


def test_other_formats_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(UserError, match=r"expected a format \(audformat, csv\), got 'xlsx'"):
        export(tmp_path, "xlsx")


@pytest.mark.parametrize("form", FORMATS)
def test_an_incomplete_copy_is_refused(tmp_path, form):
    importlib.import_module("corpus_layouts.ravdess").write(tmp_path / "data")
    with pytest.raises(UserError, match="--allow-partial"):
        export(tmp_path, form, "ravdess")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", FORMATS)
def test_paths_are_relative_even_through_a_link(tmp_path, form, own):
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "far" / "away")

    exported, corpus = own(form, utterance("a"))

    (item,) = find_adapter(exported.dataset).read(tmp_path).utterances
    assert item.path == "../../data/demo/wav/a.wav"
    assert facts(corpus)[0][0] == str((tmp_path / "out" / item.path).resolve())


def test_a_database_beside_its_recordings_is_portable(tmp_path, own):
    own("csv", utterance("a"))  # makes the recording
    path = make_portable(utterance("a"), tmp_path / "data", tmp_path / "data").path
    assert path == "wav/a.wav"


def test_the_csv_has_only_columns_with_something_in_them(tmp_path, own):
    own("csv", utterance("a", extra={"b": "2", "a": "1", "empty": ""}), utterance("b", valence=2.0))

    with (tmp_path / "out" / "demo.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["file", "speaker", "gender", "emotion", "valence", "a", "b", "emotion_raw"],
        ["../data/demo/wav/a.wav", "7", "F", "anger", "", "1", "2", "W"],
        ["../data/demo/wav/b.wav", "7", "F", "anger", "2.0", "", "", "W"],
    ]


def test_channels_come_back_from_a_csv_and_are_refused_by_audformat(tmp_path, own):
    sides = [
        utterance("a", channel=1),
        Utterance("demo", "x", "wav/a.wav", "demo:8", "M", channel=2),
    ]
    exported, _ = own("csv", *sides)
    found = find_adapter(exported.dataset).read(tmp_path).utterances
    assert sorted(item.channel for item in found) == [1, 2]
    with pytest.raises(UserError, match="--format: expected csv"):
        own("audformat", *sides)
    assert not (tmp_path / "out" / "db.yaml").exists()


def test_the_database_is_one_of_audformat(tmp_path, own):
    own(
        "audformat",
        utterance("a", activation=2.5, language="deu", session="1"),
        utterance("b", start_s=0.05, end_s=0.1, language="deu", session="2"),
        utterance("c", speaker="demo:8", gender="M", emotion="joyless", language="xx-unknown"),
    )
    header = yaml.safe_load((tmp_path / "out" / "db.yaml").read_text())
    assert header["languages"] == ["deu"]
    assert header["schemes"]["activation"] == {"dtype": "float", "minimum": 1, "maximum": 5}
    assert header["tables"]["emotion"]["type"] == "segmented"
    assert "valence" not in header["schemes"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "db.emotion.csv", "db.files.csv", "db.speaker.csv", "db.yaml"
    ]  # fmt: skip

    db = audformat.Database.load(str(tmp_path / "out"), load_data=True)
    assert db["speaker"].df.to_dict("index") == {
        "7": {"gender": "female", "language": "deu"},
        "8": {"gender": "male", "language": "xx-unknown"},
    }
    assert db["files"]["session"].get().tolist()[:2] == ["1", "2"]
    assert db["files"]["speaker"].get(map="gender").tolist() == ["female", "female", "male"]
    assert db["emotion"]["emotion"].get().tolist() == ["anger", "anger", "joyless"]
    assert db["emotion"].ends[1].total_seconds() == 0.1
    assert db["emotion"].ends.isna().tolist() == [True, False, True]


def test_whole_files_are_a_filewise_table(tmp_path, own):
    own("audformat", utterance("a"), utterance("b"))

    db = audformat.Database.load(str(tmp_path / "out"))
    assert db["emotion"].type == "filewise"
    assert (tmp_path / "out" / "db.emotion.csv").read_text().startswith("file,emotion,emotion_raw")


def test_two_speakers_in_one_file_stand_with_their_segments(tmp_path, own):
    first = utterance("a", end_s=0.1)
    second = Utterance("demo", "x", first.path, "demo:8", "M", start_s=0.1)
    exported, corpus = own("audformat", first, second)

    db = audformat.Database.load(str(tmp_path / "out"))
    assert "speaker" not in db["files"].columns
    assert facts(find_adapter(exported.dataset).read(tmp_path)) == facts(corpus)


@pytest.mark.parametrize("form", FORMATS)
def test_a_speaker_who_is_known_in_all_tables_stays_so(tmp_path, form, own):
    known, local = (utterance(name, speaker=who) for name, who in
                    (("a", "everywhere:Anna"), ("b", "demo:Anna")))  # fmt: skip
    exported, _ = own(form, known, local)
    found = find_adapter(exported.dataset).read(tmp_path).utterances
    assert found[0].speaker == "everywhere:Anna"
    assert found[1].speaker == f"{found[1].corpus}:Anna"
