"""What a search has chosen, laid over the cells that it was chosen for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ser_aae.config import RunConfig
from ser_aae.config_fields import read_value
from ser_aae.config_file import build_config, read_file
from ser_aae.errors import UserError

TUNABLE = (
    "model.latent_channels",
    "model.alpha",
    "model.beta",
    "training.optimiser",
    "training.learning_rate",
    "frontend.scale",
    "data.mask_bins",
    "data.mask_frames",
    "data.auxiliary_ratio",
)
"""Settings that a search can vary. What else its file holds, as the corpus or the epochs of a
trial, an experiment says itself."""

_WEIGHTS = ("model.alpha", "model.beta")


@dataclass(frozen=True)
class Tuned:
    """The outcome of a search.

    Attributes:
        task: Primary task that it was made with; cells of another task have nothing of it.
        kind: `model.kind` that it was made with. Alpha and beta go to models of that family
            alone, as each family has its own in Sec. 5.1; the rest goes to all.
        values: Settings by dotted name, some of `TUNABLE`.
    """

    task: str = "emotion"
    kind: str = "mtl"
    values: Mapping[str, Any] = field(default_factory=dict)

    def settings_for(self, task: str, kind: str) -> dict[str, Any]:
        """Return what a cell takes of it.

        Args:
            task: The cell's primary task.
            kind: The cell's `model.kind`.
        """
        if task != self.task:
            return {}
        is_related = family_of(kind) == family_of(self.kind)
        return {
            name: value for name, value in self.values.items() if is_related or name not in _WEIGHTS
        }

    def to_yaml(self) -> str:
        """Return it as a file that `read_tuned` takes."""
        nested: dict[str, Any] = {"task": self.task, "model": {"kind": self.kind}}
        for name, value in self.values.items():
            group, _, leaf = name.partition(".")
            nested.setdefault(group, {})[leaf] = value
        return yaml.safe_dump(nested, sort_keys=False)


def family_of(kind: str) -> str:
    """Return the model that a kind is a form of: `"aae"`, `"ae"` or `"cnn"` (Sec. 5)."""
    plain = kind.removesuffix("-mtl")
    return plain if plain in ("ae", "cnn") else "aae"


def read_tuned(path: Path) -> Tuned:
    """Read the `best.yaml` of a search, or a file like it.

    Raises:
        UserError: It cannot be read, a setting cannot be, or it has none of `TUNABLE`.
    """
    config: RunConfig = build_config(file=path)
    values = {item.key: read_value(item) for item in read_file(path) if item.key in TUNABLE}
    if not values:
        raise UserError(
            f"--tuned {path}: expected the best.yaml of ser-aae tune, with some of "
            f"{', '.join(TUNABLE)}; found none of them"
        )
    return Tuned(config.task, config.model.kind, values)
