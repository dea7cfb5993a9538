"""A recording as a picture: its spectrogram, and below it the posteriors over time."""

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ser_aae.config import FrontEndConfig
from ser_aae.frontend.blocks import file_blocks
from ser_aae.frontend.spectrogram import band_frequencies_hz, log_spectrogram, num_frames
from ser_aae.recognition import Recognition

# Okabe and Ito's palette, which the common kinds of colour blindness tell apart
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#000000")
_HATCHES = ("", "///", "...", "xx", "---", "\\\\\\", "ooo", "++")
_MOST_COLUMNS = 1200
_TICKS_HZ = (250, 500, 1000, 2000, 4000, 8000)
_LEAST_BETWEEN_TICKS = 0.06


def draw_timeline(path: Path, frontend: FrontEndConfig, recognition: Recognition) -> bytes:
    """Return a PNG of a recording whose `recognition` has a timeline.

    Raises:
        UserError: The recording cannot be read.
    """
    columns = spectrogram_columns(path, frontend, recognition.duration_s)
    figure = Figure(figsize=(9.0, 4.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _draw_spectrogram(above, columns, frontend, recognition.duration_s)
    _draw_posteriors(below, recognition)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def spectrogram_columns(path: Path, frontend: FrontEndConfig, duration_s: float) -> np.ndarray:
    """Return the spectrogram of a whole recording, pauses too, no wider than a screen.

    Args:
        path: The recording.
        frontend: How a spectrogram is made.
        duration_s: Its length, which says how many frames make a column.

    Returns:
        `(columns, bins)` in dB, each the mean of as many frames.
    """
    frames = num_frames(round(duration_s * frontend.sample_rate_hz), frontend)
    each = -(-frames // _MOST_COLUMNS)
    parts = []
    for block in file_blocks(path, frontend.sample_rate_hz):
        spectrogram = log_spectrogram(block.signal, frontend)
        starts = np.arange(0, len(spectrogram), each)
        counts = np.diff(np.append(starts, len(spectrogram)))
        parts.append(np.add.reduceat(spectrogram, starts, axis=0) / counts[:, None])
    columns = np.concatenate(parts)
    # each block has a floor of its own
    return np.maximum(columns, columns.max() - frontend.floor_db)


def _draw_spectrogram(
    axes: Axes, columns: np.ndarray, frontend: FrontEndConfig, duration_s: float
) -> None:
    bands = columns.shape[1]
    axes.imshow(
        columns.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        extent=(0.0, duration_s, -0.5, bands - 0.5),
        interpolation="nearest",
    )
    centres = band_frequencies_hz(frontend)
    inside = [hz for hz in _TICKS_HZ if centres[0] <= hz <= frontend.sample_rate_hz / 2]
    places = np.interp(inside, centres, np.arange(bands))
    # where bands are linear the lowest would be written over each other
    shown = np.diff(places, append=np.inf) > _LEAST_BETWEEN_TICKS * bands
    labels = [f"{hz / 1000:g}" for hz in np.array(inside)[shown]]
    axes.set_yticks(places[shown], labels)
    axes.set_ylabel("kHz")


def _draw_posteriors(axes: Axes, recognition: Recognition) -> None:
    """Stack the posteriors of each step; a pause is a gap."""
    task, classes = next(iter(recognition.posteriors.items()), ("", {}))
    spoken = [moment for moment in recognition.timeline if not moment.silent]
    starts = [moment.start_s for moment in spoken]
    widths = [moment.end_s - moment.start_s for moment in spoken]
    bottom = np.zeros(len(spoken))
    for number, name in enumerate(classes):
        heights = np.array([moment.posteriors[task][name] for moment in spoken])
        axes.bar(
            starts,
            heights,
            widths,
            bottom,
            align="edge",
            color=_COLOURS[number % len(_COLOURS)],
            hatch=_HATCHES[number % len(_HATCHES)],
            edgecolor="white",
            linewidth=0.0,
            label=name,
        )
        bottom += heights
    if classes:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)
    else:
        axes.text(0.5, 0.5, "silence", ha="center", va="center", transform=axes.transAxes)
    axes.set(xlim=(0.0, recognition.duration_s), ylim=(0.0, 1.0), xlabel="seconds")
    axes.set_ylabel("posterior")
