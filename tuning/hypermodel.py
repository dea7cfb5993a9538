"""A trial: from Keras Tuner's hyperparameters to runs and their objective."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says

import keras
import keras_tuner

from ser_aae.config import RunConfig
from ser_aae.config.fields import get, with_settings
from ser_aae.files.locks import claim, holder
from ser_aae.progress import Show
from ser_aae.results.folder import run_folder, run_name
from ser_aae.results.search_folder import OBJECTIVE
from ser_aae.training.ending import validation_accuracy
from ser_aae.training.run import train_claimed
from tuning.definition import Search
from tuning.space import Dimension

Run = Callable[[RunConfig, Show], float]
"""Trains one run and returns its UA on validation speakers."""

_EPOCHS = "tuner/epochs"
"""What Hyperband calls the epochs that it grants a trial."""


class TrialFailedError(keras_tuner.errors.FatalError):
    """A trial failed; its message holds the settings. Keras Tuner lets this kind through.

    Any other exception it would count as a result of the trial, and go on.
    """


class NoChiefError(keras_tuner.errors.FatalError):
    """The chief of a worker is gone, or searches something else by now."""


class Reporter:
    """Tells a person what trial is at what.

    Args:
        show: Called with a line of text.
    """

    def __init__(self, show: Show) -> None:
        """Begin without a trial."""
        self._show = show
        self.trial: str | None = None

    def begin(self, trial: str | None) -> None:
        """Speak of another trial from now on; of none between two."""
        self.trial = trial

    def say(self, line: str) -> None:
        """Show a line of the present trial."""
        self._show(f"trial {self.trial}: {line}")

    def check(self) -> None:
        """Raise where the search is not the one that this process works for any more.

        Alone there is no other. Called before a trial is taken and before its outcome is told.
        """


class SettingsModel(keras_tuner.HyperModel):
    """The hypermodel of a search: `build` gives a trial's config, `fit` trains its runs.

    Networks depend on the corpus (how many speakers, which classes), so it is training that
    makes them of the config.

    Args:
        search: The search.
        run: What trains a run.
        report: Told what happens.
    """

    def __init__(self, search: Search, run: Run, report: Reporter) -> None:
        """Keep all three; see the class."""
        super().__init__()
        self.search = search
        self.run = run
        self.report = report

    def build(self, hp: keras_tuner.HyperParameters) -> RunConfig:
        """Declare the dimensions and return the config of the point they are at."""
        space = self.search.space
        point = [declare(hp, dimension) for dimension in space.dimensions]
        settings = space.settings(point)
        if _EPOCHS in hp.values:
            settings["training.epochs"] = hp.values[_EPOCHS]
        return with_settings(self.search.config, settings)

    def fit(self, hp: keras_tuner.HyperParameters, model: RunConfig) -> dict[str, float]:
        """Train the runs of a trial.

        Args:
            hp: The trial's hyperparameters.
            model: What `build` made of them.

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
                raise TrialFailedError(
                    f"trial {self.report.trial} with {describe(self.search, model)} failed in "
                    f"{name}: {type(error).__name__}: {error}"
                ) from error
        return {OBJECTIVE: sum(values.values()) / len(values), **values}


def declare(hp: keras_tuner.HyperParameters, dimension: Dimension) -> int:
    """Make a dimension known to Keras Tuner, and return the number of its value."""
    number: int = hp.Int(dimension.name, 0, len(dimension.values) - 1)
    return number


def describe(search: Search, config: RunConfig) -> str:
    """Return what a search varies as it is in a config: `"model.alpha 0.4, model.beta 0.6"`."""
    keys = [key for dimension in search.space.dimensions for key in dimension.keys]
    words = [f"{key} {get(config, key)}" for key in keys]
    if config.training.epochs != search.config.training.epochs:
        words.append(f"training.epochs {config.training.epochs}")
    return ", ".join(words)


def trainer(store: Path, runs: Path) -> Run:
    """Return what trains a run on a store and leaves its folder, the test part unread."""

    def run(config: RunConfig, show: Show) -> float:
        # the graphs of the run before are not needed any more
        keras.utils.clear_session()
        folder = run_folder(runs, config)
        with _claimed(folder, show):
            train_claimed(config, store, runs, show, score_test=False)
        return validation_accuracy(folder)

    return run


@contextmanager
def _claimed(folder: Path, show: Show) -> Iterator[None]:
    """Hold a run's folder; wait for a worker who has it, was taken for dead and lives."""
    with claim(folder) as held:
        if held:
            yield
            return
    show(f"waits for {holder(folder)}, which trains this run")
    with claim(folder, wait=True):
        yield
