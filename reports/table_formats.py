"""Texts of a table: HTML, Markdown, LaTeX and CSV."""

import html

import pandas as pd

_LATEX = str.maketrans(
    {letter: f"\\{letter}" for letter in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"±": r"$\pm$"}
)


def to_html(frame: pd.DataFrame) -> str:
    """Return a frame as an HTML table that scrolls by itself; everything is escaped.

    Each cell has its column's head as `data-head`, which a narrow screen shows before it.
    """
    heads = [html.escape(str(name)) for name in frame.columns]
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(
        "<tr>" + "".join(_cell(*each) for each in zip(heads, row, strict=True)) + "</tr>\n"
        for row in frame.itertuples(index=False)
    )
    return f'<div class="scroll"><table><tr>{head}</tr>\n{body}</table></div>\n'


def _cell(head: str, value: object) -> str:
    return f'<td data-head="{head}">{html.escape(str(value))}</td>'


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


def to_latex(frame: pd.DataFrame, caption: str, label: str) -> str:
    r"""Return a frame as a LaTeX table that needs no package, with an escaped caption below."""
    rows = [list(frame.columns), *frame.to_numpy(dtype=object)]
    lines = [" & ".join(str(cell).translate(_LATEX) for cell in row) + r" \\" for row in rows]
    parts = [
        r"\begin{table}",
        r"\centering",
        rf"\begin{{tabular}}{{l{'c' * (len(frame.columns) - 1)}}}",
        r"\hline",
        lines[0],
        r"\hline",
        *lines[1:],
        r"\hline",
        r"\end{tabular}",
        rf"\caption{{{caption.translate(_LATEX)}}}",
        rf"\label{{tab:{label}}}",
        r"\end{table}",
    ]
    return "\n".join(parts) + "\n"
