"""Pictures of the paper's figures, drawn from their cells, and files of the data behind them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from reports.curves import SWEPT, draw_bars, draw_curves
from reports.det import draw_det
from reports.filling import Filled, Filling
from reports.picture_form import ON_SCREEN, PictureForm
from reports.ratings import rated_plane
from reports.scatter import clusters
from reports.table_formats import to_csv
from ser_aae.experiments.artefacts import OWN_CORPUS
from ser_aae.files.atomic import write_bytes
from ser_aae.results.folder import VERIFICATION, find_runs, is_complete, read_result
from ser_aae.results.places import Places
from ser_aae.results.text import count_of
from ser_aae.results.trials import det_curve, read_trials

BARS = ("figure-3", *OWN_CORPUS)
CURVES = tuple(SWEPT)
CLUSTERS = "figure-2"

Pictures = tuple[list[tuple[Path, str]], list[Path]]
"""Pictures with their captions, and files with the data behind them."""

_INTERVALS = "Whiskers are 95 % intervals, by bootstrap over speakers; fewer than five have none."
_DEVIATIONS = "Whiskers are deviations, over repetitions where there are several, else over folds."


def draw_pictures(
    filling: Filling, path: Path, places: Places, form: PictureForm = ON_SCREEN
) -> Pictures:
    """Draw a figure from the cells that are there; none where nothing is.

    The data of bars and curves are the cells, which have a file of their own. Other pictures than
    the first one get its name `path` and a word.
    """
    name = filling.artefact.name
    if len(filling.missing) == len(filling.cells):
        return [], []
    caption = f"{filling.artefact.title}."
    if filling.incomplete:
        caption += (
            f" Incomplete: {len(filling.incomplete)} of {count_of(len(filling.cells), 'cell')}."
        )
    if filling.synthetic:
        caption += " Synthetic speech."
    if name == CLUSTERS:
        return _draw_clusters(filling, path, caption, places, form)
    if name in BARS:
        bars = _bars_of_table(filling) if name in OWN_CORPUS else filling
        draw_bars(bars, path, _mark(filling), form)
        return [(path, f"{caption} {_INTERVALS}")], []
    if name not in CURVES:
        return [], []
    draw_curves(filling, path, _mark(filling), form)
    pictures, behind = _draw_det(filling, path, form)
    return [(path, f"{caption} {_DEVIATIONS}"), *pictures], behind


def _draw_det(filling: Filling, path: Path, form: PictureForm) -> Pictures:
    """Draw the errors of speaker verification: a line a corpus, with most auxiliary speakers."""
    most: dict[str, Filled] = {}
    for item in filling.cells:
        if item.cell.score == "equal_error_rate" and item.mean is not None:
            most[item.cell.column] = item  # the sweep ascends: the last one stays
    curves = {
        f"{name}, {count_of(int(item.cell.row), 'speaker')}": det_curve(
            read_trials(run / VERIFICATION)
        )
        for name, item in most.items()
        for run in _complete_runs(item)[:1]
    }
    if not curves:
        return [], []
    own = path.with_name(f"{path.stem}-det.png")
    draw_det(curves, own, mark=_mark(filling), in_paper=True, form=form)
    caption = "Speaker verification of the first fold and repetition with most auxiliary speakers."
    behind = pd.concat(curves, names=["curve", None]).reset_index(level=0)
    return [(own, caption)], [_write_csv(own.with_suffix(".csv"), behind)]


def _bars_of_table(filling: Filling) -> Filling:
    """Return a table's UA as one group of bars, a bar for each row."""
    cells = tuple(
        replace(item, cell=replace(item.cell, row="four classes", column=item.cell.row))
        for item in filling.cells
        if item.cell.column == "UA"
    )
    return replace(filling, cells=cells)


def _draw_clusters(
    filling: Filling, path: Path, caption: str, places: Places, form: PictureForm
) -> Pictures:
    """Draw the ratings of a corpus by the nearest of a run's centroids (Fig. 2)."""
    item = filling.cells[0]
    centroids = read_centroids(item)
    plane = rated_plane(item.cell.config, Path(places.store))
    if centroids is None or plane is None:  # the section says so
        return [], []
    nearest = np.square(plane[:, None, :] - centroids[None]).sum(axis=2).argmin(axis=1)
    names = [f"cluster {number + 1}" for number in nearest]
    clusters(plane, names, centroids, path, mark=_mark(filling), in_paper=True, form=form)
    behind = pd.DataFrame(plane, columns=["valence", "activation"]).assign(cluster=names)
    return [(path, caption)], [_write_csv(path.with_name(f"{path.stem}-points.csv"), behind)]


def _write_csv(path: Path, frame: pd.DataFrame) -> Path:
    write_bytes(path, to_csv(frame).encode())
    return path


def read_centroids(item: Filled) -> np.ndarray | None:
    """Return the centroids of the first run of a cell that wrote some, `(clusters, 2)`."""
    for run in _complete_runs(item):
        found = read_result(run).get("centroids")
        if found:
            return np.array(found)
    return None


def _complete_runs(item: Filled) -> list[Path]:
    return [run for run in find_runs(item.folder) if is_complete(run)]


def _mark(filling: Filling) -> str:
    return "synthetic speech" if filling.synthetic else ""
