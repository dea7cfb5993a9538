"""From runs to the cells of an artefact: ours beside the paper's, and what each is made of."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reports.commands import evaluate_command, reproduce_command, train_command_of
from reports.published import Stated, stated
from ser_aae.experiments import Artefact, Cell, Setup
from ser_aae.results import run_folder

Evaluations = Mapping[Path, Mapping[str, Any]]
"""Folder of an experiment to what `evaluate_experiment` says of it."""

SYNTHETIC = ("demo",)
"""Data sets that are synthetic by their name; of others the run says it."""


@dataclass(frozen=True)
class Filled:
    """A cell with its figure, or with what is missing.

    Attributes:
        cell: What was asked for.
        mean: Share in [0, 1], `None` where no run is there.
        std: Sample deviation of what `spread` says, `None` where there is but one value.
        spread: What mean and deviation are over.
        n: Test utterances of a repetition.
        folds: Folds run of those the protocol has, `"1 of 10"`.
        repetitions: How many.
        protocol: With whether test speakers were unknown.
        synthetic: Corpora without people in them.
        paper: The paper's figure, `None` where it states none.
        command: Recomputes the figure, or trains what is missing.
    """

    cell: Cell
    mean: float | None
    std: float | None
    spread: str
    n: int
    folds: str
    repetitions: int
    protocol: str
    synthetic: tuple[str, ...]
    paper: Stated | None
    command: str


@dataclass(frozen=True)
class Filling:
    """An artefact with all of its cells.

    Attributes:
        artefact: What was asked for.
        setup: What it was made of.
        cells: In its order.
        command: Runs what is missing.
    """

    artefact: Artefact
    setup: Setup
    cells: tuple[Filled, ...]
    command: str

    @property
    def missing(self) -> list[Filled]:
        """The cells without a figure."""
        return [item for item in self.cells if item.mean is None]

    @property
    def synthetic(self) -> tuple[str, ...]:
        """The corpora without people in them, of all cells."""
        return tuple(sorted({name for item in self.cells for name in item.synthetic}))


def fill(artefact: Artefact, setup: Setup, runs: Path, evaluations: Evaluations) -> Filling:
    """Return an artefact with the figures of the runs that are there.

    Args:
        artefact: A table or figure.
        setup: Its setup.
        runs: Where run folders lie.
        evaluations: Of all experiments below.
    """
    cells = tuple(
        _fill_cell(artefact.name, cell, setup, runs, evaluations) for cell in artefact.cells
    )
    return Filling(artefact, setup, cells, reproduce_command(artefact.name, setup, runs))


def synthetic_corpora(evaluation: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which corpora of an experiment are synthetic, as its runs say."""
    named = {name for run in evaluation["runs"] for name in run["stored"].get("synthetic") or ()}
    used = {name for run in evaluation["runs"] for name in run["stored"].get("corpora") or ()}
    return tuple(sorted(named | ({evaluation["dataset"], *used} & set(SYNTHETIC))))


def independence(evaluation: Mapping[str, Any]) -> str:
    """Return whether test speakers were unknown to the model, in two words."""
    words = {True: "speaker-independent", False: "speaker-dependent"}
    return words.get(evaluation["speaker_independent"], "speaker independence unknown")


def _fill_cell(
    artefact: str, cell: Cell, setup: Setup, runs: Path, evaluations: Evaluations
) -> Filled:
    folder = run_folder(runs, cell.config).parent
    paper = stated(artefact, cell)
    protocol = cell.config.protocol.name
    evaluation = evaluations.get(folder)
    values = [] if evaluation is None else _values(evaluation, cell.figure)
    if evaluation is None or not values:
        command = train_command_of(cell.config, setup.budget.max_folds, runs)
        return Filled(cell, None, None, "", 0, "", 0, protocol, (), paper, command)
    wanted = _folds_wanted(evaluation, setup.budget.max_folds)
    whole = [item for item in values if item.folds == wanted]
    mean, std, spread = _summarise(whole or values[:1])
    shown = (whole or values)[0]
    total = evaluation["folds_expected"] or "?"
    return Filled(
        cell=cell,
        mean=mean,
        std=std,
        spread=spread,
        n=shown.n,
        folds=f"{shown.folds} of {total}",
        repetitions=len(whole or values[:1]),
        protocol=f"{protocol}, {independence(evaluation)}",
        synthetic=synthetic_corpora(evaluation),
        paper=paper,
        command=evaluate_command(str(folder)),
    )


@dataclass(frozen=True)
class _Value:
    """A figure of one repetition: of its folds' predictions together, and of each fold."""

    pooled: float
    over_folds: tuple[float, ...]
    folds: int
    n: int


def _values(evaluation: Mapping[str, Any], figure: str) -> list[_Value]:
    """Return a figure of each repetition that has it.

    What predictions do not give, as speaker identification, each run wrote down for itself: it
    is averaged over the folds.
    """
    found = []
    for item in evaluation["repetitions"]:
        runs = [run for run in evaluation["runs"] if run["repetition"] == item["repetition"]]
        each = [run.get(figure, run["stored"].get(figure)) for run in runs]
        known = tuple(float(value) for value in each if value is not None)
        pooled = item.get(figure)
        if pooled is None and known:
            pooled = float(np.mean(known))
        if pooled is not None:
            found.append(_Value(float(pooled), known, item["folds"], item["n"]))
    return found


def _folds_wanted(evaluation: Mapping[str, Any], max_folds: int) -> int | None:
    """Return how many folds make a repetition whole under a budget."""
    total = evaluation["folds_expected"]
    return min(total, max_folds) if total and max_folds else (max_folds or total)


def _summarise(values: Sequence[_Value]) -> tuple[float, float | None, str]:
    """Return mean, deviation and what they are over (decisions P5)."""
    pooled = [value.pooled for value in values]
    if len(pooled) > 1:
        deviation = float(np.std(pooled, ddof=1))
        return float(np.mean(pooled)), deviation, f"over {len(pooled)} repetitions, folds pooled"
    over = [value for value in values[0].over_folds if math.isfinite(value)]
    if len(over) > 1:
        spread = f"over {len(over)} folds of one repetition; the mean is of the folds pooled"
        return pooled[0], float(np.std(over, ddof=1)), spread
    return pooled[0], None, "one fold of one repetition, no spread"
