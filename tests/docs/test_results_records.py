"""The table of RAVDESS by four models says what the committed records of its runs say."""

import re
from pathlib import Path

import pandas as pd
import pytest

from ser_aae.experiments import BUDGETS
from ser_aae.experiments.cells import MODELS

DOCS = Path(__file__).resolve().parents[2] / "docs"
TABLE = "### Four models with the same budget"
MORE = "AAE, multi-task, more speech"
FIGURES = {"UA": "unweighted_accuracy", "WA": "weighted_accuracy"}


@pytest.fixture(scope="module")
def records():
    """The runs, with the name of their row."""
    frame = pd.read_csv(DOCS / "data/ravdess-small.csv", dtype={"auxiliary": str})
    rows = frame["model"].map(MODELS).where(frame["auxiliary"].isna(), MORE)
    return frame.assign(row=rows)


@pytest.fixture(scope="module")
def table():
    """Row to column to text, as the page has them."""
    section = (DOCS / "results.md").read_text(encoding="utf-8").partition(TABLE)[2]
    lines = re.findall(r"^\| (.*) \|$", section.partition("\n#")[0], re.MULTILINE)
    head, _, *rows = [[cell.strip(" *") for cell in line.split(" | ")] for line in lines[:7]]
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def pooled(records, row, figure):
    """Return the mean over repetitions of the folds pooled, in per cent.

    Pooling equals the mean over folds, whose test parts have as many utterances of each class.
    """
    own = records[records["row"] == row]
    return 100 * own.groupby("repetition")[figure].mean().mean()


def test_every_fold_was_run_by_every_model_of_the_table(records, table):
    assert set(table) == set(records["row"])
    assert set(records["n"]) == {112}
    for row in table:
        own = records[records["row"] == row]
        assert own.groupby("repetition")["fold"].apply(sorted).map(tuple).unique().tolist() == [
            tuple(range(6))
        ]
        assert str(own["repetition"].nunique()) == table[row]["repetitions"]


def test_the_four_models_have_the_repetitions_of_the_budget(table):
    asked = str(BUDGETS["small"].repetitions)
    assert {table[MODELS[kind]]["repetitions"] for kind in ("cnn", "ae", "stl", "mtl")} == {asked}


@pytest.mark.parametrize("column", FIGURES)
def test_the_figures_are_those_of_the_records(records, table, column):
    for row, cells in table.items():
        said = float(cells[column].partition(" ")[0])
        assert said == pytest.approx(pooled(records, row, FIGURES[column]), abs=0.051), row


def test_differences_are_those_of_the_figures(records, table):
    reference = pooled(records, MODELS["mtl"], "unweighted_accuracy")
    for row, cells in table.items():
        if row == MODELS["mtl"]:
            continue
        shared = set(records.loc[records["row"] == row, "repetition"])
        same = records[records["repetition"].isin(shared)]
        at = pooled(same, MODELS["mtl"], "unweighted_accuracy")
        said = float(cells["difference"].replace("−", "-"))
        assert said == pytest.approx(pooled(same, row, "unweighted_accuracy") - at, abs=0.051), row
    assert reference > 25


def test_test_speakers_were_in_no_other_part_and_nothing_names_a_machine(records):
    assert records["speaker_independent"].all()
    assert (records[["shared_speakers", "shared_utterances", "shared_files"]] == 0).all(axis=None)
    text = (DOCS / "data/ravdess-small.csv").read_text(encoding="utf-8")
    assert not re.search(r"/(home|work|tmp|root)/", text)
