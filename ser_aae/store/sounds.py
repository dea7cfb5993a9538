"""Digests of the sound of a prepared corpus: `sounds.jsonl`, a line an utterance.

They lie beside the utterances and not among them, so that a corpus that is given them later keeps
its digest, by which runs know it. The manifest names their version and checksum.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ser_aae.errors import DamagedError
from ser_aae.files.atomic import has_file, read_content
from ser_aae.files.records import Record
from ser_aae.utterance import Sound

SOUNDS = "sounds.jsonl"

NO_SOUNDS = (
    "prepared by an earlier version, which kept no digests of its sound, so that recordings that "
    "stand under two names cannot be found"
)

VERSION = 1
"""Raised where the same sound is given another digest: then corpora are read again."""


class SoundsRow(Record):
    """The digests of sounds in a manifest."""

    version: int
    sha256: str


def format_sounds(sounds: Sequence[Sound]) -> bytes:
    """Return the content of `sounds.jsonl`."""
    rows = ({"samples": each.samples, "file": each.file} for each in sounds)
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def describe_sounds(content: bytes) -> dict[str, Any]:
    """Return the row of a manifest that names the content of `sounds.jsonl`."""
    return {"version": VERSION, "sha256": hashlib.sha256(content).hexdigest()}


def has_sounds(folder: Path, manifest: dict[str, Any]) -> bool:
    """Return whether a prepared corpus has digests of its sound, of this version.

    Raises:
        DamagedError: A folder lies in the place of their file.
    """
    row = manifest.get("sounds")
    is_of_this = isinstance(row, dict) and row.get("version") == VERSION
    return is_of_this and has_file(folder / SOUNDS)


def read_sounds(
    folder: Path, manifest: dict[str, Any], utterances: int, mend: str
) -> Sequence[Sound | None]:
    """Return the sound of each utterance of a prepared corpus; `None` for each where it has none.

    Raises:
        DamagedError: The file is not the one that the manifest names.
    """
    if not has_sounds(folder, manifest):
        return [None] * utterances
    path = folder / SOUNDS
    content = read_content(path, "the digests of sounds", mend)
    if hashlib.sha256(content).hexdigest() != manifest["sounds"]["sha256"]:
        raise DamagedError(
            f"{path}: changed since it was written, by its SHA-256 in the manifest; remove this "
            f"file and {mend}, which reads the recordings again"
        )
    return [Sound(**json.loads(line)) for line in content.splitlines()]
