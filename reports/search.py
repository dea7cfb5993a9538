"""Pictures of a search for settings, drawn from what it left: `search.json` and `trials.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from reports.style import COLOURS, LINES, MARKERS, SEQUENTIAL, drawn_to
from ser_aae.config import RunConfig, complete_stored
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json
from ser_aae.labels import PRIMARY_TASKS

SEARCH, TRIALS = "search.json", "trials.json"
FIGURE_5 = "figure-5"
OBJECTIVE = "validation_unweighted_accuracy"
"""What a search maximises, under whose name each run's own value stands."""

_KIND = "a file of a search"
_MEND = "give the search's command again, which writes it anew"
_UA = "validation UA [%]"
_COLUMNS = 4


@dataclass(frozen=True)
class Searched:
    """What a search left.

    Attributes:
        dimensions: Name of each to its values, in order.
        rows: The completed trials in the order of their end; `values` and `objective`.
        definition: All of `search.json`.
    """

    dimensions: Mapping[str, Sequence[Any]]
    rows: Sequence[Mapping[str, Any]]
    definition: Mapping[str, Any]

    def places(self, name: str) -> np.ndarray:
        """Return the number of each trial's value in a dimension, `(trials,)`."""
        values = list(self.dimensions[name])
        return np.array([values.index(row["values"][name]) for row in self.rows])

    def accuracies(self) -> np.ndarray:
        """Return each trial's objective in per cent, `(trials,)`."""
        return np.array([100 * float(row["objective"]) for row in self.rows])


def find_searches(runs: Path) -> list[Path]:
    """Return the folders of searches below a folder of runs, sorted by path."""
    return sorted(path.parent for path in runs.rglob(SEARCH)) if runs.is_dir() else []


def read_searched(folder: Path) -> Searched:
    """Read what a search left.

    Raises:
        UserError: A file cannot be read, or is not what a search writes.
    """
    definition = read_json(folder / SEARCH, _KIND, _MEND)
    if isinstance(definition.get("config"), dict):
        definition["config"] = complete_stored(definition["config"], RunConfig)
    there = (folder / TRIALS).is_file()
    trials = read_json(folder / TRIALS, _KIND, _MEND) if there else {"trials": []}
    try:
        dimensions = {name: item["values"] for name, item in definition["dimensions"].items()}
        searched = Searched(dimensions, trials["trials"], definition)
        for name in dimensions:
            searched.places(name)
        searched.accuracies()
        _look_at_all(searched)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{folder}: {TRIALS} does not fit {SEARCH} ({error}); {_MEND}") from error
    return searched


def _look_at_all(searched: Searched) -> None:
    """Touch all that is shown of a search, so that what is missing is found here."""
    definition = searched.definition
    config = definition["config"]
    float(config["training"]["epochs"] + len(definition["folds"]) * definition["executions"])
    PRIMARY_TASKS.index(config["task"])
    "".join(
        [definition["space"], definition["algorithm"], config["dataset"], config["model"]["kind"]]
    )
    for row in searched.rows:
        float(row["epochs"] + sum(run[OBJECTIVE] for run in row["runs"]))
        str(row["trial"])


def draw_search(folder: Path, out: Path) -> list[tuple[Path, str]]:
    """Draw a search: each parameter, all of them together, and the best so far.

    Args:
        folder: The search's folder.
        out: Folder for the pictures.

    Returns:
        Path and caption of each picture; none before the first trial has completed.

    Raises:
        UserError: A file of the search cannot be read.
    """
    searched = read_searched(folder)
    if not searched.rows:
        return []
    longest = longest_of(searched)
    note = _note(searched, longest)
    stem = f"search-{folder.parent.name}-{folder.name}"
    paths = {name: out / f"{stem}-{name}.png" for name in ("parameters", "parallel", "best")}
    objective_by_parameter(longest, paths["parameters"])
    parallel_coordinates(longest, paths["parallel"])
    best_so_far(searched, paths["best"])
    drawn = [
        (paths["parameters"], f"Validation UA against each parameter{note}. Line: mean."),
        (paths["parallel"], f"Each line is a trial{note}; the best one is drawn thick."),
        (paths["best"], f"Best validation UA so far over {len(searched.rows)} trials."),
    ]
    if searched.definition["space"] == FIGURE_5:
        path = out / f"{stem}-figure-5.png"
        alpha_and_beta({str(searched.definition["config"]["task"]): searched}, path)
        drawn.insert(0, (path, f"As in Fig. 5 of the paper, on validation speakers{note}."))
    return drawn


def objective_by_parameter(searched: Searched, path: Path) -> None:
    """Draw validation UA against the values of each dimension, a panel each."""
    names = list(searched.dimensions)
    columns = min(len(names), _COLUMNS)
    rows = -(-len(names) // columns)
    accuracies = searched.accuracies()
    with drawn_to(path, 2.9 * rows, width_inches=max(4.0, 2.9 * columns)) as figure:
        panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
        for axes, name in zip(panels.flat, names, strict=False):
            places = searched.places(name)
            axes.plot(places, accuracies, MARKERS[0], color=COLOURS[0], alpha=0.55)
            seen = np.unique(places)
            means = [accuracies[places == place].mean() for place in seen]
            axes.plot(seen, means, color=COLOURS[1])
            best = int(np.argmax(accuracies))
            axes.plot(places[best], accuracies[best], "*", color=COLOURS[6], markersize=10)
            _label_values(axes, searched.dimensions[name])
            axes.set(xlabel=name)
        for axes in panels[:, 0]:
            axes.set_ylabel(_UA)
        for axes in panels.flat[len(names) :]:
            axes.set_visible(False)


def parallel_coordinates(searched: Searched, path: Path) -> None:
    """Draw each trial as a line over all dimensions and its UA, coloured by the UA."""
    names = [*searched.dimensions]
    accuracies = searched.accuracies()
    scale = Normalize(accuracies.min(), max(accuracies.max(), accuracies.min() + 0.1))
    heights = [searched.places(name) / max(len(searched.dimensions[name]) - 1, 1) for name in names]
    lines = np.stack([*heights, scale(accuracies)], axis=1)
    with drawn_to(path, 3.8) as figure:
        axes = figure.subplots()
        colours = mpl.colormaps[SEQUENTIAL](scale(accuracies))
        order = np.argsort(accuracies)
        for trial in order:
            width = 3.0 if trial == order[-1] else 1.0
            axes.plot(lines[trial], color=colours[trial], linewidth=width, alpha=0.85)
        for place, name in enumerate(names):
            _label_axis(axes, place, searched.dimensions[name])
        axes.set_xticks(range(len(names) + 1), [*names, "UA"])
        axes.set(yticks=[], xlim=(-0.15, len(names) + 0.05))
        axes.spines["left"].set_visible(False)
        axes.grid(False)
        axes.vlines(range(len(names) + 1), 0, 1, color="#999999", linewidth=0.8, zorder=0)
        figure.colorbar(ScalarMappable(scale, SEQUENTIAL), ax=axes, label=_UA, pad=0.01)


def best_so_far(searched: Searched, path: Path) -> None:
    """Draw the UA of each trial in the order of their end, and the best until then."""
    accuracies = searched.accuracies()
    numbers = np.arange(1, len(accuracies) + 1)
    with drawn_to(path, 3.0) as figure:
        axes = figure.subplots()
        axes.plot(numbers, accuracies, MARKERS[0], color=COLOURS[0], alpha=0.6, label="trial")
        best = np.maximum.accumulate(accuracies)
        axes.step(numbers, best, where="post", color=COLOURS[1], label="best so far")
        axes.set(xlabel="trials that have ended", ylabel=_UA)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


def alpha_and_beta(searches: Mapping[str, Searched], path: Path) -> None:
    """Draw Fig. 5: UA over alpha at beta 0.5, and over beta at alpha 1, a panel for each task.

    Args:
        searches: Title of a panel to a search of the space `figure-5`.
        path: PNG to write.
    """
    curves = (("alpha", "beta", 0.5), ("beta", "alpha", 1.0))
    with drawn_to(path, 3.2, width_inches=max(4.6, 3.4 * len(searches))) as figure:
        panels = figure.subplots(1, len(searches), squeeze=False)[0]
        for axes, (title, searched) in zip(panels, searches.items(), strict=True):
            for number, (varied, fixed, value) in enumerate(curves):
                found = sorted(
                    (row["values"][varied], 100 * row["objective"])
                    for row in searched.rows
                    if row["values"][fixed] == value
                )
                axes.plot(
                    *np.array(found).reshape(-1, 2).T,
                    LINES[number],
                    marker=MARKERS[number],
                    color=COLOURS[number],
                    label=f"{varied} ({fixed} {value:g})",
                )
            axes.set(title=title, xlabel="value of the weight", ylabel=_UA)
            axes.legend()


def longest_of(searched: Searched) -> Searched:
    """Return the trials that had the most epochs: hyperband's others cannot be compared."""
    most = max(row["epochs"] for row in searched.rows)
    rows = [row for row in searched.rows if row["epochs"] == most]
    return Searched(searched.dimensions, rows, searched.definition)


def _note(searched: Searched, longest: Searched) -> str:
    runs = len(searched.definition["folds"]) * searched.definition["executions"]
    text = f", {len(longest.rows)} trials, each the mean of {runs} run(s)"
    if len(longest.rows) < len(searched.rows):
        text += f"; {len(searched.rows) - len(longest.rows)} with fewer epochs left out"
    return text


def _label_values(axes: Axes, values: Sequence[Any]) -> None:
    """Write values below their places, not so many that they touch."""
    step = 2 if len(values) > 6 else 1
    axes.set_xticks(range(0, len(values), step), [_short(value) for value in values[::step]])
    axes.set_xlim(-0.4, len(values) - 0.6)


def _label_axis(axes: Axes, place: int, values: Sequence[Any]) -> None:
    for number, value in enumerate(values):
        height = number / max(len(values) - 1, 1)
        axes.annotate(
            _short(value),
            (place, height),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        )


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
