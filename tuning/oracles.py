"""Keras Tuner's oracles, made to outlive a kill at any moment.

Keras Tuner writes its state in place, takes a trial that was being run for a lost one, and its
grid forgets on reloading where it was. Here every file is whole at every moment, a trial that
has not completed is run again, and one that has is neither lost nor repeated.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras_tuner

from ser_aae.errors import DamagedError
from ser_aae.files.atomic import has_file, make_folder, read_json, write_json
from ser_aae.files.records import Record
from ser_aae.results.search_folder import OBJECTIVE
from tuning.definition import Search
from tuning.hypermodel import declare
from tuning.space import Point

STATE = "oracle"
"""Folder below a search's that holds the state of its oracle."""

COMPLETED, IDLE, STOPPED, RUNNING = "COMPLETED", "IDLE", "STOPPED", "RUNNING"


_NO_STATE = (KeyError, ValueError, TypeError, AttributeError)
"""Errors of Keras Tuner about a state that is none."""


class OracleState(Record):
    """`oracle.json`, of which Keras Tuner reads more."""

    ongoing_trials: dict[str, str]
    hyperparameters: dict[str, Any]
    start_order: list[str]
    end_order: list[str]
    run_times: dict[str, int]
    retry_queue: list[str]
    seed: int | None
    seed_state: int | None
    tried_so_far: list[str]
    id_to_hash: dict[str, str | None]
    display: dict[str, Any]


class TrialState(Record):
    """`trial.json`, of which Keras Tuner reads more."""

    trial_id: str
    hyperparameters: dict[str, Any]
    metrics: dict[str, Any]
    score: float | None
    best_step: int | None
    status: str
    message: str | None


class DurableOracle(keras_tuner.Oracle):
    """Oracle whose state on disk is whole at every moment; see the module.

    Attributes:
        on_end: Called after a trial has ended and its state is on disk.
    """

    on_end: Callable[[keras_tuner.engine.trial.Trial], None] = staticmethod(lambda trial: None)

    def save(self) -> None:
        """Write the state, whole or not at all."""
        write_json(Path(self._get_oracle_fname()), self.get_state())

    def _save_trial(self, trial: keras_tuner.engine.trial.Trial) -> None:
        write_json(self._trial_file(trial.trial_id), trial.get_state())

    def resume(self) -> None:
        """Take up the state on disk, if there is one."""
        if has_file(Path(self._get_oracle_fname())):
            self.reload()

    def reload(self) -> None:
        """Take up the state on disk.

        A trial is written before the oracle's own state. So a trial may be on disk that the
        state does not know: no worker was given it, and it is forgotten. And a trial may have
        completed that the state has as running: the trial's own file counts.

        Raises:
            DamagedError: A file of the state cannot be read.
        """
        self._check_state()
        super().reload()
        # in their order, which what is fitted to them depends on; files are found in any order
        self.trials = {name: self.trials[name] for name in self.start_order}
        done = [name for name in self.start_order if self.trials[name].status == COMPLETED]
        ended = [name for name in self.end_order if name in done]
        self.end_order = ended + [name for name in done if name not in ended]
        # the queue is taken from its end
        self._retry_queue = [name for name in reversed(self.start_order) if name not in done]

    def _trial_file(self, name: str) -> Path:
        return Path(self._get_trial_dir(name)) / "trial.json"

    def _check_state(self) -> None:
        """Refuse a file that Keras Tuner could not read, or would read as something else."""
        state = Path(self._get_oracle_fname())
        expected, mend = "a file of a search", f"remove {state.parent} and give the command again"
        mend += ": runs that are trained are found"
        known = read_json(state, expected, mend, OracleState)
        begun = {self._trial_file(name) for name in known["start_order"]}
        try:
            space = keras_tuner.HyperParameters.from_config(known["hyperparameters"]).space
        except _NO_STATE as error:
            raise DamagedError(f"{state}: it is damaged ({error!r}); {mend}") from error
        for path in sorted(begun.union(state.parent.glob("trial_*/trial.json"))):
            content = read_json(path, expected, mend, TrialState)
            try:
                trial = keras_tuner.engine.trial.Trial.from_state(content)
                for dimension in space:
                    trial.hyperparameters.values[dimension.name]
            except _NO_STATE as error:
                raise DamagedError(f"{path}: it is damaged ({error!r}); {mend}") from error

    def give_back(self, tuner_id: str) -> str | None:
        """Let the trial of a worker that died be run again; return its name, if it had one."""
        self.tuner_ids.discard(tuner_id)
        trial = self.ongoing_trials.pop(tuner_id, None)
        if trial is None:
            return None
        self._retry_queue.append(trial.trial_id)
        self.save()
        return str(trial.trial_id)

    def adopt(self, tuner_id: str, trial_id: str) -> None:
        """Leave a trial with the worker that runs it, if no other was given it meanwhile.

        Such a worker has outlived its chief, or was taken for dead.
        """
        if trial_id in self._retry_queue and tuner_id not in self.ongoing_trials:
            self._retry_queue.remove(trial_id)
            self.tuner_ids.add(tuner_id)
            self.ongoing_trials[tuner_id] = self.trials[trial_id]
            self.trials[trial_id].status = RUNNING
            self.save()

    def _random_values(self) -> dict[str, Any] | None:
        """Return a random point that was not tried, `None` where twenty draws have found none.

        A worker asks again and again until the others have ended. The draws of all these times are
        the same, so that no trial comes of a wait.
        """
        before = self._seed_state
        values: dict[str, Any] | None = super()._random_values()
        if values is None:
            self._seed_state = before
        return values

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> keras_tuner.engine.trial.Trial:
        """Return a worker's next trial.

        No worker is dismissed while others run trials: one of them may die, and its trial has
        to be run again.
        """
        trial = super().create_trial(tuner_id)
        if trial.status == STOPPED and self.ongoing_trials:
            trial.status = IDLE
        return trial

    @keras_tuner.synchronized
    def end_trial(self, trial: keras_tuner.engine.trial.Trial) -> None:
        """End a trial, once: a worker taken for dead may end it a second time."""
        if trial.trial_id in self.end_order:
            return
        if trial.trial_id in self._retry_queue:
            self._retry_queue.remove(trial.trial_id)
        super().end_trial(trial)
        self.on_end(self.trials[trial.trial_id])


class ListedOracle(DurableOracle):
    """Every point of a list, in its order: a whole grid, or the points of a figure."""

    points: list[Point]

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the point after the last one that was begun."""
        number = len(self.start_order)
        if number >= len(self.points):
            return {"status": STOPPED, "values": None}
        names = [item.name for item in self.hyperparameters.space]
        return {"status": RUNNING, "values": dict(zip(names, self.points[number], strict=True))}


class RandomOracle(DurableOracle, keras_tuner.oracles.RandomSearchOracle):
    """Points drawn at random, none of them twice."""


class BayesianOracle(DurableOracle, keras_tuner.oracles.BayesianOptimizationOracle):
    """Points where a Gaussian process expects the best, none of them twice."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the point that the process asks for, or a random one where that was tried."""
        response: dict[str, Any] = super().populate_space(trial_id)
        values = response.get("values")
        if values is not None and self._duplicate(values):
            return dict(self._random_populate_space())
        return response

    def get_state(self) -> dict[str, Any]:
        """Return the state with that of the random starts, which Keras Tuner forgets."""
        name, words, position, *_ = self._random_state.get_state()
        drawn = {"random_state": [name, words.tolist(), position]}
        return {**super().get_state(), **drawn}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take up a state; one of an earlier version lacks that of the random starts."""
        super().set_state(state)
        if "random_state" in state:
            self._random_state.set_state(state["random_state"])


class HyperbandOracle(DurableOracle, keras_tuner.oracles.HyperbandOracle):
    """Many points with few epochs, and the better of them again with more."""


def build_oracle(search: Search, folder: Path) -> DurableOracle:
    """Return the oracle of a search, with its space known and its state in `folder / STATE`."""
    space = keras_tuner.HyperParameters()
    declare(space, search.space)
    shared: dict[str, Any] = {
        "objective": keras_tuner.Objective(OBJECTIVE, "max"),
        "hyperparameters": space,
        "seed": search.config.seed + 1,  # of 0 Keras Tuner makes a random one
    }
    oracle: DurableOracle
    if search.algorithm == "grid":
        oracle = ListedOracle(**shared)
        oracle.points = list(search.space.points())
    elif search.algorithm == "random":
        oracle = RandomOracle(max_trials=search.trials, **shared)
    elif search.algorithm == "bayesian":
        oracle = BayesianOracle(max_trials=search.trials, **shared)
    else:
        oracle = HyperbandOracle(max_epochs=search.config.training.epochs, **shared)
    oracle.verbose = 0
    make_folder(folder / STATE)  # which tells what else lies there
    oracle._set_project_dir(str(folder), STATE)
    return oracle
