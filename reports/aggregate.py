"""Cells of an artefact, filled from runs: ours beside the paper's, and what each is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reports.budget import lacking, seeds_to_train
from reports.commands import evaluate_command, reproduce_command, train_command_of, with_setup
from reports.paired_tests import Comparison, compare
from reports.published import Stated, stated
from reports.summary import NOTHING, Evaluations, Summary, summarise
from ser_aae.experiments.cells import UA, Artefact, Cell
from ser_aae.experiments.setup import Setup
from ser_aae.results.folder import run_folder
from ser_aae.results.places import Places

SYNTHETIC = ("demo",)
"""Data sets that are synthetic by their name; of others the run says it."""


@dataclass(frozen=True, kw_only=True)
class Filled(Summary):
    """A cell with its figure, or with what is missing.

    Attributes:
        cell: What was asked for.
        protocol: With whether test speakers were unknown.
        paper: The paper's figure, `None` where it states none.
        command: Recomputes the figure, or trains what is missing of it.
        lacks: What `budget.lacking` says, `""` where all was run that the setup asks for.
        synthetic: Corpora without people in them.
        comparison: With the cell that the artefact compares it with, `None` for none.
    """

    cell: Cell
    protocol: str
    paper: Stated | None
    command: str
    lacks: str = ""
    synthetic: tuple[str, ...] = ()
    comparison: Comparison | None = None


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
    def incomplete(self) -> list[Filled]:
        """The cells whose figure is over less than was asked for."""
        return [item for item in self.cells if item.mean is not None and item.lacks]

    @property
    def synthetic(self) -> tuple[str, ...]:
        """The corpora without people in them, of all cells."""
        return tuple(sorted({name for item in self.cells for name in item.synthetic}))


def fill(artefact: Artefact, setup: Setup, places: Places, evaluations: Evaluations) -> Filling:
    """Return an artefact with the figures of the runs that are there.

    Args:
        artefact: A table or figure.
        setup: Its setup.
        places: Where run folders lie, and what its commands are to name.
        evaluations: Of all experiments below.
    """
    places = with_setup(places, setup)
    compared = _compare_cells(artefact, places, evaluations)
    cells = tuple(
        replace(
            _fill_cell(artefact.name, cell, setup, places, evaluations),
            comparison=compared.get(number),
        )
        for number, cell in enumerate(artefact.cells)
    )
    return Filling(artefact, setup, cells, reproduce_command(artefact.name, setup, places))


def is_reference(artefact: Artefact, cell: Cell) -> bool:
    """Return whether a cell is what others of its artefact are compared with."""
    return cell.score == UA and artefact.reference in (cell.row, cell.column)


def _compare_cells(
    artefact: Artefact, places: Places, evaluations: Evaluations
) -> dict[int, Comparison | None]:
    """Return, by the number of the cell, the comparison with the reference beside it."""

    def beside(cell: Cell) -> tuple[str, str]:
        at = cell.column if is_row else cell.row
        return cell.panel, at

    def evaluation(cell: Cell) -> Mapping[str, Any] | None:
        return evaluations.get(run_folder(Path(places.runs), cell.config).parent)

    is_row = any(cell.row == artefact.reference for cell in artefact.cells)
    references = {beside(c): c for c in artefact.cells if is_reference(artefact, c)}
    found = {}
    for number, cell in enumerate(artefact.cells):
        reference = references.get(beside(cell))
        if cell.score == UA and reference and cell is not reference:
            one, two = evaluation(cell), evaluation(reference)
            if one and two:
                found[number] = compare(one, two)
    return found


def synthetic_corpora(evaluation: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which corpora of an experiment are synthetic, as its runs say."""
    named = {name for run in evaluation["runs"] for name in run["stored"].get("synthetic") or ()}
    used = {name for run in evaluation["runs"] for name in run["stored"].get("corpora") or ()}
    return tuple(sorted(named | ({evaluation["dataset"], *used} & set(SYNTHETIC))))


def _fill_cell(
    artefact: str, cell: Cell, setup: Setup, places: Places, evaluations: Evaluations
) -> Filled:
    folder = run_folder(Path(places.runs), cell.config).parent
    evaluation = evaluations.get(folder)
    found = NOTHING if evaluation is None else summarise(evaluation, cell.score)
    lacks, seeds = lacking(found, evaluation, setup), seeds_to_train(evaluation, setup)
    command = evaluate_command(str(folder))
    if lacks and seeds:  # else training would find nothing to do
        command = train_command_of(cell.config, setup.budget.max_folds, places, seeds)
    item = Filled(
        **vars(found),
        cell=cell,
        protocol=cell.config.protocol.name,
        paper=stated(artefact, cell),
        command=command,
        lacks=lacks,
    )
    if evaluation is None or found.mean is None:
        return item
    return replace(
        item,
        protocol=f"{item.protocol}, {evaluation['independence']}",
        synthetic=synthetic_corpora(evaluation),
    )
