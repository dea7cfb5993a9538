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
        ("soon", "could not convert string to float"),
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
