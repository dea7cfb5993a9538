"""Storage of a grid: copies of corpora, runs that are sent."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stored import read_unsealed
from tiny import sounds_of, speakers_of, write_corpus

from ser_aae.config import RunConfig
from ser_aae.config.fields import with_settings
from ser_aae.errors import UserError
from ser_aae.files.atomic import write_json
from ser_aae.grid.remote import (
    corpora_of,
    fetch_start,
    is_url,
    local_store,
    open_place,
    place_in_cache,
    send_folder,
)
from ser_aae.results.folder import start_file
from ser_aae.store.corpus import load_corpus


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A worker's cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SER_AAE_CACHE", str(folder))
    return folder


@pytest.fixture
def remote(tmp_path):
    """A store behind a URL, with a corpus in it that a test may damage."""
    utterances = speakers_of("tiny", 4, 1)
    return write_corpus(tmp_path / "remote", utterances, sounds_of(utterances, 32)).folder


@pytest.fixture
def store_url(tmp_path):
    return f"file://{tmp_path}/remote"


# places


@pytest.mark.parametrize(
    ("place", "expected"),
    [("/data/store", False), ("store", False), ("s3://bucket/store", True), ("file:///a", True)],
)
def test_urls_are_told_from_paths(place, expected):
    assert is_url(place) is expected


def test_what_cannot_be_opened_is_refused_with_its_reason():
    with pytest.raises(UserError, match="nosuch://x: expected a path or a URL that fsspec opens"):
        open_place("nosuch://x")


def test_two_urls_never_share_a_folder_of_the_cache(cache):
    one, two = place_in_cache("s3://a/store"), place_in_cache("s3://b/store/")
    assert one != two
    assert one.parent == two.parent == cache
    assert place_in_cache("s3://b/store") == two


def test_all_corpora_that_a_run_reads_are_known(kfold_config):
    config = replace(
        kfold_config,
        auxiliary=("voices",),
        verification="others",
        protocol=replace(kfold_config.protocol, name="cross-corpus", target="MSP"),
    )
    assert corpora_of(config) == ["tiny", "msp", "voices", "others"]
    assert corpora_of(kfold_config) == ["tiny"]


# corpora at a URL


def test_a_path_is_read_where_it_is(kfold_config, tiny_store, cache):
    assert local_store(str(tiny_store), kfold_config) == tiny_store
    assert not cache.exists()


def test_a_corpus_is_copied_once_and_whole(kfold_config, remote, store_url, frontend):
    (remote / "notes.txt").write_text("not read in training")
    local = local_store(store_url, kfold_config)
    copied = load_corpus(local, "tiny", frontend)
    assert copied.digest == load_corpus(remote.parent, "tiny", frontend).digest
    assert copied.has_sounds
    assert not (copied.folder / "notes.txt").exists()
    written = copied.shards[0].stat().st_mtime_ns
    assert local_store(store_url, kfold_config) == local
    assert copied.shards[0].stat().st_mtime_ns == written
    assert [path.name for path in local.iterdir()] == [copied.folder.name]


def test_a_corpus_of_before_is_copied_without_digests_of_sound(
    kfold_config, remote, store_url, frontend
):
    content = read_unsealed(remote / "manifest.json")
    del content["sounds"]
    (remote / "manifest.json").write_text(json.dumps(content))
    (remote / "sounds.jsonl").unlink()
    copied = load_corpus(local_store(store_url, kfold_config), "tiny", frontend)
    assert not copied.has_sounds


def test_an_interrupted_copy_goes_on(kfold_config, remote, store_url, frontend):
    local = place_in_cache(store_url)
    partial = local / f".{remote.name}.part"
    partial.mkdir(parents=True)
    shards = sorted(remote.glob("shard-*"))
    (partial / shards[0].name).write_bytes(shards[0].read_bytes())
    (partial / shards[1].name).write_bytes(b"half of")
    kept = (partial / shards[0].name).stat().st_ino
    local_store(store_url, kfold_config)
    copied = load_corpus(local, "tiny", frontend)
    assert copied.shards[0].stat().st_ino == kept
    assert copied.shards[1].read_bytes() == shards[1].read_bytes()
    assert not partial.exists()


def test_a_corpus_that_arrives_changed_is_refused_and_not_kept(kfold_config, remote, store_url):
    shard = sorted(remote.glob("shard-*"))[1]
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    with pytest.raises(UserError, match=r"shard-00001.tfrecord: expected the SHA-256"):
        local_store(store_url, kfold_config)
    local = place_in_cache(store_url)
    assert not (local / remote.name).exists()
    assert not (local / f".{remote.name}.part" / shard.name).exists()


def test_a_corpus_prepared_anew_is_copied_anew(kfold_config, remote, store_url, frontend):
    local_store(store_url, kfold_config)
    manifest = remote / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"digest": "', '"digest": "new-'))
    copied = load_corpus(local_store(store_url, kfold_config), "tiny", frontend)
    assert copied.digest.startswith("new-")


@pytest.mark.parametrize(
    ("lost", "said"), [("manifest.json", "found no manifest.json"), ("shard-00000", "found none")]
)
def test_what_is_not_at_the_url_is_named(kfold_config, remote, store_url, lost, said):
    next(remote.glob(f"{lost}*")).unlink()
    with pytest.raises(UserError, match=said):
        local_store(store_url, kfold_config)


# runs that are sent


def test_weights_that_a_run_starts_from_are_fetched_once(tmp_path):
    config = with_settings(RunConfig(), {"training.start": "0123456789abcdef"})
    place, runs = f"file://{tmp_path}/far", tmp_path / "cache"
    with pytest.raises(UserError, match="start-from MODEL again"):
        fetch_start(place, runs, config)
    there = start_file(tmp_path / "far", config.training.start)
    there.parent.mkdir(parents=True)
    there.write_bytes(b"weights")
    fetch_start(place, runs, config)
    there.unlink()
    fetch_start(place, runs, config)
    assert start_file(runs, config.training.start).read_bytes() == b"weights"
    fetch_start(place, tmp_path / "unused", RunConfig())
    assert not (tmp_path / "unused").exists()


def test_the_result_is_sent_last(kfold_config, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    for name in ("result.json", "zebra.json", "config.json"):
        write_json(folder / name, {})
    system, _ = open_place("file:///")
    sent = []
    real = type(system).put_file

    def put(self, source, target, **named):
        sent.append(Path(target).name)
        real(self, source, target, **named)

    monkeypatch.setattr(type(system), "put_file", put)
    send_folder(folder, f"file://{tmp_path}/far", "a/b")
    assert sent == ["config.json.part", "zebra.json.part", "result.json.part"]
    assert sorted(path.name for path in (tmp_path / "far/a/b").iterdir()) == sorted(
        path.name for path in folder.iterdir()
    )
