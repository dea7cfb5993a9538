"""The names of data sets: as a user writes them, and as folders of a store are called."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

CSV_PREFIX = "csv:"
"""`csv:FILE` is the user's own recordings, listed in FILE."""

AUDFORMAT_PREFIX = "audformat:"
"""`audformat:DIR` is the audformat database in DIR, `audformat:DIR#TABLE` a table of it."""

PATH_KINDS = {"csv": "FILE", "audformat": "DIR"}
"""Corpora that lie where the user says, and what it is that the user names."""

ALIASES = {
    "crema-d": "cremad",
    "emo-db": "emodb",
    "msp-improv": "msp",
    "msp_improv": "msp",
}
"""Other spellings of a corpus' name."""


@dataclass(frozen=True)
class GivenPath:
    """A data set that is named by its path.

    Attributes:
        kind: One of `PATH_KINDS`.
        path: The file or folder.
        table: What stands behind the `#` of `audformat:DIR#TABLE`.
    """

    kind: str
    path: Path
    table: str = ""


def given_path(dataset: str) -> GivenPath | None:
    """Return what `csv:FILE` or `audformat:DIR#TABLE` names, `None` where no path is named.

    The last `#` begins the table; a folder with a `#` in its name needs one more behind it.
    """
    kind, _, path = dataset.partition(":")
    kind, table = kind.casefold(), ""
    if kind == "audformat" and "#" in path:
        path, _, table = path.rpartition("#")
    if kind not in PATH_KINDS or not path:
        return None
    return GivenPath(kind, Path(path).expanduser(), table)


def stored_name(dataset: str) -> str:
    """Return the name under which a store keeps a data set; it is safe as a folder's name.

    `"RAVDESS"` is `"ravdess"`, `"msp-improv"` is `"msp"`, and `"csv:my calls.csv"` is
    `"csv-my-calls-"` with six hexadecimal digits of the file's full path, so that two files
    of one name do not share a folder. `"audformat:emodb-1.4#emotion"` is likewise
    `"audformat-emodb-1-4-emotion-"` with digits of the folder's path and the table.
    """
    given = given_path(dataset)
    if given is None:
        name = dataset.casefold()
        return ALIASES.get(name, name)
    full_path = Path(os.path.realpath(given.path))  # resolve() fails on links in a circle
    title = given.path.stem if given.kind == "csv" else f"{full_path.name}-{given.table}"
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", title).strip("-") or "table"
    identity = f"{full_path}#{given.table}" if given.table else str(full_path)
    # surrogateescape: a file name that is no UTF-8 still has a hash
    digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{given.kind}-{stem}-{digest[:6]}"
