"""Sections on searches: trials, pictures, and the command that trains with the best settings."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from reports.commands import place_words
from reports.curves import Line, Panel, draw_panels
from reports.page import Section
from reports.picture_form import NARROW_INCHES, ON_SCREEN, PictureForm
from reports.style import COLOURS, MARKERS, SEQUENTIAL, drawn_to
from ser_aae.config import stored_dataset
from ser_aae.experiments.weight_sweeps import FIGURE_5, WEIGHT_SWEEPS, WeightSweep
from ser_aae.labels import PRIMARY_TASKS
from ser_aae.results.places import Places
from ser_aae.results.search_folder import BEST, OBJECTIVE, Searched, rank_trials
from ser_aae.results.text import count_of

_UA = "validation UA [%]"
_COLUMNS = 4
_MOST_LISTED = 10

_VALIDATION_NOTE = (
    "UA is that of the validation speakers, who were chosen on: on others it is lower. No test "
    "speaker was looked at."
)


def search_sections(
    found: Mapping[Path, Searched], places: Places, out: Path, form: PictureForm = ON_SCREEN
) -> list[Section]:
    """Return the sections on searches, given by folder, and write their pictures to `out`.

    Searches of the points of Fig. 5 that differ in nothing but their task share one figure.
    """
    groups = [group for group in _group_figure_5(found) if len(group) > 1]
    together = [_figure_5(group, found, out, form) for group in groups]
    return [*together, *(_section(folder, found[folder], places, out, form) for folder in found)]


def _group_figure_5(found: Mapping[Path, Searched]) -> list[list[Path]]:
    """Return the searches of Fig. 5 in groups that differ in the task alone."""
    groups: dict[str, list[Path]] = {}
    for folder, searched in found.items():
        if searched.definition["space"] == FIGURE_5:
            rest = {**searched.definition, "config": {**searched.definition["config"], "task": ""}}
            groups.setdefault(json.dumps(rest, sort_keys=True), []).append(folder)
    return list(groups.values())


def _figure_5(
    group: Sequence[Path], found: Mapping[Path, Searched], out: Path, form: PictureForm
) -> Section:
    tasks = {found[folder].task: found[folder] for folder in group}
    ordered = sorted(tasks, key=PRIMARY_TASKS.index)  # the order of the panels of Fig. 5
    config = found[group[0]].definition["config"]
    path = out / f"search-{group[0].parent.name}-{group[0].name}-tasks.png"
    alpha_and_beta({task: tasks[task] for task in ordered}, path, form)
    name = f"{stored_dataset(config)}, {config['model']['kind']}"
    section = Section(title=f"Figure 5 by search: {name}")
    section.lead = f"Validation UA over alpha and over beta for {', '.join(ordered)}."
    section.notes = [(_VALIDATION_NOTE, "")]
    section.pictures = [(path, "As Fig. 5 of the paper, on validation speakers.")]
    return section


def _section(
    folder: Path, searched: Searched, places: Places, out: Path, form: PictureForm
) -> Section:
    """Return the section of one search: its best trials, its pictures, the command to train."""
    definition = searched.definition
    config = definition["config"]
    ranked = rank_trials(searched.rows)
    best = ranked[0]
    values = ", ".join(f"{name} {value}" for name, value in best["values"].items())
    name = f"{stored_dataset(config)}, {config['task']}, {config['model']['kind']}"
    section = Section(title=f"Search: {name}, {definition['algorithm']}", name=folder.name)
    section.lead = (
        f"Best of {count_of(len(searched.rows), 'trial')}: validation UA "
        f"{100 * best['objective']:.1f} with {values}; mean over "
        f"{count_of(searched.runs_of_a_trial, 'run')} of {count_of(best['epochs'], 'epoch')}."
    )
    section.notes = [(_VALIDATION_NOTE, ""), _training_note(folder, definition, places)]
    listed = min(_MOST_LISTED, len(ranked))
    section.tables = [(f"The best {count_of(listed, 'trial')}", _frame(ranked[:_MOST_LISTED]), "")]
    section.details = [("All trials", _frame(ranked))] if len(ranked) > _MOST_LISTED else []
    section.details.append(("Mean over the trials of each value", _means(searched.longest)))
    section.pictures = draw_search(searched, folder, out, form)
    return section


def _training_note(folder: Path, definition: Mapping[str, Any], places: Places) -> tuple[str, str]:
    words = ["ser-aae", "train", "--config", str(folder / BEST), "--fold", "all"]
    trials = int(definition["config"]["training"]["epochs"])
    text = (
        f"Trials had at most {count_of(trials, 'epoch')}, and so has this, which trains all folds "
        "with what was found; --epochs gives more:"
    )
    return text, shlex.join([*words, *place_words(places)])


def _means(searched: Searched) -> pd.DataFrame:
    """Return the mean UA over the trials of each value of each dimension."""
    accuracies, rows = searched.accuracies(), []
    for name, values in searched.dimensions.items():
        places = searched.places(name)
        for number, value in enumerate(values):
            if (own := accuracies[places == number]).size:
                rows.append((name, value, own.size, f"{own.mean():.1f}"))
    return pd.DataFrame(rows, columns=["parameter", "value", "trials", "UA"]).astype(str)


def _frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    found = []
    for row in rows:
        each = ", ".join(f"{100 * run[OBJECTIVE]:.1f}" for run in row["runs"])
        named = {"trial": row["trial"], "UA": f"{100 * row['objective']:.1f}", **row["values"]}
        found.append(named | {"epochs": row["epochs"], "each run": each})
    return pd.DataFrame(found).astype(str)


def draw_search(
    searched: Searched, folder: Path, out: Path, form: PictureForm = ON_SCREEN
) -> list[tuple[Path, str]]:
    """Draw a search to `out`: each parameter, all of them together, and the best so far.

    Returns:
        Path and caption of each picture; none before the first trial has completed.
    """
    if not searched.rows:
        return []
    longest, note = searched.longest, _note(searched)
    stem = f"search-{folder.parent.name}-{folder.name}"
    paths = {name: out / f"{stem}-{name}.png" for name in ("parameters", "parallel", "best")}
    objective_by_parameter(longest, paths["parameters"], form)
    parallel_coordinates(longest, paths["parallel"], form)
    best_so_far(searched, paths["best"], form)
    drawn = [
        (paths["parameters"], f"Validation UA against each parameter{note}. Line: mean."),
        (paths["parallel"], f"Each line is a trial{note}; the best one is drawn thick."),
        (paths["best"], f"Best validation UA so far over {count_of(len(searched.rows), 'trial')}."),
    ]
    if searched.definition["space"] == FIGURE_5:
        path = out / f"{stem}-figure-5.png"
        alpha_and_beta({searched.task: searched}, path, form)
        drawn.insert(0, (path, f"As in Fig. 5 of the paper, on validation speakers{note}."))
    return drawn


def objective_by_parameter(searched: Searched, path: Path, form: PictureForm = ON_SCREEN) -> None:
    """Draw validation UA against the values of each dimension, a panel each."""
    names = list(searched.dimensions)
    usual = min(len(names), _COLUMNS)
    width = max(4.0, 2.9 * usual)
    columns = form.columns(usual, width, 2.0)
    rows = -(-len(names) // columns)
    accuracies = searched.accuracies()
    with drawn_to(path, 2.9 * rows, width, form=form) as figure:
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


def parallel_coordinates(searched: Searched, path: Path, form: PictureForm = ON_SCREEN) -> None:
    """Draw each trial as a line over all dimensions and its UA, coloured by the UA."""
    names = [*searched.dimensions]
    accuracies = searched.accuracies()
    scale = Normalize(accuracies.min(), max(accuracies.max(), accuracies.min() + 0.1))
    heights = [searched.places(name) / max(len(searched.dimensions[name]) - 1, 1) for name in names]
    lines = np.stack([*heights, scale(accuracies)], axis=1)
    with drawn_to(path, 3.8, form=form) as figure:
        axes = figure.subplots()
        colours = mpl.colormaps[SEQUENTIAL](scale(accuracies))
        order = np.argsort(accuracies)
        for trial in order:
            width = 3.0 if trial == order[-1] else 1.0
            axes.plot(lines[trial], color=colours[trial], linewidth=width, alpha=0.85)
        for place, name in enumerate(names):
            _label_axis(axes, place, searched.dimensions[name])
        axes.set_xticks(range(len(names) + 1), [*names, "UA"])
        if figure.get_figwidth() < NARROW_INCHES:  # else names would be written over one another
            axes.tick_params("x", rotation=35)
        axes.set(yticks=[], xlim=(-0.15, len(names) + 0.05))
        axes.spines["left"].set_visible(False)
        axes.grid(False)
        axes.vlines(range(len(names) + 1), 0, 1, color="#999999", linewidth=0.8, zorder=0)
        figure.colorbar(ScalarMappable(scale, SEQUENTIAL), ax=axes, label=_UA, pad=0.01)


def best_so_far(searched: Searched, path: Path, form: PictureForm = ON_SCREEN) -> None:
    """Draw the UA of each trial in the order of their beginning, and the best until then."""
    accuracies = searched.accuracies()
    numbers = np.arange(1, len(accuracies) + 1)
    with drawn_to(path, 3.0, form=form) as figure:
        axes = figure.subplots()
        axes.plot(numbers, accuracies, MARKERS[0], color=COLOURS[0], alpha=0.6, label="trial")
        best = np.maximum.accumulate(accuracies)
        axes.step(numbers, best, where="post", color=COLOURS[1], label="best so far")
        axes.set(xlabel="trials that have ended", ylabel=_UA)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


def alpha_and_beta(
    searches: Mapping[str, Searched], path: Path, form: PictureForm = ON_SCREEN
) -> None:
    """Draw Fig. 5: UA over alpha at beta 0.5, and over beta at alpha 1, a panel for each task.

    `searches` has the title of each panel with a search of the space `figure-5`.
    """
    panels = [
        Panel(title, _UA, {sweep.title: _curve(searched, sweep) for sweep in WEIGHT_SWEEPS})
        for title, searched in searches.items()
    ]
    draw_panels(FIGURE_5, panels, path, form=form)


def _curve(searched: Searched, sweep: WeightSweep) -> Line:
    """Return the trials of a search that lie on a curve of Fig. 5."""
    found = sorted(
        (row["values"][sweep.varied], 100 * row["objective"])
        for row in searched.rows
        if row["values"][sweep.fixed] == sweep.fixed_at
    )
    return Line([x for x, _ in found], [percent for _, percent in found])


def _note(searched: Searched) -> str:
    """Return the number of trials that a caption is about, and of the runs of each."""
    count = len(searched.longest.rows)
    runs = count_of(searched.runs_of_a_trial, "run")
    text = f", {count_of(count, 'trial')}, each the mean of {runs}"
    if count < len(searched.rows):
        text += f"; {len(searched.rows) - count} with fewer epochs left out"
    return text


def _label_values(axes: Axes, values: Sequence[Any]) -> None:
    """Write values below their places, not so many that they touch."""
    step = 2 if len(values) > 6 else 1
    axes.set_xticks(range(0, len(values), step), [_value_text(value) for value in values[::step]])
    axes.set_xlim(-0.4, len(values) - 0.6)


def _label_axis(axes: Axes, place: int, values: Sequence[Any]) -> None:
    for number, value in enumerate(values):
        height = number / max(len(values) - 1, 1)
        axes.annotate(
            _value_text(value),
            (place, height),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        )


def _value_text(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
