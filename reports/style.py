"""Style of every picture: no display, colours for the colour-blind, readable in grey.

Figures are made without pyplot, so that drawing leaves no global state behind.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ser_aae.files.atomic import write_bytes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
"""Okabe and Ito's palette, which the common kinds of colour blindness tell apart."""

FILLS = ("#7FB8D8", "#EBAE7F", "#7FCEB9", "#E5BBD3", "#F2CF7F", "#AAD9F4", "#7F7F7F", "#BFBFBF")
"""The same halfway to white, to fill bars with: hatches and whiskers are black on them."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")
HATCHES = ("", "///", "...", "xxx", "---")
"""Shapes, dashes and hatches that tell things apart on a grey print, where colours do not."""

SEQUENTIAL = "cividis"
"""Colour map whose lightness alone carries the value."""

MATRIX = "Blues"
"""Colour map of matrices with numbers in their cells: light enough to read them."""

MANY = "turbo"
"""Colour map that is cut into as many colours as there are groups, where `COLOURS` runs out."""

WARNING = "#B34700"
"""Colour of what must not be overlooked."""

WIDTH_INCHES = 8.0
DPI = 130

_STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "lines.markersize": 3.5,
    "figure.constrained_layout.use": True,
}

_METADATA = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}


@contextmanager
def drawn_to(
    path: Path,
    height_inches: float,
    width_inches: float = WIDTH_INCHES,
    *,
    pdf: bool = False,
    mark: str = "",
) -> Iterator[Figure]:
    """Give a figure to draw on; write it to `path` as PNG, whole or not at all, at the end.

    With `pdf`, a PDF of the same name is written beside it. `mark` are words in the figure's
    corner, for what must not be mistaken.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width_inches, height_inches), dpi=DPI)
        FigureCanvasAgg(figure)
        yield figure
        if mark:
            # as a title, for which the layout makes room: nothing lies under it
            figure.suptitle(mark, x=0.995, ha="right", fontsize=9, color=WARNING, weight="bold")
        for kind in ("pdf", "png") if pdf else ("png",):
            buffer = io.BytesIO()
            # no version and no date in the file: the same data give the same bytes
            figure.savefig(buffer, format=kind, metadata=_METADATA[kind])
            write_bytes(path.with_suffix(f".{kind}"), buffer.getvalue())
