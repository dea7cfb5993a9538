"""WAV files whose headers lie by little: the sound is all there, and the header misplaces it.

A recorder that dies, and a program that writes to a pipe, leave a length of 0 or of about 2^32.
Others count the header, or a byte of padding, with the sound, or leave the padding out that a
chunk of odd length needs, or count a few bytes too few. An MP3 in a WAV has a length that was
estimated. libsndfile refuses such a file, or reads a part of it. Here it is given a header that is
right, and the sound as it is.

A header that promises more than that is of a file that was cut short. Where more lies behind the
sound that is no chunk either, nobody knows what it is: it is not read, and told.
"""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

SLACK_BYTES = 64
"""Number of bytes that a header may count too many or too few: a header of 44 bytes, and some
padding."""

UNKNOWN_BYTES = range(0x7FFFF000, 1 << 32)
"""Numbers that sox and ffmpeg write for the length of what they write to a pipe."""

NO_LENGTH = "the header states no length, read to the end of the file"
WRONG_LENGTH = "the header counts {} byte(s) of sound too many, read to the end of the file"
TOO_FEW = "the header counts {} byte(s) of sound too few, read to the end of the file"
NOT_READ = "{} byte(s) behind the sound that the header counts are no part of a WAV, and not read"
NO_PADDING = "a chunk of the header is not padded as it should be, read all the same"
MP3_INSIDE = "an MP3 in a WAV, whose header estimates its length; read to its last frame"

_MP3_TAG = b"\x55\x00"
"""Mark of layer III at the begin of the chunk `fmt ` (RFC 2361)."""
_KEPT = (b"fmt ", b"fact")
_NAMES = (*_KEPT, b"data", b"LIST")
"""Names of chunks that are looked for beside the place where the next chunk should begin."""
_MOST_CHUNKS = 10_000
_PLAIN_TAGS = (b"\x01\x00", b"\x03\x00", b"\xfe\xff")
"""Marks of formats whose samples have one length each: integers, floats, and those extended."""
_LOOKED_AT = 1 << 16


@dataclass(frozen=True)
class WavHeader:
    """The header of a WAV as it lies in the file.

    Attributes:
        chunks: Name and content of the chunks before the sound that tell how to read it.
        start: The first byte of the sound.
        promised: The number of bytes of sound that the header states.
        held: The number of bytes from there to the end of the file.
        is_padded: Whether each chunk begins where it should.
        is_empty: Whether the header states no sound, and no sound follows, but other chunks.
        uncounted: The number of bytes behind the sound of which no chunk is made.
    """

    chunks: tuple[tuple[bytes, bytes], ...]
    start: int
    promised: int
    held: int
    is_padded: bool
    is_empty: bool
    uncounted: int = 0

    @property
    def has_no_length(self) -> bool:
        """Return whether the header was never filled in."""
        return self.promised in UNKNOWN_BYTES or (self.promised == 0 and not self.is_empty)

    @property
    def is_mp3(self) -> bool:
        """Return whether the sound is an MP3."""
        return dict(self.chunks).get(b"fmt ", b"").startswith(_MP3_TAG)

    @property
    def missing(self) -> int:
        """Return how many bytes of sound are lost, 0 where none is or nothing is known of it."""
        lacking = 0 if self.has_no_length else self.promised - self.held
        return lacking if lacking > SLACK_BYTES else 0

    @property
    def remark(self) -> str:
        """Return the lie of the header, `""` where it tells none, or where sound is missing."""
        if self.missing:
            return ""
        if self.is_mp3:
            return MP3_INSIDE
        if self.has_no_length:
            return NO_LENGTH if self.held else ""
        if self.promised > self.held:
            return WRONG_LENGTH.format(self.promised - self.held)
        if self.uncounted:
            return (TOO_FEW if self.is_to_the_end else NOT_READ).format(self.uncounted)
        return "" if self.is_padded else NO_PADDING

    @property
    def is_to_the_end(self) -> bool:
        """Return whether what lies behind the sound that is counted is taken for sound too."""
        return bool(self.uncounted) and (self.is_mp3 or self.uncounted <= SLACK_BYTES)

    @property
    def size(self) -> int:
        """Return the number of bytes of sound that are read."""
        is_whole = self.has_no_length or self.is_to_the_end
        return self.held if is_whole else min(self.promised, self.held)

    @property
    def needs_mending(self) -> bool:
        """Return whether libsndfile would not read all of the sound."""
        is_read = self.promised in UNKNOWN_BYTES and self.is_padded and not self.is_mp3
        is_told_alone = self.uncounted and not self.is_to_the_end and self.is_padded
        return bool(self.remark) and not (is_read or is_told_alone)


class _Stretch(io.RawIOBase):
    """A stretch of a file, behind a header that is held in memory."""

    def __init__(self, path: Path, head: bytes, start: int, size: int) -> None:
        self._path = path
        self._stream = path.open("rb")
        self._head, self._start, self._size = head, start, len(head) + size
        self._position = 0

    def __repr__(self) -> str:
        """Return the name of the file, of which libsndfile's errors tell."""
        return repr(str(self._path))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = min(max(base + offset, 0), self._size)
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._position)
        piece = self._head[self._position : self._position + wanted]
        if not piece and wanted:
            self._stream.seek(self._start + self._position - len(self._head))
            piece = self._stream.read(wanted)
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def read_wav_header(path: Path) -> WavHeader | None:
    """Return the header of a WAV, `None` where a file is none, or has none to its end."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(12)
        if start[:4] != b"RIFF" or start[8:] != b"WAVE":
            return None
        chunks: list[tuple[bytes, bytes]] = []
        is_padded = True
        for name, length, is_in_place in _chunks(stream, 12):
            is_padded &= is_in_place
            begin = stream.tell()
            if name == b"data":
                is_empty = length == 0 and _is_made_of_chunks(stream, begin, size)
                is_whole = length % _block_bytes(dict(chunks).get(b"fmt ", b"")) == 0
                behind = _count_behind(stream, begin + length, size, is_whole) if length else 0
                held = size - begin
                return WavHeader(tuple(chunks), begin, length, held, is_padded, is_empty, behind)
            if name in _KEPT:
                chunks.append((name, stream.read(min(length, 1 << 10))))
    return None


def open_mended(path: Path) -> "_Stretch | None":
    """Open a WAV whose header lies as one whose header is right; an MP3 in it without a header.

    So is what is called `.raw`, whatever it is: by this name soundfile takes it for samples without
    a header, and refuses it for want of a rate; many such files are WAV. `None` is returned for
    every other file: libsndfile opens it by itself.
    """
    header = read_wav_header(path)
    if header is None or not header.needs_mending:
        is_raw = path.suffix.lower() == ".raw"
        return _Stretch(path, b"", 0, path.stat().st_size) if is_raw else None
    head = b"" if header.is_mp3 else _write_header(header.chunks, header.size)
    return _Stretch(path, head, header.start, header.size)


def _write_header(chunks: tuple[tuple[bytes, bytes], ...], size: int) -> bytes:
    written = b"".join(
        name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)
        for name, content in chunks
    )
    end = b"data" + size.to_bytes(4, "little")
    riff = 4 + len(written) + len(end) + size
    return b"RIFF" + min(riff, (1 << 32) - 1).to_bytes(4, "little") + b"WAVE" + written + end


def _chunks(stream: BinaryIO, position: int) -> Iterator[tuple[bytes, int, bool]]:
    """Yield name and length of each chunk, and whether it begins where it should.

    The stream stands at the content of the chunk, wherever it was left.
    """
    place, is_in_place = position, True
    for _ in range(_MOST_CHUNKS):
        stream.seek(place)
        header = stream.read(8)
        if len(header) < 8:
            return
        length = int.from_bytes(header[4:], "little")
        yield header[:4], length, is_in_place
        place += 8 + length + length % 2
        found = next((at for at in (place, place - 1, place + 1) if _is_name(stream, at)), place)
        place, is_in_place = found, found == place


def _is_name(stream: BinaryIO, place: int) -> bool:
    stream.seek(place)
    return stream.read(4) in _NAMES


def _block_bytes(content: bytes) -> int:
    """Return the bytes of a sample of all channels, 1 where samples have no length of their own."""
    is_plain = content[:2] in _PLAIN_TAGS
    return max(1, int.from_bytes(content[12:14], "little")) if is_plain else 1


def _count_behind(stream: BinaryIO, end: int, size: int, is_whole: bool) -> int:
    """Return how many bytes lie behind the sound and are neither chunks nor padding.

    Args:
        stream: The file.
        end: The place at which the sound ends by the header.
        size: The length of the file.
        is_whole: Whether that is the end of a sample, so that a byte behind it may be padding.
    """
    if is_whole and size - end <= 1:
        return 0
    stream.seek(end)
    begin = stream.read(_LOOKED_AT)
    is_filled = not any(begin)  # zeros fill files up
    # the last chunk may lie about its own length
    is_chunk = any(map(_looks_like_a_name, (begin[:4], begin[1:5]))) or any(
        place + 8 <= size and _is_made_of_chunks(stream, place, size) for place in (end, end + 1)
    )
    return 0 if is_filled or is_chunk else max(0, size - end)


def _looks_like_a_name(content: bytes) -> bool:
    return len(content) == 4 and content.replace(b" ", b"").isalnum()


def _is_made_of_chunks(stream: BinaryIO, begin: int, size: int) -> bool:
    """Return whether a file holds whole chunks, and nothing else, from a place on."""
    end = begin
    for name, length, _ in _chunks(stream, begin):
        if not name.isascii() or not name.decode("ascii").isprintable():
            return False
        end = stream.tell() + length + length % 2
    return size <= end <= size + 1  # the last may lack its padding
