"""A search whose runs cost nothing: their objective is a formula of alpha and beta."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from keras_tuner.src.tuners import bayesian
from scipy.optimize import OptimizeResult

from ser_aae.config import RunConfig
from ser_aae.results.folder import run_folder, run_name
from tuning.definition import Search
from tuning.space import read_space


class CheapRuns:
    """Takes the place of training: counts what it was asked, and gives a formula's value.

    Attributes:
        asked: Digest and name of every run, in order.
    """

    def __init__(self):
        self.asked = []

    def __call__(self, config, show):
        self.asked.append((config.digest(), run_name(config.protocol.fold, config.seed)))
        show("an epoch")
        return self.value(config)

    @staticmethod
    def value(config):
        """Return what is best at alpha 0.4 and beta 0.6; each fold adds a little of its own."""
        model = config.model
        miss = (model.alpha - 0.4) ** 2 + (model.beta - 0.6) ** 2
        return 0.9 - miss / 4 + config.protocol.fold / 1000 + config.seed / 10000


@pytest.fixture
def sought_among_few(monkeypatch):
    """Have the Bayesian oracle take the best of its fifty starts, from which it climbs otherwise.

    What it asks for next follows from its trials and its random numbers all the same.
    """

    def stay(function, x0, **_):
        return OptimizeResult(x=x0, fun=float(function(x0)[0]))

    # there alone: what the process is fitted by climbs as ever
    optimize = SimpleNamespace(minimize=stay)
    monkeypatch.setattr(bayesian, "scipy", SimpleNamespace(optimize=optimize))


@pytest.fixture
def cheap_runs():
    return CheapRuns()


@pytest.fixture
def search_of():
    """A function: space, algorithm, trials (and more) -> a search."""

    def make(space="alpha,beta", algorithm="random", trials=6, **more):
        config = more.pop("config", RunConfig(dataset="tiny"))
        return Search(config, read_space(space), algorithm, trials, **more)

    return make


@pytest.fixture
def folder_of(tmp_path):
    """A function: config, fold -> the run's folder, relative to the runs."""

    def place(config, fold):
        one = replace(config, protocol=replace(config.protocol, fold=fold))
        return run_folder(tmp_path, one).relative_to(tmp_path).as_posix()

    return place
