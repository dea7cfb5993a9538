"""Tables of a run as Parquet files: writing, reading, refusing rows that cannot be."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ser_aae.errors import DamagedError, UserError
from ser_aae.files.atomic import TRAIN_AGAIN, has_file, written_whole
from ser_aae.files.damage import damage_told


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table whole or not at all; its folder is made where missing."""
    with written_whole(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_table(path: Path, kind: str) -> pd.DataFrame:
    """Read a table; an error calls a missing one by its `kind`.

    Raises:
        UserError: No file, or a damaged one.
    """
    if not has_file(path):
        raise DamagedError(f"{path}: expected {kind}, found none; {TRAIN_AGAIN}")
    with damage_told(path, TRAIN_AGAIN):
        return pd.read_parquet(path)


def refuse_missing(path: Path, table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise a UserError if a table lacks one of its columns."""
    missing = [name for name in columns if name not in table]
    if missing:
        raise UserError(
            f"{path}: expected the columns {', '.join(columns)}; missing: {', '.join(missing)}"
        )


def refuse_rows(
    path: Path,
    table: pd.DataFrame,
    wrong: Mapping[str, np.ndarray | pd.Series],
    columns: Sequence[str],
) -> None:
    """Raise a UserError that shows some columns of the first row which is not as expected.

    `wrong` is each expectation to `(rows,)` bool, true where a row does not meet it.
    """
    for expected, rows in wrong.items():
        found = np.flatnonzero(np.asarray(rows, bool))
        if len(found):
            (row,) = table[list(columns)].iloc[found[:1]].to_dict("records")
            raise UserError(f"{path}: {expected}, found {row}; {TRAIN_AGAIN}")
