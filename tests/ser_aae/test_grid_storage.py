"""Where a grid reads and writes: claims, copies of corpora, runs that are sent."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ser_aae import grid_storage
from ser_aae.errors import UserError
from ser_aae.grid_storage import (
    claim,
    corpora_of,
    is_url,
    local_store,
    open_place,
    place_in_cache,
    send_folder,
)
from ser_aae.results import write_json
from ser_aae.store import load_corpus

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A worker's cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SER_AAE_CACHE", str(folder))
    return folder


@pytest.fixture
def remote(tmp_path, speakers_of, sounds_of, write_corpus):
    """A store behind a URL, with a corpus in it that a test may damage."""
    utterances = speakers_of("tiny", 4, 1)
    return write_corpus(tmp_path / "remote", utterances, sounds_of(utterances, 32)).folder


@pytest.fixture
def store_url(tmp_path):
    return f"file://{tmp_path}/remote"


# claims


def test_a_claim_excludes_all_others_until_it_ends(tmp_path):
    folder = tmp_path / "runs" / "fold00-rep00"
    with claim(folder) as first:
        with claim(folder) as second, claim(folder.with_name("fold01-rep00")) as other:
            assert [held is None for held in (first, second, other)] == [False, True, False]
        with claim(folder) as third:
            assert third is None  # a claim that failed frees nothing
    with claim(folder) as again:
        assert again is not None
    assert not folder.exists()
    assert list(folder.parent.iterdir()) == []


def test_a_claim_falls_with_the_process_that_is_killed(tmp_path):
    code = (
        "import sys, pathlib\nfrom ser_aae.grid_storage import claim\n"
        "with claim(pathlib.Path(sys.argv[1])) as held:\n"
        "    print(held is not None, flush=True)\n    input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    ) as process:
        assert process.stdout.readline() == "True\n"
        with claim(tmp_path / "run") as mine:
            assert mine is None
        process.kill()
        process.wait()
        assert (tmp_path / ".run.lock").exists()
        with claim(tmp_path / "run") as mine:
            assert mine is not None


def test_a_lock_that_was_removed_while_it_was_waited_for_is_none(tmp_path, monkeypatch):
    lock = tmp_path / ".run.lock"
    real, removed = grid_storage.fcntl.flock, []

    def lose_the_first(descriptor, kind):
        real(descriptor, kind)
        if not removed:
            removed.append(os.fstat(descriptor).st_ino)
            lock.unlink()

    monkeypatch.setattr(grid_storage.fcntl, "flock", lose_the_first)
    with claim(tmp_path / "run", wait=True) as mine, claim(tmp_path / "run") as second:
        assert mine is not None
        assert second is None
        assert lock.exists()


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(grid_storage.fcntl, "flock", refuse)
    with (
        pytest.raises(UserError, match=r"locks \(Function not implemented\); set \$SER_AAE_CACHE"),
        claim(tmp_path / "run"),
    ):
        pytest.fail("claimed without a lock")


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
        protocol=replace(kfold_config.protocol, name="cross-corpus", target="MSP-IMPROV"),
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
    assert not (copied.folder / "notes.txt").exists()
    written = copied.shards[0].stat().st_mtime_ns
    assert local_store(store_url, kfold_config) == local
    assert copied.shards[0].stat().st_mtime_ns == written
    assert [path.name for path in local.iterdir()] == [copied.folder.name]


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
