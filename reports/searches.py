"""The searches on the page: what each found, its pictures, and the command that takes it up."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from reports.page import Section
from reports.search import (
    FIGURE_5,
    Searched,
    alpha_and_beta,
    draw_search,
    find_searches,
    read_searched,
)
from ser_aae.datasets import stored_name

BEST = "best.yaml"
_SHOWN = 10
_TASKS = ("emotion", "activation", "valence")
"""In the order of the panels of Fig. 5."""

_WHOSE = (
    "UA is that of the validation speakers, who were chosen on: on others it is lower. No test "
    "speaker was looked at."
)


def search_sections(runs: Path, out: Path) -> list[Section]:
    """Draw every search below a folder of runs that has a completed trial.

    Searches of the points of Fig. 5 that differ in nothing but their task share one figure.

    Args:
        runs: Folder of runs; searches lie in `searches` below it.
        out: Folder for the pictures.

    Raises:
        UserError: A file of a search cannot be read.
    """
    found = {folder: read_searched(folder) for folder in find_searches(runs)}
    found = {folder: searched for folder, searched in found.items() if searched.rows}
    together = [_figure_5(group, found, out) for group in _of_figure_5(found) if len(group) > 1]
    return [*together, *(_section(folder, searched, out) for folder, searched in found.items())]


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
    ordered = sorted(tasks, key=lambda task: (task not in _TASKS, *_place(task)))
    config = found[group[0]].definition["config"]
    path = out / f"search-{group[0].parent.name}-{group[0].name}-tasks.png"
    alpha_and_beta({task: tasks[task] for task in ordered}, path)
    name = f"{stored_name(config['dataset'])}, {config['model']['kind']}"
    section = Section(title=f"Figure 5 by search: {name}")
    section.lead = f"Validation UA over alpha and over beta for {', '.join(ordered)}."
    section.notes = [(_WHOSE, "")]
    section.pictures = [(path, "As Fig. 5 of the paper, on validation speakers.")]
    return section


def _place(task: str) -> tuple[int, str]:
    return (_TASKS.index(task) if task in _TASKS else 0, task)


def _task(searched: Searched) -> str:
    return str(searched.definition["config"]["task"])


def _section(folder: Path, searched: Searched, out: Path) -> Section:
    """Return a search's own section: the best trials, its pictures, what takes it up."""
    definition = searched.definition
    config = definition["config"]
    ranked = sorted(searched.rows, key=lambda row: (-row["epochs"], -row["objective"]))
    best = ranked[0]
    runs = len(definition["folds"]) * definition["executions"]
    name = f"{stored_name(config['dataset'])}, {config['task']}, {config['model']['kind']}"
    section = Section(title=f"Search: {name}, {definition['algorithm']} ({folder.name})")
    section.lead = (
        f"Best of {len(searched.rows)} trials: validation UA {100 * best['objective']:.1f} with "
        f"{_words(best['values'])}; mean over {runs} run(s) of {best['epochs']} epochs."
    )
    section.notes = [(_WHOSE, ""), _use(folder, definition)]
    section.tables = [(f"The best {min(_SHOWN, len(ranked))} trials", _frame(ranked[:_SHOWN]), "")]
    section.details = [("All trials", _frame(ranked))] if len(ranked) > _SHOWN else []
    section.pictures = draw_search(folder, out)
    return section


def _use(folder: Path, definition: Mapping[str, Any]) -> tuple[str, str]:
    command = ["ser-aae", "train", "--config", str(folder / BEST), "--fold", "all"]
    trials = int(definition["config"]["training"]["epochs"])
    text = f"Trials had at most {trials} epochs; this trains all folds with what was found:"
    return text, shlex.join(command)


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"trial": row["trial"], "UA": f"{100 * row['objective']:.1f}", **row["values"]}
            | {"epochs": row["epochs"]}
            for row in rows
        ]
    ).astype(str)
