"""Scatter plots: the latent space, and clusters of ratings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from reports.picture_form import NARROW_INCHES, ON_SCREEN, PictureForm
from reports.style import COLOURS, MANY, MARKERS, drawn_to
from ser_aae.results.picture_text import legend_name
from ser_aae.results.text import count_of

_MAX_LEGEND = 12


def latent_space(
    points: np.ndarray,
    labels: Mapping[str, Sequence[str]],
    path: Path,
    *,
    projection: str = "",
    form: PictureForm = ON_SCREEN,
) -> None:
    """Draw the same points once for each labelling, coloured by it.

    Args:
        points: `(n, 2)`.
        labels: Title of a panel (`"emotion"`, ...) to the n labels.
        path: PNG to write.
        projection: Name of what laid them out in two dimensions, where that is known.
        form: Form of the report's pictures.
    """
    side_by_side = form.columns(len(labels), 9.5, 1.9)
    rows = -(-len(labels) // side_by_side)
    height = 3.9 if rows == 1 else 3.2 * rows
    with drawn_to(path, height, width_inches=9.5, form=form) as figure:
        by = f", by {projection}" if projection else ""
        counted = count_of(len(points), "validation utterance")
        figure.suptitle(
            f"Latent codes of {counted}{by}", x=0.01, ha="left", fontsize=8 if form.width else 10
        )
        panels = figure.subplots(rows, side_by_side, squeeze=False).flat
        for axes, (title, names) in zip(panels, labels.items(), strict=True):
            _draw_points(axes, points, np.asarray(names, str))
            groups = len(set(names))
            many = f" ({groups}, a colour each)" if groups > _MAX_LEGEND else ""
            axes.set(title=f"{title}{many}", xticks=[], yticks=[])
            if groups <= _MAX_LEGEND:
                axes.legend(
                    loc="upper center",
                    bbox_to_anchor=(0.5, -0.02),
                    ncols=2 if groups < 7 else 3,
                    handletextpad=0.2,
                    columnspacing=1.0,
                )


def clusters(
    plane: np.ndarray,
    names: Sequence[str],
    centroids: np.ndarray,
    path: Path,
    *,
    mark: str = "",
    in_paper: bool = False,
    form: PictureForm = ON_SCREEN,
) -> None:
    """Draw ratings in the valence-activation plane by cluster, and the centroids (Fig. 2).

    Args:
        plane: `(n, 2)` valence and activation, 1 to 5. Equal ratings lie on one another, so a
            marker grows with their number.
        names: The cluster of each.
        centroids: `(clusters, 2)`.
        path: PNG to write.
        mark: Words in its corner.
        in_paper: Whether it is Fig. 2, and not a picture of one run.
        form: Form of the report's pictures.
    """
    with drawn_to(path, 4.2, 5.2, form=form, in_paper=in_paper, mark=mark) as figure:
        axes = figure.subplots()
        for index, name in enumerate(sorted(set(names))):
            own = plane[np.asarray(names, str) == name]
            places, counts = np.unique(own, axis=0, return_counts=True)
            axes.scatter(
                places[:, 0],
                places[:, 1],
                s=8 + 60 * counts / counts.max(),
                marker=MARKERS[index % len(MARKERS)],
                color=COLOURS[index],
                alpha=0.7,
                linewidths=0,
                label=legend_name(name),
            )
        axes.plot(*centroids.T, "k+", markersize=13, markeredgewidth=2, label="centroid")
        axes.set(xlabel="valence", ylabel="activation", xlim=(0.5, 5.5), ylim=(0.5, 5.5))
        columns = 3 if figure.get_figwidth() > NARROW_INCHES else 2
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=columns, markerscale=0.8)


def _draw_points(axes: Axes, points: np.ndarray, names: np.ndarray) -> None:
    groups = sorted(set(names.tolist()))
    many = mpl.colormaps[MANY](np.linspace(0.03, 0.97, len(groups)))
    for index, name in enumerate(groups):
        rows = names == name
        axes.scatter(
            points[rows, 0],
            points[rows, 1],
            s=12.0,
            marker=MARKERS[index % len(MARKERS)],
            color=COLOURS[index] if len(groups) <= len(COLOURS) else many[index],
            alpha=0.75,
            linewidths=0,
            label=legend_name(name),
        )
