"""Cells filled from runs: the figure, what it is over, and what fills a missing one."""

from dataclasses import replace

import numpy as np
import pytest

from data_prep.corpora import known_facts
from reports.filling import fill, synthetic_corpora
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import Budget, Setup
from ser_aae.results.places import Places

ALL_FOLDS = Setup(budget=Budget("own", repetitions=2), corpora=known_facts())


def of_run(config, fold, seed=0):
    return replace(config, seed=seed, protocol=replace(config.protocol, fold=fold))


@pytest.fixture
def first():
    """The first cell of Table 3."""
    return ARTEFACTS["table-3"](ALL_FOLDS).cells[0]


@pytest.fixture
def fill_first(tmp_path, evaluate_all):
    """A function: setup -> the first cell of Table 3 filled from the runs there are."""

    def make(setup=ALL_FOLDS):
        artefact = ARTEFACTS["table-3"](setup)
        return fill(artefact, setup, Places(runs=tmp_path), evaluate_all(tmp_path)).cells[0]

    return make


def test_repetitions_are_averaged_over_their_pooled_folds(first, fill_first, leave_cell, tmp_path):
    for seed, right in ((0, (4, 2)), (1, (2, 2))):
        for fold in range(2):
            leave_cell(tmp_path, of_run(first.config, fold, seed), right[fold], folds=2)
    item = fill_first()
    assert item.mean == pytest.approx((0.75 + 0.5) / 2)
    assert item.std == pytest.approx(np.std([0.75, 0.5], ddof=1))
    assert item.spread == "over 2 repetitions, folds pooled"
    assert (item.repetitions, item.folds, item.n) == (2, "2 of 2", 32)


def test_one_repetition_spreads_over_its_folds_and_says_so(first, fill_first, leave_cell, tmp_path):
    for fold, right in enumerate((4, 2, 3)):
        leave_cell(tmp_path, of_run(first.config, fold), right, folds=3)
    item = fill_first()
    assert item.mean == pytest.approx(0.75)
    assert item.std == pytest.approx(np.std([1, 0.5, 0.75], ddof=1))
    assert item.spread.startswith("over 3 folds of one repetition")


def test_a_single_fold_has_no_spread(first, fill_first, leave_cell, tmp_path):
    leave_cell(tmp_path, first.config, 2)
    item = fill_first()
    assert (item.mean, item.std) == (0.5, None)
    assert item.spread == "one fold of one repetition, no spread"
    assert item.folds == "1 of 10"


def test_repetitions_that_lack_folds_are_left_out(first, fill_first, leave_cell, tmp_path):
    for fold in range(2):
        leave_cell(tmp_path, of_run(first.config, fold), 4, folds=2)
    leave_cell(tmp_path, of_run(first.config, 0, seed=1), 0, folds=2)
    item = fill_first()
    assert (item.mean, item.repetitions) == (1.0, 1)


def test_a_budget_of_one_fold_makes_a_repetition_of_one_fold_whole(
    leave_cell, fill_first, tmp_path
):
    setup = Setup(budget=Budget("own", max_folds=1, repetitions=3), corpora=known_facts())
    config = ARTEFACTS["table-3"](setup).cells[0].config
    for seed, right in enumerate((4, 2, 3)):
        leave_cell(tmp_path, of_run(config, 0, seed), right)
    item = fill_first(setup)
    assert (item.repetitions, item.folds) == (3, "1 of 10")
    assert item.mean == pytest.approx(0.75)


def test_a_cell_knows_its_protocol_and_the_papers_figure(first, fill_first, leave_cell, tmp_path):
    leave_cell(tmp_path, first.config)
    item = fill_first()
    assert item.protocol == "10-fold, speaker-dependent"
    assert str(item.paper) == "65.6 ± 2.0"


def test_a_missing_cell_has_no_figure_and_the_command_that_trains_it(fill_first, tmp_path):
    item = fill_first()
    assert (item.mean, item.std, item.n, item.spread) == (None, None, 0, "")
    assert item.lacks == "missing"
    assert item.command.startswith("for seed in 0 1; do ser-aae train --dataset iemocap")
    assert "--fold all" in item.command


def test_a_cell_of_some_folds_says_so_and_keeps_the_command_that_trains_the_rest(
    first, fill_first, leave_cell, tmp_path
):
    for fold in range(2):
        leave_cell(tmp_path, of_run(first.config, fold))
    item = fill_first()
    assert (item.mean, item.lacks) == (0.75, "2 of 10 folds")
    # the same as of an empty cell: training leaves alone what is there
    empty = fill(ARTEFACTS["table-3"](ALL_FOLDS), ALL_FOLDS, Places(runs=tmp_path), {})
    assert item.command == empty.cells[0].command


def test_a_cell_of_some_repetitions_says_so_and_trains_those_that_lack(
    first, fill_first, leave_cell, tmp_path
):
    for fold in range(2):
        leave_cell(tmp_path, of_run(first.config, fold), folds=2)
    leave_cell(tmp_path, of_run(first.config, 0, seed=1), folds=2)
    item = fill_first()
    assert (item.repetitions, item.lacks) == (1, "1 of 2 repetitions")
    assert item.command.startswith("ser-aae train ")
    assert item.command.endswith("--seed 1")


def test_a_whole_cell_lacks_nothing_and_is_recomputed(first, fill_first, leave_cell, tmp_path):
    for seed in range(2):
        folder = leave_cell(tmp_path, of_run(first.config, 0, seed), folds=1)
    item = fill_first()
    assert item.lacks == ""
    assert item.command == f"ser-aae evaluate {folder.parent}"


def test_what_was_asked_for_by_hand_counts_and_not_the_budget(
    first, fill_first, leave_cell, tmp_path
):
    for seed in range(2):
        leave_cell(tmp_path, of_run(first.config, 0, seed), folds=1)
    assert fill_first(replace(ALL_FOLDS, repetitions=3)).lacks == "2 of 3 repetitions"
    assert fill_first(replace(ALL_FOLDS, repetitions=1)).lacks == ""


def test_incomplete_cells_are_not_missing_ones(first, leave_cell, evaluate_all, tmp_path):
    leave_cell(tmp_path, first.config)
    artefact = ARTEFACTS["table-3"](ALL_FOLDS)
    filling = fill(artefact, ALL_FOLDS, Places(runs=tmp_path), evaluate_all(tmp_path))
    assert [item.cell for item in filling.incomplete] == [first]
    assert len(filling.missing) == len(filling.cells) - 1


def test_runs_of_other_settings_fill_no_cell(first, fill_first, leave_cell, tmp_path):
    other = replace(first.config, model=replace(first.config.model, dropout=0.1))
    leave_cell(tmp_path, other)
    assert fill_first().mean is None


def test_what_only_the_runs_say_is_averaged_over_folds(leave_cell, evaluate_all, tmp_path):
    artefact = ARTEFACTS["figure-4-multitask"](ALL_FOLDS)
    cell = next(cell for cell in artefact.cells if cell.score == "speaker_accuracy")
    for fold, accuracy in enumerate((0.5, 0.7)):
        leave_cell(tmp_path, of_run(cell.config, fold), folds=2, speaker_accuracy=accuracy)
    found = fill(artefact, ALL_FOLDS, Places(runs=tmp_path), evaluate_all(tmp_path))
    item = next(item for item in found.cells if item.cell == cell)
    assert item.mean == pytest.approx(0.6)
    assert item.std == pytest.approx(np.std([0.5, 0.7], ddof=1))


def test_a_run_without_the_figure_leaves_its_cell_missing(leave_cell, evaluate_all, tmp_path):
    artefact = ARTEFACTS["figure-4-multitask"](ALL_FOLDS)
    cell = next(cell for cell in artefact.cells if cell.score == "speaker_accuracy")
    leave_cell(tmp_path, cell.config, speaker_accuracy=None)
    found = fill(artefact, ALL_FOLDS, Places(runs=tmp_path), evaluate_all(tmp_path))
    assert next(item for item in found.cells if item.cell == cell) in found.missing


def test_synthetic_corpora_are_those_that_runs_name_and_the_demo(
    first, leave_cell, evaluate_all, tmp_path
):
    leave_cell(tmp_path, first.config, synthetic=("iemocap", "librispeech"))
    (evaluation,) = evaluate_all(tmp_path).values()
    assert synthetic_corpora(evaluation) == ("iemocap", "librispeech")
    demo = {"dataset": "msp", "runs": [{"stored": {"corpora": {"msp": "", "demo": ""}}}]}
    assert synthetic_corpora(demo) == ("demo",)
    assert synthetic_corpora({"dataset": "msp", "runs": [{"stored": {}}]}) == ()


def test_an_artefact_is_synthetic_where_one_of_its_cells_is(fill_all, smoke, tmp_path):
    filling = fill_all("table-4", smoke, tmp_path, synthetic=("msp",))
    assert filling.synthetic == ("msp",)
    assert filling.missing == []
    assert fill_all("table-4", smoke, tmp_path / "real").synthetic == ()


def test_the_command_of_an_artefact_runs_it_with_its_setup(smoke, tmp_path):
    filling = fill(ARTEFACTS["table-5"](smoke), smoke, Places(runs=tmp_path), {})
    assert len(filling.missing) == len(filling.cells)
    assert filling.command.startswith("ser-aae reproduce table-5 --budget smoke")
    assert f"--runs {tmp_path}" in filling.command
