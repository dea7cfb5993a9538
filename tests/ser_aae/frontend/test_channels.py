"""Channels of a recording: which one is read, and which there is not."""

import re

import numpy as np
import pytest
import soundfile
from sounds import RATE_HZ, noise, tone

from ser_aae.errors import UserError
from ser_aae.frontend import blocks
from ser_aae.frontend.audio import read_audio
from ser_aae.frontend.blocks import count_channels, file_blocks, sample_blocks
from ser_aae.frontend.channels import parse_channel


@pytest.fixture
def call(tmp_path):
    """Return the path of a call, and its two speakers, each on a channel."""
    sides = np.stack([tone(300.0, 3.2, 0.25), noise(3.2, level=0.05)], axis=1)
    soundfile.write(tmp_path / "call.wav", sides, RATE_HZ, subtype="FLOAT")
    return tmp_path / "call.wav", sides


@pytest.mark.parametrize(
    ("text", "channel"),
    [("", None), ("mix", None), ("left", 1), (" Right ", 2), ("1", 1), ("12", 12)],
)
def test_words_and_numbers_name_a_channel(text, channel):
    assert parse_channel(text) == channel


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "middle", "²", "each", "nan"])
def test_other_words_name_none(text):
    with pytest.raises(ValueError, match=f"expected a channel .*got {re.escape(repr(text))}"):
        parse_channel(text)


def test_a_channel_is_read_alone(call):
    path, sides = call
    assert count_channels(path) == 2
    for channel in (1, 2):
        np.testing.assert_array_equal(
            read_audio(path, RATE_HZ, channel=channel), sides[:, channel - 1]
        )
    part = read_audio(path, RATE_HZ, 1.0, 1.5, 2)
    np.testing.assert_array_equal(part, sides[RATE_HZ : RATE_HZ * 3 // 2, 1])
    np.testing.assert_array_equal(read_audio(path, RATE_HZ), sides.mean(axis=1))


def test_blocks_of_a_long_recording_are_of_the_channel(call, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_S", 1.0)
    monkeypatch.setattr(blocks, "WHOLE_S", 1.5)
    path, sides = call
    for found in (file_blocks(path, RATE_HZ, 2), sample_blocks(sides, RATE_HZ, RATE_HZ, 2)):
        parts = [block.signal for block in found]
        assert len(parts) == 3
        np.testing.assert_array_equal(np.concatenate(parts), sides[:, 1])


def test_a_flac_from_a_pipe_has_channels_too(call, monkeypatch):
    path, sides = call
    monkeypatch.setattr(blocks, "stated_frames", lambda *_: None)
    (block,) = file_blocks(path, RATE_HZ, 2)
    np.testing.assert_array_equal(block.signal, sides[:, 1])


@pytest.mark.parametrize(("channels", "found"), [(1, "one channel"), (2, "2 channels")])
def test_a_channel_that_is_not_there_is_told(tmp_path, channels, found):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.tile(noise(0.2)[:, None], channels), RATE_HZ)
    for read in (read_audio, lambda *of, channel: list(file_blocks(*of, channel))):
        with pytest.raises(UserError, match=rf"a\.wav: expected a channel 3, found {found}"):
            read(path, RATE_HZ, channel=3)


def test_what_libsndfile_does_not_read_has_no_channels_to_choose(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)  # as without ffmpeg
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x18ftypM4A " + bytes(100))
    with pytest.raises(UserError, match=r"a\.m4a: expected audio that libsndfile reads"):
        next(file_blocks(tmp_path / "a.m4a", RATE_HZ, 1))
    with pytest.raises(UserError, match=r"a\.m4a: expected audio that libsndfile reads"):
        count_channels(tmp_path / "a.m4a")
