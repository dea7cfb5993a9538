"""Detection error tradeoff of speaker verification, drawn as usual."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import norm

from reports.picture_form import ON_SCREEN, PictureForm
from reports.style import COLOURS, LINES, MARKERS, drawn_to

TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)
"""Rates that are named on the axes."""

_EDGE = 0.0005
"""Rates of 0 and 1 lie infinitely far out; they are drawn at this distance from them."""


def draw_det(
    curves: Mapping[str, pd.DataFrame],
    path: Path,
    *,
    mark: str = "",
    in_paper: bool = False,
    form: PictureForm = ON_SCREEN,
) -> None:
    """Draw false non-matches over false matches, a line for each curve.

    Both axes are the normal distribution's quantiles, on which normally distributed scores give
    a straight line. A marker stands where the two rates are equal. `curves` has for each name in
    the legend what `ser_aae.results.trials.det_curve` returns.
    """
    side = min(form.inches(5.2), 5.2)
    with drawn_to(path, side, 5.2, form=form, in_paper=in_paper, mark=mark) as figure:
        axes = figure.subplots()
        for index, (name, curve) in enumerate(curves.items()):
            _draw_curve(axes, name, curve, index)
        edge = norm.ppf(1 - _EDGE)
        axes.axline((0, 0), slope=1, color="#999999", linewidth=0.8, zorder=0.5)
        axes.set(
            xlabel="false matches: impostors accepted (%)",
            ylabel="false non-matches: targets refused (%)",
            xlim=(-edge, edge),
            ylim=(-edge, edge),
            aspect="equal",
        )
        names = [f"{100 * rate:g}" for rate in TICKS]
        axes.set_xticks(norm.ppf(TICKS), names)
        axes.set_yticks(norm.ppf(TICKS), names)
        # on white, for the diagonal runs through that corner
        axes.legend(
            loc="upper right", frameon=True, facecolor="white", edgecolor="none", framealpha=1
        )


def _draw_curve(axes: Axes, name: str, curve: pd.DataFrame, index: int) -> None:
    accepted, refused = (
        curve[rate].to_numpy(np.float64) for rate in ("false_match_rate", "false_non_match_rate")
    )
    nearest = int(np.argmin(np.abs(accepted - refused)))
    equal = (accepted[nearest] + refused[nearest]) / 2
    place = _quantile(equal)
    colour = COLOURS[index % len(COLOURS)]
    axes.plot(
        _quantile(accepted),
        _quantile(refused),
        LINES[index % len(LINES)],
        color=colour,
        label=f"{name} (equal at {100 * equal:.1f} %)",
    )
    axes.plot(place, place, MARKERS[index % len(MARKERS)], color=colour, markersize=6)


def _quantile(rates: np.ndarray | float) -> np.ndarray:
    return norm.ppf(np.clip(rates, _EDGE, 1 - _EDGE))
