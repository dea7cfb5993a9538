"""Rows of tables: a row a line, whatever the quotation marks in it."""

from pathlib import Path

import pytest

from data_prep.csv_rows import split_rows
from ser_aae.errors import UserError

TABLE = Path("table.csv")


def rows_of(text, delimiter=","):
    return [(line, fields) for line, fields in split_rows(TABLE, text, delimiter) if fields]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_rows_have_the_numbers_of_their_lines(line_end):
    text = line_end.join(["a,b", "", '"1, ""x""",2', '3" tape,\x85', ""])

    rows = [(1, ["a", "b"]), (3, ['1, "x"', "2"]), (4, ['3" tape', "\x85"])]
    assert rows_of(text) == rows


@pytest.mark.parametrize(
    "text",
    [
        '\na,"b\nc,d\n',
        '\na,"b\nc","d\n',
        '\na,"b\n',
        '\na,"b',
        '\n"',
        '\na,"b\n' + "c,d\n" * 50_000,
        '\na,"over\ntwo lines",b\n',
    ],
    ids=["open", "closed by a later one", "last", "end", "mark alone", "long", "two lines"],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_row_that_goes_on_is_refused_at_its_line(text, delimiter):
    with pytest.raises(UserError, match=r"table\.csv:2: expected a row in one line, found a quot"):
        rows_of(text.replace(",", delimiter), delimiter)


def test_rows_before_a_mark_that_is_not_closed_are_no_rows_of_it():
    rows = split_rows(TABLE, 'a,b\nc,"d\n')

    assert next(rows) == (1, ["a", "b"])


def test_what_is_no_text_is_refused_at_its_line():
    with pytest.raises(UserError, match=r"table\.csv:2: expected a table of text, field larger"):
        rows_of("a\n" + "b" * 200_000 + "\nc\n")
