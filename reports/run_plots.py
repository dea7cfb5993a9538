"""Plots of a run: learning curves, a segment, a confusion matrix; each writes one PNG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from reports.style import COLOURS, LINES, MATRIX, SEQUENTIAL, drawn_to
from ser_aae.labels import PRIMARY_TASKS, VOICE_TASKS
from ser_aae.results.adversary import HIGH, LOW


@dataclass(frozen=True)
class _Panel:
    """One panel of the learning curves: its title, unit and lines by legend entry.

    A line is where its values stand in a row of `epochs.jsonl`: (`"train"`, key).
    """

    title: str
    unit: str
    lines: Mapping[str, tuple[str, str]]


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
        f"Adversary: alive {LOW} to {HIGH}, chance 0.69",
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
        "Adversary: told without noise",
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


def segment_and_reconstruction(
    segment: np.ndarray, reconstruction: np.ndarray, path: Path, shift_ms: float = 10.0
) -> None:
    """Draw a segment above its reconstruction, on one scale.

    Args:
        segment: `(bins, frames)`, normalised dB.
        reconstruction: Array of the same shape.
        path: PNG to write.
        shift_ms: Shift between frames.
    """
    both = np.concatenate([segment, reconstruction])
    low, high = np.nanpercentile(both, [0.5, 99.5])
    with drawn_to(path, 4.6) as figure:
        panels = figure.subplots(2, 1, sharex=True)
        titles = ("Segment", "Reconstruction by the decoder")
        for axes, title, image in zip(panels, titles, (segment, reconstruction), strict=True):
            drawn = axes.imshow(
                image,
                origin="lower",
                aspect="auto",
                cmap=SEQUENTIAL,
                vmin=low,
                vmax=high,
                extent=(0, image.shape[1] * shift_ms / 1000, 0, image.shape[0]),
            )
            axes.set(title=title, ylabel="frequency bin")
            axes.grid(visible=False)
        panels[1].set_xlabel("time in s")
        figure.colorbar(drawn, ax=panels, label="normalised level", pad=0.01)


def learning_curves(history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw losses and accuracies by phase over the epochs of both stages.

    A panel whose figures the run does not have (an autoencoder has no adversary) is left
    out. Triangles on the time axis mark epochs that began with a lower learning rate; a
    vertical line parts stage 1 from stage 2. `history` are the rows of `epochs.jsonl`.
    """
    epochs = np.arange(1, len(history) + 1)
    panels = [(panel, lines) for panel in _PANELS if (lines := _lines(history, panel))]
    rows = math.ceil(len(panels) / 2)
    with drawn_to(path, 0.4 + 2.3 * max(rows, 1)) as figure:
        grid = list(figure.subplots(rows, 2, sharex=True, squeeze=False).flat) if panels else []
        for axes, (panel, lines) in zip(grid, panels, strict=False):
            _draw_panel(axes, panel, lines, epochs)
            _mark_schedule(axes, history, epochs)
        for axes in grid[len(panels) :]:
            axes.remove()
            grid[len(panels) - 2].tick_params(labelbottom=True)  # the one above is the last then
        figure.supxlabel("epoch (▲ learning rate lowered; dotted line: stage 2 begins)", fontsize=9)


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
    axes: Axes, panel: _Panel, lines: Mapping[str, Sequence[float]], epochs: np.ndarray
) -> None:
    for index, (name, values) in enumerate(lines.items()):
        # a lone epoch has no line to draw: its marker shows it
        axes.plot(
            epochs,
            values,
            LINES[index % len(LINES)],
            color=COLOURS[index],
            marker="o" if len(epochs) < 15 else None,
            label=name,
        )
    if "discriminator" in panel.lines and panel.unit == "loss":
        axes.axhspan(LOW, HIGH, color="#009E73", alpha=0.12, label="alive")
        axes.axhline(math.log(2), color="#555555", linewidth=0.8, label="chance")
    if panel.unit == "accuracy":
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title(panel.title, pad=19)
    axes.set(ylabel=panel.unit, xlim=(0.5, len(epochs) + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    # a line of its own between title and axes: no curve can run under it
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 0.99),
        ncols=4,
        borderpad=0,
        handlelength=1.6,
        columnspacing=0.8,
    )


def _mark_schedule(axes: Axes, history: Sequence[Mapping[str, Any]], epochs: np.ndarray) -> None:
    rates = [max((row.get("learning_rates") or {"": 0.0}).values()) for row in history]
    stages = [row.get("stage") for row in history]
    later = range(1, len(history))
    lowered = [epochs[i] for i in later if rates[i] < rates[i - 1] and stages[i] == stages[i - 1]]
    along = axes.get_xaxis_transform()
    if lowered:
        bottom = [0.0] * len(lowered)
        axes.plot(
            lowered, bottom, "^", color="#000000", markersize=5, transform=along, clip_on=False
        )
    for i in later:
        if stages[i] != stages[i - 1]:
            axes.axvline(epochs[i] - 0.5, color="#000000", linewidth=0.9, linestyle=":")


def confusion_matrix(matrix: Sequence[Sequence[int]], classes: Sequence[str], path: Path) -> None:
    """Draw counts, and beside them the share of each true class in per cent.

    Args:
        matrix: A row for each true class, a column for each predicted one; means where several
            repetitions are averaged.
        classes: Names of the rows, and of the columns.
        path: PNG to write.
    """
    counts = np.asarray(matrix)
    totals = counts.sum(axis=1, keepdims=True)
    shares = 100 * counts / np.maximum(totals, 1)
    with drawn_to(path, 1.9 + 0.42 * len(classes)) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        are_whole = np.array_equal(counts, np.rint(counts))
        _draw_matrix(left, counts, classes, "Utterances", "{:.0f}" if are_whole else "{:.1f}")
        _draw_matrix(right, shares, classes, "Per cent of the true class", "{:.1f}")
        left.set_ylabel("true")
        named = zip(classes, totals[:, 0], strict=True)
        left.set_yticks(range(len(classes)), [f"{name} (n = {total:.0f})" for name, total in named])


def _draw_matrix(
    axes: Axes, values: np.ndarray, classes: Sequence[str], title: str, form: str
) -> None:
    top = max(float(values.max()), 1)
    axes.imshow(values, cmap=MATRIX, vmin=0, vmax=top, aspect="auto")
    axes.grid(visible=False)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, classes)
    axes.set(title=title, xlabel="predicted")
    for row, column in np.ndindex(*values.shape):
        value = float(values[row, column])
        colour = "white" if value > 0.55 * top else "black"
        axes.text(column, row, form.format(value), ha="center", va="center", color=colour)
