"""The files that belong to a report: its page names them, and the next report removes what is left.

A picture or table of an earlier report, in a form that was not asked for again, would disagree with
the new page.
"""

import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ser_aae.errors import UserError
from ser_aae.files.atomic import has_file, make_folder, remove, remove_partial
from ser_aae.files.locks import LocklessError, claim, holder

_HEAD = '<meta charset="utf-8">\n'
_STAGE = "report"
"""Name, in that of the folder that a report is written under, of what is written."""

_LIST = re.compile(r'<meta name="ser-aae-files" content="([^"]*)">')


def name_files(page: str, names: Iterable[str]) -> str:
    """Return a page that names the files of its report."""
    listed = html.escape(json.dumps(sorted(names)))
    return page.replace(_HEAD, f'{_HEAD}<meta name="ser-aae-files" content="{listed}">\n', 1)


def read_names(page: Path) -> set[str]:
    """Return the files that a page names: none where there is no page, or it is no report's."""
    try:
        found = _LIST.search(page.read_text(encoding="utf-8"))
        names = json.loads(html.unescape(found[1])) if found else []
    except (OSError, ValueError):  # whatever lies there is written over, and nothing removed for it
        return set()
    return {name for name in names if isinstance(name, str) and Path(name).name == name}


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Give a folder in the folder of a report to write under; both are gone if nothing came of it.

    It lies within, for more than that folder may not be writable.

    Yields:
        The folder, which is empty.

    Raises:
        UserError: A file lies in the place of the report's folder, or another report is written
            there now.
    """
    made = next((each for each in (out, *out.parents) if os.path.exists(each.parent)), out)
    is_new = not os.path.exists(made)
    make_folder(out)
    try:
        with _held(out):
            remove_partial(out, _STAGE)
            folder = out / f".{os.getpid()}.part-{_STAGE}"
            folder.mkdir()
            try:
                yield folder
            finally:
                remove(folder)
    finally:
        if is_new and not any(path.is_file() for path in made.rglob("*")):
            remove(made)


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """Hold the folder of a report against others; where there are no locks, nothing holds it."""
    with ExitStack() as stack:
        place = out / _STAGE  # whose lock lies in the folder, for no other may be writable
        try:
            is_held = stack.enter_context(claim(place))
        except LocklessError:
            is_held = True
        if not is_held:
            raise UserError(
                f"{out}: {holder(place)} writes a report there; wait for it, or give another --out"
            )
        yield


def move_in(folder: Path, out: Path, names: Sequence[str]) -> None:
    """Move the files of a report to their place, the first of the names, its page, last.

    Raises:
        DamagedError: A folder lies where a file belongs; nothing was moved then.
    """
    for name in names:
        has_file(out / name)
    for name in dict.fromkeys(reversed(names)):
        os.replace(folder / name, out / name)


def remove_former(out: Path, former: Iterable[str], names: Iterable[str]) -> None:
    """Remove the files of an earlier report that are none of the one that was written now."""
    for name in set(former) - set(names):
        if not (out / name).is_dir():
            remove(out / name)
