"""Reading an audformat database without running anything that lies in it.

Two doors of the library (audformat 1.4.3) stay shut, because both run foreign code:

- `Database.load` calls whatever function `db.yaml` names; see `header`.
- `Table.load` prefers `db.<table>.pkl`, wherever there is one that is not older than the
  table, and unpickling calls functions too. It is reached not only through `load_data=True`,
  but through everything that touches `Table.df`: `get`, `index`, even the labels of a scheme
  that stand in a misc table. So no table of the library is ever loaded: the rows are read
  here, from parquet or else CSV, and a `.pkl` is never opened.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.audformat_files.header import HEADER, read_header
from data_prep.corpus import read_table_text
from data_prep.csv_rows import split_rows
from ser_aae.errors import UserError

if TYPE_CHECKING:
    import audformat

Row = dict[str, str]
"""Column to content, as a CSV holds it; `""` where there is none."""


class Database:
    """The header of a database, and the rows of its tables as they are asked for.

    Attributes:
        root: The folder.
        header: Content of `db.yaml`; the header's own tables are empty and must stay so.
    """

    def __init__(self, root: Path) -> None:
        """Read the header.

        Raises:
            UserError: No `db.yaml` there, or nothing that audformat understands.
        """
        self.root = root
        self.header = read_header(root)
        self._rows: dict[str, list[Row]] = {}
        self._by_key: dict[str, dict[tuple[str, ...], Row]] = {}
        self._labels: dict[str, Mapping[str, Mapping[str, str]]] = {}

    def rows(self, table_id: str) -> list[Row]:
        """Return the rows of a table or a miscellaneous table.

        Raises:
            UserError: Its file is absent or damaged.
        """
        if table_id not in self._rows:
            rows = read_rows(self.root, table_id)
            missing = [name for name in self._index(table_id) if rows and name not in rows[0]]
            if missing:
                raise UserError(
                    f"{self.root}: expected {HEADER} and table {table_id} to agree, found no "
                    f"column {missing[0]!r} in the table; fetch both again"
                )
            self._rows[table_id] = rows
        return self._rows[table_id]

    def row_of(self, table_id: str, row: Row) -> Row:
        """Return a table's first row for the segment of another row, or else for its file."""
        if table_id not in self._by_key:
            self._by_key[table_id] = {_key(other): other for other in reversed(self.rows(table_id))}
        by_key = self._by_key[table_id]
        return by_key.get(_key(row)) or by_key.get((row["file"], "", "")) or {}

    def scheme(self, table_id: str, column: str) -> "audformat.Scheme | None":
        """Return the scheme of a column, `None` where it has none."""
        return self.header.schemes.get(self.header.tables[table_id].columns[column].scheme_id)

    def labels(self, scheme_id: str) -> Mapping[str, Mapping[str, str]]:
        """Return a scheme's labels, each with its properties; empty where all are allowed.

        A label that is only described has its description as the property `""`.
        """
        if scheme_id not in self._labels:
            self._labels[scheme_id] = self._read_labels(self.header.schemes[scheme_id])
        return self._labels[scheme_id]

    def _index(self, table_id: str) -> list[str]:
        if table_id in self.header.misc_tables:
            return list(self.header.misc_tables[table_id].levels)
        is_segmented = self.header.tables[table_id].type == "segmented"
        return ["file", "start", "end"] if is_segmented else ["file"]

    def _read_labels(self, scheme: "audformat.Scheme") -> Mapping[str, Mapping[str, str]]:
        if isinstance(scheme.labels, str):  # the name of a miscellaneous table
            (index,) = self._index(scheme.labels)  # one level: `header` has seen to it
            rows = self.rows(scheme.labels)
            return {label_text(row[index], scheme): row for row in rows}
        if not isinstance(scheme.labels, dict):
            return {label_text(str(label), scheme): {} for label in scheme.labels or ()}
        return {
            label_text(str(label), scheme): {
                name: _cell_text(value)
                for name, value in (meaning if isinstance(meaning, dict) else {"": meaning}).items()
            }
            for label, meaning in scheme.labels.items()
        }


def label_text(text: str, scheme: "audformat.Scheme | None") -> str:
    """Return a label as its scheme writes it: `"3"` for `"03"` or `"3.0"` of whole numbers."""
    if scheme is None or scheme.dtype != "int":
        return text
    try:
        return str(int(float(text)))
    except (ValueError, OverflowError):  # the latter of infinity
        return text


def _key(row: Row) -> tuple[str, ...]:
    return row["file"], row.get("start", ""), row.get("end", "")


def read_rows(root: Path, table_id: str) -> list[Row]:
    """Return the rows of a table, index columns included, from its parquet or CSV file.

    Where both are there, parquet wins, as with audformat.

    Raises:
        UserError: There is neither, or it is damaged.
    """
    parquet, table = (root / f"db.{table_id}.{suffix}" for suffix in ("parquet", "csv"))
    if parquet.is_file():
        return _parquet_rows(parquet)
    if table.is_file():
        return _csv_rows(table)
    pickled = root / f"db.{table_id}.pkl"
    found = "nothing"
    if pickled.exists():
        found = f"only {pickled.name}, which could run any program when opened, so it is not"
    raise UserError(
        f"{table}: expected the table as .parquet or .csv, found {found}; save the database "
        "with storage_format='csv'"
    )


def _parquet_rows(path: Path) -> list[Row]:
    import pyarrow
    from pyarrow import parquet

    try:
        rows = parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path}: expected a parquet table, {error}; fetch it again") from error
    return [{name: _cell_text(value) for name, value in row.items()} for row in rows]


def _cell_text(value: object) -> str:
    """Return a value as audformat writes it to a CSV: times in words, nothing for NaN."""
    is_missing = value is None or value != value  # noqa: PLR0124 - NaN and NaT are not themselves
    return "" if is_missing else str(value)


def _csv_rows(path: Path) -> list[Row]:
    rows = split_rows(path, read_table_text(path))
    lines = [(line, fields) for line, fields in rows if fields]
    if not lines:  # also a table without rows names its columns
        raise UserError(f"{path}: expected a table, found an empty file; fetch it again")
    columns = lines[0][1]
    for line, fields in lines[1:]:
        if len(fields) != len(columns):
            raise UserError(
                f"{path}:{line}: expected {len(columns)} columns as in the first line, got "
                f"{len(fields)}; fetch it again"
            )
    return [dict(zip(columns, fields, strict=True)) for _, fields in lines[1:]]
