"""Outcome of a search, laid over the cells that it was made for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ser_aae.config.build import build_config, read_file
from ser_aae.config.fields import read_value, search_dimensions
from ser_aae.config.kinds import KINDS
from ser_aae.errors import UserError

WEIGHTS = ALPHA, BETA = "model.alpha", "model.beta"


@dataclass(frozen=True)
class Tuned:
    """The outcome of a search.

    Attributes:
        task: Primary task of the search; cells of another task have nothing of its outcome.
        kind: `model.kind` of the search. Alpha and beta go to models of that family alone, as
            each family has its own in Sec. 5.1; the rest goes to all.
        values: Settings that a search can vary, by dotted name.
    """

    task: str = "emotion"
    kind: str = "mtl"
    values: Mapping[str, Any] = field(default_factory=dict)

    def settings_for(self, task: str, kind: str) -> dict[str, Any]:
        """Return the settings that a cell of this task and `model.kind` takes."""
        if task != self.task:
            return {}
        is_related = KINDS[kind].family == KINDS[self.kind].family
        return {
            name: value for name, value in self.values.items() if is_related or name not in WEIGHTS
        }

    def to_yaml(self) -> str:
        """Return the content of a file that `read_tuned` reads."""
        nested: dict[str, Any] = {"task": self.task, "model": {"kind": self.kind}}
        for name, value in self.values.items():
            group, _, leaf = name.partition(".")
            nested.setdefault(group, {})[leaf] = value
        return yaml.safe_dump(nested, sort_keys=False)


def read_tuned(path: Path) -> Tuned:
    """Read the settings that a search can vary from its `best.yaml`, or a file like it.

    An experiment has its own of the file's other settings, as the corpus or the epochs.

    Raises:
        UserError: The file cannot be read, a setting cannot be, or none is varied by a search.
    """
    config = build_config(file=path)
    tunable = [key for keys in search_dimensions().values() for key in keys]
    values = {item.key: read_value(item) for item in read_file(path) if item.key in tunable}
    if not values:
        raise UserError(
            f"--tuned {path}: expected the best.yaml of ser-aae tune, with some of "
            f"{', '.join(tunable)}; found none of them"
        )
    return Tuned(config.task, config.model.kind, values)
