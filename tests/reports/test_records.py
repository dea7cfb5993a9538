"""One row a run, small enough to keep: what it was, its figures, what it was tested on."""

from dataclasses import replace

import pandas as pd
import pytest

from data_prep.corpora import known_facts
from reports.build import build_report
from reports.records import run_records
from ser_aae.config import ModelConfig, RunConfig
from ser_aae.files.atomic import read_json, write_json


@pytest.fixture
def record(tmp_path, leave_cell, evaluate_all):
    """A function: config (options of `leave_cell`) -> the only row, after its files are changed."""

    def make(config=None, change=lambda folder: None, **options):
        folder = leave_cell(tmp_path, config or RunConfig(), **options)
        change(folder)
        (row,) = run_records(evaluate_all(tmp_path)).to_dict("records")
        return row

    return make


def test_a_run_is_named_by_digest_model_fold_and_seed(record):
    config = replace(RunConfig(), seed=3, auxiliary=("urdu", "librispeech"))
    config = replace(config, model=ModelConfig(kind="stl", alpha=0.7, filters=(4, 8)))
    row = record(replace(config, protocol=replace(config.protocol, fold=2)))
    assert row["experiment"] == config.digest()
    assert (row["dataset"], row["model"], row["protocol"]) == ("demo", "stl", "speaker-kfold")
    assert (row["fold"], row["repetition"], row["seed"]) == (2, 3, 3)
    assert row["auxiliary"] == "urdu librispeech"
    assert row["preset"] == "default"
    assert row["settings"] == "model.alpha=0.7; model.filters=4,8"


def test_the_figures_are_those_of_the_predictions(record):
    row = record(right=3, validation_unweighted_accuracy=0.625, epochs=7, kept_epoch=4, seconds=9.5)
    assert (row["n"], row["weighted_accuracy"], row["unweighted_accuracy"]) == (16, 0.75, 0.75)
    assert (row["gender_accuracy"], row["speaker_only_unweighted_accuracy"]) == (1.0, 0.3125)
    assert row["validation_unweighted_accuracy"] == 0.625
    assert (row["epochs"], row["kept_epoch"], row["seconds"]) == (7, 4, 9.5)
    assert len(row["test_ids_digest"]) == len(row["predictions_sha256"]) == 64


def test_what_the_leakage_check_counted_is_in_it(record):
    leakage = {
        "speaker_independent": False,
        "folds": 10,
        "shared_speakers": {"train-test": ["a", "b"], "train-validation": ["b"]},
        "shared_utterances": 0,
        "shared_files": 0,
        "shared_sentences": 0.25,
    }
    row = record(leakage=leakage)
    assert row["shared_sentences"] == 0.25
    assert not row["speaker_independent"]
    assert (row["shared_speakers"], row["shared_utterances"], row["shared_files"]) == (2, 0, 0)


def test_a_run_that_wrote_no_check_has_none(record):
    row = record(leakage=None)
    assert row["shared_speakers"] is None
    assert row["shared_sentences"] is None
    assert row["speaker_independent"] is None


def test_what_it_was_made_with_is_told(record):
    def change(folder):
        state = {"git": {"commit": "0123456789abcdef", "dirty": True}}
        write_json(folder / "environment.json", state)

    row = record(change=change, synthetic=("demo",), adversary={"state": "alive"})
    assert row["commit"] == "0123456789ab+"
    assert (row["synthetic"], row["corpora"], row["adversary"]) == ("demo", "demo=0123", "alive")


def test_digests_of_corpora_are_no_settings(record):
    def change(folder):
        path = folder / "config.json"
        write_json(path, read_json(path) | {"corpora": {"demo": "0123"}})

    assert record(change=change)["settings"] == ""


def test_the_file_has_a_row_a_run_no_path_and_is_small(leave_cell, tmp_path):
    runs = tmp_path / "runs"
    for seed in range(3):
        for fold in range(4):
            config = replace(RunConfig(), seed=seed)
            leave_cell(runs, replace(config, protocol=replace(config.protocol, fold=fold)))
    written = build_report(runs, tmp_path / "out", tmp_path / "store", corpora=known_facts())
    path = tmp_path / "out" / "runs.csv"
    assert path in written
    frame = pd.read_csv(path)
    assert sorted(zip(frame["fold"], frame["repetition"], strict=True)) == [
        (fold, seed) for fold in range(4) for seed in range(3)
    ]
    assert str(tmp_path) not in path.read_text()
    assert path.stat().st_size < 1000 * len(frame)


def test_the_file_keeps_figures_as_they_are(leave_cell, evaluate_all, tmp_path):
    """A third that is rounded differs from another third, and a paired test has other ties."""
    runs = tmp_path / "runs"
    leave_cell(runs, RunConfig(), validation_unweighted_accuracy=2 / 3)
    build_report(runs, tmp_path / "out", tmp_path / "store", corpora=known_facts())
    # as texts: each version of pandas has its own way to numbers
    kept = pd.read_csv(tmp_path / "out" / "runs.csv", dtype=str)
    (row,) = run_records(evaluate_all(runs)).to_dict("records")
    assert float(kept["validation_unweighted_accuracy"][0]) == 2 / 3
    assert float(kept["unweighted_accuracy"][0]) == row["unweighted_accuracy"]
