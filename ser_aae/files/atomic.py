"""Writing a file or folder whole or not at all, and reading JSON back."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ser_aae.errors import DamagedError, UserError
from ser_aae.files.seals import seal, unseal

if TYPE_CHECKING:
    from ser_aae.files.records import Record  # what checks types loads in a tenth of a second

TRAIN_AGAIN = "train the run again"
"""Advice where a file of a run is missing or damaged."""

PARTIAL = ".*.part-*"
"""Pattern of the names under which something is written; a killed process leaves such a file."""


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a name beside a file or folder to write under; rename when the block ends well.

    The name ends like the target's, since some writers go by the ending. It is removed where the
    block raises. The folder that the target lies in is made where missing. A file in the target's
    place is replaced, a folder only if it is empty.

    Yields:
        The path to write the file or folder under; nothing is there yet.

    Raises:
        UserError: A folder lies where the file belongs, or a file where its folder does.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{os.getpid()}.part-{path.name}")
    remove(temporary)  # of a killed process that had the same number
    try:
        yield temporary
        if temporary.is_file():
            has_file(path)
        os.replace(temporary, path)
    finally:
        remove(temporary)


def remove_partial(folder: Path, name: str = "") -> None:
    """Remove half-written files of killed processes from a folder that nobody else writes to.

    With the name of a file or folder there, those of it alone; the rest may be anybody's.
    """
    for path in folder.glob(PARTIAL.replace("part-*", f"part-{escape(name)}") if name else PARTIAL):
        remove(path)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made where missing."""
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a sealed JSON file whole or not at all; its folder is made where missing.

    Raises:
        ValueError: The content holds NaN or infinity, which JSON cannot say.
    """
    write_plain_json(path, seal(content))


def write_plain_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file without a seal, as `write_json` does: one that a user may change."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def append_jsonl(path: Path, row: Mapping[str, Any]) -> None:
    """Append one line of JSON, in a single write; the file is made where missing.

    Raises:
        ValueError: The row holds NaN or infinity, which JSON cannot say.
    """
    make_folder(path.parent)
    line = json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(line)


def read_json(
    path: Path,
    expected: str = "a file of a run",
    mend: str = TRAIN_AGAIN,
    kind: "type[Record] | None" = None,
) -> dict[str, Any]:
    """Read a JSON object; errors say what kind of file was expected, and end with what mends it.

    Raises:
        DamagedError: No such file, no JSON object in it, a seal of something else, or a value
            that is none for its kind.
    """
    return parse_json(read_content(path, expected, mend), str(path), mend, kind)


def read_content(path: Path, expected: str, mend: str) -> bytes:
    """Return the bytes of a file.

    Raises:
        DamagedError: There is none, or a folder in its place.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DamagedError(f"{path}: expected {expected}, found none; {mend}") from error
    except IsADirectoryError as error:
        raise DamagedError(
            f"{path}: expected {expected}, found a folder; remove that folder and {mend}"
        ) from error


def parse_json(
    content: bytes, where: str, mend: str, kind: "type[Record] | None" = None
) -> dict[str, Any]:
    """Return a JSON object without its seal; `where` begins an error, `mend` ends it.

    Raises:
        DamagedError: No JSON object, a seal of something else, or a value that is none for its
            kind.
    """
    try:
        plain = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        why = error if content.strip() else "it is empty"
        raise DamagedError(f"{where}: not JSON ({why}); {mend}") from error
    if not isinstance(plain, dict):
        raise DamagedError(f"{where}: expected a JSON object; {mend}")
    plain = unseal(plain, where, mend)
    if kind is not None:
        kind.check(plain, where, mend)
    return plain


def read_jsonl(
    path: Path, mend: str = "remove the line", kind: "type[Record] | None" = None
) -> list[dict[str, Any]]:
    """Read a file of JSON lines, of which an absent file has none; an error ends with `mend`.

    Raises:
        DamagedError: A line is no JSON object of its kind. A last line without its end is left out
            instead: a run that was interrupted leaves one.
    """
    if not path.exists():
        return []
    # lines of bytes: those of text also end at U+2028 and U+0085
    lines = read_content(path, "JSON lines", mend).splitlines(keepends=True)
    return [
        parse_json(line, f"{path}:{number}", mend, kind)
        for number, line in enumerate(lines, start=1)
        if line.endswith(b"\n")
    ]


def has_file(path: Path) -> bool:
    """Return whether a file is there.

    Raises:
        DamagedError: A folder is there.
    """
    if path.is_dir():
        raise DamagedError(f"{path}: expected a file, found a folder; remove that folder")
    return path.is_file()


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; nothing need be there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder where it is missing, and those above it.

    Raises:
        UserError: A file lies in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"{folder}: expected a folder, found a file; move it away") from error


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"there is no {text} in JSON")
