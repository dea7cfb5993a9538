"""Reading an MP3 that does not say how long it is, to its real end.

An encoder may write the number of frames into the first one (the Xing or Info tag). Where it is
missing, libsndfile multiplies the first frame's bit rate up over the whole file and stops there:
with a variable rate, sound is lost or more is promised than there is. libsndfile asks a stream
for no length and reads until nothing more comes; so such a file is given to it as a stream.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO

import numpy as np
import soundfile

from ser_aae.errors import UserError
from ser_aae.frontend.wav import open_mended

PIECE = 1 << 16
"""Number of samples a channel, or of bytes, that are read at once."""

_LENGTH_TAG = re.compile(b"Xing|Info")
"""Mark of a first frame that has the length, or other things to know of a file, and no sound."""

_KBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates of layer III by the two bits of the version: MPEG-1 (ISO 11172-3), MPEG-2 (13818-3).

MPEG-2.5, whose bits are 0, has those of MPEG-2.
"""

_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""Sampling rates by the two bits of the version."""


class _Stream(soundfile.SoundFile):
    """An MP3 that is over where nothing more can be decoded, whatever bytes follow."""

    decoded = 0
    """The number of samples a channel that were read."""

    def read(self, frames: int, dtype: str, always_2d: bool) -> np.ndarray:
        """Return the next samples, `(samples, channels)`; fewer where they end."""
        samples = np.full((frames, self.channels), np.nan, dtype)
        with suppress(soundfile.LibsndfileError):  # what it decoded before is kept
            super().read(frames, dtype, always_2d, out=samples)
        samples = samples[~np.isnan(samples).any(axis=1)]
        self.decoded += len(samples)
        return samples


def read_unmeasured_mp3(
    path: Path, start_s: float, end_s: float | None
) -> tuple[np.ndarray, int] | None:
    """Read a part of an MP3 that does not say its length, decoding all that comes before.

    Without `end_s` the part ends where the file does.

    Returns:
        `(samples, channels)` float32 and the file's rate; `None` where the file says its length.

    Raises:
        UserError: Damage cost some of the sound.
    """
    try:
        with _open_stream(path) as sound:
            if sound.seekable():  # it knows where it ends
                return None
            rate_hz = sound.samplerate
            first = round(start_s * rate_hz)
            last = None if end_s is None else round(end_s * rate_hz)
            samples = read_between(sound, first, last)
            is_ended = last is None or sound.decoded < last
            if is_ended and sound.decoded < (held := _samples_in_frames(_read_content(path))):
                raise UserError(
                    f"{path}: its frames hold {held} samples, of which only {sound.decoded} can "
                    "be read; it is damaged or was cut short, fetch it again"
                )
            return samples, rate_hz
    except soundfile.LibsndfileError:
        return None  # what is no MP3 from its first byte on has to be read as a file


def read_between(sound: soundfile.SoundFile, first: int, last: int | None) -> np.ndarray:
    """Read forwards, and keep what lies between two samples, counted from the file's position.

    The sample `last` itself is not kept; `None` is the end of the file. Integers of 16 bits are
    scaled here, to the same floats that libsndfile makes of them one by one.

    Returns:
        `(samples, channels)` float32; fewer where the file ends before.
    """
    dtype = "int16" if sound.subtype == "PCM_16" else "float32"
    kept: list[np.ndarray] = []
    position = 0
    while last is None or position < last:
        wanted = PIECE if last is None else min(PIECE, last - position)
        block = sound.read(wanted, dtype=dtype, always_2d=True)
        if len(block) == 0:
            break
        if position + len(block) > first:
            kept.append(block[max(first - position, 0) :])
        position += len(block)
    if not kept:
        return np.empty((0, sound.channels), np.float32)
    found = kept[0] if len(kept) == 1 else np.concatenate(kept)  # a copy takes time
    return found * np.float32(2.0**-15) if dtype == "int16" else found


@contextmanager
def _open_stream(path: Path) -> Iterator[_Stream]:
    reader, writer = os.pipe()
    feeder = Thread(target=_feed, args=(path, writer), daemon=True)
    feeder.start()
    try:
        with _Stream(reader, closefd=False) as sound:
            yield sound
    finally:
        os.close(reader)  # ends the feeder, wherever it is
        feeder.join()


def _feed(path: Path, writer: int) -> None:
    with _open_content(path) as source, open(writer, "wb", buffering=0) as target:
        source.seek(_tag_bytes(source.read(10)))
        with suppress(BrokenPipeError):  # the reader has enough
            while block := source.read(PIECE):
                target.write(block)


def _open_content(path: Path) -> IO[bytes]:
    """Open an MP3, or one that lies in a WAV."""
    return open_mended(path) or path.open("rb")


def _read_content(path: Path) -> bytes:
    with _open_content(path) as source:
        return source.read()


def _tag_bytes(header: bytes) -> int:
    """Return the size of an ID3v2 tag, 0 where there is none: libsndfile passes none in a stream.

    Seven bits of each of the last four bytes count (ID3v2.4, section 3.1).
    """
    if len(header) < 10 or not header.startswith(b"ID3"):
        return 0
    size = 0
    for byte in header[6:]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _samples_in_frames(content: bytes) -> int:
    """Return how many samples the frames of layer III would hold that a file has, or begins.

    A frame is one that another follows, or with which the file ends, in the midst of it too. Other
    content, as tags and padding behind the last frame, is passed over.
    """
    position, samples = _tag_bytes(content[:10]), 0
    end = position
    while (position := content.find(0xFF, position)) >= 0:
        length = _frame_bytes(content[position : position + 4])
        after = position + length
        is_last = position == end and after >= len(content)
        if length and (is_last or _frame_bytes(content[after : after + 4])):
            is_sound = samples or not _LENGTH_TAG.search(content, position, after)
            samples += (1152 if content[position + 1] >> 3 & 3 == 3 else 576) if is_sound else 0
            position = end = after
        else:
            position += 1
    return samples


def _frame_bytes(header: bytes) -> int:
    """Return the length of the frame of layer III that four bytes begin, 0 where they begin none.

    A frame has 144 bytes for each bit per sample (MPEG-1), or 72, and one more where it is padded.
    """
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:  # sync, layer III
        return 0
    version = header[1] >> 3 & 3
    rate, bits = header[2] >> 2 & 3, header[2] >> 4
    if version == 1 or rate == 3 or bits in (0, 15):
        return 0
    bits_per_s = 1000 * _KBITS[version | 2][bits]
    return (144 if version == 3 else 72) * bits_per_s // _RATES_HZ[version][rate] + (
        header[2] >> 1 & 1
    )
