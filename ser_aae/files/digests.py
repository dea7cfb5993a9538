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
