"""Manifests: their contents, and that they are written whole or not at all."""

import json
import os

import pytest
from corpus_layouts.sound import write_tone

from data_prep.corpora import find_adapter
from data_prep.corpus import build_corpus
from data_prep.manifest import (
    Contents,
    describe_source,
    read_manifest,
    write_manifest,
)
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.store.corpus import MANIFEST, SCHEMA_VERSION, UTTERANCES
from ser_aae.utterance import Dropped, Sound, Utterance


@pytest.fixture
def corpus(tmp_path):
    utterances = []
    for name, emotion in (("a", "anger"), ("b", "puzzled")):
        write_tone(tmp_path / f"{name}.wav")
        utterances.append(Utterance("x", name, f"{name}.wav", "x:1", "F", emotion, emotion))
    return build_corpus(tmp_path, utterances, [Dropped("c.wav", "a reason")])


def written(corpus, folder, frontend=None, num_frames=(100, 260)):
    frontend = frontend or FrontEndConfig()
    shards = [{"file": "shard-00000.tfrecord", "sha256": "0" * 64, "bytes": 1, "records": 2}]
    sounds = [Sound("1", "2"), Sound("", "3")]
    contents = Contents(corpus.utterances, num_frames, sounds, corpus.dropped, ["b"], shards)
    folder.mkdir(exist_ok=True)
    write_manifest(folder, "x", find_adapter("ravdess"), frontend, corpus, contents)
    return read_manifest(folder)


def test_manifest_says_what_is_in_the_store(corpus, tmp_path):
    frontend = FrontEndConfig(shift_ms=10)
    manifest = written(corpus, tmp_path / "store", frontend)

    assert manifest["schema_version"] == SCHEMA_VERSION
    adapter = find_adapter("ravdess")
    assert (manifest["corpus"], manifest["version"]) == ("x", adapter.version)
    assert manifest["facts"]["elicitation"] == adapter.facts.elicitation
    assert manifest["frontend_digest"] == frontend.digest()
    assert FrontEndConfig(**manifest["frontend"]) == frontend
    assert manifest["dropped"] == [{"where": "c.wav", "reason": "a reason"}]
    assert manifest["unknown_labels"] == ["puzzled"]
    assert manifest["silent"] == ["b"]
    assert manifest["counts"] == {
        "utterances": 2,
        "speakers": 1,
        "emotions": {"anger": 1, "puzzled": 1},
        "speakers_by_gender": {"F": 1},
        "frames": 360,
        "hours": 0.001,
    }


def test_a_line_an_utterance(corpus, tmp_path):
    written(corpus, tmp_path / "store")
    lines = (tmp_path / "store" / UTTERANCES).read_text().splitlines()
    first = json.loads(lines[0])

    assert len(lines) == 2
    assert first.pop("num_frames") == 100
    assert Utterance(**first) == corpus.utterances[0]


def test_digest_names_the_content(corpus, tmp_path):
    digests = [
        written(corpus, tmp_path / "store")["digest"],
        written(corpus, tmp_path / "store")["digest"],
        written(corpus, tmp_path / "store", num_frames=(100, 261))["digest"],
        written(corpus, tmp_path / "store", FrontEndConfig(floor_db=60))["digest"],
    ]

    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_source_knows_sizes_and_labels_but_not_times(corpus, tmp_path):
    before = describe_source(corpus)
    os.utime(tmp_path / "a.wav", (1, 1))
    assert describe_source(corpus) == before
    assert before["files"] == 2
    assert before["bytes"] == 2 * (tmp_path / "a.wav").stat().st_size

    write_tone(tmp_path / "a.wav", seconds=0.3)
    longer = describe_source(corpus)
    (tmp_path / "a.wav").unlink()
    absent = describe_source(corpus)
    relabelled = build_corpus(tmp_path, corpus.utterances[:1])

    assert len({item["digest"] for item in (before, longer, absent)}) == 3
    assert describe_source(relabelled)["digest"] != before["digest"]


@pytest.mark.parametrize("key", ["counts", "dropped", "unknown_labels", "silent", "source"])
def test_a_manifest_that_lacks_something_is_named(corpus, tmp_path, key):
    manifest = written(corpus, tmp_path / "store")
    del manifest[key]
    path = tmp_path / "store" / MANIFEST
    path.write_text(json.dumps(manifest), encoding="utf-8")

    with pytest.raises(
        UserError, match=f"expected {key}, found none; remove its folder and prepare"
    ) as caught:
        read_manifest(tmp_path / "store")

    assert str(caught.value).startswith(f"{path}: ")
