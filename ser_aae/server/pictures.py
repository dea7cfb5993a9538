"""A recording as a picture: its spectrogram, and below it the posteriors over time."""

import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from ser_aae.config import FrontEndConfig
from ser_aae.frontend.spectrogram import band_frequencies_hz, log_spectrogram
from ser_aae.inference.recognition import Recognition
from ser_aae.results.picture_text import font_families, legend_name

Scheme = Literal["light", "dark"]
"""Colour scheme of the page that a picture stands on; the picture itself has no background."""

_INK: dict[Scheme, str] = {"light": "#3d444d", "dark": "#c5cbd3"}

# Okabe and Ito's palette, which the common kinds of colour blindness tell apart
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#F0E442")
_HATCHES = ("", "///", "...", "xx", "---", "\\\\\\", "ooo", "++")
_MOST_CLASSES = 16
"""Classes that are stacked, at most: of more, as of speakers, the likeliest of the recording."""
_MOST_COLUMNS = 1200
_SPARE_COLUMNS = 8 * _MOST_COLUMNS
"""Columns that are kept until the recording has ended, when `_MOST_COLUMNS` of them are made."""


class SpectrogramColumns:
    """The spectrogram of a whole recording, pauses too, no wider than a screen.

    The length of the recording need not be known: every column sums the same number of frames,
    and when there are too many columns, two become one.
    """

    def __init__(self, frontend: FrontEndConfig) -> None:
        """Begin with no column."""
        self.frontend = frontend
        self._frames, self._frames_each = 0, 1
        self._sums = np.zeros((0, frontend.bins))

    def add(self, signal: np.ndarray) -> None:
        """Add the next block of the recording, `(samples,)`."""
        spectrogram = log_spectrogram(signal, self.frontend)
        places = (self._frames + np.arange(len(spectrogram))) // self._frames_each
        self._frames += len(spectrogram)
        more = places[-1] + 1 - len(self._sums)
        self._sums = np.pad(self._sums, ((0, more), (0, 0)))
        np.add.at(self._sums, places, spectrogram)
        while len(self._sums) > _SPARE_COLUMNS:
            self._merge(2)

    def columns(self) -> np.ndarray:
        """Return `(columns, bins)` in dB: means of equally many frames, of fewer in the last."""
        self._merge(-(-len(self._sums) // _MOST_COLUMNS))
        counts = np.full(len(self._sums), self._frames_each)
        counts[-1] = self._frames - self._frames_each * (len(counts) - 1)
        means = self._sums / counts[:, None]
        # each block has a floor of its own
        return np.maximum(means, means.max() - self.frontend.floor_db)

    def _merge(self, columns: int) -> None:
        self._sums = np.add.reduceat(self._sums, np.arange(0, len(self._sums), columns), axis=0)
        self._frames_each *= columns


def draw_timeline(
    spectrogram: SpectrogramColumns,
    recognition: Recognition,
    scheme: Scheme,
    names: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> bytes:
    """Return a PNG of a recording whose `recognition` has a timeline.

    `names` are those for people, see `ser_aae.inference.wording`.
    """
    figure = Figure(figsize=(9.0, 4.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    columns, frontend = spectrogram.columns(), spectrogram.frontend
    _draw_spectrogram(above, columns, frontend, recognition.duration_s)
    _draw_posteriors(below, recognition, _INK[scheme], names)
    for axes in (above, below):
        _write_in(axes, _INK[scheme])
    for text in figure.findobj(Text):
        text.set_family(list(font_families()))
        text.set_parse_math(False)  # names of classes are drawn as they are written, dollars too
    picture = io.BytesIO()
    figure.savefig(picture, format="png", transparent=True, metadata={"Software": None})
    return picture.getvalue()


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
    ticks_hz = (250, 500, 1000, 2000, 4000, 8000)
    inside = [hz for hz in ticks_hz if centres[0] <= hz <= frontend.sample_rate_hz / 2]
    places = np.interp(inside, centres, np.arange(bands))
    # of linear bands the lowest ticks would be written over one another
    shown = np.diff(places, append=np.inf) > 0.06 * bands
    labels = [f"{hz / 1000:g}" for hz in np.array(inside)[shown]]
    axes.set_yticks(places[shown], labels)
    axes.set_ylabel("kHz")


def _write_in(axes: Axes, ink: str) -> None:
    axes.tick_params(colors=ink)
    axes.spines[:].set_edgecolor(ink)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(ink)


def _draw_posteriors(
    axes: Axes,
    recognition: Recognition,
    ink: str,
    names: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> None:
    """Stack the posteriors of each step; a pause is a gap.

    A class is one shape: a bar for each step takes 8 ms, which is a minute for the most steps.
    """
    task, classes = next(iter(recognition.posteriors.items()), ("", {}))
    moments = recognition.timeline
    edges_s = np.array([(moment.start_s, moment.end_s) for moment in moments]).ravel()
    is_spoken = np.repeat([not moment.silent for moment in moments], 2)
    bottom = np.zeros(len(edges_s))
    likeliest = sorted(classes, key=lambda name: -classes[name])[:_MOST_CLASSES]
    for number, name in enumerate(name for name in classes if name in likeliest):
        heights = [0.0 if each.silent else each.posteriors[task][name] for each in moments]
        top = bottom + np.repeat(heights, 2)
        axes.fill_between(
            edges_s,
            bottom,
            top,
            where=is_spoken,
            facecolor=_COLOURS[number % len(_COLOURS)],
            hatch=_HATCHES[number % len(_HATCHES)],
            edgecolor="white",
            linewidth=0.0,
            label=legend_name(names.get(task, {}).get(name, name)),
        )
        bottom = top
    if classes:
        place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
        axes.legend(**place, frameon=False, fontsize=9, labelcolor=ink)
    else:
        middle = {"ha": "center", "va": "center", "transform": axes.transAxes}
        axes.text(0.5, 0.5, "silence", color=ink, **middle)
    axes.set(xlim=(0.0, recognition.duration_s), ylim=(0.0, 1.0), xlabel="seconds")
    axes.set_ylabel("posterior")
