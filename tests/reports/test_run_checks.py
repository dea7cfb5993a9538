"""Checking runs: one that does not agree with its own record is found, whatever was changed."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from stored import read_unsealed

from reports.run_checks import check_runs
from ser_aae.cli import main
from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.files.digests import digest_of_file
from ser_aae.results.evaluation import evaluate_run
from ser_aae.results.trials import score_trials


def change(path, **columns):
    """Change the first row of a table."""
    frame = pd.read_parquet(path)
    for name, value in columns.items():
        frame.loc[0, name] = value
    frame.to_parquet(path, index=False)


@pytest.fixture
def run(tmp_path, leave_cell):
    return leave_cell(tmp_path / "runs", RunConfig())


def test_runs_that_agree_are_counted(run, tmp_path, leave_cell):
    leave_cell(tmp_path / "runs", replace(RunConfig(), seed=1))
    lines = check_runs(tmp_path / "runs")
    assert lines == ["checked 2 runs: each agrees with what it wrote down"]


def test_a_changed_class_is_found(run, tmp_path):
    flipped = {"predicted": "sadness", "p_anger": 0.1, "p_sadness": 0.7}
    change(run / "predictions.parquet", **flipped)
    with pytest.raises(UserError, match=r"1 of 1 run not in agreement.*\n.*weighted_accuracy"):
        check_runs(tmp_path / "runs")


def test_a_changed_posterior_that_changes_no_class_is_found(run, tmp_path):
    change(run / "predictions.parquet", p_anger=0.71, p_neutral=0.09)
    with pytest.raises(UserError, match=r"predictions\.parquet: its SHA-256 is .* changed after"):
        check_runs(tmp_path / "runs")


def test_a_changed_speaker_is_found(run, tmp_path):
    change(run / "predictions.parquet", speaker="iemocap:99")
    with pytest.raises(UserError, match="speaker_only_unweighted_accuracy"):
        check_runs(tmp_path / "runs")


def test_exchanged_speakers_that_change_no_figure_are_found(run, tmp_path):
    path = run / "predictions.parquet"
    frame = pd.read_parquet(path)
    first, second = frame["speaker"][:2]
    assert first != second
    assert frame["truth"][0] == frame["truth"][1]
    frame.loc[[0, 1], "speaker"] = [second, first]
    frame.to_parquet(path, index=False)
    assert evaluate_run(run)["stored"]["n"] == len(frame)
    with pytest.raises(UserError, match="SHA-256"):
        check_runs(tmp_path / "runs")


@pytest.fixture
def verified(tmp_path, leave_cell):
    """A complete run with speaker verification."""
    config = replace(RunConfig(), verification="librispeech")
    return leave_cell(tmp_path / "runs", config)


def test_a_changed_score_that_leaves_the_error_rate_is_found(verified, tmp_path):
    before = evaluate_run(verified)["equal_error_rate"]
    trials = verified / "verification.parquet"
    change(trials, score=pd.read_parquet(trials)["score"][0] + 1e-6)
    assert score_trials(pd.read_parquet(trials))["equal_error_rate"] == before
    with pytest.raises(UserError, match=r"verification_digest: .*verification\.parquet gives"):
        check_runs(tmp_path / "runs")


def test_trials_in_another_order_are_the_same(verified, tmp_path):
    trials = verified / "verification.parquet"
    pd.read_parquet(trials).iloc[::-1].to_parquet(trials, index=False)
    assert len(check_runs(tmp_path / "runs")) == 1


def test_a_run_that_wrote_no_digest_of_its_trials_is_told(verified, tmp_path):
    result = read_unsealed(verified / "result.json")
    del result["verification_digest"]
    (verified / "result.json").write_text(json.dumps(result))
    _, told = check_runs(tmp_path / "runs")
    assert told.startswith("1 of them wrote no digest of their verification trials")
    result["equal_error_rate"] += 0.01
    (verified / "result.json").write_text(json.dumps(result))
    with pytest.raises(UserError, match="equal_error_rate"):
        check_runs(tmp_path / "runs")


def test_every_run_that_disagrees_is_named_up_to_ten(tmp_path, leave_cell):
    for seed in range(12):
        folder = leave_cell(tmp_path, replace(RunConfig(), seed=seed))
        change(folder / "predictions.parquet", segments=2)
    with pytest.raises(UserError, match="12 of 12 runs") as raised:
        check_runs(tmp_path)
    assert str(raised.value).count("SHA-256") == 10
    assert str(raised.value).endswith("and 2 more")


def test_runs_without_a_digest_are_told(run, tmp_path):
    result = read_unsealed(run / "result.json")
    del result["predictions_sha256"]
    (run / "result.json").write_text(json.dumps(result))
    assert "1 of them wrote no digest" in check_runs(tmp_path / "runs")[1]


def test_weights_are_compared_where_they_lie_beside_the_result(run, tmp_path):
    for name in ("best.weights.h5", "normalisation.json"):
        (run / name).write_bytes(b"as they were written")
    assert "1 of them wrote no digest of their weights" in check_runs(tmp_path / "runs")[1]
    result = read_unsealed(run / "result.json")
    digests = {"best.weights.h5": digest_of_file(run / "best.weights.h5")}
    (run / "result.json").write_text(json.dumps(result | {"files_sha256": digests}))
    assert len(check_runs(tmp_path / "runs")) == 1
    (run / "best.weights.h5").write_bytes(b"as they were not")
    with pytest.raises(UserError, match=r"best\.weights\.h5: it is damaged, or was changed"):
        check_runs(tmp_path / "runs")


def test_runs_that_have_not_ended_are_left_out(run, tmp_path, leave_cell):
    begun = leave_cell(tmp_path / "runs", replace(RunConfig(), seed=1))
    (begun / "result.json").unlink()
    assert check_runs(tmp_path / "runs")[0].startswith("checked 1 run:")


@pytest.mark.parametrize("options", [["--check"], []])
def test_the_command_refuses_an_altered_posterior_only_when_it_checks(
    run, tmp_path, options, capsys
):
    words = ["report", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), *options]
    assert main(words) == 0
    page = (tmp_path / "out/index.html").read_text()
    assert ("Checked 1 run" in page) == bool(options)
    capsys.readouterr()
    change(run / "predictions.parquet", p_anger=0.71, p_neutral=0.09)
    assert main(words) == (2 if options else 0)
    assert ("SHA-256" in capsys.readouterr().err) == bool(options)


def test_the_command_refuses_a_changed_class_in_any_case(run, tmp_path, capsys):
    flipped = {"predicted": "sadness", "p_anger": 0.1, "p_sadness": 0.7}
    change(run / "predictions.parquet", **flipped)
    words = ["report", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out")]
    assert main(words) == main([*words, "--check"]) == 2
    assert not (tmp_path / "out").exists()
    assert "changed after the run" in capsys.readouterr().err
