"""Digests that name content: of a file's bytes, of plain values."""

import hashlib
import json
from pathlib import Path
from typing import Any

_BLOCK = 1 << 20


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def digest_of_plain(content: Any, digits: int) -> str:
    """Return the first hexadecimal digits of the SHA-256 of plain values as sorted JSON."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


class RowsDigest:
    """Digest of a list of plain values that grows: at any time `digest_of_plain` of the list.

    A row is read once, however long the list becomes.
    """

    def __init__(self) -> None:
        self._begun = hashlib.sha256(b"[")
        self._separator = b""

    def add(self, row: Any) -> None:
        """Add a row at the end of the list."""
        self._begun.update(self._separator + json.dumps(row, sort_keys=True).encode())
        self._separator = b", "

    def digits(self, count: int) -> str:
        """Return the first hexadecimal digits of the digest of the list as it is now."""
        whole = self._begun.copy()
        whole.update(b"]")
        return whole.hexdigest()[:count]
