"""Outcomes of searches, laid over the cells that they were made for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ser_aae.config import RunConfig
from ser_aae.config.build import read_documents
from ser_aae.config.fields import Given, read_value, search_dimensions
from ser_aae.config.kinds import KINDS
from ser_aae.errors import UserError

WEIGHTS = ALPHA, BETA = "model.alpha", "model.beta"

_OUTCOMES = "outcomes"


@dataclass(frozen=True)
class Outcome:
    """The outcome of one search.

    Attributes:
        task: Primary task of the search; cells of another task have nothing of its outcome.
        kind: `model.kind` of the search.
        values: Settings that a search can vary, by dotted name.
    """

    task: str = "emotion"
    kind: str = "mtl"
    values: Mapping[str, Any] = field(default_factory=dict)

    def to_yaml(self) -> str:
        """Return what `read_tuned` reads it from."""
        nested: dict[str, Any] = {"task": self.task, "model": {"kind": self.kind}}
        for name, value in self.values.items():
            group, _, leaf = name.partition(".")
            nested.setdefault(group, {})[leaf] = value
        return yaml.safe_dump(nested, sort_keys=False)


@dataclass(frozen=True)
class Tuned:
    """The outcomes of some searches, one for each task and kind of model; often of one alone."""

    outcomes: tuple[Outcome, ...] = ()

    def outcome_for(self, task: str, kind: str) -> Outcome | None:
        """Return the outcome that is nearest to a model: of its kind, its family, or any.

        One of another task is none.
        """
        of_task = [outcome for outcome in self.outcomes if outcome.task == task]
        return min(
            of_task,
            key=lambda outcome: (outcome.kind != kind, not _are_related(outcome.kind, kind)),
            default=None,
        )

    def settings_for(self, task: str, kind: str) -> dict[str, Any]:
        """Return the settings that a cell of this task and `model.kind` takes.

        Alpha and beta go to models of the searched family alone, as each family has its own in
        Sec. 5.1; the rest goes to all.
        """
        if (found := self.outcome_for(task, kind)) is None:
            return {}
        takes_weights = _are_related(found.kind, kind)
        return {
            name: value
            for name, value in found.values.items()
            if takes_weights or name not in WEIGHTS
        }

    def to_yaml(self) -> str:
        """Return the content of a file that `read_tuned` reads."""
        return join_documents([outcome.to_yaml() for outcome in self.outcomes])

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, ready for JSON: those of the outcome itself where it is the only."""
        plain = [asdict(outcome) for outcome in self.outcomes]
        return plain[0] if len(plain) == 1 else {_OUTCOMES: plain}


def tuned_from(plain: Mapping[str, Any]) -> Tuned:
    """Return what `Tuned.to_plain` has written; an empty mapping is no search.

    Raises:
        TypeError: The values are of something else.
    """
    if not plain:
        return Tuned()
    return Tuned(tuple(Outcome(**values) for values in plain.get(_OUTCOMES, [plain])))


def join_documents(documents: Sequence[str]) -> str:
    """Return one YAML text of several, which keep their comments."""
    return "---\n".join(documents)


def read_tuned(path: Path) -> Tuned:
    """Read the settings that searches have chosen from a `best.yaml`, or several joined in one.

    An experiment has its own of the file's other settings, as the corpus or the epochs.

    Raises:
        UserError: The file cannot be read, a setting cannot be, two searches are of one task and
            kind of model, or no setting is varied by a search.
    """
    outcomes = [_read_outcome(given) for given in read_documents(path)]
    if not any(outcome.values for outcome in outcomes):
        raise UserError(
            f"--tuned {path}: expected the best.yaml of ser-aae tune, with some of "
            f"{', '.join(_list_tunable())}; found none of them"
        )
    searched = [(outcome.task, outcome.kind) for outcome in outcomes]
    for task, kind in searched:
        if searched.count((task, kind)) > 1:
            raise UserError(
                f"--tuned {path}: has two searches of {kind} for the task {task}; remove one"
            )
    return Tuned(tuple(outcomes))


def _read_outcome(given: Sequence[Given]) -> Outcome:
    default = RunConfig()
    values = {item.key: read_value(item) for item in given}
    return Outcome(
        values.get("task", default.task),
        values.get("model.kind", default.model.kind),
        {key: values[key] for key in values if key in _list_tunable()},
    )


def _list_tunable() -> list[str]:
    return [key for keys in search_dimensions().values() for key in keys]


def _are_related(one: str, other: str) -> bool:
    return KINDS[one].family == KINDS[other].family
