"""Damaged corpora and full disks: one clear error, and nothing half-written."""

import os
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from corpus_layouts import emodb
from corpus_layouts.sound import tone

from data_prep import workers
from data_prep.build import prepare
from data_prep.corpora import find_adapter
from data_prep.manifest import read_manifest
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import PARTIAL
from ser_aae.store.corpus import MANIFEST, is_prepared, load_corpus


def cut_in_half(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("These are words, and no sound.\n" * 40)


def pointer(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


def no_samples(path):
    soundfile.write(path, np.zeros(0), 16000, format="WAV")


def not_a_number(path):
    samples = tone(seconds=0.5)
    samples[123] = np.nan
    soundfile.write(path, samples, 16000, subtype="FLOAT", format="WAV")


def too_loud(path):
    samples = tone(seconds=0.5)
    samples[123] = 2e19
    soundfile.write(path, samples, 16000, subtype="FLOAT", format="WAV")


def remove(path):
    path.unlink()


def folder(path):
    path.unlink()
    path.mkdir()


def dangle(path):
    path.unlink()
    path.symlink_to("nowhere.wav")


BAD = {
    remove: "found none",
    folder: "found a folder",
    dangle: "found none",
    cut_in_half: "cut short",
    empty: "zero bytes",
    text: "found text|neither libsndfile nor ffmpeg",  # as there is one
    pointer: "git lfs pull",
    no_samples: "found no sample",
    not_a_number: "sample 123 is not a finite number",
    too_loud: r"sample 123 is 2e\+19 times full scale \(at 0\.008 s",
}


@pytest.fixture
def data_root(demo_root, tmp_path):
    """A demo corpus that a test may spoil."""
    shutil.copytree(demo_root, tmp_path / "data")
    return tmp_path / "data"


def run(data_root, store, dataset="demo", **keywords):
    return prepare(dataset, data_root, store, FrontEndConfig(), **keywords)


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__)
def test_bad_file_is_named(spoil, data_root, tmp_path, small_shards):
    bad = data_root / "demo" / "wav" / "s1m" / "s1m-neutral-03.wav"
    spoil(bad)

    with pytest.raises(UserError, match=BAD[spoil]) as caught:
        run(data_root, tmp_path / "store")

    is_absent = spoil in (remove, folder, dangle)
    told = f"{data_root}/demo/utterances.csv:" if is_absent else f"{bad}: "
    assert str(caught.value).startswith(told)
    assert not is_prepared(tmp_path / "store", "demo", FrontEndConfig())
    assert not list((tmp_path / "store").rglob(PARTIAL))


def test_files_with_names_that_no_disk_takes_are_dropped_from_a_partial_copy(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(seconds=0.5), 16000)
    names = ["a.wav", "x" * 5000, "a\x00b"]
    rows = "".join(f"{name},1,f,sad\n" for name in names)
    (tmp_path / "table.csv").write_text("file,speaker,gender,emotion\n" + rows)
    dataset = f"csv:{tmp_path / 'table.csv'}"

    result = run(tmp_path, tmp_path / "store", dataset, allow_partial=True)

    assert result.num_utterances == 1
    dropped = {item["where"]: item["reason"] for item in read_manifest(result.folder)["dropped"]}
    assert dropped["a\x00b"] == "expected an audio file, found none"
    assert "name too long" in dropped["x" * 5000]
    assert not run(tmp_path, tmp_path / "store", dataset, allow_partial=True).is_new


def test_an_absent_file_of_a_corpus_without_a_table_is_told_before_any_is_read(tmp_path):
    dataset = emodb.write(tmp_path)
    bad = tmp_path / dataset / "wav" / "03a01Fa.wav"
    dangle(bad)
    adapter = find_adapter(dataset)
    with pytest.raises(UserError) as caught:
        replace(
            adapter, expected={}, parse=lambda at: replace(adapter.parse(at), expected={})
        ).read(tmp_path)

    assert str(caught.value).startswith(
        f"{bad}: expected an audio file, found none; check the path (1 of "
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_files_are_dropped_and_listed_from_a_partial_copy(
    data_root, tmp_path, small_shards, workers
):
    for number, spoil in enumerate(BAD, start=1):
        spoil(data_root / "demo" / "wav" / "s1f" / f"s1f-anger-{number:02d}.wav")

    result = run(data_root, tmp_path / "store", allow_partial=True, workers=workers)

    corpus = load_corpus(tmp_path / "store", "demo", FrontEndConfig())
    dropped = read_manifest(result.folder)["dropped"]
    assert len(corpus.utterances) == len(corpus.num_frames) == 80 - len(BAD)
    assert [item["where"] for item in dropped] == [
        f"wav/s1f/s1f-anger-{number:02d}.wav" for number in range(1, len(BAD) + 1)
    ]
    assert not any(str(tmp_path) in item["reason"] for item in dropped)
    number = list(BAD).index(not_a_number) + 1
    name = f"wav/s1f/s1f-anger-{number:02d}.wav"
    assert f"dropped 1: sample 123 is not a finite number: {name}" in result.messages
    assert not run(data_root, tmp_path / "store", allow_partial=True).is_new


def test_a_copy_of_nothing_but_bad_files_is_refused(data_root, tmp_path):
    for path in (data_root / "demo" / "wav").rglob("*.wav"):
        empty(path)

    with pytest.raises(
        UserError, match=r"none of 80 files can be read; dropped 80: .* zero bytes: .* \.\.\.;"
    ):
        run(data_root, tmp_path / "store", allow_partial=True)

    assert not list((tmp_path / "store").rglob(MANIFEST))


def fail(*_):
    raise ValueError("need at least one array to concatenate")


def test_a_fault_of_the_program_is_tied_to_its_recording(data_root, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "signal_to_spectrogram", fail)

    with pytest.raises(UserError, match=r"\.wav: a fault of this program, ValueError: need at"):
        run(data_root, tmp_path / "store")


def test_a_fault_of_the_program_costs_no_other_recording(data_root, tmp_path, monkeypatch):
    real, called = workers.read_channels, []

    def read(path, *rest):
        called.append(path)
        return fail() if len(called) == 5 else real(path, *rest)

    monkeypatch.setattr(workers, "read_channels", read)
    result = run(data_root, tmp_path / "store", allow_partial=True)

    assert result.num_utterances == 79
    (dropped,) = read_manifest(result.folder)["dropped"]
    assert called[4].as_posix().endswith(dropped["where"])
    assert dropped["reason"].startswith("a fault of this program, ValueError: need at least")


def test_want_of_memory_is_no_fault_of_a_recording(data_root, tmp_path, monkeypatch):
    def exhaust(*_):
        raise MemoryError

    monkeypatch.setattr(workers, "read_channels", exhaust)
    with pytest.raises(MemoryError):
        run(data_root, tmp_path / "store", allow_partial=True)


def test_no_data_root(tmp_path):
    with pytest.raises(UserError, match="<data root>/demo/"):
        run(tmp_path / "nowhere", tmp_path / "store")

    assert not (tmp_path / "store").exists()


def test_digital_silence_is_kept_and_listed(data_root, tmp_path):
    silent = data_root / "demo" / "wav" / "s1m" / "s1m-sadness-01.wav"
    soundfile.write(silent, np.zeros(16000), 16000)

    result = run(data_root, tmp_path / "store")

    assert read_manifest(result.folder)["silent"] == ["s1m-sadness-01"]
    assert "1 of digital silence: s1m-sadness-01 ..." in result.messages


def test_channels_that_cancel_each_other_are_listed_each_time(data_root, tmp_path):
    path = data_root / "demo" / "wav" / "s1m" / "s1m-sadness-01.wav"
    samples, rate_hz = soundfile.read(path)
    soundfile.write(path, np.stack([samples, -samples], axis=1), rate_hz)

    results = [run(data_root, tmp_path / "store") for _ in range(2)]

    assert [result.is_new for result in results] == [True, False]
    for result in results:
        assert read_manifest(result.folder)["cancelled"] == ["s1m-sadness-01"]
        (told,) = [line for line in result.messages if "cancel each other" in line]
        assert told.startswith("1 whose channels")
        assert "s1m-sadness-01 ..." in told


def test_unknown_label_is_listed(data_root, tmp_path):
    table = data_root / "demo" / "utterances.csv"
    table.write_text(table.read_text().replace(",anger,", ",Puzzlement,", 1))

    result = run(data_root, tmp_path / "store")

    assert read_manifest(result.folder)["unknown_labels"] == ["puzzlement"]
    assert any("puzzlement" in line for line in result.messages)


def test_store_that_is_a_file(data_root, tmp_path):
    (tmp_path / "store").write_text("not a folder")

    with pytest.raises(UserError, match="cannot be written"):
        run(data_root, tmp_path / "store")


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 1.5 MB, where the user running the tests may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("a small disk can be mounted by root alone")
    command = [mount, "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_is_explained_and_what_is_finished_kept(data_root, tiny_disk, small_shards):
    with pytest.raises(UserError, match=r"the disk is full; about .* MB more are needed") as caught:
        run(data_root, tiny_disk)

    (folder,) = tiny_disk.iterdir()
    assert str(caught.value).startswith(f"{folder}: ")
    finished = {path.stem for path in folder.glob("*.tfrecord")}
    assert 1 <= len(finished) < 5
    assert {path.stem for path in folder.glob("*.json")} == finished
    assert not list(folder.glob(PARTIAL))
    assert not (folder / MANIFEST).exists()


def test_full_disk_at_the_manifest(data_root, tmp_path, monkeypatch):
    import errno

    from data_prep import build

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(build, "write_manifest", full)
    with pytest.raises(UserError, match="the disk is full"):
        run(data_root, tmp_path / "store")
    monkeypatch.undo()

    assert run(data_root, tmp_path / "store").is_new
