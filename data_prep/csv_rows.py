"""Rows of comma-separated text, each in a line of its own: all tables are read by this."""

import csv
from collections.abc import Iterator
from pathlib import Path

from data_prep.corpus import split_lines
from ser_aae.errors import UserError


def split_rows(path: Path, text: str, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the fields of each line; an empty line has no fields.

    A row that goes on in the next line is refused. The mark of one field that is never closed is
    closed by that of another row, and all rows between the two are text of the first.

    Args:
        path: The file of the text, for messages.
        text: The whole table.
        delimiter: The character between fields.

    Raises:
        UserError: A quotation mark that is not closed in its line, or no text.
    """
    # the empty line is taken for a part of the last row where that goes on
    lines = [*split_lines(text), ""]
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    number = 0
    while True:
        number += 1
        wrong = ""
        try:
            fields = next(reader, None)
        except csv.Error as error:
            fields, wrong = [], _describe(str(error))
        if reader.line_num > number:
            wrong = (
                "expected a row in one line, found a quotation mark that is not closed in it; "
                'close it, write a mark of the text as "", and a line end within a field as a blank'
            )
        if wrong:
            raise UserError(f"{path}:{number}: {wrong}")
        if fields is None:
            return
        yield number, fields


def _describe(fault: str) -> str:
    """Return what is wrong with a row that Python's reader of tables refuses."""
    if "expected after" in fault:
        return (
            "expected the end of a field after the quotation mark that closes it, found more; "
            'write a mark of the text as ""'
        )
    return f"expected a table of text, {fault}; fetch or write the table again"
