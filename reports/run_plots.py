"""Plots of a run: learning curves, a segment, a confusion matrix; each writes one PNG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from reports.picture_form import NARROW_INCHES, ON_SCREEN, WIDTH_INCHES, PictureForm
from reports.style import COLOURS, LINES, MATRIX, SEQUENTIAL, drawn_to
from ser_aae.labels import PRIMARY_TASKS, VOICE_TASKS
from ser_aae.results.adversary import ADVERSARY_WORDS, HIGH, LOW


@dataclass(frozen=True)
class _Panel:
    """One panel of the learning curves: its title, unit and lines by legend entry.

    A line is where its values stand in a row of `epochs.jsonl`: (`"train"`, key).
    """

    title: str
    unit: str
    lines: Mapping[str, tuple[str, str]]


_SMALL_PANEL_INCHES = 3.3
_LEGEND = {"handlelength": 1.6, "handletextpad": 0.4, "columnspacing": 0.8}
_SMALL_LEGEND = {"fontsize": 6.5, "handlelength": 1.0, "handletextpad": 0.3, "columnspacing": 0.5}

_PANELS = (
    _Panel(
        "Reconstruction",
        "loss",
        {
            "training": ("train", "reconstruction_loss"),
            "validation": ("validation", "reconstruction_loss"),
        },
    ),
    _Panel(
        "Adversary",
        "loss",
        {"discriminator": ("train", "discriminator_loss"), "encoder": ("train", "generator_loss")},
    ),
    _Panel(
        "Adversary: accuracy", "accuracy", {"discriminator": ("train", "discriminator_accuracy")}
    ),
    _Panel(
        "Latent code (prior: 1 and 3)",
        "moment",
        {"variance": ("latent", "variance"), "kurtosis": ("latent", "kurtosis")},
    ),
    _Panel(
        "Latent code: distance to prior",
        "MMD²",
        {"codes": ("latent", "mmd")},
    ),
    _Panel(
        "Adversary: right without noise",
        "accuracy",
        {"discriminator": ("latent", "discriminator_accuracy")},
    ),
    _Panel(
        "Classification: training loss",
        "loss",
        {task: ("train", f"{task}_loss") for task in PRIMARY_TASKS}
        | {"all tasks": ("train", "classification_loss")},
    ),
    _Panel(
        "Classification: training accuracy",
        "accuracy",
        {task: ("train", f"{task}_accuracy") for task in PRIMARY_TASKS},
    ),
    _Panel(
        "Validation, primary task",
        "accuracy",
        {"UA": ("validation", "unweighted_accuracy"), "WA": ("validation", "weighted_accuracy")},
    ),
)


_TICKS_KHZ = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16)
_LEAST_BETWEEN_TICKS = 0.07
"""Share of the axis that lies between two ticks at least: of linear bands the lowest ones would be
written over one another."""


def segment_and_reconstruction(
    images: Sequence[np.ndarray],
    path: Path,
    *,
    shift_ms: float = 10.0,
    band_hz: np.ndarray | None = None,
    whose: str = "",
    form: PictureForm = ON_SCREEN,
) -> None:
    """Draw a segment, above its reconstruction if there is one, on one scale.

    Args:
        images: The segment, and its reconstruction if there is one: `(bins, frames)` each,
            normalised dB.
        path: PNG to write.
        shift_ms: Shift between frames.
        band_hz: `(bins,)` centre of each bin, `None` where a run of before did not keep them.
        whose: Utterance, class and speaker.
        form: Form of the report's pictures.
    """
    low, high = np.nanpercentile(np.concatenate(images), [0.5, 99.5])
    titles = (f"Segment{chr(10) * bool(whose)}{whose}", "Reconstruction by the decoder")
    with drawn_to(path, 2.3 * len(images), form=form) as figure:
        panels = list(figure.subplots(len(images), 1, sharex=True, squeeze=False).flat)
        for axes, title, image in zip(panels, titles, images, strict=False):
            drawn = axes.imshow(
                image,
                origin="lower",
                aspect="auto",
                cmap=SEQUENTIAL,
                vmin=low,
                vmax=high,
                extent=(0, image.shape[1] * shift_ms / 1000, -0.5, image.shape[0] - 0.5),
            )
            axes.set(title=title, ylabel="frequency bin")
            axes.grid(visible=False)
            if band_hz is not None:
                _label_khz(axes, band_hz)
        panels[-1].set_xlabel("time in s")
        figure.colorbar(drawn, ax=panels, label="normalised level", pad=0.01)


def _label_khz(axes: Axes, band_hz: np.ndarray) -> None:
    """Label the vertical axis of bins in kHz."""
    khz = np.asarray(band_hz, float) / 1000
    inside = np.array([tick for tick in _TICKS_KHZ if khz[0] <= tick <= khz[-1]])
    places = np.interp(inside, khz, np.arange(len(khz)))
    shown = np.diff(places, append=np.inf) > _LEAST_BETWEEN_TICKS * len(khz)
    axes.set_yticks(places[shown], [f"{tick:g}" for tick in inside[shown]])
    axes.set_ylabel("kHz")


def learning_curves(
    history: Sequence[Mapping[str, Any]],
    path: Path,
    *,
    adversary: str = "",
    form: PictureForm = ON_SCREEN,
) -> None:
    """Draw losses and accuracies by phase over the epochs of both stages.

    A panel whose figures the run does not have (an autoencoder has no adversary) is left out. The
    epochs of each stage are counted from 1; those of stage 1 lie left of a dotted line on grey, and
    lines are broken there. Triangles on the time axis mark epochs that began with a lower learning
    rate.

    Args:
        history: Rows of `epochs.jsonl`.
        path: PNG to write.
        adversary: State that the run's adversary was judged to have, `""` for none.
        form: Form of the report's pictures.
    """
    first = sum(row.get("stage") == 1 for row in history)
    # the last epoch of stage 1 stands at 0, so that the first one of stage 2 stands at 1
    epochs = np.arange(1, len(history) + 1) - first
    panels = [(panel, lines) for panel in _PANELS if (lines := _lines(history, panel))]
    columns = form.columns(2, WIDTH_INCHES, 2.8)
    rows = -(-len(panels) // columns)
    # for print so low that five rows fit a page
    height = 0.4 + (1.85 if form.width else 2.3) * max(rows, 1)
    with drawn_to(path, height, form=form) as figure:
        grid = []
        if panels:
            grid = list(figure.subplots(rows, columns, sharex=True, squeeze=False).flat)
        for axes, (panel, lines) in zip(grid, panels, strict=False):
            _draw_panel(axes, panel, lines, epochs, adversary)
            _mark_schedule(axes, history, epochs)
        for axes in grid[len(panels) :]:
            axes.remove()
            grid[len(panels) - columns].tick_params(labelbottom=True)  # the one above is last then
        words = f"epoch of stage 2{'; on grey: of stage 1' if first else ''}"
        if _lowered(history):
            between = "\n" if figure.get_figwidth() < NARROW_INCHES else " "
            words += f"{between}(▲ learning rate lowered)"
        figure.supxlabel(words, fontsize=9)


def _lines(history: Sequence[Mapping[str, Any]], panel: _Panel) -> dict[str, list[float]]:
    """Return the values of those lines of a panel that have any.

    Stage 1 has no label of emotions: the 0 that is logged there is no loss and no accuracy.
    """
    lines = {}
    for name, (part, key) in panel.lines.items():
        of_emotions = name in PRIMARY_TASKS and name not in VOICE_TASKS
        without = 1 if part == "train" and of_emotions else None
        values = [
            None if row.get("stage") == without else (row.get(part) or {}).get(key)
            for row in history
        ]
        if any(value is not None for value in values):
            lines[name] = [math.nan if value is None else float(value) for value in values]
    return lines


def _draw_panel(
    axes: Axes,
    panel: _Panel,
    lines: Mapping[str, Sequence[float]],
    epochs: np.ndarray,
    adversary: str,
) -> None:
    start = int(np.searchsorted(epochs, 1))
    broken = [start] if 0 < start < len(epochs) else []  # a line ends where stage 2 begins
    for index, (name, values) in enumerate(lines.items()):
        # a lone epoch has no line to draw: its marker shows it
        axes.plot(
            np.insert(epochs.astype(float), broken, 0.5),
            np.insert(values, broken, math.nan),
            LINES[index % len(LINES)],
            color=COLOURS[index],
            marker="o" if len(epochs) < 15 else None,
            label=name,
        )
    title = panel.title
    if "discriminator" in panel.lines and panel.unit == "loss":
        title += f": {ADVERSARY_WORDS.get(adversary, adversary)}" if adversary else ""
        axes.axhspan(LOW, HIGH, color="#009E73", alpha=0.12, label="alive")
        axes.axhline(math.log(2), color="#555555", linewidth=0.8, label="guess")
    if panel.unit == "accuracy":
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title(title, pad=19)
    axes.set(ylabel=panel.unit, xlim=(epochs[0] - 0.5, epochs[-1] + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: _number(place, start)))
    _add_legend(axes)


def _add_legend(axes: Axes) -> None:
    """Put the legend on a line of its own between title and axes: no curve can run under it."""
    panels_across = axes.get_subplotspec().get_gridspec().ncols
    is_small = axes.figure.get_figwidth() / panels_across < _SMALL_PANEL_INCHES
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 0.99),
        ncols=4,
        borderpad=0,
        **(_SMALL_LEGEND if is_small else _LEGEND),
    )
    legend.set_in_layout(False)  # else a legend that is wider than its axes makes them narrower


def _number(place: float, first: int) -> str:
    """Return the number of an epoch in its own stage; `first` is how many stage 1 has."""
    if place != round(place):
        return ""
    number = round(place) if place > 0.5 else round(place) + first
    return str(number) if number >= 1 else ""


def _lowered(history: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the places of the epochs that began with a lower learning rate than the one before."""
    rates = [max((row.get("learning_rates") or {"": 0.0}).values()) for row in history]
    stages = [row.get("stage") for row in history]
    return [
        place
        for place in range(1, len(history))
        if rates[place] < rates[place - 1] and stages[place] == stages[place - 1]
    ]


def _mark_schedule(axes: Axes, history: Sequence[Mapping[str, Any]], epochs: np.ndarray) -> None:
    if epochs[0] < 1:
        axes.axvspan(epochs[0] - 0.5, 0.5, color="#000000", alpha=0.07, linewidth=0)
    stages = [row.get("stage") for row in history]
    lowered = [epochs[place] for place in _lowered(history)]
    along = axes.get_xaxis_transform()
    if lowered:
        bottom = [0.0] * len(lowered)
        axes.plot(
            lowered, bottom, "^", color="#000000", markersize=5, transform=along, clip_on=False
        )
    for i in range(1, len(history)):
        if stages[i] != stages[i - 1]:
            axes.axvline(epochs[i] - 0.5, color="#000000", linewidth=0.9, linestyle=":")


def confusion_matrix(
    matrix: Sequence[Sequence[int]],
    classes: Sequence[str],
    path: Path,
    *,
    form: PictureForm = ON_SCREEN,
) -> None:
    """Draw counts, and beside them the share of each true class in per cent.

    Args:
        matrix: A row for each true class, a column for each predicted one; means where several
            repetitions are averaged.
        classes: Names of the rows, and of the columns.
        path: PNG to write.
        form: Form of the report's pictures.
    """
    counts = np.asarray(matrix)
    totals = counts.sum(axis=1, keepdims=True)
    shares = 100 * counts / np.maximum(totals, 1)
    columns = form.columns(2, WIDTH_INCHES, 1.6 + 0.35 * len(classes))
    height = (1.5 if columns == 1 else 1.9) + 0.42 * len(classes)
    with drawn_to(path, height * (2 // columns), form=form) as figure:
        left, right = figure.subplots(2 // columns, columns, sharey=True).flat
        are_whole = np.array_equal(counts, np.rint(counts))
        _draw_matrix(left, counts, classes, "Utterances", "{:.0f}" if are_whole else "{:.1f}")
        _draw_matrix(right, shares, classes, "Per cent of true class", "{:.1f}")
        left.set_ylabel("true")
        named = zip(classes, totals[:, 0], strict=True)
        names = [f"{name} (n = {total:.0f})" for name, total in named]
        left.set_yticks(range(len(classes)), names)
        if columns == 1:
            right.set_yticks(range(len(classes)), names)
            right.set_ylabel("true")


def _draw_matrix(
    axes: Axes, values: np.ndarray, classes: Sequence[str], title: str, form: str
) -> None:
    top = max(float(values.max()), 1)
    # about what the names of the classes leave of the figure; a number has five characters
    inches = (axes.figure.get_figwidth() - 1.5) / axes.get_subplotspec().get_gridspec().ncols
    size = min(9.0, max(4.0, 72 * inches / len(classes) / 3.2))
    axes.imshow(values, cmap=MATRIX, vmin=0, vmax=top, aspect="auto")
    axes.grid(visible=False)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, classes)
    axes.set(title=title, xlabel="predicted")
    for row, column in np.ndindex(*values.shape):
        value = float(values[row, column])
        colour = "white" if value > 0.55 * top else "black"
        axes.text(
            column, row, form.format(value), ha="center", va="center", color=colour, size=size
        )
