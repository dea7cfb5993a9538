"""Grouped bars (Fig. 3) and curves over a sweep (Figs. 4 and 5) of the paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.filling import Filled, Filling
from reports.picture_form import ON_SCREEN, PictureForm
from reports.style import COLOURS, FILLS, HATCHES, LINES, MARKERS, drawn_to
from ser_aae.experiments.weight_sweeps import FIGURE_5, WEIGHT_SWEEPS
from ser_aae.results.picture_text import legend_name

AXES = {
    "unweighted_accuracy": "UA (%)",
    "weighted_accuracy": "WA (%)",
    "gender_accuracy": "accuracy (%)",
    "speaker_accuracy": "accuracy (%)",
    "equal_error_rate": "EER (%), low is good",
}
"""Figure of a result to the text beside its axis."""

SWEPT = {
    "figure-4": "auxiliary speakers",
    "figure-4-multitask": "auxiliary speakers",
    FIGURE_5: ", or ".join(sweep.title for sweep in WEIGHT_SWEEPS),
    "semi-supervised": "labelled share of the training part",
}
"""Artefact to the text below its horizontal axis."""

STACKED = (FIGURE_5,)
"""Artefacts whose panels lie one above the other, as in the paper; others lie in a row."""

_PANEL_INCHES = 2.6
_LEAST_SPAN = 8.0
"""Points that a vertical axis spans at least: less would make noise look like a finding."""

_EDGE = 1.5
"""Points beyond 0 and 100 %, so that a marker there is whole."""

_LETTER_INCHES, _HANDLE_LETTERS = 0.075, 8
"""Width of a letter of a legend, and of a handle in letters, both about."""


@dataclass(frozen=True)
class Line:
    """One curve of a panel.

    Attributes:
        x: Horizontal positions of the points; NaN leaves a point out.
        percent: Heights of the points.
        deviations: Length of each whisker in points, NaN for none; empty where none has one.
    """

    x: Sequence[float]
    percent: Sequence[float]
    deviations: Sequence[float] = ()


@dataclass(frozen=True)
class Panel:
    """Curves over one horizontal axis.

    Attributes:
        title: Text over the panel.
        y_label: Text beside the vertical axis.
        lines: Name in the legend to curve.
    """

    title: str
    y_label: str
    lines: Mapping[str, Line]


def draw_bars(filling: Filling, path: Path, mark: str = "", form: PictureForm = ON_SCREEN) -> None:
    """Draw a group of bars for each row, a bar for each column, a panel for each part (Fig. 3).

    Bars differ in colour and hatch; a whisker is the 95 % interval, which is over speakers: none
    where one speaker was tested. A missing cell leaves a gap.
    """
    panels = group_cells(filling.cells)
    columns = list(group_cells(filling.cells, by="column"))
    width = max(4.6 * len(panels), 6.0)
    side_by_side = form.columns(len(panels), width, 2.8)
    height = 3.4 * -(-len(panels) // side_by_side)
    with drawn_to(path, height, width, form=form, in_paper=True, mark=mark) as figure:
        grid = _grid(figure, len(panels), side_by_side)
        for axes, (name, cells) in zip(grid, panels.items(), strict=True):
            _draw_groups(axes, cells, columns)
            axes.set_title(name)
        _legend_below(figure, columns)


def draw_curves(
    filling: Filling, path: Path, mark: str = "", form: PictureForm = ON_SCREEN
) -> None:
    """Draw a line for each column over the swept value, a panel for each part (Figs. 4, 5).

    A whisker is the deviation.
    """
    panels = [
        Panel(f"({chr(ord('a') + number)}) {title}", AXES[cells[0].cell.score], _lines_of(cells))
        for number, (title, cells) in enumerate(group_cells(filling.cells).items())
    ]
    draw_panels(filling.artefact.name, panels, path, in_paper=True, mark=mark, form=form)


def draw_panels(
    name: str,
    panels: Sequence[Panel],
    path: Path,
    *,
    form: PictureForm = ON_SCREEN,
    in_paper: bool = False,
    mark: str = "",
) -> None:
    """Draw panels of curves, which differ in colour, dash and marker, with one legend.

    The artefact's name decides the text of the horizontal axis and the layout of the panels.
    """
    count, is_stacked = len(panels), name in STACKED
    width = 5.6 if is_stacked else max(_PANEL_INCHES * count, 5.6)
    side_by_side = 1 if is_stacked else form.columns(count, width, 0.8 * _PANEL_INCHES)
    rows = -(-count // side_by_side)
    height = 2.2 * count + 0.6 if is_stacked else 2.7 * rows + 0.4
    with drawn_to(path, height, width, form=form, in_paper=in_paper, mark=mark) as figure:
        grid = _grid(figure, count, side_by_side)
        for number, (axes, panel) in enumerate(zip(grid, panels, strict=True)):
            _draw_lines(axes, panel)
            axes.set_title(panel.title, pad=8)
            if not is_stacked or number == count - 1:
                axes.set_xlabel(SWEPT.get(name, ""))
        _legend_below(figure, list(dict.fromkeys(line for panel in panels for line in panel.lines)))


def group_cells(cells: Sequence[Filled], by: str = "panel") -> dict[str, list[Filled]]:
    """Return the cells of each panel, row or column, in their order."""
    groups: dict[str, list[Filled]] = {}
    for item in cells:
        groups.setdefault(getattr(item.cell, by), []).append(item)
    return groups


def _draw_groups(axes: Axes, cells: Sequence[Filled], columns: Sequence[str]) -> None:
    rows = list(group_cells(cells, by="row"))
    places = {(item.cell.row, item.cell.column): item for item in cells}
    width = 0.8 / len(columns)
    for index, column in enumerate(columns):
        found = [places.get((row, column)) for row in rows]
        at = np.arange(len(rows)) + (index - (len(columns) - 1) / 2) * width
        axes.bar(
            at,
            [_percent(item and item.mean) for item in found],
            width * 0.92,
            yerr=_whisker_lengths(found),
            capsize=2,
            color=FILLS[index % len(FILLS)],
            hatch=HATCHES[index % len(HATCHES)],
            edgecolor="black",
            linewidth=0.6,
            error_kw={"linewidth": 0.9},
            label=legend_name(column),
        )
    axes.set_xticks(np.arange(len(rows)), rows)
    axes.set_xlim(-0.5, len(rows) - 0.5)  # bars that are missing keep their place
    axes.set_ylim(0, 100)
    axes.grid(visible=False, axis="x")
    axes.set_ylabel(AXES[cells[0].cell.score])


def _lines_of(cells: Sequence[Filled]) -> dict[str, Line]:
    return {
        name: Line(
            [np.nan if item.cell.x is None else item.cell.x for item in points],
            [_percent(item.mean) for item in points],
            [_percent(item.std) for item in points],
        )
        for name, points in group_cells(cells, by="column").items()
    }


def _draw_lines(axes: Axes, panel: Panel) -> None:
    for index, (name, line) in enumerate(panel.lines.items()):
        axes.errorbar(
            np.array(line.x, float),
            np.array(line.percent, float),
            yerr=line.deviations or None,
            linestyle=LINES[index % len(LINES)],
            marker=MARKERS[index % len(MARKERS)],
            color=COLOURS[index % len(COLOURS)],
            markersize=4.5,
            capsize=2,
            elinewidth=0.8,
            label=legend_name(name),
        )
    axes.set_ylabel(panel.y_label)
    _limit(axes)


def _limit(axes: Axes) -> None:
    """Let a vertical axis span some points at least, and name no value outside 0 to 100 %."""
    axes.margins(y=0.12)
    low, high = axes.get_ylim()
    more = max(0.0, _LEAST_SPAN - (high - low)) / 2
    bottom, top = axes.set_ylim(max(low - more, -_EDGE), min(high + more, 100 + _EDGE))
    axes.set_yticks([t for t in axes.get_yticks() if max(bottom, 0) <= t <= min(top, 100)])


def _grid(figure: Figure, count: int, side_by_side: int) -> Sequence[Axes]:
    rows = -(-count // side_by_side)
    grid = list(figure.subplots(rows, side_by_side, squeeze=False).flat)
    for axes in grid[count:]:
        axes.remove()
    return grid[:count]


def _legend_below(figure: Figure, names: Sequence[str]) -> None:
    """Put one legend for all panels below them, in as many columns as there is room for."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    inches = _LETTER_INCHES * (max(map(len, names)) + _HANDLE_LETTERS)
    columns = max(1, min(len(names), int(figure.get_figwidth() / inches)))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def _percent(share: float | None) -> float:
    return float("nan") if share is None else 100 * share


def _whisker_lengths(items: Sequence[Filled | None]) -> list[list[float]]:
    """Return the lengths of whiskers below the figures, and of those above."""
    # lists, for Matplotlib takes the first row of an array of one column for a number
    return [list(side) for side in zip(*map(_edge_distances, items), strict=True)]


def _edge_distances(item: Filled | None) -> tuple[float, float]:
    """Return how far the edges of the interval are from the figure; NaN draws none."""
    if item is None or item.mean is None or item.interval is None:
        return float("nan"), float("nan")
    # a percentile interval need not hold the figure itself, and no whisker is negative
    below, above = item.mean - item.interval.low, item.interval.high - item.mean
    return 100 * max(below, 0.0), 100 * max(above, 0.0)
