"""All commands from nothing to a report, through the real command line."""

import json
from pathlib import Path

import pytest
from processes import run_program

from ser_aae.cli import build_parser, main
from ser_aae.commands.run_config import read_config
from ser_aae.data.run_data import count_folds
from ser_aae.errors import UserError

pytestmark = pytest.mark.usefixtures("few_steps")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder in which everything was done once, and what training printed."""
    folder = tmp_path_factory.mktemp("work")
    named = {"cwd": folder, "timeout": 300}
    run_program("synthesise", "--dataset", "demo", "--speakers", 6, **named)
    words = "train --dataset demo --model cnn --protocol loso-session --epochs 1"
    words += " --set model.filters=4,8 --set model.dense_units=8,8 --set training.batch_size=128"
    words += " --set data.segment_frames=64 --set data.evaluation_shift_frames=64"
    done = run_program(*words.split(), **named)
    return folder, done, words


def test_train_prepares_shows_progress_and_ends_with_the_runs_folder(trained):
    folder, done, _ = trained
    assert (folder / "store").is_dir()
    run = folder / done.stdout.splitlines()[-1]
    assert run.parent.parent == folder / "runs" / "demo-emotion-cnn-loso-session"
    assert (run / "result.json").is_file()
    assert "demo: 240 utterances of 6 speakers" in done.stderr
    assert "stage 2 epoch 1/1" in done.stderr
    for noise in ("oneDNN", "cuda", "CUDA", "absl", "Warning", "%|"):
        assert noise not in done.stderr


def test_evaluate_as_json_is_one_document_that_agrees(trained, capsys):
    folder, done, _ = trained
    run = folder / done.stdout.splitlines()[-1]
    assert main(["evaluate", str(run), "--json"]) == 0
    evaluation = json.loads(capsys.readouterr().out)
    assert evaluation["n"] == 80
    stored = json.loads((run / "result.json").read_text())
    assert evaluation["unweighted_accuracy"] == pytest.approx(stored["unweighted_accuracy"])
    assert main(["evaluate", str(run)]) == 0
    assert capsys.readouterr().out in done.stdout


def test_report_writes_a_page_and_pictures(trained, capsys, tmp_path):
    folder, _, _ = trained
    assert main(["report", "--runs", str(folder / "runs"), "--out", str(tmp_path / "out")]) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert files[0] == tmp_path / "out" / "index.html"
    assert all(path.stat().st_size > 100 for path in files)
    assert any(path.suffix == ".png" for path in files)


def test_all_folds_are_trained_once_and_pooled(trained, monkeypatch, capsys):
    folder, done, words = trained
    monkeypatch.chdir(folder)
    experiment = Path(done.stdout.splitlines()[-1]).parent
    first = (experiment / "fold00-rep00" / "result.json").read_bytes()
    assert main([*words.split(), "--fold", "all"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == str(experiment)
    assert "3 of 3 folds pooled" in printed.out
    assert "fold00-rep00: complete already" in printed.err
    assert (experiment / "fold00-rep00" / "result.json").read_bytes() == first
    assert sorted(path.name for path in experiment.iterdir()) == [
        f"fold{fold:02d}-rep00" for fold in range(3)
    ]


def test_validation_only_leaves_the_test_part_unread_until_it_is_asked_for(
    trained, monkeypatch, capsys
):
    folder, _, words = trained
    monkeypatch.chdir(folder)
    fewer = [*words.split(), "--fold", "all", "--seed", "7"]
    assert main([*fewer, "--validation-only"]) == 0
    line, experiment = capsys.readouterr().out.splitlines()
    runs = sorted(Path(experiment).glob("fold*-rep07"))
    assert len(runs) == 3
    tested = ("result.json", "predictions.parquet", "examples.npz")
    assert not any((run / name).exists() for run in runs for name in tested)
    found = [json.loads((run / "validation.json").read_text()) for run in runs]
    shares = [each["validation_unweighted_accuracy"] for each in found]
    each = " ".join(f"{100 * share:.1f}" for share in shares)
    mean = f"{100 * sum(shares) / 3:.1f}"
    assert line == f"UA on validation speakers {each}, mean {mean}; test part unread"

    weights = [(run / "best.weights.h5").read_bytes() for run in runs]
    assert main(fewer) == 0
    assert "stage 2 epoch" not in capsys.readouterr().err
    assert [(run / "best.weights.h5").read_bytes() for run in runs] == weights
    assert all((run / "result.json").is_file() for run in runs)
    capsys.readouterr()
    assert main([*fewer, "--validation-only"]) == 0  # read by now, and not called unread
    assert capsys.readouterr().out.splitlines()[0] == line.removesuffix("; test part unread")


def test_a_fold_out_of_range_is_refused(trained, monkeypatch, refused):
    folder, _, words = trained
    monkeypatch.chdir(folder)
    said = refused(*words.split(), "--fold", "3", "--set", "seed=5")
    assert "expected 0 to 2" in said


def test_folds_are_counted_on_the_utterances_that_take_part(trained):
    folder, _, _ = trained
    words = ["train", "--dataset", "demo", "--protocol"]
    for protocol, folds in (("loso", 6), ("loso-session", 3), ("10-fold", 10)):
        config = read_config(build_parser().parse_args([*words, protocol]))
        assert count_folds(config, folder / "store") == folds
    too_many = read_config(build_parser().parse_args([*words, "speaker-kfold", "--folds", "9"]))
    with pytest.raises(UserError, match="at least 9 speakers"):
        count_folds(too_many, folder / "store")
