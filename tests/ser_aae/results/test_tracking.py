"""Trackers by name: those that are asked for, and those that are not there."""

import pytest
from mistakes import error_of

from ser_aae import extras
from ser_aae.extras import explain_missing
from ser_aae.results.tracking import LOG, choose_trackers, chosen_trackers, read_trackers


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("tensorboard", ("tensorboard",)),
        ("MLflow, wandb,mlflow", ("mlflow", "wandb")),
        ("none", ()),
    ],
)
def test_names_stand_with_commas_between(text, names):
    assert read_trackers(text) == names


def test_a_tracker_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as error:
        choose_trackers(("tensorboard", "mlflow"))
    assert explain_missing(error.value).endswith("pip install 'ser-aae[mlflow]'")
    known = "expected some of tensorboard, mlflow, wandb, or none alone, got"
    for text in ("comet", "none,tensorboard", "none,none", ""):
        assert error_of(read_trackers, text).startswith(f"--log: {known} {text!r}")
    monkeypatch.setenv(LOG, "foo")
    assert error_of(chosen_trackers) == f"{LOG}: {known} 'foo'"


def test_what_a_command_starts_inherits_its_trackers(monkeypatch):
    monkeypatch.delenv(LOG, raising=False)
    assert chosen_trackers() == ("tensorboard",)
    monkeypatch.setenv(LOG, "none")
    assert chosen_trackers() == ()
    choose_trackers(("tensorboard",))
    assert chosen_trackers() == ("tensorboard",)
    choose_trackers(())
    assert chosen_trackers() == ()
