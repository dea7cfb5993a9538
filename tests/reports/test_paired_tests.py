"""Paired tests of one model against another: which runs are pairs, and what a table says."""

from dataclasses import replace

import pytest

from data_prep.corpora import known_facts
from reports.artefact_tables import confidence_heading, confidence_table
from reports.filling import fill, is_reference
from reports.paired_tests import REFERENCE, Comparison, compare, comparison_columns
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import Budget, Setup
from ser_aae.results.folder import load_runs
from ser_aae.results.places import Places
from ser_aae.results.statistics import PairedTest, compare_runs

SETUP = Setup(budget=Budget("own", repetitions=2), corpora=known_facts())


def evaluation(values, digests="abcdef"):
    """Return what is compared of an experiment: UA by (fold, repetition)."""
    runs = [
        {
            "fold": fold,
            "repetition": repetition,
            "unweighted_accuracy": value,
            "test_ids_digest": digests[fold],
        }
        for (fold, repetition), value in values.items()
    ]
    return {"runs": runs}


def ahead(by, folds=6, repetitions=2):
    return evaluation(
        {(f, r): 0.4 + by * (1 + f + 0.1 * r) for f in range(folds) for r in range(repetitions)}
    )


def test_every_fold_of_a_repetition_is_a_pair_and_every_fold_is_one():
    found = compare(ahead(0.02), ahead(0.0))
    assert (found.runs.pairs, found.folds.pairs) == (12, 6)
    assert found.runs.p_value == pytest.approx(2 / 2**12)
    assert found.folds.p_value == pytest.approx(2 / 2**6)
    assert found.runs.mean_difference == pytest.approx(0.02 * 3.55)


def test_the_difference_is_to_the_other():
    assert compare(ahead(0.0), ahead(0.02)).runs.mean_difference < 0


def test_runs_with_nothing_in_common_are_not_compared():
    one, two = evaluation({(0, 0): 0.5}), evaluation({(1, 0): 0.5})
    assert compare(one, two) is None
    elsewhere = evaluation({(0, 0): 0.5}, digests="x")
    assert compare(one, elsewhere) is None


def test_a_comparison_is_told_in_the_cells_of_a_table():
    runs = PairedTest(12, 0, -0.0512, 3.0, 0.0004883)
    folds = PairedTest(6, 0, -0.0512, 0.0, 0.03125)
    found = comparison_columns(Comparison(runs, folds), is_reference=False)
    assert found == {
        "difference": "-5.1",
        "pairs": "12",
        "p": "< 0.001",
        "folds": "6",
        "p over folds": "0.031",
    }
    for is_it, word in ((True, REFERENCE), (False, "-")):
        cells = comparison_columns(None, is_reference=is_it)
        assert list(cells) == list(found)
        assert list(cells.values()) == [word, *"----"]


@pytest.fixture
def figure_3(tmp_path, leave_cell, evaluate_all):
    """Figure 3 with two folds of two repetitions of the first group: MTL ahead of the others."""
    artefact = ARTEFACTS["figure-3"](SETUP)
    for cell in artefact.cells[:4]:
        for seed in range(2):
            for fold in range(2):
                config = replace(
                    cell.config, seed=seed, protocol=replace(cell.config.protocol, fold=fold)
                )
                leave_cell(tmp_path, config, 4 if cell.column == "MTL" else 1 + fold, folds=2)
    return fill(artefact, SETUP, Places(runs=tmp_path), evaluate_all(tmp_path))


def test_the_models_of_a_group_are_compared_with_the_one_the_artefact_names(figure_3):
    frame = confidence_table(figure_3)
    assert frame["column"].tolist() == ["CNN", "AE", "STL", "MTL"]
    assert frame["difference"].tolist() == ["-62.5", "-62.5", "-62.5", REFERENCE]
    assert frame["pairs"].tolist() == ["4", "4", "4", "-"]
    assert frame["folds"].tolist() == ["2", "2", "2", "-"]
    assert frame["speakers"].tolist() == ["10"] * 4
    assert frame["95 % interval"].iloc[3] == "100.0 to 100.0"
    assert "Wilcoxon's paired test against MTL" in confidence_heading(figure_3)


def test_the_comparison_of_a_cell_is_that_of_its_runs(figure_3, tmp_path, evaluate_all):
    runs = load_runs(tmp_path)
    own = [runs[runs["model.kind"] == kind] for kind in ("mtl", "cnn")]
    assert figure_3.cells[0].comparison.runs == compare_runs(*own)


def test_a_cell_whose_reference_was_not_run_is_not_compared(leave_cell, tmp_path, evaluate_all):
    artefact = ARTEFACTS["table-3"](SETUP)
    leave_cell(tmp_path, artefact.cells[0].config)
    filling = fill(artefact, SETUP, Places(runs=tmp_path), evaluate_all(tmp_path))
    assert [item.comparison for item in filling.cells] == [None] * len(filling.cells)
    assert confidence_table(filling)["difference"].tolist() == ["-"]


@pytest.mark.parametrize(
    ("name", "count"),
    [("table-3", 4), ("table-5", 2), ("table-6", 8), ("figure-3", 8), ("ravdess", 1)],
)
def test_each_group_of_a_table_has_one_reference(name, count):
    artefact = ARTEFACTS[name](SETUP)
    assert sum(is_reference(artefact, cell) for cell in artefact.cells) == count


@pytest.mark.parametrize("name", ["table-3", "table-5", "semi-supervised"])
def test_cells_are_compared_within_their_group_alone(name, fill_all, smoke, tmp_path):
    filling = fill_all(name, smoke, tmp_path, speaker_accuracy=0.5)
    for item in filling.cells:
        compared = item.comparison is not None
        is_ua = item.cell.score == "unweighted_accuracy"
        assert compared == (is_ua and not is_reference(filling.artefact, item.cell))


def test_an_artefact_without_a_reference_has_intervals_and_no_tests(fill_all, smoke, tmp_path):
    filling = fill_all("table-4", smoke, tmp_path)
    frame = confidence_table(filling)
    assert "difference" not in frame
    assert "part" not in frame
    assert len(frame) == 2
    assert "Wilcoxon" not in confidence_heading(filling)
