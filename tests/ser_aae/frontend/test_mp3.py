"""MP3 files that do not say how long they are: read to the real end, whole and in parts."""

import threading

import numpy as np
import pytest
import soundfile
from sounds import RATE_HZ, noise

from ser_aae.errors import UserError
from ser_aae.frontend import audio, mp3
from ser_aae.frontend.audio import read_audio
from ser_aae.frontend.blocks import file_blocks
from ser_aae.frontend.mp3 import read_unmeasured_mp3

KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Bit rates of MPEG-2 layer III."""
LOUD, QUIET = 0.25, 2.0
"""Seconds of noise, and of the silence before noise three times as long."""


def write(path, quiet_first=False, channels=1, mode="VARIABLE"):
    """Write noise, silence, noise, or silence and noise alone, as an MP3 with its length."""
    pause = np.zeros(round(QUIET * RATE_HZ))
    parts = [noise(LOUD, level=0.2), pause, noise(3 * LOUD, seed=1, level=0.2)]
    samples = np.stack([np.concatenate(parts[quiet_first:])] * channels, axis=1)
    soundfile.write(path, samples, RATE_HZ, bitrate_mode=mode, compression_level=0.5)
    return path


def without_length(path):
    """Take away the first frame, which holds the number of frames and no sound."""
    content = path.read_bytes()
    bits = KBITS[content[2] >> 4] * 1000
    path.write_bytes(content[72 * bits // RATE_HZ + (content[2] >> 1 & 1) :])
    return path


def tagged(path, size):
    """Put an ID3v2 tag before the sound."""
    bytes_of_size = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x04\x00\x00" + bytes_of_size + bytes(size) + path.read_bytes())
    return path


@pytest.mark.parametrize("quiet_first", [False, True])
def test_the_first_frame_may_promise_too_little_or_too_much(tmp_path, quiet_first):
    path = without_length(write(tmp_path / "a.mp3", quiet_first))
    real = round((QUIET + 3 * LOUD + (0 if quiet_first else LOUD)) * RATE_HZ)

    promised = soundfile.info(path).frames

    assert promised > 1.1 * real if quiet_first else promised < 0.9 * real
    # the coder itself adds up to three of its frames
    assert real <= len(read_audio(path, RATE_HZ)) <= real + 3 * 576


def test_it_is_the_sound_that_the_whole_file_holds(tmp_path):
    whole = read_audio(write(tmp_path / "a.mp3"), RATE_HZ)

    sound = read_audio(without_length(tmp_path / "a.mp3"), RATE_HZ)

    # with its first frame the coder's delay is known, and taken off
    delay = 1105
    np.testing.assert_allclose(sound[delay : delay + len(whole)], whole, atol=1e-5)


def damaged(path, frame):
    """Flip a bit in the header of a frame, which then has another sampling rate."""
    content = bytearray(path.read_bytes())
    place = 0
    for _ in range(frame):
        place += mp3._frame_bytes(content[place : place + 4])
    content[place + 2] ^= 0x08
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT"])
@pytest.mark.parametrize("read", [read_audio, lambda *of: list(file_blocks(*of))])
def test_a_damaged_frame_that_ends_the_sound_is_told(tmp_path, mode, read):
    path = damaged(without_length(write(tmp_path / "a.mp3", quiet_first=True, mode=mode)), 2)

    with pytest.raises(UserError, match=r"a\.mp3: its frames hold 4\d* samples, of which only 11"):
        read(path, RATE_HZ)


def test_a_file_that_ends_in_the_midst_of_a_frame_was_cut(tmp_path):
    path = without_length(write(tmp_path / "a.mp3"))
    path.write_bytes(path.read_bytes()[:-50])

    with pytest.raises(UserError, match=r"a\.mp3: its frames hold .* cut short, fetch it again"):
        read_audio(path, RATE_HZ)


def test_what_lies_before_a_damaged_frame_is_read(tmp_path):
    path = without_length(write(tmp_path / "a.mp3"))
    whole = read_audio(path, RATE_HZ)

    part = read_audio(damaged(path, 40), RATE_HZ, 0.0, 0.5)

    np.testing.assert_array_equal(part, whole[: RATE_HZ // 2])


@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT"])
@pytest.mark.parametrize(
    "rest", [b"TAG" + bytes(125), bytes(5000), b"words " * 1000, b"\xff" * 3000]
)
def test_what_lies_behind_the_last_frame_is_no_sound(tmp_path, rest, mode):
    path = without_length(write(tmp_path / "a.mp3", mode=mode))
    whole = read_audio(path, RATE_HZ)
    path.write_bytes(path.read_bytes() + rest)

    np.testing.assert_array_equal(read_audio(path, RATE_HZ), whole)


@pytest.mark.parametrize("size", [0, 100, 300000])
def test_a_tag_before_the_sound_is_passed_over(tmp_path, size):
    path = without_length(write(tmp_path / "a.mp3"))
    plain = read_audio(path, RATE_HZ)

    np.testing.assert_array_equal(read_audio(tagged(path, size), RATE_HZ), plain)


@pytest.mark.parametrize(
    ("start_s", "end_s"), [(0.0, 0.5), (0.4, 2.5), (2.5, None), (2.9, 99.0), (1.0, 1.0001)]
)
def test_a_part_is_cut_from_the_whole(tmp_path, start_s, end_s, monkeypatch):
    monkeypatch.setattr("ser_aae.frontend.mp3.PIECE", 1000)
    path = without_length(write(tmp_path / "a.mp3"))
    whole = read_audio(path, RATE_HZ)
    last = len(whole) if end_s is None else round(end_s * RATE_HZ)

    part = read_audio(path, RATE_HZ, start_s, end_s)

    np.testing.assert_array_equal(part, whole[round(start_s * RATE_HZ) : last])


def test_a_part_behind_the_end_has_no_sample(tmp_path):
    path = without_length(write(tmp_path / "a.mp3"))

    with pytest.raises(UserError, match=r"found no sample between 9\.0 s and 10\.0 s"):
        read_audio(path, RATE_HZ, 9.0, 10.0)


def test_two_channels_stay_two(tmp_path):
    samples, rate_hz = read_unmeasured_mp3(
        without_length(write(tmp_path / "a.mp3", channels=2)), 0.0, None
    )

    assert samples.shape[1] == 2
    assert rate_hz == RATE_HZ


@pytest.mark.parametrize("mode", ["VARIABLE", "CONSTANT"])
def test_a_length_that_is_there_is_kept_to(tmp_path, mode):
    path = write(tmp_path / "a.mp3", mode=mode)

    assert read_unmeasured_mp3(path, 0.0, None) is None
    assert len(read_audio(path, RATE_HZ)) == 3 * RATE_HZ


def test_other_containers_are_never_streamed(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "read_unmeasured_mp3", pytest.fail)
    soundfile.write(tmp_path / "a.flac", noise(0.5), RATE_HZ)

    assert len(read_audio(tmp_path / "a.flac", RATE_HZ)) == RATE_HZ // 2


def test_no_thread_and_no_open_file_is_left(tmp_path):
    path = without_length(write(tmp_path / "a.mp3"))
    (tmp_path / "b.mp3").write_bytes(b"no sound" * 100000)
    before = threading.active_count()

    for file, end_s in ((path, None), (path, 0.1), (tmp_path / "b.mp3", None)):
        read_unmeasured_mp3(file, 0.0, end_s)

    assert threading.active_count() == before
