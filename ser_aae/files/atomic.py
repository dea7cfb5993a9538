"""Writing a file or folder whole or not at all, and reading JSON back."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

from ser_aae.errors import UserError

PARTIAL = ".*.part-*"
"""Pattern of the names under which something is written; a killed process leaves such a file."""

TRAIN_AGAIN = "train the run again"
"""Advice where a file of a run is missing or damaged."""


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a name beside a file or folder to write under; rename when the block ends well.

    The name ends like the target's, since some writers go by the ending. It is removed where the
    block raises. The folder that the target lies in is made where missing. A file in the target's
    place is replaced, a folder only if it is empty.

    Yields:
        The path to write the file or folder under; nothing is there yet.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.part-{path.name}")
    _remove(temporary)  # of a killed process that had the same number
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        _remove(temporary)


def remove_partial(folder: Path, name: str = "") -> None:
    """Remove half-written files of killed processes from a folder that nobody else writes to.

    With the name of a file or folder there, those of it alone; the rest may be anybody's.
    """
    for path in folder.glob(PARTIAL.replace("part-*", f"part-{escape(name)}") if name else PARTIAL):
        _remove(path)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made where missing."""
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all; its folder is made where missing.

    Raises:
        ValueError: The content holds NaN or infinity, which JSON cannot say.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def append_jsonl(path: Path, row: Mapping[str, Any]) -> None:
    """Append one line of JSON, in a single write; the file is made where missing.

    Raises:
        ValueError: The row holds NaN or infinity, which JSON cannot say.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(line)


def read_json(
    path: Path, expected: str = "a file of a run", mend: str = TRAIN_AGAIN
) -> dict[str, Any]:
    """Read a JSON object; errors say which kind of file was expected, and end with what mends it.

    Raises:
        UserError: No such file, or no JSON object in it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: expected {expected}, found none; {mend}") from error
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error}); {mend}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a JSON object; {mend}")
    return content


def read_jsonl(path: Path, mend: str = "remove the line") -> list[dict[str, Any]]:
    """Read a file of JSON lines, of which an absent file has none; an error ends with `mend`.

    Raises:
        UserError: A line is not JSON. A last line without its end is left out instead: a
            run that was interrupted leaves one.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            break
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise UserError(f"{path}:{number}: not JSON ({error}); {mend}") from error
    return rows


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
