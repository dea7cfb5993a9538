"""Texts of a table: HTML, Markdown and CSV."""

import html

import pandas as pd

LONG = 20
"""Characters of a cell that stand on one line; a longer text may be broken, so that tables fit."""


def to_html(frame: pd.DataFrame) -> str:
    """Return a frame as an HTML table that scrolls by itself; everything is escaped.

    Each cell has its column's head as `data-head`, which a narrow screen shows before it; a text
    of more than `LONG` characters is of the class `long`, for it may be broken.
    """
    heads = [html.escape(str(name)) for name in frame.columns]
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(
        "<tr>" + "".join(_cell(*each) for each in zip(heads, row, strict=True)) + "</tr>\n"
        for row in frame.itertuples(index=False)
    )
    return f'<div class="scroll"><table><tr>{head}</tr>\n{body}</table></div>\n'


def _cell(head: str, value: object) -> str:
    text = str(value)
    wraps = ' class="long"' if len(text) > LONG else ""
    return f'<td data-head="{head}"{wraps}>{html.escape(text)}</td>'


def to_markdown(frame: pd.DataFrame) -> str:
    """Return a frame as a Markdown table; bars within cells are escaped."""
    rows = [list(frame.columns), ["---"] * len(frame.columns), *frame.to_numpy(dtype=object)]
    lines = [
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines) + "\n"


def to_csv(frame: pd.DataFrame) -> str:
    """Return a frame as CSV without its index."""
    return frame.to_csv(index=False, lineterminator="\n")
