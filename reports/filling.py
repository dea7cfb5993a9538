"""Cells of an artefact filled from runs: ours beside the paper's, and what each cell lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reports.commands import evaluate_command, reproduce_command, train_command_of, with_setup
from reports.paired_tests import Comparison, compare
from reports.published import Stated, stated_figure
from reports.summary import NOTHING, Evaluations, Summary, summarise
from ser_aae.experiments.cells import UA, Artefact, Cell
from ser_aae.experiments.setup import Setup
from ser_aae.results.folder import run_folder
from ser_aae.results.places import Places
from ser_aae.results.run_kinds import ALONE, ERROR_RATE
from ser_aae.results.text import count_of

MISSING = "missing"
"""Text in place of a figure that no run gives."""

SYNTHETIC = ("demo",)
"""Data sets that are synthetic whatever their runs wrote down."""


@dataclass(frozen=True, kw_only=True)
class Filled(Summary):
    """A cell with its figure, or with what is missing.

    Attributes:
        cell: Cell as the artefact lists it.
        folder: Folder of the cell's experiment.
        protocol: Name of the protocol, and whether test speakers were unknown.
        paper: The paper's figure, `None` where the paper states none.
        command: Command that recomputes the figure, or trains what is missing of it.
        lacks: Text of `describe_gap`, `""` where all was run that the setup asks for.
        synthetic: Corpora without people in them.
        comparison: Test against the artefact's reference, `None` for none.
        stored: What each run behind the figure wrote down.
        alone: Ending of an equal error rate of one population to its figure, where a cell shows
            that of both.
    """

    cell: Cell
    folder: Path
    protocol: str
    paper: Stated | None
    command: str
    lacks: str = ""
    synthetic: tuple[str, ...] = ()
    comparison: Comparison | None = None
    stored: tuple[Mapping[str, Any], ...] = ()
    alone: Mapping[str, Summary] = field(default_factory=dict)


@dataclass(frozen=True)
class Filling:
    """An artefact with all of its cells.

    Attributes:
        artefact: Table or figure.
        setup: Setup that the artefact was made with.
        cells: Cells in the artefact's order.
        command: Command that runs what is missing.
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
    def incomplete(self) -> list[Filled]:
        """The cells whose figure is over less than was asked for."""
        return [item for item in self.cells if item.mean is not None and item.lacks]

    @property
    def synthetic(self) -> tuple[str, ...]:
        """The corpora without people in them, of all cells."""
        return tuple(sorted({name for item in self.cells for name in item.synthetic}))


def fill(artefact: Artefact, setup: Setup, places: Places, evaluations: Evaluations) -> Filling:
    """Return an artefact with the figures of the runs that are there."""
    places = with_setup(places, setup)
    cells = [_fill_cell(artefact.name, cell, setup, places, evaluations) for cell in artefact.cells]
    command = reproduce_command(artefact.name, setup, places)
    return Filling(artefact, setup, _compare_cells(artefact, cells, evaluations), command)


def is_reference(artefact: Artefact, cell: Cell) -> bool:
    """Return whether other cells of the artefact are compared with a cell."""
    return cell.score == UA and artefact.reference in (cell.row, cell.column)


def _compare_cells(
    artefact: Artefact, cells: Sequence[Filled], evaluations: Evaluations
) -> tuple[Filled, ...]:
    """Return the cells, each UA tested against the reference of its own row or column."""
    is_row = any(item.cell.row == artefact.reference for item in cells)

    def neighbours(cell: Cell) -> tuple[str, str]:
        return cell.panel, cell.column if is_row else cell.row

    references = {neighbours(i.cell): i for i in cells if is_reference(artefact, i.cell)}
    compared = []
    for item in cells:
        reference = references.get(neighbours(item.cell))
        comparison = None
        if item.cell.score == UA and reference and item is not reference:
            one, two = evaluations.get(item.folder), evaluations.get(reference.folder)
            comparison = compare(one, two) if one and two else None
        compared.append(replace(item, comparison=comparison))
    return tuple(compared)


def synthetic_corpora(evaluation: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the synthetic corpora of an experiment, as its runs wrote them down."""
    named = {name for run in evaluation["runs"] for name in run["stored"].get("synthetic") or ()}
    used = {name for run in evaluation["runs"] for name in run["stored"].get("corpora") or ()}
    return tuple(sorted(named | ({evaluation["dataset"], *used} & set(SYNTHETIC))))


def _fill_cell(
    artefact: str, cell: Cell, setup: Setup, places: Places, evaluations: Evaluations
) -> Filled:
    folder = run_folder(Path(places.runs), cell.config).parent
    evaluation = evaluations.get(folder)
    found = NOTHING if evaluation is None else summarise(evaluation, cell.score)
    lacks, seeds = describe_gap(found, evaluation, setup), seeds_to_train(evaluation, setup)
    command = evaluate_command(folder)
    if lacks and seeds:  # else training would find nothing to do
        command = train_command_of(cell.config, setup.budget.max_folds, places, seeds)
    protocol, synthetic = cell.config.protocol.name, ()
    if evaluation is not None and found.mean is not None:
        protocol += f", {evaluation['independence']}"
        synthetic = synthetic_corpora(evaluation)
    return Filled(
        **vars(found),
        cell=cell,
        folder=folder,
        protocol=protocol,
        paper=stated_figure(artefact, cell),
        command=command,
        lacks=lacks,
        synthetic=synthetic,
        stored=tuple(run["stored"] for run in evaluation["runs"]) if evaluation else (),
        alone=_rates_alone(cell, evaluation),
    )


def _rates_alone(cell: Cell, evaluation: Mapping[str, Any] | None) -> dict[str, Summary]:
    if cell.score != ERROR_RATE or evaluation is None:
        return {}
    return {ending: summarise(evaluation, ERROR_RATE + ending) for ending in ALONE}


def describe_gap(found: Summary, evaluation: Mapping[str, Any] | None, setup: Setup) -> str:
    """Return how many folds or repetitions a figure has, where the setup asks for more.

    Returns:
        `"2 of 10 folds"`; `"1 of 2 repetitions"` where those have their folds; `MISSING` where
        there is no figure; else `""`.
    """
    if evaluation is None or found.mean is None:
        return MISSING
    most, wanted = max(_folds_run(evaluation).values()), _folds_asked(evaluation, setup)
    if wanted is None or most < wanted:
        return f"{most} of {count_of(wanted, 'fold') if wanted else '? folds'}"
    if found.repetitions < setup.repetitions_asked:
        return f"{found.repetitions} of {count_of(setup.repetitions_asked, 'repetition')}"
    return ""


def seeds_to_train(evaluation: Mapping[str, Any] | None, setup: Setup) -> list[int]:
    """Return the seeds of the repetitions asked for that lack folds."""
    seeds = range(setup.repetitions_asked)
    if evaluation is None:
        return list(seeds)
    there, wanted = _folds_run(evaluation), _folds_asked(evaluation, setup)
    return [seed for seed in seeds if wanted is None or there.get(seed, 0) < wanted]


def _folds_run(evaluation: Mapping[str, Any]) -> dict[int, int]:
    return {item["repetition"]: item["folds"] for item in evaluation["repetitions"]}


def _folds_asked(evaluation: Mapping[str, Any], setup: Setup) -> int | None:
    """Return how many folds a repetition is to have, `None` where no run says what all are."""
    known = [count for count in (evaluation["folds_expected"], setup.budget.max_folds) if count]
    return min(known, default=None)
