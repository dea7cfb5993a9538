"""The searches on the page: what each found, its pictures, and the command that takes it up."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from reports.commands import Places
from reports.page import Section
from reports.search import (
    FIGURE_5,
    OBJECTIVE,
    Searched,
    alpha_and_beta,
    draw_search,
    find_searches,
    longest_of,
    read_searched,
)
from ser_aae.config import stored_dataset
from ser_aae.labels import PRIMARY_TASKS

BEST = "best.yaml"
_SHOWN = 10

_WHOSE = (
    "UA is that of the validation speakers, who were chosen on: on others it is lower. No test "
    "speaker was looked at."
)


def read_searches(runs: Path) -> dict[Path, Searched]:
    """Read every search below a folder of runs that has a completed trial.

    Raises:
        UserError: A file of a search cannot be read.
    """
    found = {folder: read_searched(folder) for folder in find_searches(runs)}
    return {folder: searched for folder, searched in found.items() if searched.rows}


def search_sections(found: Mapping[Path, Searched], places: Places, out: Path) -> list[Section]:
    """Draw searches.

    Searches of the points of Fig. 5 that differ in nothing but their task share one figure.

    Args:
        found: The searches by their folders.
        places: Where runs lie, with searches below them, and what commands are to name.
        out: Folder for the pictures.
    """
    together = [_figure_5(group, found, out) for group in _of_figure_5(found) if len(group) > 1]
    return [*together, *(_section(folder, found[folder], places, out) for folder in found)]


def _of_figure_5(found: Mapping[Path, Searched]) -> list[list[Path]]:
    """Return the searches of Fig. 5, those together that differ in the task alone."""
    groups: dict[str, list[Path]] = {}
    for folder, searched in found.items():
        if searched.definition["space"] == FIGURE_5:
            rest = {**searched.definition, "config": {**searched.definition["config"], "task": ""}}
            groups.setdefault(json.dumps(rest, sort_keys=True), []).append(folder)
    return list(groups.values())


def _figure_5(group: Sequence[Path], found: Mapping[Path, Searched], out: Path) -> Section:
    tasks = {_task(found[folder]): found[folder] for folder in group}
    ordered = sorted(tasks, key=PRIMARY_TASKS.index)  # that of the panels of Fig. 5
    config = found[group[0]].definition["config"]
    path = out / f"search-{group[0].parent.name}-{group[0].name}-tasks.png"
    alpha_and_beta({task: tasks[task] for task in ordered}, path)
    name = f"{stored_dataset(config)}, {config['model']['kind']}"
    section = Section(title=f"Figure 5 by search: {name}")
    section.lead = f"Validation UA over alpha and over beta for {', '.join(ordered)}."
    section.notes = [(_WHOSE, "")]
    section.pictures = [(path, "As Fig. 5 of the paper, on validation speakers.")]
    return section


def _task(searched: Searched) -> str:
    return str(searched.definition["config"]["task"])


def _section(folder: Path, searched: Searched, places: Places, out: Path) -> Section:
    """Return a search's own section: the best trials, its pictures, what takes it up."""
    definition = searched.definition
    config = definition["config"]
    ranked = sorted(searched.rows, key=lambda row: (-row["epochs"], -row["objective"]))
    best = ranked[0]
    runs = len(definition["folds"]) * definition["executions"]
    name = f"{stored_dataset(config)}, {config['task']}, {config['model']['kind']}"
    section = Section(title=f"Search: {name}, {definition['algorithm']} ({folder.name})")
    section.lead = (
        f"Best of {len(searched.rows)} trials: validation UA {100 * best['objective']:.1f} with "
        f"{_words(best['values'])}; mean over {runs} run(s) of {best['epochs']} epochs."
    )
    section.notes = [(_WHOSE, ""), _use(folder, definition, places)]
    section.tables = [(f"The best {min(_SHOWN, len(ranked))} trials", _frame(ranked[:_SHOWN]), "")]
    section.details = [("All trials", _frame(ranked))] if len(ranked) > _SHOWN else []
    section.details.append(("Mean over the trials of each value", _means(longest_of(searched))))
    section.pictures = draw_search(folder, out)
    return section


def _use(folder: Path, definition: Mapping[str, Any], places: Places) -> tuple[str, str]:
    words = ["ser-aae", "train", "--config", str(folder / BEST), "--fold", "all", *places.words]
    trials = int(definition["config"]["training"]["epochs"])
    text = (
        f"Trials had at most {trials} epochs, and so has this, which trains all folds with what "
        "was found; --epochs gives more:"
    )
    return text, shlex.join(words)


def _each_run(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{100 * run[OBJECTIVE]:.1f}" for run in row["runs"])


def _means(searched: Searched) -> pd.DataFrame:
    """Return the mean UA over the trials of each value of each dimension."""
    accuracies, rows = searched.accuracies(), []
    for name, values in searched.dimensions.items():
        places = searched.places(name)
        for number, value in enumerate(values):
            if (own := accuracies[places == number]).size:
                rows.append(
                    {
                        "parameter": name,
                        "value": value,
                        "trials": own.size,
                        "UA": f"{own.mean():.1f}",
                    }
                )
    return pd.DataFrame(rows).astype(str)


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"trial": row["trial"], "UA": f"{100 * row['objective']:.1f}", **row["values"]}
            | {"epochs": row["epochs"], "each run": _each_run(row)}
            for row in rows
        ]
    ).astype(str)
