"""Tables as LaTeX: a fragment for one, and a document of all tables of a report."""

import re
from collections.abc import Iterator, Sequence

import pandas as pd

from reports.page import Section

MOST_ROWS = 40
"""Rows of a table that fit a page; one with more is broken over pages."""

LONG, LONG_NAME = 28, 40
"""Characters of a cell beyond which its column is as wide as `_PARAGRAPH`, and texts are broken; of
the first column, which has names, more."""

_PARAGRAPH = r"p{0.25\linewidth}"

_LONG_WORD = 20
"""Characters of a word beyond which it may be broken after `_BREAKS`: paths are such words."""
_BREAKS = "/_-.:"

_SPECIAL = (
    {letter: f"\\{letter}" for letter in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"±": r"$\pm$", "−": "$-$", "×": r"$\times$", "·": r"$\cdot$", "²": "$^2$", "°": r"$^\circ$"}
    | {"≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\to$", "…": r"\ldots{}", "–": "--", "—": "---"}
    | {"α": r"$\alpha$", "β": r"$\beta$", "’": "'", "‘": "`", "“": "``", "”": "''"}
    | {"\N{NO-BREAK SPACE}": "~"}
)

_OF_T1 = "ĂăĄąĆćČčĎďĐđĘęĚěĞğĹĺĽľŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽžİı"
_KNOWN = re.compile(rf"[\x20-\x7eÀ-ÖØ-öø-ÿ{_OF_T1}]")
"""Characters that pdflatex takes as they are with the font encoding T1."""

_PREAMBLE = r"""% Compiles with pdflatex. A table by itself needs graphicx; a long one, longtable.
\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[margin=25mm]{geometry}
\usepackage{graphicx}
\usepackage{longtable}
\begin{document}
\sloppy
"""


def escape(text: object) -> str:
    """Return a text as LaTeX prints it; a character that T1 lacks is named by its code point."""
    return " ".join(map(_escape_word, str(text).split()))


def to_latex(frame: pd.DataFrame, caption: str, label: str) -> str:
    """Return a frame as a LaTeX table that needs no package, with an escaped caption below."""
    parts = [
        r"\begin{table}",
        r"\centering",
        *_tabular(frame),
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{tab:{label}}}",
        r"\end{table}",
    ]
    return "\n".join(parts) + "\n"


def latex_document(title: str, made_of: str, sections: Sequence[Section]) -> str:
    """Return the tables of the sections of a page as one document, with the page's numbers."""
    parts = [_PREAMBLE, rf"\section*{{{escape(title)}}}", escape(made_of)]
    for number, section in enumerate(sections):
        if section.tables:
            parts += [*_section(section, number), r"\clearpage"]
    return "\n".join([*parts, r"\end{document}"]) + "\n"


def _section(section: Section, number: int) -> Iterator[str]:
    yield rf"\subsection*{{{escape(section.title)}}}"
    yield escape(" ".join((section.lead, *section.warnings)))
    for place, (heading, frame, _) in enumerate(section.tables):
        caption = rf"{escape(section.title)}. {escape(heading)}."
        named = rf"\caption{{{caption}}}\label{{tab:{number}-{place}}}"
        yield from _long_table(frame, named) if len(frame) > MOST_ROWS else _table(frame, named)


def _table(frame: pd.DataFrame, named: str) -> list[str]:
    """Return a table that is made smaller where it is wider than the page."""
    fitting = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    return [
        r"\begin{table}[htbp]",
        r"\centering",
        fitting,
        *_tabular(frame),
        "}",
        named,
        r"\end{table}",
    ]


def _long_table(frame: pd.DataFrame, named: str) -> list[str]:
    """Return a table that goes on over pages."""
    head, *rows = _rows(frame)
    return [
        r"{\tiny\setlength{\tabcolsep}{2pt}",
        rf"\begin{{longtable}}{{{_columns(frame)}}}",
        rf"{named} \\",
        r"\hline",
        head,
        r"\hline",
        r"\endhead",
        *rows,
        r"\hline",
        r"\end{longtable}",
        "}",
    ]


def _tabular(frame: pd.DataFrame) -> list[str]:
    head, *rows = _rows(frame)
    return [
        rf"\begin{{tabular}}{{{_columns(frame)}}}",
        r"\hline",
        head,
        r"\hline",
        *rows,
        r"\hline",
        r"\end{tabular}",
    ]


def _columns(frame: pd.DataFrame) -> str:
    """Return the kinds of columns: the first to the left, those of long texts as paragraphs."""
    longest = [frame[name].astype(str).str.len().max() for name in frame]
    kinds = [("l", LONG_NAME), *[("c", LONG)] * (len(longest) - 1)]
    return "".join(
        _PARAGRAPH if length > most else kind
        for (kind, most), length in zip(kinds, longest, strict=True)
    )


def _rows(frame: pd.DataFrame) -> list[str]:
    rows = [list(frame.columns), *frame.to_numpy(dtype=object)]
    return [" & ".join(map(escape, row)) + r" \\" for row in rows]


def _escape_word(word: str) -> str:
    breaks = _BREAKS if len(word) > _LONG_WORD else ""
    return "".join(
        _escape_letter(letter) + (r"\allowbreak{}" if letter in breaks else "") for letter in word
    )


def _escape_letter(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    return letter if _KNOWN.match(letter) else f"[U+{ord(letter):04X}]"
