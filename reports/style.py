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

from reports.picture_form import ON_SCREEN, WIDTH_INCHES, PictureForm
from ser_aae.files.atomic import write_bytes
from ser_aae.results.picture_text import font_families

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

_STYLE = {
    "font.family": list(font_families()),
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
    # names of classes, speakers and files are drawn as they are written, dollars too
    "text.parse_math": False,
    # fonts that publishers take, and names in an SVG that are the same each time
    "pdf.fonttype": 42,
    "svg.hashsalt": "ser-aae",
}

_PRINT = {"axes.titlesize": 8, "legend.fontsize": 7, "xtick.labelsize": 8, "ytick.labelsize": 8}
"""Smaller texts for the widths of print, whose pictures are not made smaller."""

_METADATA = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
}


@contextmanager
def drawn_to(
    path: Path,
    height_inches: float,
    width_inches: float = WIDTH_INCHES,
    *,
    form: PictureForm = ON_SCREEN,
    in_paper: bool = False,
    mark: str = "",
) -> Iterator[Figure]:
    """Give a figure to draw on; write its files, each whole or not at all, at the end.

    Args:
        path: Its PNG; other kinds of files get the same name.
        height_inches: Height.
        width_inches: Width on a screen; the form may give it another one.
        form: Form of all pictures of the report.
        in_paper: Whether the paper has this picture too.
        mark: Words in the corner, for what must not be mistaken.
    """
    with mpl.rc_context(_STYLE | (_PRINT if form.width else {})):
        size = (form.inches(width_inches), height_inches)
        figure = Figure(figsize=size, dpi=form.dpi)
        FigureCanvasAgg(figure)
        yield figure
        if mark:
            # as a title, for which the layout makes room: nothing lies under it
            figure.suptitle(mark, x=0.995, ha="right", fontsize=9, color=WARNING, weight="bold")
        for file in reversed(form.files_of(path, in_paper=in_paper)):
            buffer, kind = io.BytesIO(), file.suffix[1:]
            # no version and no date in the file: the same data give the same bytes
            figure.savefig(buffer, format=kind, dpi=form.dpi, metadata=_METADATA[kind])
            write_bytes(file, buffer.getvalue())
