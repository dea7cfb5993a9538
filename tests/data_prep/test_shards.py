"""Shards: round trip, notes, and what becomes of damaged or foreign ones."""

import errno
import json
import os
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from corpus_layouts.sound import write_tone

from data_prep.shards import (
    input_digest,
    load_finished,
    remove_leftovers,
    shard_name,
    write_shard,
)
from data_prep.workers import Outcome, Task, compute_task
from ser_aae.config import FrontEndConfig
from ser_aae.store.records import parse
from ser_aae.utterance import Utterance


@pytest.fixture
def task(tmp_path):
    for name in "ab":
        write_tone(tmp_path / "data" / f"{name}.wav")
    utterances = tuple(Utterance("x", name, f"{name}.wav", "x:1", "F") for name in "ab")
    return Task(utterances, tmp_path / "data", FrontEndConfig(), False)


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def test_records_hold_what_was_computed(task, store):
    outcomes = compute_task(task)
    shard = write_shard(store, 3, 40, outcomes, "inputs")

    records = list(tf.data.TFRecordDataset(str(store / shard.file)))
    assert shard.file == shard_name(3) == "shard-00003.tfrecord"
    assert shard.bytes == (store / shard.file).stat().st_size
    assert shard.records == len(records) == 2
    for row, (record, outcome) in enumerate(zip(records, outcomes, strict=True), start=40):
        index, spectrogram = parse(record, bins=128)
        assert index == row
        np.testing.assert_array_equal(spectrogram.numpy(), outcome.spectrogram)


def test_dropped_utterances_leave_no_gap_in_the_rows(store):
    good = Outcome(np.zeros((5, 128), np.float16))
    bad = Outcome(None, problem="cut short")
    shard = write_shard(store, 0, 7, [good, bad, replace(good, is_silent=True)], "inputs")

    rows = [int(parse(item, 128)[0]) for item in tf.data.TFRecordDataset(str(store / shard.file))]
    assert rows == [7, 8]
    assert shard.num_frames == (5, None, 5)
    assert shard.problems == {"1": "cut short"}
    assert shard.silent == (2,)


def test_a_finished_shard_is_known_again(task, store):
    shard = write_shard(store, 0, 0, compute_task(task), "inputs")

    assert load_finished(store, 0, "inputs") == shard
    assert load_finished(store, 0, "other inputs") is None
    assert load_finished(store, 1, "inputs") is None


@pytest.mark.parametrize("damage", ["shorten", "change", "remove", "remove note"])
def test_a_damaged_shard_is_not(task, store, damage):
    path = store / write_shard(store, 0, 0, compute_task(task), "inputs").file
    content = path.read_bytes()
    {
        "shorten": lambda: path.write_bytes(content[:-1]),
        "change": lambda: path.write_bytes(content[:-1] + b"?"),
        "remove": path.unlink,
        "remove note": path.with_suffix(".json").unlink,
    }[damage]()

    assert load_finished(store, 0, "inputs") is None


def test_digest_of_inputs_covers_all_of_them(task):
    digests = [input_digest(task, 0), input_digest(task, 0), input_digest(task, 1)]
    digests.append(input_digest(replace(task, frontend=FrontEndConfig(bins=64)), 0))
    digests.append(input_digest(replace(task, skip_unreadable=True), 0))
    relabelled = replace(task.utterances[0], emotion="anger")
    digests.append(input_digest(replace(task, utterances=(relabelled, task.utterances[1])), 0))
    os.utime(task.root / "a.wav", (1, 1))
    digests.append(input_digest(task, 0))
    (task.root / "a.wav").unlink()
    digests.append(input_digest(task, 0))

    assert digests[0] == digests[1]
    assert len(set(digests)) == len(digests) - 1


def test_leftovers_are_removed(task, store):
    shard = write_shard(store, 0, 0, compute_task(task), "inputs")
    for name in (
        "shard-00001.tfrecord",
        "shard-00001.json",
        ".9.part-shard-00002.tfrecord",
        ".9.part-manifest.json",
    ):
        (store / name).write_text("")
    (store / "utterances.jsonl").write_text("")

    remove_leftovers(store, [shard])

    assert {path.name for path in store.iterdir()} == {shard.file, "utterances.jsonl"}


def test_note_is_plain_json(task, store):
    write_shard(store, 0, 0, compute_task(task), "inputs")

    note = json.loads((store / "shard-00000.json").read_text())

    assert note["inputs"] == "inputs"
    assert note["records"] == 2


def test_a_failed_write_leaves_nothing(task, store, monkeypatch):
    def full(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.io.TFRecordWriter, "write", full)

    with pytest.raises(OSError, match="No space left") as caught:
        write_shard(store, 0, 0, compute_task(task), "inputs")

    assert caught.value.errno == errno.ENOSPC
    assert not any(store.iterdir())
