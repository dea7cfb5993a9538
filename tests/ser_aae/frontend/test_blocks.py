"""Recordings in blocks: nothing lost, nothing twice, and every way to give sound."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from sounds import RATE_HZ, give, noise, put_ffmpeg, tone

from ser_aae.errors import UserError
from ser_aae.frontend import blocks, ffmpeg
from ser_aae.frontend.audio import read_audio, read_channels
from ser_aae.frontend.blocks import file_blocks, sample_blocks


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
    path = write(tmp_path / "a.wav", noise(2.0, rate_hz=rate_hz), rate_hz, subtype="FLOAT")
    (block,) = file_blocks(path, RATE_HZ)
    assert block.start_s == 0.0
    np.testing.assert_array_equal(block.signal, read_audio(path, RATE_HZ))
    (same,) = sample_blocks(noise(2.0, rate_hz=rate_hz), rate_hz, RATE_HZ)
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
    assert list(blocks._edges(39.9)) == [(0.0, None)]
    long = list(blocks._edges(44.9))
    assert [start for start, _ in long] == [0.0, 10.0, 20.0, 30.0]
    assert long[-1] == (30.0, None)
    assert len(list(blocks._edges(3600.0))) == 360


def test_blocks_are_read_one_at_a_time(tmp_path, short_blocks, monkeypatch):
    path = write(tmp_path / "a.wav", noise(5.0))
    asked = []

    def read(path, start_s=0.0, end_s=None):
        asked.append((start_s, end_s))
        return read_channels(path, start_s, end_s)

    monkeypatch.setattr(blocks, "read_channels", read)
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
        (np.full(9, np.nan, np.float32), RATE_HZ, "sample 0 is not a finite number"),
        (np.array([0, 0, -1e300]), RATE_HZ, r"samples: sample 2 is 1e\+300 times full scale"),
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


def test_another_container_is_decoded_by_ffmpeg_and_nothing_is_left(tmp_path, monkeypatch):
    sound = noise(1.0)
    more = f"json.dump(sys.argv[1:], open({str(tmp_path / 'order')!r}, 'w'))\n"
    path = put_ffmpeg(tmp_path, monkeypatch, give(tmp_path, sound, more))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(ffmpeg.tempfile, "tempdir", None)
    before = set(os.listdir(tmp_path))
    (block,) = file_blocks(path, RATE_HZ)
    np.testing.assert_array_equal(block.signal, sound.astype(np.float32))
    order = json.loads((tmp_path / "order").read_text())
    assert order[order.index("-i") + 1] == f"file:{path}"
    assert order[order.index("-protocol_whitelist") + 1] == "file"
    assert order.index("-protocol_whitelist") < order.index("-i")
    assert set(os.listdir(tmp_path)) == before | {"order"}


@pytest.mark.parametrize("seconds", [3.9, 4.0, 4.49, 4.5, 7.3])
def test_what_ffmpeg_gives_is_cut_as_a_file_is(tmp_path, short_blocks, monkeypatch, seconds):
    sound = noise(seconds)
    whole = write(tmp_path / "a.wav", sound, subtype="FLOAT")
    wanted = list(file_blocks(whole, RATE_HZ))
    path = put_ffmpeg(tmp_path, monkeypatch, give(tmp_path, sound))
    found = list(file_blocks(path, RATE_HZ))
    assert [each.start_s for each in found] == [each.start_s for each in wanted]
    for each, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(each.signal, other.signal)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit('moov atom not found')\n", "neither libsndfile nor ffmpeg.*moov atom"),
        ("os.kill(os.getpid(), 9)\n", "neither libsndfile nor ffmpeg.*no reason given"),
        # as it does with half a Matroska file
        ("os.write(1, bytes(400))\nprint('ended prematurely', file=sys.stderr)\n", "prematurely"),
        ("", "expected sound, found no sample"),
        ("time.sleep(600)\n", r"ffmpeg gave no sound for 0\.5 s"),
        ("os.write(1, bytes(400))\ntime.sleep(600)\n", r"ffmpeg gave no sound for 0\.5 s"),
        ("os.write(1, b'\\xff' * 400)\n", r"sample 0 is not a finite number \(NaN"),
        (
            "os.write(1, bytes(400_002))\ntime.sleep(0.2)\nos.write(1, b'\\0\\xff\\x7f' * 2)\n",
            r"sample 100000 is .* \(at 6\.250 s;",
        ),
    ],
)
def test_what_ffmpeg_cannot_read_is_told(tmp_path, monkeypatch, body, message):
    monkeypatch.setattr(ffmpeg, "PATIENCE_S", 0.5 if "sleep" in body else 60.0)
    path = put_ffmpeg(tmp_path, monkeypatch, body)
    with pytest.raises(UserError, match=rf"a\.m4a: .*{message}"):
        list(file_blocks(path, RATE_HZ))


def test_a_file_that_never_ends_fills_neither_disk_nor_memory(tmp_path, short_blocks, monkeypatch):
    """Who has heard enough ends ffmpeg with it."""
    body = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
    body += "while True: os.write(1, bytes(40000))\n"
    path = put_ffmpeg(tmp_path, monkeypatch, body)
    coming = file_blocks(path, RATE_HZ)
    found = [next(coming) for _ in range(20)]
    assert [each.start_s for each in found] == list(range(20))
    coming.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg is installed")
@pytest.mark.parametrize("name", ["a.m4a", "a.mkv"])
def test_the_real_ffmpeg_gives_the_sound_that_was_written(tmp_path, name):
    written = np.concatenate([tone(440, amplitude=0.25), np.zeros(RATE_HZ, np.float32)])
    sound = write(tmp_path / "tone.wav", written, subtype="FLOAT")
    order = ["ffmpeg", "-v", "error", "-i", sound, "-c:a", "aac", tmp_path / name]
    subprocess.run(order, check=True, timeout=120)
    (block,) = file_blocks(tmp_path / name, RATE_HZ)
    # the encoder begins up to two of its frames early or late, and ends with a whole one
    assert abs(len(block.signal) - len(written)) < 4096
    first, second = block.signal[4000:12000], block.signal[20000:28000]
    assert first.std() == pytest.approx(0.25 / np.sqrt(2), rel=0.05)
    assert np.abs(np.fft.rfft(first)).argmax() == 220
    assert second.std() < 1e-3


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg is installed")
@pytest.mark.parametrize(
    ("name", "more"), [("a.m4a", ["-movflags", "+faststart"]), ("a.mkv", []), ("a.aac", [])]
)
def test_half_a_file_is_not_taken_for_the_whole(tmp_path, name, more):
    sound = write(tmp_path / "noise.wav", noise(20.0))
    order = ["ffmpeg", "-v", "error", "-i", sound, "-c:a", "aac", *more, tmp_path / name]
    subprocess.run(order, check=True, timeout=120)
    assert sum(len(b.signal) for b in file_blocks(tmp_path / name, RATE_HZ)) >= 20 * RATE_HZ
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=rf"{name}: .*nor ffmpeg reads it to its end .*fetch it"):
        list(file_blocks(tmp_path / name, RATE_HZ))


def test_an_mp3_without_its_length_is_read_until_nothing_comes(tmp_path, short_blocks, monkeypatch):
    signal = noise(2.5)
    path = write(tmp_path / "a.mp3", signal, format="MP3")

    def unmeasured(path, start_s, end_s):
        return signal[round(start_s * RATE_HZ) : round(end_s * RATE_HZ), None], RATE_HZ

    monkeypatch.setattr(blocks, "read_unmeasured_mp3", unmeasured)
    monkeypatch.setattr(blocks, "_CHUNK_S", 2.0)
    found = list(file_blocks(path, RATE_HZ))
    assert [block.start_s for block in found] == [0.0, 1.0, 2.0]
    np.testing.assert_array_equal(found[2].signal, signal[2 * RATE_HZ :])
