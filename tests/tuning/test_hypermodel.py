"""Runs made of hyperparameters, and one figure made of the runs."""

import os
import threading
import time
from dataclasses import replace

import keras_tuner
import pytest

from ser_aae.config import RunConfig
from ser_aae.files.atomic import read_json
from ser_aae.files.locks import claim
from ser_aae.results.folder import run_folder
from ser_aae.results.search_folder import OBJECTIVE
from tuning import hypermodel
from tuning.hypermodel import Reporter, SettingsModel, TrialFailedError, describe, trainer


def test_build_declares_the_space_and_gives_the_points_config(search_of, cheap_runs):
    search = search_of("latent,alpha,optimiser")
    model = SettingsModel(search, cheap_runs, Reporter(print))
    hp = keras_tuner.HyperParameters()
    assert model.build(hp).model.latent_channels == 8
    assert [(item.name, item.min_value, item.max_value) for item in hp.space] == [
        ("latent", 0, 3),
        ("alpha", 0, 9),
        ("optimiser", 0, 1),
    ]
    hp.values = {"latent": 3, "alpha": 2, "optimiser": 1}
    config = model.build(hp)
    assert config.model.latent_channels == 64
    assert config.model.alpha == 0.3
    assert config.training.optimiser == "sgd"
    assert describe(search, config) == (
        "model.latent_channels 64, model.alpha 0.3, training.optimiser sgd"
    )


def test_hyperbands_epochs_are_the_trials_and_told(search_of, cheap_runs):
    search = search_of("alpha")
    hp = keras_tuner.HyperParameters()
    hp.values = {"alpha": 0, "tuner/epochs": 7}
    config = SettingsModel(search, cheap_runs, Reporter(print)).build(hp)
    assert config.training.epochs == 7
    assert describe(search, config) == "model.alpha 0.1, training.epochs 7"


def test_fit_gives_the_mean_and_what_it_is_the_mean_of(search_of, cheap_runs):
    search = search_of("alpha", folds=(0, 5), executions=2)
    shown = []
    report = Reporter(shown.append)
    report.begin("03")
    model = SettingsModel(search, cheap_runs, report)
    hp = keras_tuner.HyperParameters()
    values = model.fit(hp, model.build(hp))
    mean = values.pop(OBJECTIVE)
    assert set(values) == {"fold00-rep00", "fold05-rep00", "fold00-rep01", "fold05-rep01"}
    assert mean == pytest.approx(sum(values.values()) / 4, abs=1e-15)
    assert values["fold05-rep00"] == pytest.approx(values["fold00-rep00"] + 0.005)
    assert shown[:2] == ["trial 03: run 1 of 4: fold00-rep00", "trial 03: an epoch"]


def test_a_failure_is_told_with_everything_and_passes_keras_tuner(search_of):
    def failing(config, show):
        raise ZeroDivisionError("what?")

    report = Reporter(print)
    report.begin("11")
    model = SettingsModel(search_of("alpha", folds=(4,)), failing, report)
    hp = keras_tuner.HyperParameters()
    wanted = "trial 11 with model.alpha 0.1 failed in fold04-rep00: ZeroDivisionError: what"
    with pytest.raises(TrialFailedError, match=wanted) as caught:
        model.fit(hp, model.build(hp))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    # any other kind Keras Tuner would count, and go on
    assert isinstance(caught.value, keras_tuner.errors.FatalError)


@pytest.fixture
def trained(monkeypatch):
    """What training was asked for; it leaves a validation figure and nothing else."""
    asked = []

    def train(config, store, runs, show, score_test=True):
        asked.append((config, store, runs, show, score_test))
        folder = run_folder(runs, config)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "validation.json").write_text(f'{{"{OBJECTIVE}": 0.625}}')
        return folder

    monkeypatch.setattr(hypermodel, "train_claimed", train)
    return asked


def test_a_run_is_trained_without_its_test_part(trained, tmp_path):
    config = replace(RunConfig(), dataset="tiny")
    assert trainer(tmp_path / "store", tmp_path / "runs")(config, print) == 0.625
    assert trained == [(config, tmp_path / "store", tmp_path / "runs", print, False)]
    folder = run_folder(tmp_path / "runs", config)
    assert read_json(folder / "validation.json") == {OBJECTIVE: 0.625}


def test_a_run_that_another_worker_holds_is_waited_for(trained, tmp_path):
    config = replace(RunConfig(), dataset="tiny")
    runs = tmp_path / "runs"
    shown, found = [], []

    def work():
        found.append(trainer(tmp_path / "store", runs)(config, shown.append))

    with claim(run_folder(runs, config)):
        thread = threading.Thread(target=work)
        thread.start()
        for _ in range(600):
            if shown:
                break
            time.sleep(0.05)
        assert trained == []
    thread.join(timeout=60)
    assert found == [0.625]
    assert len(trained) == 1
    assert shown[0].startswith(f"waits for process {os.getpid()} on ")
