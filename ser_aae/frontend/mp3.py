"""Reading an MP3 that does not say how long it is, to its real end.

An encoder may write the number of frames into the first one (the Xing or Info tag). Where it is
missing, libsndfile multiplies the first frame's bit rate up over the whole file and stops there:
with a variable rate, sound is lost or more is promised than there is. libsndfile asks a stream
for no length and reads until nothing more comes; so such a file is given to it as a stream.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import numpy as np
import soundfile

PIECE = 1 << 16
"""Number of samples a channel, or of bytes, that are read at once."""


def read_unmeasured_mp3(
    path: Path, start_s: float, end_s: float | None
) -> tuple[np.ndarray, int] | None:
    """Read a part of an MP3 that does not say its length, decoding all that comes before.

    Without `end_s` the part ends where the file does.

    Returns:
        `(samples, channels)` float32 and the file's rate; `None` where the file says its length.
    """
    try:
        with _open_stream(path) as sound:
            if sound.seekable():  # it knows where it ends
                return None
            first = round(start_s * sound.samplerate)
            last = None if end_s is None else round(end_s * sound.samplerate)
            return read_between(sound, first, last), sound.samplerate
    except soundfile.LibsndfileError:
        return None  # what is no MP3 from its first byte on has to be read as a file


def read_between(sound: soundfile.SoundFile, first: int, last: int | None) -> np.ndarray:
    """Read forwards, and keep what lies between two samples, counted from the file's position.

    The sample `last` itself is not kept; `None` is the end of the file.

    Returns:
        `(samples, channels)` float32; fewer where the file ends before.
    """
    kept = [np.empty((0, sound.channels), np.float32)]
    position = 0
    while last is None or position < last:
        wanted = PIECE if last is None else min(PIECE, last - position)
        block = sound.read(wanted, dtype="float32", always_2d=True)
        if len(block) == 0:
            break
        if position + len(block) > first:
            kept.append(block[max(first - position, 0) :])
        position += len(block)
    return np.concatenate(kept)


@contextmanager
def _open_stream(path: Path) -> Iterator[soundfile.SoundFile]:
    reader, writer = os.pipe()
    feeder = Thread(target=_feed, args=(path, writer), daemon=True)
    feeder.start()
    try:
        with soundfile.SoundFile(reader, closefd=False) as sound:
            yield sound
    finally:
        os.close(reader)  # ends the feeder, wherever it is
        feeder.join()


def _feed(path: Path, writer: int) -> None:
    with path.open("rb") as source, open(writer, "wb", buffering=0) as target:
        source.seek(_tag_bytes(source.read(10)))
        with suppress(BrokenPipeError):  # the reader has enough
            while block := source.read(PIECE):
                target.write(block)


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
