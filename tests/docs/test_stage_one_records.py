"""Records of the four models that begin with the same stage 1, and what is said of them."""

import re
from pathlib import Path

import pandas as pd
import pytest

from ser_aae.config.kinds import KINDS
from ser_aae.results.statistics import compare_runs

DOCS = Path(__file__).resolve().parents[2] / "docs"
TITLE = "### Four models with the same stage 1"
MULTI_TASK = KINDS["mtl"].title


@pytest.fixture(scope="module")
def records():
    """The runs, with the name of their row."""
    frame = pd.read_csv(DOCS / "data/ravdess-baved.csv")
    return frame.assign(row=frame["model"].map({name: kind.title for name, kind in KINDS.items()}))


@pytest.fixture(scope="module")
def section():
    """The text below the heading."""
    text = (DOCS / "results.md").read_text(encoding="utf-8").partition(TITLE)[2]
    return text.partition("\n#")[0]


@pytest.fixture(scope="module")
def table(section):
    """Row to column to text, as the page has them."""
    lines = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    head, _, *rows = [[cell.strip(" *") for cell in line.split(" | ")] for line in lines]
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def test_every_model_was_run_on_every_fold_with_the_same_stage_one(records, table):
    assert set(table) == set(records["row"])
    assert records.groupby("row")["fold"].apply(sorted).map(tuple).unique().tolist() == [
        tuple(range(6))
    ]
    assert set(records["auxiliary"]) == {"baved"}
    (settings,) = set(records["settings"])
    assert "training.pretraining_steps=3000; training.pretraining=supervised" in settings
    assert records["speaker_independent"].all()


@pytest.mark.parametrize(
    ("column", "figure"),
    [
        ("UA", "unweighted_accuracy"),
        ("WA", "weighted_accuracy"),
        ("on validation", "validation_unweighted_accuracy"),
    ],
)
def test_the_figures_are_those_of_the_records(records, table, column, figure):
    means = 100 * records.groupby("row")[figure].mean()
    assert {row: float(cells[column]) for row, cells in table.items()} == pytest.approx(
        dict(means), abs=0.051
    )


def test_differences_and_their_tests_are_those_of_the_records(records, table):
    of_row = dict(list(records.groupby("row")))
    for row in set(table) - {MULTI_TASK}:
        found = compare_runs(of_row[MULTI_TASK], of_row[row])
        said = float(table[row]["difference"].replace("−", "-"))
        assert said == pytest.approx(100 * found.mean_difference, abs=0.051), row
        assert table[row]["p, 6 folds"] == f"{found.p_value:.3f}"


def test_the_records_name_no_place_of_a_machine():
    text = (DOCS / "data/ravdess-baved.csv").read_text(encoding="utf-8")
    assert not re.search(r"/(home|work|tmp|root)/", text)
