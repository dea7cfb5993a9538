"""A trial: from Keras Tuner's hyperparameters to runs and their objective."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says

import keras
import keras_tuner

from ser_aae.config import RunConfig
from ser_aae.config.fields import get, with_settings
from ser_aae.files.locks import claim, holder
from ser_aae.files.refusals import explain_refusal
from ser_aae.progress import Show
from ser_aae.results.folder import run_folder, run_name
from ser_aae.results.search_folder import OBJECTIVE
from ser_aae.training.ending import validation_accuracy
from ser_aae.training.run import train_claimed
from tuning.definition import Search
from tuning.space import Space

Run = Callable[[RunConfig, Show], float]
"""Trains one run and returns its UA on validation speakers."""

_EPOCHS = "tuner/epochs"
"""Hyperband's name for the epochs that it grants a trial."""


class TrialFailedError(keras_tuner.errors.FatalError):
    """A trial failed; its message holds the settings. Keras Tuner lets this kind through.

    Any other exception it would count as a result of the trial, and go on.
    """


class NoChiefError(keras_tuner.errors.FatalError):
    """The chief of a worker is gone, or searches something else by now."""


class Reporter:
    """Teller of a person about the progress of trials."""

    def __init__(self, show: Show) -> None:
        """Begin without a trial."""
        self._show = show
        self.trial: str | None = None

    def begin(self, trial: str | None) -> None:
        """Name another trial in the lines from now on; none between two."""
        self.trial = trial

    def say(self, line: str) -> None:
        """Show a line of the present trial."""
        self._show(f"trial {self.trial}: {line}")

    def check(self) -> None:
        """Raise if the chief has another search by now; a search without a chief cannot.

        Called before a trial is taken and before its outcome is told.
        """


class SettingsModel(keras_tuner.HyperModel):
    """The hypermodel of a search: `build` gives a trial's config, `fit` trains its runs.

    Training makes the networks, which depend on the corpus: its speakers, its classes.
    """

    def __init__(self, search: Search, run: Run, report: Reporter) -> None:
        """Keep all three; see the class."""
        super().__init__()
        self.search = search
        self.run = run
        self.report = report

    def build(self, hp: keras_tuner.HyperParameters) -> RunConfig:
        """Declare the dimensions and return the config of the point they are at."""
        declare(hp, self.search.space)
        return trial_config(self.search, hp.values)

    def fit(self, hp: keras_tuner.HyperParameters, model: RunConfig) -> dict[str, float]:
        """Train the runs of a trial.

        Returns:
            The objective, and beside it the value of each run under the run's name.

        Raises:
            TrialFailedError: A run failed, whatever the reason.
        """
        values: dict[str, float] = {}
        configs = self.search.runs_of(model)
        for number, config in enumerate(configs, start=1):
            name = run_name(config.protocol.fold, config.seed)
            self.report.say(f"run {number} of {len(configs)}: {name}")
            try:
                values[name] = self.run(config, self.report.say)
            except Exception as error:
                reason = explain_refusal(error) or f"{type(error).__name__}: {error}"
                raise TrialFailedError(
                    f"trial {self.report.trial} with {describe(self.search, model)} failed in "
                    f"{name}: {reason}"
                ) from error
        return {OBJECTIVE: sum(values.values()) / len(values), **values}


def declare(hp: keras_tuner.HyperParameters, space: Space) -> None:
    """Make the dimensions of a space known to Keras Tuner, each by the numbers of its values."""
    for dimension in space.dimensions:
        hp.Int(dimension.name, 0, len(dimension.values) - 1)


def trial_config(search: Search, values: Mapping[str, Any]) -> RunConfig:
    """Return the config that a trial's runs share but for fold and seed."""
    settings = search.space.settings([values[item.name] for item in search.space.dimensions])
    if _EPOCHS in values:
        settings["training.epochs"] = values[_EPOCHS]
    return with_settings(search.config, settings)


def describe(search: Search, config: RunConfig) -> str:
    """Return the varied settings of a config: `"model.alpha 0.4, model.beta 0.6"`."""
    keys = [key for dimension in search.space.dimensions for key in dimension.keys]
    words = [f"{key} {get(config, key)}" for key in keys]
    if config.training.epochs != search.config.training.epochs:
        words.append(f"training.epochs {config.training.epochs}")
    return ", ".join(words)


def trainer(store: Path, runs: Path) -> Run:
    """Return a function that trains a run on a store, leaves its folder, and reads no test part."""

    def run(config: RunConfig, show: Show) -> float:
        # the graphs of the run before are not needed any more
        keras.utils.clear_session()
        folder = run_folder(runs, config)
        with _hold(folder, show):
            train_claimed(config, store, runs, show, score_test=False)
        return validation_accuracy(folder)

    return run


@contextmanager
def _hold(folder: Path, show: Show) -> Iterator[None]:
    """Hold a run's folder; wait for a worker that has it, as one wrongly taken for dead."""
    with claim(folder) as held:
        if held:
            yield
            return
    show(f"waits for {holder(folder)}, which trains this run")
    with claim(folder, wait=True):
        yield
