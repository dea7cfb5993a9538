"""Search for damage in Ogg files, page by page (RFC 3533).

libsndfile skips a damaged or missing page without a word, and with Vorbis often all that follows.
"""

import zlib
from functools import lru_cache
from io import BufferedReader
from pathlib import Path

_CAPTURE = b"OggS"
_HEADER_BYTES = 27
_STARTS, _ENDS = 2, 4
"""Bits of a page's flags: the first of its stream, the last of it."""

_FETCH = "fetch it again"
_CUT = f"its last page is missing; it was cut short, {_FETCH}"
_CHAINED = (
    "several streams follow one another in it, of which the first alone would be read; make one "
    "of them: ffmpeg -i OLD.ogg NEW.wav"
)
_BITS_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def find_ogg_damage(path: Path) -> str | None:
    """Return what is wrong with an Ogg file, and mends it.

    Every page must lie right behind the one before, agree with its checksum and, in its stream,
    be the next in number; each stream must have its first and its last page. Streams may take
    turns, but none may follow the end of all others. Whatever follows the last page is none of
    theirs.

    Returns:
        `None` if the file is whole, or of another format.
    """
    now = path.stat()
    return _find_damage(path, now.st_size, now.st_mtime_ns)


@lru_cache(maxsize=1)  # a long recording is read in parts, and each of them asks
def _find_damage(path: Path, _size: int, _mtime_ns: int) -> str | None:
    with path.open("rb") as stream:
        if stream.read(len(_CAPTURE)) != _CAPTURE:
            return None
        stream.seek(0)
        open_streams: dict[bytes, int] = {}
        number, is_chained = 0, False
        while page := _read_page(stream):
            number += 1
            if not page.startswith(_CAPTURE):
                if not open_streams and _CAPTURE not in page + stream.read():
                    break
                return f"page {number} is damaged, {_FETCH}"
            is_chained |= number > 1 and not open_streams
            if damage := _find_page_damage(page, number, open_streams):
                return damage
    if open_streams:
        return _CUT
    return _CHAINED if is_chained else None


def _find_page_damage(page: bytes, number: int, open_streams: dict[bytes, int]) -> str | None:
    if not _is_complete(page):
        return _CUT
    if not _fits_checksum(page):
        return f"page {number} is damaged (its checksum is another), {_FETCH}"
    if not _follows(page, open_streams):
        return f"pages are missing or out of order before page {number}, {_FETCH}"
    return None


def _read_page(stream: BufferedReader) -> bytes:
    """Return the page that begins here, or what is left of the file where it is less."""
    header = stream.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_CAPTURE):
        return header
    lengths = stream.read(header[26])
    return header + lengths + stream.read(sum(lengths))


def _is_complete(page: bytes) -> bool:
    if len(page) < _HEADER_BYTES:
        return False
    lengths = page[_HEADER_BYTES : _HEADER_BYTES + page[26]]
    return len(page) == _HEADER_BYTES + page[26] + sum(lengths)


def _fits_checksum(page: bytes) -> bool:
    """Return whether a page's checksum is that of the page with zeros in the checksum's place.

    Ogg's CRC-32 has the polynomial of zlib's, but takes the bits of each byte from the other end
    and inverts nothing before and after.
    """
    blank = page[:22] + bytes(4) + page[26:]
    found = zlib.crc32(blank.translate(_BITS_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return found == int.from_bytes(page[22:26].translate(_BITS_REVERSED), "big")


def _follows(page: bytes, open_streams: dict[bytes, int]) -> bool:
    """Return whether a page is its stream's next, and note in `open_streams` what comes then."""
    flags, serial, sequence = page[5], page[14:18], int.from_bytes(page[18:22], "little")
    is_first = serial not in open_streams
    is_next = is_first == bool(flags & _STARTS)
    is_next &= is_first or open_streams[serial] == sequence
    open_streams[serial] = (sequence + 1) % (1 << 32)
    if flags & _ENDS:
        del open_streams[serial]
    return is_next
