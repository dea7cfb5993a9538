"""WAV files whose headers lie by little are read whole, and say so."""

import io

import numpy as np
import pytest
import soundfile
from sounds import read_mono

from ser_aae.errors import UserError
from ser_aae.frontend.audio import describe_header, read_header
from ser_aae.frontend.blocks import file_blocks
from ser_aae.frontend.wav import MP3_INSIDE, NO_LENGTH, NO_PADDING, SLACK_BYTES

RATE_HZ = 16000
SOUND = np.random.default_rng(0).normal(size=RATE_HZ).astype(np.float32) * 0.1
BYTES = 2 * RATE_HZ
SIZE_AT = 40
"""Place of the length of the sound in a header of 44 bytes."""


def encode(form, **loss):
    content = io.BytesIO()
    soundfile.write(content, SOUND, RATE_HZ, format=form, **loss)
    return content.getvalue()


WAV = encode("WAV", subtype="PCM_16")


def stating(size, content=WAV):
    return content[:SIZE_AT] + size.to_bytes(4, "little") + content[SIZE_AT + 4 :]


def chunk(name, content, padding=b""):
    return name + len(content).to_bytes(4, "little") + content + padding


def mp3_in_wav(samples_stated):
    """Return an MP3 of no constant bit rate, without a tag of its length, in a WAV."""
    mp3 = encode("MP3", bitrate_mode="VARIABLE", compression_level=0.9)
    sound = mp3[mp3.index(mp3[:2], 4) :]  # behind the first frame, which is the tag
    about = b"\x55\x00\x01\x00" + RATE_HZ.to_bytes(4, "little") + bytes(4) + b"\x01\x00\x00\x00"
    about += bytes.fromhex("0c00 0100 0200 0000 8004 0100 7105")
    chunks = chunk(b"fmt ", about) + chunk(b"fact", samples_stated.to_bytes(4, "little"))
    return b"RIFF" + bytes(4) + b"WAVE" + chunks + chunk(b"data", sound)


@pytest.fixture
def wav(tmp_path):
    def write(content):
        path = tmp_path / "a.wav"
        path.write_bytes(content)
        return path

    return write


LIES = {
    "a byte too many": (stating(BYTES + 1), "counts 1 byte(s) of sound too many"),
    "the header with the sound": (stating(BYTES + 44), "counts 44 byte(s) of sound too many"),
    "a byte too few": (stating(BYTES - 1), "counts 1 byte(s) of sound too few"),
    "samples too few": (stating(BYTES - 6), "counts 6 byte(s) of sound too few"),
    "the header taken off": (stating(BYTES - 44), "counts 44 byte(s) of sound too few"),
    "a byte lost": (WAV[:-1], "counts 1 byte(s) of sound too many"),
    "a recorder that died": (stating(0), NO_LENGTH),
    "a pipe": (stating(0xFFFFFFFF), NO_LENGTH),
    "sox to a pipe": (stating(0x7FFFF000), NO_LENGTH),
    "no padding": (WAV[:36] + chunk(b"LIST", b"INFOx") + WAV[36:], NO_PADDING),
    "padding too much": (WAV[:36] + chunk(b"LIST", b"INFO", b"\0") + WAV[36:], NO_PADDING),
    "no padding and a pipe": (
        WAV[:36] + chunk(b"LIST", b"INFOx") + stating(0xFFFFFFFF)[36:],
        NO_LENGTH,
    ),
}


@pytest.mark.parametrize(("content", "remark"), LIES.values(), ids=LIES)
def test_sound_that_a_header_misplaces_is_read_whole(wav, content, remark):
    path = wav(content)
    samples, rate_hz = read_mono(path)

    right = np.round(SOUND * 2**15).clip(-(2**15), 2**15 - 1) / 2**15
    assert rate_hz == RATE_HZ
    assert RATE_HZ - 1 <= len(samples) <= RATE_HZ
    np.testing.assert_allclose(samples, right[: len(samples)], atol=2**-15)
    assert read_header(path).frames in (len(samples), 0x7FFFF000 // 2, 0xFFFFFFFF // 2)
    (block,) = file_blocks(path, RATE_HZ)
    np.testing.assert_array_equal(block.signal, samples)
    assert remark in describe_header(path)


@pytest.mark.parametrize("start_s", [0.25, 0.5])
def test_a_part_of_it_is_that_of_the_right_one(wav, start_s):
    expected, _ = read_mono(wav(WAV), start_s, 0.75)

    part, _ = read_mono(wav(stating(0)), start_s, 0.75)
    np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize("stated", [100, RATE_HZ + 5000])
def test_an_mp3_in_a_wav_is_read_to_its_end(wav, stated):
    path = wav(mp3_in_wav(stated))

    samples, _ = read_mono(path)

    assert RATE_HZ <= len(samples) <= RATE_HZ + 4 * 1152
    # the encoder delays the sound by some frames
    best = max(np.corrcoef(samples[at : at + 8000], SOUND[:8000])[0, 1] for at in range(2400))
    assert best > 0.7
    assert sum(len(block.signal) for block in file_blocks(path, RATE_HZ)) == len(samples)
    assert describe_header(path) == MP3_INSIDE


@pytest.mark.parametrize("too_few", [40, 400])
def test_so_is_one_whose_data_are_counted_too_low(wav, too_few):
    content = mp3_in_wav(RATE_HZ)
    whole, _ = read_mono(wav(content))
    at = content.index(b"data") + 4
    size = int.from_bytes(content[at : at + 4], "little") - too_few
    path = wav(content[:at] + size.to_bytes(4, "little") + content[at + 4 :])
    np.testing.assert_array_equal(read_mono(path)[0], whole)
    assert describe_header(path) == MP3_INSIDE


def test_what_lies_behind_the_sound_is_told_and_not_read(wav):
    path = wav(stating(BYTES // 2))
    samples, _ = read_mono(path)
    assert len(samples) == RATE_HZ // 2
    assert describe_header(path).startswith(
        f"{BYTES // 2} byte(s) behind the sound that the header"
    )


@pytest.mark.parametrize(
    "content",
    [WAV[: -SLACK_BYTES - 2], stating(BYTES + SLACK_BYTES + 1), mp3_in_wav(RATE_HZ)[:-200]],
    ids=["cut", "promised", "MP3"],
)
def test_sound_that_is_missing_is_cut_short(wav, content):
    with pytest.raises(UserError, match="cut short"):
        read_mono(wav(content))


@pytest.mark.parametrize(
    "content",
    [
        WAV,
        WAV + bytes(100),
        WAV + b"TAG" + b"title" * 25,
        WAV + chunk(b"_PMX", b"<x:xmpmeta/>" * 3) + chunk(b"LIST", b"INFO"),
        WAV[:36] + chunk(b"LIST", b"INFOx", b"\0") + WAV[36:],
        WAV + chunk(b"LIST", b"INFO"),
        encode("FLAC"),
        encode("WAV", subtype="GSM610")[:-300],
        b"RIFF",
        b"",
    ],
    ids=[
        "right",
        "filled up",
        "ID3",
        "XMP",
        "tags",
        "tags behind",
        "FLAC",
        "cut",
        "begin",
        "empty",
    ],
)
def test_a_header_that_is_right_or_of_no_wav_needs_no_remark(wav, content):
    assert describe_header(wav(content)) == ""


@pytest.mark.parametrize("behind", [b"", chunk(b"LIST", b"INFO")], ids=["nothing", "tags"])
def test_a_wav_without_sound_has_none(wav, behind):
    with pytest.raises(UserError, match="found no sample"):
        read_mono(wav(stating(0)[:44] + behind))


def test_silence_of_a_recorder_that_died_is_sound(wav):
    samples, _ = read_mono(wav(stating(0)[:44] + bytes(BYTES)))

    assert len(samples) == RATE_HZ
