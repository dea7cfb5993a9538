"""The sections of a report that stand for the paper's tables and figures, and their files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from reports.aggregate import Filled, Filling
from reports.artefact_tables import (
    cells_table,
    confidence_heading,
    confidence_table,
    side_by_side,
    write_tables,
)
from reports.commands import Places, prepare_commands
from reports.curves import draw_bars, draw_curves
from reports.det import draw_det
from reports.page import Section
from reports.published import REMARKS
from reports.ratings import find_corpus, level_table, rated_plane
from reports.scatter import clusters
from ser_aae.leakage import VOICES
from ser_aae.results import find_runs, is_complete, read_json, run_folder
from ser_aae.results.folder import RESULT, write_bytes
from ser_aae.results.verification import VERIFICATION, det_curve, read_trials

BARS = ("figure-3", "ravdess")
CURVES = ("figure-4", "figure-5", "semi-supervised")
CLUSTERS = "figure-2"
LEVELS = "table-2"

Pictures = tuple[list[tuple[Path, str]], list[Path]]
"""Pictures with their captions, and files with the data behind them."""

_INTERVALS = "Whiskers are 95 % intervals, by bootstrap over speakers."
_DEVIATIONS = "Whiskers are deviations, over repetitions where there are several, else over folds."


@dataclass(frozen=True)
class Drawn:
    """What became of an artefact.

    Attributes:
        section: On the page.
        files: Written beside it.
    """

    section: Section
    files: list[Path]


def draw_artefact(filling: Filling, stem: Path, places: Places) -> Drawn:
    """Write an artefact as Markdown, LaTeX and CSV, a figure as PNG and PDF too.

    Args:
        filling: Its cells.
        stem: Of the files: `out / "table-3"`.
        places: Where run folders lie, and prepared corpora for what is counted on them.

    Returns:
        The section, and the files without those that are pictures of the section.
    """
    artefact = filling.artefact
    section = Section(title=_title(filling), badges=_badges(filling))
    section.lead = _lead(filling)
    section.warnings = [*_warnings(filling), *what_cannot_be_shown(filling, places)]
    is_counted = artefact.name == LEVELS
    frames = {"": level_table(filling.setup, places.store)} if is_counted else side_by_side(filling)
    command = filling.command if filling.missing or filling.incomplete else ""
    section.tables = [(part or "Ours and the paper's", f, command) for part, f in frames.items()]
    confidence = confidence_table(filling)
    if len(confidence):
        heading = confidence_heading(filling)
        frames = {**frames, heading: confidence}
        # of a sweep it is long, and its curve tells more
        if artefact.name in CURVES:
            section.details.append((heading, confidence))
        else:
            section.tables.append((heading, confidence, ""))
    section.pictures, behind = _pictures(filling, stem.with_suffix(".png"), places)
    remark = REMARKS.get(artefact.name)
    section.notes = [(text, "") for text in (*artefact.notes, *([remark] if remark else ()))]
    data = cells_table(filling) if filling.cells else frames[""]
    if filling.cells:
        section.details.append(("What each cell is made of, and its command", data))
    files = [*write_tables(section, frames, data, stem), *behind]
    return Drawn(section, [*files, *(path.with_suffix(".pdf") for path, _ in section.pictures)])


def _title(filling: Filling) -> str:
    kind, _, number = filling.artefact.name.partition("-")
    is_papers = kind in ("table", "figure")
    return (
        f"{kind.title()} {number}: {filling.artefact.title}"
        if is_papers
        else filling.artefact.title
    )


def _badges(filling: Filling) -> list[str]:
    synthetic = ["synthetic"] if filling.synthetic else []
    used = [item.cell.config.dataset for item in filling.cells] or filling.setup.datasets
    corpora = dict.fromkeys(map(filling.setup.title_of, used))
    return [*synthetic, f"budget {filling.setup.budget.name}", ", ".join(corpora)]


def _lead(filling: Filling) -> str:
    if not filling.cells:
        return "Counted on the prepared corpora; nothing is trained for it."
    missing, incomplete = len(filling.missing), len(filling.incomplete)
    counted = (
        f"{len(filling.cells) - missing - incomplete} of {len(filling.cells)} cells are filled"
    )
    if incomplete:
        counted += f", {incomplete} incomplete"
    spreads = list(dict.fromkeys(item.spread for item in filling.cells if item.spread))
    said = f" Figures are {'; '.join(spreads)}." if spreads else ""
    return f"{counted}.{said}"


def _warnings(filling: Filling) -> list[str]:
    found = []
    if filling.synthetic:
        found.append(
            f"Synthetic: no person spoke in {', '.join(filling.synthetic)}. These figures show "
            "that the program works, and nothing about emotion in speech; the paper's beside them "
            "are of other corpora."
        )
    if filling.setup.budget.name == "smoke":
        found.append(
            "Budget smoke: tiny networks, an epoch or two, one fold. The figures mean nothing."
        )
    shared = [words.partition(":")[0] for words in VOICES.values()]
    dependent = {item.protocol for item in filling.cells if any(s in item.protocol for s in shared)}
    if dependent:
        found.append(f"Not speaker-independent: {', '.join(sorted(dependent))}.")
    return found


def what_cannot_be_shown(filling: Filling, places: Places) -> list[str]:
    """Return why Table 2 lacks counts or Fig. 2 its picture, and what mends it."""
    name, setup = filling.artefact.name, filling.setup
    there = [item for item in filling.cells if item.mean is not None]
    if name == LEVELS:
        return _not_prepared("Not counted", setup.datasets, filling, places)
    if name != CLUSTERS or not there:
        return []
    shown = there[0].cell.config.dataset
    rated = [dataset for dataset in setup.datasets if setup.stored_name(dataset) == shown]
    found = _not_prepared("No picture", rated, filling, places)
    if _centroids(there[0], places.runs) is None:
        found.append("No picture: the runs of this figure wrote no centroids; train them again.")
    return found


def _not_prepared(
    what: str, datasets: Sequence[str], filling: Filling, places: Places
) -> list[str]:
    setup = filling.setup
    absent = [name for name in datasets if find_corpus(places.store, name, setup) is None]
    if not absent:
        return []
    commands = prepare_commands(map(setup.source, absent), places.of(setup))
    names = " and ".join(map(setup.title_of, absent))
    return [f"{what}: {names} not prepared in {places.store}; give --store, or run: {commands}"]


def _pictures(filling: Filling, path: Path, places: Places) -> Pictures:
    """Draw a figure from the cells that are there; none where nothing is.

    The data of bars and curves are the cells, which have a file of their own.
    """
    name = filling.artefact.name
    if len(filling.missing) == len(filling.cells):
        return [], []
    caption = f"{filling.artefact.title}."
    if filling.incomplete:
        caption += f" {len(filling.incomplete)} of {len(filling.cells)} cells are incomplete."
    if filling.synthetic:
        caption += " Synthetic speech."
    if name == CLUSTERS:
        return _draw_clusters(filling, path, caption, places)
    if name in BARS:
        draw_bars(_as_bars(filling) if name == "ravdess" else filling, path, _mark(filling))
        return [(path, f"{caption} {_INTERVALS}")], []
    if name not in CURVES:
        return [], []
    draw_curves(filling, path, _mark(filling))
    pictures, behind = _det(filling, path, places.runs)
    return [(path, f"{caption} {_DEVIATIONS}"), *pictures], behind


def _det(filling: Filling, path: Path, runs: Path) -> Pictures:
    """Draw the errors of speaker verification: a line a corpus, with most auxiliary speakers."""
    most: dict[str, Filled] = {}
    for item in filling.cells:
        if item.cell.figure == "equal_error_rate" and item.mean is not None:
            most[item.cell.column] = item  # the sweep ascends: the last one stays
    curves = {
        f"{name}, {item.cell.row} speakers": det_curve(read_trials(run / VERIFICATION))
        for name, item in most.items()
        for run in _complete(item, runs)[:1]
    }
    if not curves:
        return [], []
    own = path.with_name(f"{path.stem}-det.png")
    draw_det(curves, own, mark=_mark(filling))
    caption = "Speaker verification of the first fold and repetition with most auxiliary speakers."
    behind = pd.concat(curves, names=["curve", None]).reset_index(level=0)
    return [(own, caption)], [_write_csv(own.with_suffix(".csv"), behind)]


def _as_bars(filling: Filling) -> Filling:
    """Return a table's UA as one group of bars, a bar for each row."""
    cells = tuple(
        replace(item, cell=replace(item.cell, row="four classes", column=item.cell.row))
        for item in filling.cells
        if item.cell.column == "UA"
    )
    return replace(filling, cells=cells)


def _draw_clusters(filling: Filling, path: Path, caption: str, places: Places) -> Pictures:
    """Draw the ratings of a corpus by the nearest of a run's centroids (Fig. 2)."""
    item = filling.cells[0]
    centroids = _centroids(item, places.runs)
    plane = rated_plane(item.cell.config, places.store)
    if centroids is None or plane is None:  # the section says so
        return [], []
    nearest = np.square(plane[:, None, :] - centroids[None]).sum(axis=2).argmin(axis=1)
    names = [f"cluster {number + 1}" for number in nearest]
    clusters(plane, names, centroids, path, mark=_mark(filling))
    behind = pd.DataFrame(plane, columns=["valence", "activation"]).assign(cluster=names)
    return [(path, caption)], [_write_csv(path.with_name(f"{path.stem}-points.csv"), behind)]


def _write_csv(path: Path, frame: pd.DataFrame) -> Path:
    write_bytes(path, frame.to_csv(index=False, lineterminator="\n").encode())
    return path


def _centroids(item: Filled, runs: Path) -> np.ndarray | None:
    for run in _complete(item, runs):
        found = read_json(run / RESULT).get("centroids")
        if found:
            return np.array(found)
    return None


def _complete(item: Filled, runs: Path) -> list[Path]:
    folder = run_folder(runs, item.cell.config).parent
    return [run for run in find_runs(folder) if is_complete(run)]


def _mark(filling: Filling) -> str:
    return "synthetic speech" if filling.synthetic else ""
