"""Names of data sets: as a user writes them, and as a store calls their folders."""

import hashlib
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from ser_aae.errors import UserError

PATH_KINDS = {"csv": "FILE", "audformat": "DIR"}
"""Corpora that lie where the user says, and what it is that the user names.

`csv:FILE` is the user's own recordings, listed in FILE; `audformat:DIR` is the audformat database
in DIR, `audformat:DIR#TABLE` a table of it.
"""


@dataclass(frozen=True)
class GivenPath:
    """A data set that is named by its path.

    Attributes:
        kind: One of `PATH_KINDS`.
        path: The file or folder.
        table: Text behind the `#` of `audformat:DIR#TABLE`.
    """

    kind: str
    path: Path
    table: str = ""


@dataclass(frozen=True)
class Table:
    """A data set that is named by its path, resolved once.

    Attributes:
        given: Name in a config, `"csv:calls.csv"`.
        name: Name in the store, `"csv-calls-1a2b3c"`.
        source: Name that holds from any folder, `"csv:/home/me/calls.csv"`; `""` where it is not
            known any more.
    """

    given: str
    name: str
    source: str


def given_path(dataset: str) -> GivenPath | None:
    """Return the path in `csv:FILE` or `audformat:DIR#TABLE`, `None` where no path is named.

    The last `#` begins the table; a folder with a `#` in its name needs one more behind it.
    """
    kind, _, path = dataset.partition(":")
    kind, table = kind.casefold(), ""
    if kind == "audformat" and "#" in path:
        path, _, table = path.rpartition("#")
    if kind not in PATH_KINDS or not path:
        return None
    return GivenPath(kind, Path(path).expanduser(), table)


def split_names(text: str, known: Collection[str] = ()) -> tuple[str, ...]:
    """Return the data sets in a text that has commas between them.

    A text that is one of the `known` names, or the path of a table that is there, is one data set:
    a path may hold commas.
    """
    given = given_path(text)
    if text in known or (given and given.path.exists()):
        return (text,)
    return tuple(part.strip() for part in text.split(","))


def stored_name(dataset: str) -> str:
    """Return the name under which a store keeps a data set; it is safe as a folder's name.

    `"RAVDESS"` is `"ravdess"`, and `"csv:my calls.csv"` is `"csv-my-calls-"` with six
    hexadecimal digits of the file's full path, so that two files of one name do not share a
    folder. `"audformat:emodb-1.4#emotion"` is likewise
    `"audformat-emodb-1-4-emotion-"` with digits of the folder's path and the table.

    A relative path is resolved from the current folder: for a run or a setup, its own
    `stored_name` knows better.
    """
    given = given_path(dataset)
    if given is None:
        return dataset.casefold()
    identity = _full_path(given) + (f"#{given.table}" if given.table else "")
    # surrogateescape: a file name that is no UTF-8 still has a hash
    digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{_beginning(given)}{digest[:6]}"


def record_tables(
    datasets: Iterable[str],
    known: Iterable[Table] = (),
    prepared: Collection[str] = (),
    anew: Collection[str] = (),
) -> tuple[Table, ...]:
    """Return the record of each data set that is named by its path, in their order.

    Args:
        datasets: Names of data sets, as they were given.
        known: Earlier records, which stay as they are.
        prepared: Names of corpora in the store. A data set has one of these names if it is the
            only one with the beginning of its own.
        anew: Those of the data sets that are named now, from here, and have no earlier name.
    """
    before = {name: table for table in known for name in (table.given, table.name)}
    found: dict[str, Table] = {}
    for dataset in datasets:
        given = given_path(dataset)
        if dataset in before:
            found[dataset] = before[dataset]
        elif given is not None:
            found[dataset] = _record_table(dataset, given, () if dataset in anew else prepared)
    return tuple(found.values())


def _record_table(dataset: str, given: GivenPath, prepared: Collection[str]) -> Table:
    name = stored_name(dataset)
    alike = [other for other in prepared if other[:-6] == _beginning(given)]
    if name not in alike and len(alike) == 1:
        return Table(dataset, alike[0], "")
    path = _full_path(given)
    table = f"#{given.table}" if given.table or (given.kind == "audformat" and "#" in path) else ""
    return Table(dataset, name, f"{given.kind}:{path}{table}")


def _full_path(given: GivenPath) -> str:
    return os.path.realpath(given.path)  # resolve() fails on links in a circle


def _beginning(given: GivenPath) -> str:
    """Return a stored name without its digits."""
    folder = Path(_full_path(given)).name
    title = given.path.stem if given.kind == "csv" else f"{folder}-{given.table}"
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", title).strip("-") or "table"
    return f"{given.kind}-{stem}-"


_OF_TABLE = re.compile(r"(?:csv|audformat)-([A-Za-z0-9_-]+)-[0-9a-f]{6}(?=:|$)")


def readable_name(stored: str) -> str:
    """Return the name of a corpus or of its speaker for readers: a table's without its digits."""
    return _OF_TABLE.sub(r"\1", stored)


class Naming:
    """A config or setup that has written down what its tables are called.

    Attributes:
        tables: The record of each data set that it names by a path.
    """

    tables: tuple[Table, ...]

    def find_table(self, dataset: str) -> Table | None:
        """Return the record of a data set as it was named, or by its name in the store."""
        return next((each for each in self.tables if dataset in (each.given, each.name)), None)

    def stored_name(self, dataset: str) -> str:
        """Return the name under which a store keeps a data set, from any folder."""
        table = self.find_table(dataset)
        return stored_name(dataset) if table is None else table.name

    def plain_name(self, dataset: str) -> str:
        """Return a name for readers: of a table the file or folder, without where that lies."""
        table = self.find_table(dataset)
        given = given_path(table.given if table else dataset)
        if given is None or not given.path.name:
            return self.stored_name(dataset)
        return f"{given.path.name}{f'#{given.table}' if given.table else ''}"

    def advised_name(self, dataset: str) -> str:
        """Return a name that `ser-aae prepare --dataset` takes, as well as it is known."""
        table = self.find_table(dataset)
        return (table.source or table.given) if table else self.stored_name(dataset)

    def source(self, dataset: str) -> str:
        """Return the name by which an adapter of a data set is found, from any folder.

        Raises:
            UserError: It is not known any more where the table lies.
        """
        table = self.find_table(dataset)
        if table is None:
            return dataset
        if not table.source:
            raise UserError(
                f"{table.given}: this was named from another folder, and where it lies was not "
                "written down; give the command in the folder where the run was trained"
            )
        return table.source
