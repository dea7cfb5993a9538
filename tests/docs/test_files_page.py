"""The page of files has every column of real ones, and none besides."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from reports.artefact_tables import cells_table
from reports.filling import fill
from reports.records import run_records
from reports.summary import evaluate_all
from ser_aae.cli import main
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import BUDGETS, Setup
from ser_aae.files.atomic import read_json, read_jsonl
from ser_aae.results.places import Places
from ser_aae.results.predictions import POSTERIOR
from ser_aae.results.run_kinds import Result
from ser_aae.results.trials import COLUMNS, PART_COLUMNS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "files.md"


def documented(heading):
    """Return the names in the first column below a heading that begins so."""
    text = PAGE.read_text(encoding="utf-8")
    (section,) = (part for part in text.split("\n## ") if part.startswith(heading))
    return re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE)


def told(columns):
    """Return the columns with those of posteriors as one name."""
    return list(
        dict.fromkeys(f"{POSTERIOR}<class>" if c.startswith(POSTERIOR) else c for c in columns)
    )


@pytest.fixture(scope="module")
def runs(recorded_run):
    return recorded_run.folder.parents[2]


def test_runs(runs):
    assert documented("`runs.csv`") == list(run_records(evaluate_all(runs)))


def test_predictions(recorded_run):
    frame = pd.read_parquet(recorded_run.folder / "predictions.parquet")
    assert sorted(documented("`predictions.parquet`")) == sorted(told(frame))


def test_trials():
    # a run without such a column is refused when they are written
    assert documented("`verification.parquet`") == [*COLUMNS, *PART_COLUMNS]


def test_epochs(recorded_run):
    for row in read_jsonl(recorded_run.folder / "epochs.jsonl"):
        assert documented("`epochs.jsonl`") == list(row)


def test_the_result(recorded_run):
    names = documented("`result.json`")
    content = json.loads((recorded_run.folder / "result.json").read_text(encoding="utf-8"))
    assert set(content) <= set(names)
    of_other_runs = {
        name for kind in Result.__mro__ for name in vars(kind).get("__annotations__", ())
    }
    assert set(names) - set(content) <= of_other_runs
    assert len(names) == len(set(names))
    assert content["kept_epoch"] >= 1
    assert (
        content["pretraining_epochs"]
        == 0
        < read_json(recorded_run.folder / "result.json")["epochs"]
    )


def test_wrong_answers(recorded_run, tmp_path):
    out = tmp_path / "wrong.csv"
    words = ["errors", str(recorded_run.folder), "--store", str(recorded_run.store)]
    assert main([*words, "--csv", str(out)]) == 0
    assert documented("Wrong answers") == told(pd.read_csv(out))


def test_cells(tmp_path):
    setup = Setup(budget=BUDGETS["smoke"])
    filling = fill(ARTEFACTS["table-3"](setup), setup, Places(runs=tmp_path), {})
    assert documented("`table-3.csv`") == list(cells_table(filling))
