"""Preparation of a corpus: determinism, resumption, and what the user is told."""

import importlib
import json
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf
import tiny
from threadpoolctl import threadpool_limits

from data_prep import build
from data_prep.build import prepare
from data_prep.manifest import read_manifest
from ser_aae import progress
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.store.corpus import MANIFEST, load_corpus
from ser_aae.store.records import parse

FRONTEND = FrontEndConfig()


def run(data_root, store, frontend=FRONTEND, dataset="demo", **keywords):
    return prepare(dataset, data_root, store, frontend, **keywords)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def prepared(demo_root, tmp_path_factory):
    """The demo corpus in five shards, in a store that is not to be changed."""
    store = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "UTTERANCES_PER_SHARD", 16)
        run(demo_root, store)
    return store


def test_store_can_be_read_and_holds_the_front_end(prepared, demo_root):
    corpus = load_corpus(prepared, "demo", FRONTEND)

    assert len(corpus.utterances) == 80
    assert [path.name for path in corpus.shards] == [f"shard-{k:05d}.tfrecord" for k in range(5)]
    records = tf.data.TFRecordDataset([str(path) for path in corpus.shards])
    for row, record in enumerate(records):
        index, spectrogram = parse(record, FRONTEND.bins)
        assert index == row
        assert len(spectrogram) == corpus.num_frames[row]
        if row % 9 == 0:
            path = corpus.utterances[row].audio_path(demo_root / "demo")
            with threadpool_limits(1):  # on more, sums differ in the last bit on some machines
                wanted = tiny.recording_to_spectrogram(path, FRONTEND).astype(np.float16)
            np.testing.assert_array_equal(spectrogram.numpy(), wanted)


def test_store_holds_nothing_else(prepared):
    folder = load_corpus(prepared, "demo", FRONTEND).folder

    assert {path.suffix for path in folder.iterdir()} == {".tfrecord", ".jsonl", ".json"}
    assert [path.name for path in folder.glob("*.json")] == [MANIFEST]


def test_bytes_do_not_depend_on_the_number_of_workers(prepared, demo_root, tmp_path, small_shards):
    result = run(demo_root, tmp_path, workers=2)

    assert contents(result.folder) == contents(load_corpus(prepared, "demo", FRONTEND).folder)
    assert result.is_new
    assert result.num_utterances == 80


def test_second_run_does_nothing_and_says_so(prepared, demo_root):
    folder = load_corpus(prepared, "demo", FRONTEND).folder
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}

    result = run(demo_root, prepared)

    assert not result.is_new
    assert result.num_utterances == 80
    assert result.messages[0] == f"already prepared: {folder}"
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_an_interrupted_run_is_taken_up(prepared, demo_root, tmp_path, small_shards, monkeypatch):
    whole = load_corpus(prepared, "demo", FRONTEND).folder
    write, computed = build.write_shard, []

    def interrupted(folder, number, *rest):
        if number == 3 and not computed:
            raise KeyboardInterrupt
        return write(folder, number, *rest)

    monkeypatch.setattr(build, "write_shard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(demo_root, tmp_path)
    folder = tmp_path / whole.name
    assert sorted(path.name for path in folder.glob("*.tfrecord")) == [
        f"shard-{k:05d}.tfrecord" for k in range(3)
    ]
    assert not (folder / MANIFEST).exists()

    def counted(tasks, workers):
        computed.extend(tasks)
        return original(tasks, workers)

    original = build.compute_tasks
    monkeypatch.setattr(build, "compute_tasks", counted)
    run(demo_root, tmp_path)

    assert len(computed) == 2
    assert contents(folder) == contents(whole)


def test_a_file_changed_after_the_interrupt_is_computed_again(
    demo_root, tmp_path, small_shards, monkeypatch
):
    shutil.copytree(demo_root / "demo", tmp_path / "data" / "demo")
    write = build.write_shard

    def interrupted(folder, number, *rest):
        if number == 3:
            raise KeyboardInterrupt
        return write(folder, number, *rest)

    monkeypatch.setattr(build, "write_shard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "data", tmp_path / "store")
    monkeypatch.setattr(build, "write_shard", write)
    first, second = sorted((tmp_path / "data" / "demo" / "wav").rglob("*.wav"))[:2]
    shutil.copyfile(second, first)
    run(tmp_path / "data", tmp_path / "store")

    corpus = load_corpus(tmp_path / "store", "demo", FRONTEND)
    record = next(iter(tf.data.TFRecordDataset(str(corpus.shards[0]))))
    wanted = tiny.recording_to_spectrogram(second, FRONTEND).astype(np.float16)
    np.testing.assert_array_equal(parse(record, 128)[1].numpy(), wanted)


def test_notes_that_a_kill_in_the_last_moment_leaves_go(demo_root, tmp_path, small_shards):
    run(demo_root, tmp_path)
    (folder,) = tmp_path.iterdir()
    wanted = sorted(folder.iterdir())
    (folder / "shard-00004.json").write_text("{}")
    run(demo_root, tmp_path)
    assert sorted(folder.iterdir()) == wanted


def test_changed_recordings_are_noticed(demo_root, tmp_path):
    shutil.copytree(demo_root / "demo", tmp_path / "data" / "demo")
    folder = run(tmp_path / "data", tmp_path / "store").folder
    table = tmp_path / "data" / "demo" / "utterances.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:-1]))

    with pytest.raises(UserError) as caught:
        run(tmp_path / "data", tmp_path / "store")

    message = str(caught.value)
    assert "have changed since" in message
    assert "80 files" in message
    assert "79 of" in message
    assert f"remove {folder}" in message


def test_changed_labels_are_noticed(demo_root, tmp_path):
    shutil.copytree(demo_root / "demo", tmp_path / "data" / "demo")
    run(tmp_path / "data", tmp_path / "store")
    table = tmp_path / "data" / "demo" / "utterances.csv"
    table.write_text(table.read_text().replace(",anger,", ",fear,", 1))

    with pytest.raises(UserError, match="labels have changed"):
        run(tmp_path / "data", tmp_path / "store")


def test_a_prepared_corpus_needs_its_source_no_more(prepared, tmp_path):
    result = run(tmp_path / "elsewhere", prepared)

    assert not result.is_new
    assert "not there any more" in result.messages[1]


def test_a_damaged_store_is_noticed(prepared, demo_root, tmp_path):
    shutil.copytree(prepared, tmp_path / "store")
    shard = load_corpus(tmp_path / "store", "demo", FRONTEND).shards[2]
    shard.write_bytes(shard.read_bytes()[:-10])

    with pytest.raises(UserError, match=r"shard-00002\.tfrecord: expected a shard of"):
        run(demo_root, tmp_path / "store")


def test_another_front_end_is_named_and_kept(prepared, demo_root, tmp_path):
    shutil.copytree(prepared, tmp_path / "store")
    before = contents(load_corpus(tmp_path / "store", "demo", FRONTEND).folder)
    other = FrontEndConfig(scale="linear", floor_db=60.0)

    result = run(demo_root, tmp_path / "store", other)

    assert result.is_new
    assert "scale: mel there, linear here" in result.messages[0]
    assert "floor_db: 80.0 there, 60.0 here" in result.messages[0]
    assert contents(load_corpus(tmp_path / "store", "demo", FRONTEND).folder) == before
    assert load_corpus(tmp_path / "store", "demo", other).frontend == other


@pytest.mark.parametrize("name", ["ravdess", "urdu", "librispeech", "csv"])
def test_every_layout_is_prepared(name, tmp_path):
    dataset = importlib.import_module(f"corpus_layouts.{name}").write(tmp_path / "data")

    result = run(tmp_path / "data", tmp_path / "store", dataset=dataset, allow_partial=True)

    manifest = read_manifest(result.folder)
    corpus = load_corpus(tmp_path / "store", manifest["corpus"], FRONTEND)
    assert len(corpus.utterances) == result.num_utterances > 0
    dropped = [line for line in result.messages if line.startswith("dropped")]
    assert len(dropped) == len({item["reason"] for item in manifest["dropped"]})
    assert (name == "csv") == any("puzzled" in line for line in result.messages)


def test_progress_goes_to_the_terminal(demo_root, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "REFRESH_S", 0.0)
    run(demo_root, tmp_path)
    shown = capsys.readouterr()

    assert "80/80" in shown.err
    assert shown.out == ""


def test_no_progress_is_silent(demo_root, tmp_path, capsys):
    run(demo_root, tmp_path)

    assert capsys.readouterr().out == ""


def test_workers_are_counted_from_one(demo_root, tmp_path):
    with pytest.raises(UserError, match="at least 1 worker, got 0"):
        run(demo_root, tmp_path, workers=0)


def test_a_corpus_of_before_keeps_labels_that_are_words_now(table, tmp_path, monkeypatch):
    dataset = table("a.wav,anna,f,Colère", "b.wav,ben,m,nan", "c.wav,ben,m,joy")
    with monkeypatch.context() as before:
        before.setattr("ser_aae.labels._FURTHER_WORDS", {})
        before.setattr("ser_aae.labels.NO_LABEL", ())
        folder = run(tmp_path, tmp_path / "store", dataset=dataset).folder
    was = contents(folder)

    again = run(tmp_path, tmp_path / "store", dataset=dataset)

    (line,) = [line for line in again.messages if "known words now" in line]
    assert "colère, nan; to take them" in line
    assert contents(folder) == was
    shutil.rmtree(folder)
    fresh = read_manifest(run(tmp_path, tmp_path / "store", dataset=dataset).folder)
    assert fresh["unknown_labels"] == []
    assert fresh["source"] == json.loads(was[MANIFEST])["source"]
    assert "known words" not in "".join(run(tmp_path, tmp_path / "store", dataset=dataset).messages)
