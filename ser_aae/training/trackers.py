"""Trackers of experiments, to which a run tells its parameters, epochs, files and figures.

TensorBoard's files lie in the folder of the run. MLflow and Weights & Biases keep runs of many
people: what they are given, and where they are, is their own configuration (`MLFLOW_TRACKING_URI`,
`WANDB_MODE` and so on). Nothing that a tracker does changes a run: it draws no random number that
the run would have drawn, and one that fails after the start is left out from then on.
"""

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_jsonl
from ser_aae.progress import Show
from ser_aae.results.folder import (
    CONFIG,
    ENVIRONMENT,
    EPOCHS,
    PREDICTIONS,
    RESULT,
    TENSORBOARD,
    VALIDATION,
    flatten,
)
from ser_aae.results.run_kinds import epoch_number
from ser_aae.results.tracking import chosen_trackers

Figures = Mapping[str, float]

_ARTEFACTS = (CONFIG, ENVIRONMENT, EPOCHS, VALIDATION, RESULT, PREDICTIONS)
_PROJECT = "ser-aae"
"""Name of the experiment, or project, where the tracker's own configuration names none."""

_MOST_AT_ONCE = 100
"""Parameters in one request to MLflow."""


@dataclass(frozen=True)
class TrackedRun:
    """A run as trackers are told of it.

    Attributes:
        name: Experiment, digest, fold and repetition: the end of its folder's path.
        digest: Eight digits that name its settings.
        folder: Where its files lie.
        parameters: Every setting by its dotted name.
    """

    name: str
    digest: str
    folder: Path
    parameters: Mapping[str, Any]


class Tracker(Protocol):
    """Teller of a run to one program."""

    def start(self, run: TrackedRun) -> bool:
        """Begin a run, or go on with one that was not ended; return whether it has no epoch yet."""

    def epoch(self, number: int, figures: Figures) -> None:
        """Tell the figures of an epoch of a stage, counted from 0."""

    def artefact(self, path: Path) -> None:
        """Keep a file of the run."""

    def end(self, figures: Figures, is_done: bool) -> None:
        """Tell the figures of the run, and that it has ended, or was interrupted."""


class TensorBoard:
    """Event files in the run's folder, a new one each time that it goes on."""

    def start(self, run: TrackedRun) -> bool:
        """Open a file."""
        self._writer = tf.summary.create_file_writer(str(run.folder / TENSORBOARD))
        return False  # it has had the rows before

    def epoch(self, number: int, figures: Figures) -> None:
        """Write scalars."""
        with self._writer.as_default(step=number):
            for name, value in figures.items():
                tf.summary.scalar(name, value)
        self._writer.flush()

    def artefact(self, path: Path) -> None:
        """Leave the file where it is: the events lie beside it."""

    def end(self, figures: Figures, is_done: bool) -> None:
        """Close the file."""
        self._writer.close()


class Mlflow:
    """A run of MLflow, in the experiment `$MLFLOW_EXPERIMENT_NAME` or `ser-aae`."""

    def start(self, run: TrackedRun) -> bool:
        """Find the run that was not finished, or create one."""
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient()
        experiment = self._experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", _PROJECT))
        same = f"tags.`ser-aae.run` = '{run.name}' and attributes.status != 'FINISHED'"
        if found := self._client.search_runs([experiment], same, max_results=1):
            self._id = found[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
            return not found[0].data.metrics
        tags = {
            "ser-aae.run": run.name,
            "ser-aae.digest": run.digest,
            "ser-aae.folder": str(run.folder),
        }
        self._id = self._client.create_run(experiment, tags=tags, run_name=run.name).info.run_id
        given = [Param(name, str(value)) for name, value in run.parameters.items()]
        for first in range(0, len(given), _MOST_AT_ONCE):
            self._client.log_batch(self._id, params=given[first : first + _MOST_AT_ONCE])
        return True

    def _experiment(self, name: str) -> str:
        """Return the number of an experiment, which is created where there is none."""
        from mlflow.exceptions import MlflowException

        if found := self._client.get_experiment_by_name(name):
            return found.experiment_id
        try:
            return self._client.create_experiment(name)
        except MlflowException:  # another run has created it meanwhile
            if found := self._client.get_experiment_by_name(name):
                return found.experiment_id
            raise

    def epoch(self, number: int, figures: Figures) -> None:
        """Log metrics with the epoch as their step."""
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [Metric(name, value, now, number) for name, value in figures.items()]
        self._client.log_batch(self._id, metrics=metrics)

    def artefact(self, path: Path) -> None:
        """Log an artefact."""
        self._client.log_artifact(self._id, str(path))

    def end(self, figures: Figures, is_done: bool) -> None:
        """Log the figures, and set the status."""
        if figures:
            self.epoch(0, figures)
        self._client.set_terminated(self._id, "FINISHED" if is_done else "KILLED")


class WeightsAndBiases:
    """A run of Weights & Biases, in the project `$WANDB_PROJECT` or `ser-aae`."""

    def start(self, run: TrackedRun) -> bool:
        """Begin a run, or go on with the one of the same name."""
        import wandb

        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", _PROJECT),
            name=run.name,
            id=run.name.replace("/", "-"),
            resume=None if os.environ.get("WANDB_MODE") == "offline" else "allow",
            config={**run.parameters, "digest": run.digest, "folder": str(run.folder)},
            settings=wandb.Settings(console="off", silent=True),
        )
        for stage in (1, 2):
            # an epoch counts within its stage, and a step of Weights & Biases only goes up
            self._run.define_metric(f"stage{stage}/*", step_metric=f"epoch/stage{stage}")
        return not self._run.step

    def epoch(self, number: int, figures: Figures) -> None:
        """Log figures with their epoch."""
        stages = {name.partition("/")[0] for name in figures}
        self._run.log({**figures, **{f"epoch/{stage}": number for stage in stages}})

    def artefact(self, path: Path) -> None:
        """Copy a file to where those lie that are sent at the end."""
        shutil.copy(path, self._run.dir)

    def end(self, figures: Figures, is_done: bool) -> None:
        """Write the figures into the summary, and finish."""
        self._run.summary.update(dict(figures))
        self._run.finish(exit_code=0 if is_done else 1)


_TRACKERS: dict[str, Callable[[], Tracker]] = {
    "tensorboard": TensorBoard,
    "mlflow": Mlflow,
    "wandb": WeightsAndBiases,
}


class Trackers:
    """All trackers of a run; `open_trackers` gives them."""

    def __init__(self, run: TrackedRun, names: Sequence[str], show: Show) -> None:
        """Start each.

        Raises:
            UserError: One cannot be started.
        """
        self._run, self._show = run, show
        self._trackers: dict[str, Tracker] = {}
        self._new: list[str] = []
        for name in names:
            tracker = _TRACKERS[name]()
            try:
                with _draws_kept():
                    is_new = tracker.start(run)
            except Exception as error:  # each program has errors of its own
                self.end(is_done=False)
                raise UserError(f"--log {name}: it cannot be started ({_reason(error)})") from error
            self._trackers[name] = tracker
            self._new += [name] if is_new else []

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Tell a line of the run's log."""
        figures = figures_of_epoch(row)
        self._tell(list(self._trackers), lambda tracker: tracker.epoch(epoch_number(row), figures))

    def catch_up(self) -> None:
        """Tell new runs of trackers the epochs that are in the log already, stage 1 among them."""
        path = self._run.folder / EPOCHS
        for row in read_jsonl(path) if self._new and path.is_file() else ():
            figures, number = figures_of_epoch(row), epoch_number(row)
            self._tell(self._new, lambda tracker, n=number, f=figures: tracker.epoch(n, f))

    def finish(self, result: Mapping[str, Any]) -> None:
        """Hand over files and figures of a run that has ended."""
        for path in (self._run.folder / name for name in _ARTEFACTS):
            if path.is_file():
                self._tell(list(self._trackers), lambda tracker, p=path: tracker.artefact(p))
        self.end(is_done=True, figures=figures_of_result(result))

    def end(self, *, is_done: bool, figures: Figures | None = None) -> None:
        """End each; nothing is told any more."""
        self._tell(list(self._trackers), lambda tracker: tracker.end(figures or {}, is_done))
        self._trackers = {}

    def _tell(self, names: Sequence[str], what: Callable[[Tracker], None]) -> None:
        """Tell some trackers something; one that fails is told nothing any more."""
        for name in names:
            if name not in self._trackers:
                continue
            try:
                with _draws_kept():
                    what(self._trackers[name])
            except Exception as error:  # a server that is gone must not end a training
                del self._trackers[name]
                self._show(f"warning: {name} is told nothing any more: {_reason(error)}")


@contextmanager
def open_trackers(
    config: RunConfig, folder: Path, show: Show, names: Sequence[str] | None = None
) -> Iterator[Trackers]:
    """Give the trackers of a run, those of `--log` unless they are named, and end them.

    Raises:
        UserError: One cannot be started.
    """
    run = TrackedRun(
        name="/".join(folder.absolute().parts[-3:]),
        digest=config.digest(),
        folder=folder.absolute(),
        parameters=flatten(config.to_dict()),
    )
    trackers = Trackers(run, chosen_trackers() if names is None else names, show)
    try:
        yield trackers
    finally:
        trackers.end(is_done=False)


def figures_of_epoch(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of a line of a run's log by `stage2/validation/unweighted_accuracy`."""
    groups = ("train", "validation", "latent", "learning_rates")
    return {
        f"stage{row['stage']}/{group}/{name}": float(value)
        for group in groups
        for name, value in row[group].items()
    }


def figures_of_result(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a run's record by their names."""
    return {
        name: float(value)
        for name, value in result.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


@contextmanager
def _draws_kept() -> Iterator[None]:
    """Put the global random numbers back to where they were."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _reason(error: Exception) -> str:
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"
