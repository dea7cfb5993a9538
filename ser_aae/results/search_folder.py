"""The folder of a search for settings: its files, reading them back, and the order of its trials.

```
<runs>/searches/<dataset>-<task>-<model>-<protocol>/<digest>/
  search.json    its definition: the space, the folds, the config, the digests of the corpora
  trials.json    every trial: its values, its seeds, its objective, the folders of its runs
  best.yaml      the settings of the best trial, which `ser-aae train --config` takes
```
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ser_aae.config import RunConfig, complete_stored
from ser_aae.errors import DamagedError
from ser_aae.files.atomic import has_file, read_json
from ser_aae.files.records import Record
from ser_aae.labels import PRIMARY_TASKS
from ser_aae.results.folder import find_with

SEARCHES = "searches"
"""Folder below the runs that holds the searches."""

SEARCH, TRIALS, BEST = "search.json", "trials.json", "best.yaml"

OBJECTIVE = "validation_unweighted_accuracy"
"""The maximised score: utterance-level UA on validation speakers, the mean over a trial's runs.

Under this name each run's own value stands in `trials.json`.
"""

_KIND = "a file of a search"
_MEND = "give the search's command again, which writes it anew"

_Trial = TypeVar("_Trial", bound=Mapping[str, Any])


class Dimension(Record):
    """A dimension of a search."""

    values: list[int | float | str]


class SearchedConfig(Record):
    """The settings of a search that are shown of it."""

    class Model(Record):
        """The settings of its networks."""

        kind: str

    class Training(Record):
        """The settings of its training."""

        epochs: int

    task: str
    dataset: str
    model: Model
    training: Training


class Definition(Record):
    """`search.json`."""

    space: str
    algorithm: str
    dimensions: dict[str, Dimension]
    folds: list[int]
    executions: int
    config: SearchedConfig


class TrialRun(Record):
    """A run of a trial."""

    validation_unweighted_accuracy: float


class Trial(Record):
    """A completed trial."""

    trial: str
    values: dict[str, int | float | str]
    epochs: int
    objective: float
    runs: list[TrialRun]


class Trials(Record):
    """`trials.json`."""

    best: str | None = None
    trials: list[Trial]


@dataclass(frozen=True)
class Searched:
    """Definition and completed trials of a search.

    Attributes:
        dimensions: Name of each dimension to its values, in order.
        rows: The completed trials in the order of their beginning; `values` and `objective`.
        definition: All of `search.json`.
    """

    dimensions: Mapping[str, Sequence[Any]]
    rows: Sequence[Mapping[str, Any]]
    definition: Mapping[str, Any]

    @property
    def task(self) -> str:
        """The primary task."""
        return str(self.definition["config"]["task"])

    @property
    def runs_of_a_trial(self) -> int:
        """Number of runs that a trial is the mean of: every fold with every seed."""
        return len(self.definition["folds"]) * int(self.definition["executions"])

    @property
    def longest(self) -> "Searched":
        """The search with the trials of most epochs alone: hyperband's others were only heats."""
        most = max((row["epochs"] for row in self.rows), default=0)
        return replace(self, rows=[row for row in self.rows if row["epochs"] == most])

    def places(self, name: str) -> np.ndarray:
        """Return the number of each trial's value in a dimension, `(trials,)`."""
        values = list(self.dimensions[name])
        return np.array([values.index(row["values"][name]) for row in self.rows])

    def accuracies(self) -> np.ndarray:
        """Return each trial's objective in per cent, `(trials,)`."""
        return np.array([100 * float(row["objective"]) for row in self.rows])


def rank_trials(rows: Iterable[_Trial]) -> list[_Trial]:
    """Return completed trials, the best first: those of most epochs, by their objective."""
    return sorted(rows, key=lambda row: (-row["epochs"], -row["objective"]))


def find_searches(runs: Path) -> list[Path]:
    """Return the folders of searches below a folder of runs, sorted by path.

    Raises:
        UserError: A folder below may not be read.
    """
    return sorted(find_with(runs, SEARCH, TRIALS))


def read_search(folder: Path) -> Searched:
    """Read the folder of a search.

    Raises:
        UserError: A file cannot be read, or is not what a search writes.
    """
    definition = read_json(folder / SEARCH, _KIND, _MEND, Definition)
    definition["config"] = complete_stored(definition["config"], RunConfig)
    trials = read_trials(folder)["trials"]
    dimensions = {name: item["values"] for name, item in definition["dimensions"].items()}
    searched = Searched(dimensions, trials, definition)
    try:
        for name in dimensions:
            searched.places(name)
        PRIMARY_TASKS.index(searched.task)
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedError(
            f"{folder / TRIALS}: does not fit {SEARCH} ({error!r}); {_MEND}"
        ) from error
    return searched


def read_trials(folder: Path) -> dict[str, Any]:
    """Read `trials.json` of a search: `best` and `trials`, none before the first has ended.

    Raises:
        DamagedError: It cannot be read, or is not what a search writes.
    """
    path = folder / TRIALS
    if not has_file(path) and not (folder / BEST).exists():
        return {"best": None, "trials": []}
    return read_json(path, _KIND, _MEND, Trials)


def read_searches(runs: Path) -> dict[Path, Searched]:
    """Read every search below a folder of runs that has a completed trial.

    Raises:
        UserError: A file of a search cannot be read.
    """
    found = {folder: read_search(folder) for folder in find_searches(runs)}
    return {folder: searched for folder, searched in found.items() if searched.rows}
