"""The files that belong to a report: its page names them, and the next report removes what is left.

A picture or table of an earlier report, in a form that was not asked for again, would disagree with
the new page.
"""

import html
import json
import re
from collections.abc import Iterable
from pathlib import Path

from ser_aae.files.atomic import remove

_HEAD = '<meta charset="utf-8">\n'
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


def remove_former(out: Path, former: Iterable[str], names: Iterable[str]) -> None:
    """Remove the files of an earlier report that are none of the one that was written now."""
    for name in set(former) - set(names):
        if not (out / name).is_dir():
            remove(out / name)
