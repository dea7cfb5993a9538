"""The names of data sets: as a user writes them, and as folders of a store are called."""

import hashlib
import re
from pathlib import Path

CSV_PREFIX = "csv:"
"""`csv:FILE` is the user's own recordings, listed in FILE."""

ALIASES = {"msp-improv": "msp", "msp_improv": "msp"}
"""Other spellings of a corpus' name."""


def csv_path(dataset: str) -> Path | None:
    """Return FILE of `csv:FILE`, or `None` where the data set is no CSV file."""
    if dataset[: len(CSV_PREFIX)].casefold() != CSV_PREFIX:
        return None
    return Path(dataset[len(CSV_PREFIX) :]).expanduser()


def stored_name(dataset: str) -> str:
    """Return the name under which a store keeps a data set; it is safe as a folder's name.

    `"RAVDESS"` is `"ravdess"`, `"msp-improv"` is `"msp"`, and `"csv:my calls.csv"` is
    `"csv-my-calls-"` with six hexadecimal digits of the file's full path, so that two files
    of one name do not share a folder.
    """
    table = csv_path(dataset)
    if table is None:
        name = dataset.casefold()
        return ALIASES.get(name, name)
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", table.stem).strip("-") or "table"
    # surrogateescape: a file name that is no UTF-8 still has a hash
    full_path = str(table.resolve()).encode("utf-8", "surrogateescape")
    return f"csv-{stem}-{hashlib.sha256(full_path).hexdigest()[:6]}"
