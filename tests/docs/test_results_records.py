"""The table of RAVDESS by four models says what the committed records of its runs say."""

import re
from pathlib import Path

import pandas as pd
import pytest

from ser_aae.config import RunConfig
from ser_aae.config.build import build_config
from ser_aae.config.kinds import KINDS
from ser_aae.experiments.setup import BUDGETS
from ser_aae.results.folder import flatten
from ser_aae.results.statistics import compare_runs

DOCS = Path(__file__).resolve().parents[2] / "docs"
TABLE = "### Four models with the same budget"
MORE = "AAE, multi-task, more speech"
FIGURES = {"UA": "unweighted_accuracy", "WA": "weighted_accuracy"}


@pytest.fixture(scope="module")
def records():
    """The runs, with the name of their row."""
    frame = pd.read_csv(DOCS / "data/ravdess-small.csv", dtype={"auxiliary": str})
    rows = (
        frame["model"]
        .map({name: kind.title for name, kind in KINDS.items()})
        .where(frame["auxiliary"].isna(), MORE)
    )
    return frame.assign(row=rows)


@pytest.fixture(scope="module")
def section():
    """The text below the heading."""
    text = (DOCS / "results.md").read_text(encoding="utf-8").partition(TABLE)[2]
    return text.partition("\n#")[0]


@pytest.fixture(scope="module")
def table(section):
    """Row to column to text, as the page has them."""
    lines = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
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


def test_every_row_has_the_repetitions_of_the_budget(table):
    assert {cells["repetitions"] for cells in table.values()} == {str(BUDGETS["small"].repetitions)}


@pytest.mark.parametrize("column", FIGURES)
def test_the_figures_are_those_of_the_records(records, table, column):
    for row, cells in table.items():
        said = float(cells[column].partition(" ")[0])
        assert said == pytest.approx(pooled(records, row, FIGURES[column]), abs=0.051), row


def test_differences_and_their_tests_are_those_of_the_records(records, table):
    of_row = dict(list(records.groupby("row")))
    for row in set(table) - {KINDS["mtl"].title}:
        cells, pair = table[row], (of_row[KINDS["mtl"].title], of_row[row])
        runs, folds = compare_runs(*pair), compare_runs(*pair, average_repetitions=True)
        said = float(cells["difference"].replace("−", "-"))
        assert said == pytest.approx(100 * runs.mean_difference, abs=0.051), row
        assert cells["p, 6 folds"] == f"{folds.p_value:.3f}"
        assert runs.pairs == 12
        assert cells["p, 12 pairs"] == f"{runs.p_value:.3f}"


def test_what_is_said_of_validation_is_in_the_records(records, section):
    figure = "validation_unweighted_accuracy"
    for kind, name in {"ae": "AE", "stl": "AAE single-task", "mtl": "AAE multi-task"}.items():
        assert f"{name} {pooled(records, KINDS[kind].title, figure):.1f}" in " ".join(
            section.split()
        )
    gained = pooled(records, MORE, figure) - pooled(records, KINDS["mtl"].title, figure)
    said = " ".join(section.split())
    assert f"and {gained:.1f} on the validation speakers of the same runs" in said


def test_so_is_what_is_said_of_the_adversary(records, section):
    won = records[records["adversary"] == "encoder wins"]
    assert set(won["row"]) == {KINDS["stl"].title}
    assert len(won) == 3
    said = " ".join(section.split())
    assert "in three of the twelve runs of the single-task AAE the encoder wins" in said


def test_test_speakers_were_in_no_other_part_and_nothing_names_a_machine(records):
    assert records["speaker_independent"].all()
    assert (records[["shared_speakers", "shared_utterances", "shared_files"]] == 0).all(axis=None)
    text = (DOCS / "data/ravdess-small.csv").read_text(encoding="utf-8")
    assert not re.search(r"/(home|work|tmp|root)/", text)


def test_every_former_setting_is_another_one_now():
    former = build_config(file=DOCS / "data/ravdess-former.yaml")
    now = flatten(RunConfig().to_dict())
    departing = {name for name, value in flatten(former.to_dict()).items() if value != now[name]}
    assert departing == {
        "data.evaluation_segments",
        "data.unlabelled_rest",
        "frontend.remove_offset",
        "model.discriminator_zero_start",
        "protocol.draw",
        "training.discriminator_rate_ratio",
        "training.generator_rate_ratio",
        "training.patience_epochs",
        "training.selection_start",
        "training.update",
    }
