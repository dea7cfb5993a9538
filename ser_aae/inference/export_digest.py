"""Digest that an exported file carries of itself, so that a damaged or changed one is noticed.

| format | covered | place of the digest |
| --- | --- | --- |
| `keras`, `litert` | every byte before it | the end of the file, in the archive's comment |
| `onnx` | every byte before it | the end of the file, in the last entry of its metadata |
| `saved-model` | every byte of every file | `assets.extra/ser_aae.sha256` |

A file's last 64 bytes are the SHA-256 of all before them, so that not a byte can be appended:
`head -c -64 model.onnx | sha256sum`. The list of a SavedModel is what `sha256sum -c` reads in its
folder; a file that is not on the list is noticed too. Whoever changes a file on purpose can change
its digest as well: a digest says nothing of who made it.
"""

import hashlib
import re
import zipfile
from pathlib import Path

from ser_aae.errors import UserError
from ser_aae.files.digests import digest_of_file

SAVED_MODEL = "saved-model"

_MARK = "ser_aae_sha256"
"""Text that stands before the digest: a file of an earlier version is without it."""

_DIGITS = 64
_LIST = Path("assets.extra") / "ser_aae.sha256"


def write_digest(path: Path, kind: str) -> None:
    """Put the digest into an exported file that is complete but for it."""
    if kind == SAVED_MODEL:
        lines = [f"{digest}  {name}\n" for name, digest in _digest_files(path).items()]
        (path / _LIST).write_text("".join(lines), encoding="utf-8")
        return
    space = "0" * _DIGITS
    if kind == "onnx":
        import onnx

        model = onnx.load(path)
        entry = model.metadata_props.add()
        entry.key, entry.value = _MARK, space
        onnx.save(model, path)
    else:
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = f"{_MARK} {space}".encode()
    content = path.read_bytes()[:-_DIGITS]
    path.write_bytes(content + hashlib.sha256(content).hexdigest().encode())


def has_digest(path: Path, kind: str) -> bool:
    """Return whether an exported file carries a digest; those of an earlier version do not."""
    if kind == SAVED_MODEL:
        return (path / _LIST).exists()
    content = path.read_bytes()
    # either of the two alone can be what was damaged
    return _MARK.encode() in content or bool(re.fullmatch(rb"[0-9a-f]{64}", content[-_DIGITS:]))


def refuse_changed_file(path: Path, kind: str) -> None:
    """Refuse an exported file whose bytes do not give the digest that it carries, if any.

    Raises:
        UserError: They do not; of a SavedModel a file that differs is named.
    """
    if not has_digest(path, kind):
        return
    if kind == SAVED_MODEL:
        place = _find_changed_file(path)
    else:
        content = path.read_bytes()
        digest = hashlib.sha256(content[:-_DIGITS]).hexdigest().encode()
        place = None if content[-_DIGITS:] == digest else path
    if place:
        raise UserError(
            f"{place}: it is damaged or was changed after the export (its SHA-256 is not the one "
            "that was written into it then); export the run again"
        )


def _digest_files(folder: Path) -> dict[str, str]:
    """Return name and digest of every file of a SavedModel but the list of them."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: digest_of_file(path) for name, path in names.items() if name != _LIST.as_posix()}


def _find_changed_file(folder: Path) -> Path | None:
    """Return a file of a SavedModel that is not as its list says, or the list if it is damaged."""
    try:
        lines = (folder / _LIST).read_text(encoding="utf-8").splitlines()
        written = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (OSError, ValueError):
        return folder / _LIST
    found = _digest_files(folder)
    differing = [name for name in {**written, **found} if written.get(name) != found.get(name)]
    return folder / differing[0] if differing else None
