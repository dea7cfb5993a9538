"""Headers that do not say how long a recording is, or lie about it: nothing fills the memory."""

import numpy as np
import pytest
import soundfile
from sounds import RATE_HZ, noise

from ser_aae.errors import UserError
from ser_aae.frontend.audio import read_audio, stated_frames
from ser_aae.frontend.blocks import file_blocks

MOST = 2**36 - 1
"""The largest number of samples that FLAC can state."""


def write_flac(path, seconds, frames=0, rate_hz=RATE_HZ):
    """Write FLAC whose header states so many samples, of which 0 is unknown, and that rate.

    20 bits of rate, 3 of channels, 5 of bits and 36 of samples begin 18 bytes into the file.
    """
    soundfile.write(path, noise(seconds), RATE_HZ)
    content = bytearray(path.read_bytes())
    between = int.from_bytes(content[18:26], "big") >> 36 & 0xFF
    content[18:26] = (rate_hz << 44 | between << 36 | frames).to_bytes(8, "big")
    path.write_bytes(content)
    return path


def forge_ogg(path, samples):
    """Write OGG whose last page states that so many samples end on it (RFC 3533, section 6)."""
    soundfile.write(path, noise(1.0), RATE_HZ)
    content = bytearray(path.read_bytes())
    page = content.rfind(b"OggS")
    content[page + 6 : page + 14] = samples.to_bytes(8, "little")
    content[page + 22 : page + 26] = bytes(4)
    checksum = 0
    for byte in content[page:]:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1 ^ (0x104C11DB7 if checksum >> 31 else 0)) & 0xFFFFFFFF
    content[page + 22 : page + 26] = checksum.to_bytes(4, "little")
    path.write_bytes(content)
    return path


def stated(path):
    return stated_frames(path, soundfile.info(path).frames)


@pytest.mark.parametrize("seconds", [3.0, 39.9, 41.0, 54.9, 55.0])
@pytest.mark.parametrize("frames", [0, MOST])
def test_flac_without_its_length_is_read_as_with_it(tmp_path, seconds, frames):
    whole, piped = tmp_path / "whole.flac", write_flac(tmp_path / "piped.flac", seconds, frames)
    soundfile.write(whole, noise(seconds), RATE_HZ)
    assert stated(whole) == seconds * RATE_HZ
    assert stated(piped) is None

    np.testing.assert_array_equal(read_audio(piped, RATE_HZ), read_audio(whole, RATE_HZ))
    for part in ((0.5, 1.5), (2.5, None), (2.9, 99.0)):
        np.testing.assert_array_equal(
            read_audio(piped, RATE_HZ, *part), read_audio(whole, RATE_HZ, *part)
        )
    for rate_hz in (RATE_HZ, 8000):
        found, wanted = (list(file_blocks(path, rate_hz)) for path in (piped, whole))
        assert [each.start_s for each in found] == [each.start_s for each in wanted]
        for each, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(each.signal, other.signal)


def test_a_piece_may_be_longer_than_a_block(tmp_path):
    whole = write_flac(tmp_path / "whole.flac", 4.375, 70000, rate_hz=1000)
    piped = write_flac(tmp_path / "piped.flac", 4.375, 0, rate_hz=1000)
    found, wanted = (list(file_blocks(path, RATE_HZ)) for path in (piped, whole))
    assert [each.start_s for each in found] == list(range(0, 70, 10))
    for each, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(each.signal, other.signal)


def test_a_part_after_the_end_of_flac_without_its_length_is_no_sound(tmp_path):
    with pytest.raises(UserError, match=r"found no sample between 3\.0 s and the end"):
        read_audio(write_flac(tmp_path / "a.flac", 3.0), RATE_HZ, 3.0)


@pytest.mark.parametrize("read", [read_audio, lambda *of: list(file_blocks(*of))])
class TestWhatIsWrongIsToldAtOnce:
    """Of the whole as of blocks."""

    def test_flac_without_its_length_that_was_cut_short(self, tmp_path, read):
        path = write_flac(tmp_path / "a.flac", 60.0)
        path.write_bytes(path.read_bytes()[:-1000])
        with pytest.raises(UserError, match=r"a\.flac: .*lost sync"):
            read(path, RATE_HZ)

    def test_flac_that_states_more_than_it_holds(self, tmp_path, read):
        path = write_flac(tmp_path / "a.flac", 3.0, 4 * RATE_HZ)
        with pytest.raises(UserError, match="promises 64000 samples, the file holds 48000"):
            read(path, RATE_HZ)

    @pytest.mark.parametrize("frames", [0, 3 * RATE_HZ, MOST])
    def test_a_rate_of_one_hertz(self, tmp_path, read, frames):
        path = write_flac(tmp_path / "a.flac", 3.0, frames, rate_hz=1)
        with pytest.raises(UserError, match="at least 1000 Hz, the header says 1;"):
            read(path, RATE_HZ)

    def test_ogg_that_states_more_than_it_holds(self, tmp_path, read):
        path = forge_ogg(tmp_path / "a.ogg", 1 << 24)
        with pytest.raises(UserError, match=r"promises .* samples, the file holds"):
            read(path, RATE_HZ)


@pytest.mark.parametrize("samples", [1 << 40, 1 << 62])
def test_ogg_that_states_what_no_file_of_its_size_can_hold_is_read_to_its_end(tmp_path, samples):
    path = forge_ogg(tmp_path / "a.ogg", samples)
    assert stated(path) is None
    sound = read_audio(path, RATE_HZ)
    # it has its last block whole, for nothing says where in it the sound ends
    assert RATE_HZ <= len(sound) < RATE_HZ + 2048
    (block,) = file_blocks(path, RATE_HZ)
    np.testing.assert_array_equal(block.signal, sound)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("a.flac", {}),
        ("a.ogg", {}),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}),
        ("a.mp3", {}),
        ("a.wav", {}),
    ],
)
def test_silence_that_packs_well_has_its_length(tmp_path, name, kinds):
    frames = 120 * RATE_HZ
    with soundfile.SoundFile(tmp_path / name, "w", RATE_HZ, 1, **kinds) as sound:
        for _ in range(120):  # libsndfile crashes when it is given minutes of OGG at once
            sound.write(np.zeros(RATE_HZ))
    assert stated(tmp_path / name) == pytest.approx(frames, abs=2 * RATE_HZ)
