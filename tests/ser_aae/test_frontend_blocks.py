"""Recordings in blocks: nothing lost, nothing twice, and every way to give sound."""

import json
import os
import sys

import numpy as np
import pytest
import soundfile

from ser_aae.errors import UserError
from ser_aae.frontend import blocks
from ser_aae.frontend.audio import read_audio
from ser_aae.frontend.blocks import file_blocks, sample_blocks

RATE_HZ = 16000


def noise(seconds, rate_hz=RATE_HZ):
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * rate_hz)).astype(np.float32)


@pytest.fixture
def short_blocks(monkeypatch):
    """Blocks of a second, so that a long recording is one of some seconds."""
    monkeypatch.setattr(blocks, "BLOCK_S", 1.0)
    monkeypatch.setattr(blocks, "WHOLE_S", 1.0 * 1.5)


def write(path, samples, rate_hz=RATE_HZ, **more):
    soundfile.write(path, samples, rate_hz, **more)
    return path


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_a_short_recording_is_one_block_as_it_is_read(tmp_path, rate_hz):
    path = write(tmp_path / "a.wav", noise(2.0, rate_hz), rate_hz, subtype="FLOAT")
    (block,) = file_blocks(path, RATE_HZ)
    assert block.start_s == 0.0
    np.testing.assert_array_equal(block.signal, read_audio(path, RATE_HZ))
    (same,) = sample_blocks(noise(2.0, rate_hz), rate_hz, RATE_HZ)
    np.testing.assert_array_equal(block.signal, same.signal)


@pytest.mark.parametrize(
    ("seconds", "lengths"), [(1.4, [1.4]), (1.6, [1.0, 0.6]), (3.2, [1, 1, 1.2])]
)
def test_blocks_joined_are_the_recording(tmp_path, short_blocks, seconds, lengths):
    signal = noise(seconds)
    path = write(tmp_path / "a.wav", signal, subtype="FLOAT")
    for found in (list(file_blocks(path, RATE_HZ)), list(sample_blocks(signal, RATE_HZ, RATE_HZ))):
        assert [len(block.signal) / RATE_HZ for block in found] == lengths
        assert [block.start_s for block in found] == list(range(len(lengths)))
        np.testing.assert_array_equal(np.concatenate([b.signal for b in found]), signal)


def test_what_is_as_long_as_an_utterance_can_be_is_whole():
    assert blocks._edges(39.9) == [(0.0, None)]
    long = blocks._edges(44.9)
    assert [start for start, _ in long] == [0.0, 10.0, 20.0, 30.0]
    assert long[-1] == (30.0, None)
    assert len(blocks._edges(3600.0)) == 360


def test_blocks_are_read_one_at_a_time(tmp_path, short_blocks, monkeypatch):
    path = write(tmp_path / "a.wav", noise(5.0))
    asked = []

    def read(path, rate_hz, start_s=0.0, end_s=None):
        asked.append((start_s, end_s))
        return read_audio(path, rate_hz, start_s, end_s)

    monkeypatch.setattr(blocks, "read_audio", read)
    found = file_blocks(path, RATE_HZ)
    next(found)
    assert asked == [(0.0, 1.0)]
    assert len(list(found)) == 4
    assert asked[-1] == (4.0, None)


def test_integers_and_channels_are_understood():
    signal = noise(0.5)
    stereo = np.stack([signal, np.zeros_like(signal)], axis=1)
    (half,) = sample_blocks(stereo, RATE_HZ, RATE_HZ)
    np.testing.assert_allclose(half.signal, signal / 2)
    (coarse,) = sample_blocks((signal * 32768).astype(np.int16), RATE_HZ, RATE_HZ)
    np.testing.assert_allclose(coarse.signal, signal, atol=1 / 32768)
    assert coarse.signal.dtype == np.float32


@pytest.mark.parametrize(
    ("samples", "rate_hz", "message"),
    [
        (np.zeros(0, np.float32), RATE_HZ, r"got shape \(0,\)"),
        (np.zeros((2, 2, 2), np.float32), RATE_HZ, r"got shape \(2, 2, 2\)"),
        (np.zeros(9, np.uint8), RATE_HZ, "of uint8"),
        (np.zeros(9, np.float32), 0, "sample_rate_hz: expected samples a second, got 0"),
        (np.full(9, np.nan, np.float32), RATE_HZ, "expected finite numbers"),
    ],
)
def test_samples_that_cannot_be_are_refused(samples, rate_hz, message):
    with pytest.raises(UserError, match=message):
        list(sample_blocks(samples, rate_hz, RATE_HZ))


@pytest.mark.parametrize("content", [None, b"", b"no sound at all" * 9])
def test_a_file_that_nobody_reads_is_told_by_name(tmp_path, monkeypatch, content):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.m4a"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.m4a: expected a") as caught:
        list(file_blocks(path, RATE_HZ))
    # it would help against neither a missing nor an empty file
    assert ("install ffmpeg" in str(caught.value)) == bool(content)


def put_ffmpeg(folder, monkeypatch, body):
    """Put a program called ffmpeg on the path, alone."""
    program = folder / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{body}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))


def test_another_container_is_decoded_by_ffmpeg_and_nothing_is_left(tmp_path, monkeypatch):
    body = "import json, shutil, sys\n"
    body += f"json.dump(sys.argv[1:], open({str(tmp_path / 'order')!r}, 'w'))\n"
    body += f"shutil.copy({str(tmp_path / 'inside.w64')!r}, sys.argv[-1])\n"
    put_ffmpeg(tmp_path, monkeypatch, body)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(blocks.tempfile, "tempdir", None)
    inside = write(tmp_path / "inside.w64", noise(1.0), format="W64", subtype="FLOAT")
    path = tmp_path / "concat:a.m4a"
    path.write_bytes(b"something else")
    before = set(os.listdir(tmp_path))
    (block,) = file_blocks(path, RATE_HZ)
    np.testing.assert_array_equal(block.signal, read_audio(inside, RATE_HZ))
    order = json.loads((tmp_path / "order").read_text())
    assert order[order.index("-i") + 1] == f"file:{path}"
    assert order[order.index("-protocol_whitelist") + 1] == "file"
    assert order.index("-protocol_whitelist") < order.index("-i")
    assert set(os.listdir(tmp_path)) == before | {"order"}


def test_what_ffmpeg_says_is_passed_on(tmp_path, monkeypatch):
    put_ffmpeg(tmp_path, monkeypatch, "import sys\nsys.exit('moov atom not found')\n")
    path = tmp_path / "a.m4a"
    path.write_bytes(b"something else")
    with pytest.raises(UserError, match=r"a\.m4a: .*neither libsndfile nor ffmpeg.*moov atom"):
        list(file_blocks(path, RATE_HZ))


def test_an_mp3_without_its_length_is_read_until_nothing_comes(tmp_path, short_blocks, monkeypatch):
    signal = noise(2.5, RATE_HZ)
    path = write(tmp_path / "a.mp3", signal, format="MP3")

    def unmeasured(path, start_s, end_s):
        return signal[round(start_s * RATE_HZ) : round(end_s * RATE_HZ), None], RATE_HZ

    monkeypatch.setattr(blocks, "read_unmeasured_mp3", unmeasured)
    monkeypatch.setattr(blocks, "_CHUNK_S", 2.0)
    found = list(file_blocks(path, RATE_HZ))
    assert [block.start_s for block in found] == [0.0, 1.0, 2.0]
    np.testing.assert_array_equal(found[2].signal, signal[2 * RATE_HZ :])
