"""Refusals that come before any work is done: outputs, steps, plans of what is not there."""

import os

import pytest

from ser_aae.commands import predict
from ser_aae.commands.options import new_file

PREDICT = ("predict", "m.onnx", "a.wav", "--csv")
COMMANDS = {
    "predict": PREDICT,
    "errors": ("errors", "run", "--csv"),
    "card": ("card", "run", "--out"),
    "enrol": ("enrol", "m.onnx", "a.wav", "--speaker", "anna", "--out"),
}


@pytest.fixture
def untouched(empty_folder, monkeypatch):
    """A folder in which no command begins its work."""
    monkeypatch.setattr(predict, "fetch_model", lambda *_: pytest.fail("a model is loaded"))


@pytest.mark.parametrize("words", COMMANDS.values(), ids=list(COMMANDS))
def test_a_folder_is_no_file_to_write(untouched, tmp_path, refused, words):
    (tmp_path / "recordings").mkdir()
    said = refused(*words, "recordings")
    assert f"{words[-1]}: recordings: expected the name of a file to write, found a folder" in said
    assert "remove" not in said
    assert list(tmp_path.iterdir()) == [tmp_path / "recordings"]


def test_a_place_below_a_file_is_none(untouched, tmp_path, refused):
    (tmp_path / "file").touch()
    said = refused(*PREDICT, "file/deeper/a.csv")
    assert f"expected a folder for it, found that {tmp_path / 'file'} is a file" in said


def test_a_folder_that_may_not_be_written_is_told_at_once(
    untouched, tmp_path, refused, monkeypatch
):
    monkeypatch.setattr(os, "access", lambda place, mode: not mode & os.W_OK)
    said = refused(*PREDICT, "new/a.csv")
    assert f"new/a.csv: {tmp_path}: not permitted to write into it" in said
    assert not (tmp_path / "new").exists()


def test_a_file_that_is_there_or_in_a_new_folder_may_be_written(tmp_path):
    (tmp_path / "a.csv").touch()
    for name in ("a.csv", "b.csv", "new/deeper/c.csv"):
        assert new_file(str(tmp_path / name)) == tmp_path / name


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("0", "expected a step of 0.1 to 10 seconds, got 0"),
        ("-1", "got -1"),
        ("11", "got 11"),
        ("nan", "got nan"),
        ("soon", "expected a number of seconds, got soon"),
    ],
)
def test_a_step_is_refused_before_a_model_is_loaded(untouched, refused, step, why):
    said = refused("predict", "m.onnx", "a.wav", f"--timeline={step}")
    assert "argument --timeline: " in said
    assert why in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("train", "--dataset", "csv:nope.csv"), "nope.csv: expected your own recordings"),
        (("train", "--dataset", "audformat:nope"), "nope: expected "),
        (("train", "--dataset", "iemocap"), "data/iemocap: expected "),
        (("train", "--dataset", "demo", "--auxiliary", "librispeech"), "ser-aae download libri"),
        (("reproduce", "table-3"), "data/iemocap: expected "),
    ],
)
def test_a_plan_of_what_is_not_there_says_what_a_training_would(empty_folder, refused, words, why):
    assert why in refused(*words, "--plan")


def test_nothing_is_made_for_a_plan(empty_folder, tmp_path, refused):
    refused("train", "--dataset", "csv:nope.csv", "--plan")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("synthesise --speakers 1", "--speakers: expected 2 or more, got 1"),
        ("synthesise --seed -1", "--seed: expected 0 or more, got -1"),
        ("tune --dataset demo --trials none", "--trials: expected 1 or more, got none"),
        ("tune --dataset demo --executions 1.5", "--executions: expected 1 or more, got 1.5"),
        ("reproduce table-3 --repetitions 0", "--repetitions: expected 1 or more, got 0"),
        ("reproduce figure-4 --auxiliary-speakers -3", "expected 0 or more, got -3"),
        ("serve m.onnx --max-mb nan", "--max-mb: expected a number over 0, got nan"),
        ("serve m.onnx --max-seconds 0", "--max-seconds: expected a number over 0, got 0"),
        ("serve m.onnx --connections-per-address 0", "expected 1 or more, got 0"),
        ("serve m.onnx --port 65536", "--port: expected 0 (any that is free) to 65535, got 65536"),
        (
            "export r --format onnx --out a.onnx --tolerance nan",
            "expected 0 to 100 points, got nan",
        ),
        ("export r --format onnx --out a.onnx --tolerance -1", "expected 0 to 100 points, got -1"),
        ("predict m.onnx a.wav --timeline x", "expected a number of seconds, got x"),
        (
            "predict m.onnx a.wav --csv b.wav",
            "b.wav: expected the name of a file to write, got that",
        ),
        ("predict m.onnx --csv A.MP3 b.wav", "got that of a recording"),
        ("errors run --csv a.flac", "got that of a recording"),
        ("enrol m.onnx a.wav --speaker anna --out b.wav", "got that of a recording"),
        ("card run --out a.opus", "got that of a recording"),
        ("predict m.onnx a.wav --csv a.xlsx", "a.xlsx: expected a name that ends in .csv"),
        ("train --dataset demo --fold 99", "protocol.fold: expected 0 to 5, as speaker-kfold has"),
        ("train --dataset demo --fold 3 --folds 3", "expected 0 to 2"),
        ("train --dataset demo --classes anger,anger", "anger is there more than once"),
        ("train --dataset demo --classes happy,happiness", "happiness is there more than once"),
        ("train --dataset demo --classes anger", "received 'anger': expected two or more"),
        ("train --dataset demo --classes anger,,sadness", "a name is empty"),
    ],
)
def test_numbers_and_classes_that_cannot_be_are_told_at_once(
    untouched, tmp_path, refused, words, why
):
    said = refused(*words.split())
    assert why in said
    assert not list(tmp_path.iterdir())


def test_an_export_below_a_file_or_in_a_locked_folder_is_refused_at_once(
    untouched, tmp_path, refused, monkeypatch
):
    words = ("export", "run", "--format", "onnx", "--out")
    (tmp_path / "file").touch()
    assert "is a file; give another name" in refused(*words, "file/a.onnx")
    assert "is a file; give another name" in refused("report", "--out", "file/report")
    monkeypatch.setattr(os, "access", lambda place, mode: not mode & os.W_OK)
    assert "not permitted to write into it" in refused(*words, "new/a.onnx")


@pytest.mark.parametrize("command", ["train", "predict", "report"])
def test_words_that_a_command_does_not_know_name_its_own_help(untouched, refused, command):
    known = {"train": ["--dataset", "demo"], "predict": ["m", "a.wav"], "report": ["--out", "o"]}
    said = refused(command, *known[command], "--bogus")
    assert said.strip().endswith(f"unrecognized arguments: --bogus; see: ser-aae {command} --help")
