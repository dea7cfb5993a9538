"""Spaces of a search, as data: named dimensions, each a list of values for settings.

A trial is a point: for each dimension the number of one of its values. Keras Tuner sees these
numbers alone. So values stay exact where its own steps would make 0.30000000000000004 of 0.3,
another config with another digest; and values on a log scale are evenly spread.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ser_aae.config import RunConfig
from ser_aae.config.fields import nearest, search_dimensions
from ser_aae.errors import UserError
from ser_aae.experiments.weight_sweeps import FIGURE_5, WEIGHT_SWEEPS

Point = tuple[int, ...]


@dataclass(frozen=True)
class Dimension:
    """One thing that a search varies.

    Attributes:
        name: As in `--space`.
        keys: Settings by dotted name, which all take the same value.
        doc: Its meaning, for `--help` and pictures.
    """

    name: str
    keys: tuple[str, ...]
    values: tuple[int | float | str, ...]
    doc: str


DIMENSIONS: Mapping[str, Dimension] = {
    item.name: Dimension(item.name, keys, item.values, item.doc)
    for item, keys in search_dimensions().items()
}
"""Name to dimension. Latent channels, alpha and beta are searched as in Sec. 5.1; the others are
switched on by name."""


def _shares_a_step(config: RunConfig) -> bool:
    return config.training.update == "joint" and len(config.model.traits.phases) > 1


def _weighs_classification(config: RunConfig) -> bool:
    """Return whether a factor of L_c changes anything; Adam cancels one of a whole gradient."""
    is_kept = config.training.optimiser == "sgd" or _shares_a_step(config)
    return config.model.traits.is_multitask or is_kept


_Need = tuple[Callable[[RunConfig], bool], str]

_NEEDS: Mapping[str, _Need] = {
    "latent": (
        lambda config: config.model.traits.trunk == "encoder",
        "changes nothing here: a CNN has no latent code",
    ),
    "alpha": (
        lambda config: config.model.traits.reconstructs,
        "changes nothing here: a CNN reconstructs nothing",
    ),
    "beta": (
        _weighs_classification,
        "changes nothing here: a model of one task weighs it against no other, and Adam divides "
        "a gradient by its own size",
    ),
    "auxiliary-ratio": (lambda config: bool(config.auxiliary), "goes with --auxiliary"),
}
"""Dimension to the condition under which it changes a run, and the refusal otherwise."""

_ALWAYS: _Need = (lambda config: True, "")


@dataclass(frozen=True)
class Space:
    """Points of a search.

    Attributes:
        name: As the user wrote it.
        dimensions: In the order of a point's numbers.
        listed: Points, where they are not all combinations.
    """

    name: str
    dimensions: tuple[Dimension, ...]
    listed: tuple[Point, ...] | None = None

    def points(self) -> Iterator[Point]:
        """Yield every point once, the last dimension going round fastest."""
        if self.listed is not None:
            return iter(self.listed)
        return itertools.product(*(range(len(item.values)) for item in self.dimensions))

    def size(self) -> int:
        """Return how many points there are."""
        return sum(1 for _ in self.points())

    def settings(self, point: Sequence[int]) -> dict[str, int | float | str]:
        """Return the settings of a point by dotted name."""
        return {
            key: dimension.values[number]
            for dimension, number in zip(self.dimensions, point, strict=True)
            for key in dimension.keys
        }

    def changes(self) -> list[dict[str, int | float | str]]:
        """Return the settings of each value of each dimension, by dotted name."""
        return [
            dict.fromkeys(dimension.keys, value)
            for dimension in self.dimensions
            for value in dimension.values
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the dimensions with their settings and values, for the record."""
        return {
            item.name: {"keys": list(item.keys), "values": list(item.values), "doc": item.doc}
            for item in self.dimensions
        }


def read_space(text: str) -> Space:
    """Return the space of `--space`: names of dimensions with commas between, or `figure-5`.

    Raises:
        UserError: There is no such dimension, or one is named twice.
    """
    if text == FIGURE_5:
        return _figure_5()
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in DIMENSIONS:
            raise UserError(
                f"--space: there is no {name!r}{nearest(name, [*DIMENSIONS, FIGURE_5])}"
            )
        if names.count(name) > 1:
            raise UserError(f"--space: {name} is named twice; remove one")
    return Space(",".join(names), tuple(DIMENSIONS[name] for name in names))


def check_space(space: Space, config: RunConfig) -> None:
    """Refuse a dimension that changes nothing: its trials would be the same run again.

    Raises:
        UserError: There is one; its message says why.
    """
    for dimension in space.dimensions:
        changes_run, refusal = _NEEDS.get(dimension.name, _ALWAYS)
        if not changes_run(config):
            raise UserError(f"--space: {dimension.name} {refusal}")


def narrow_space(space: Space, config: RunConfig) -> Space:
    """Return the space without the dimensions that change nothing with a config."""
    acting = [item for item in space.dimensions if _NEEDS.get(item.name, _ALWAYS)[0](config)]
    if len(acting) == len(space.dimensions):
        return space
    return Space(",".join(item.name for item in acting), tuple(acting))


def _figure_5() -> Space:
    """Return the space of the points of Fig. 5, that of both curves once."""
    dimensions = DIMENSIONS["alpha"], DIMENSIONS["beta"]
    points = [
        tuple(item.values.index(sweep.point(value)[item.name]) for item in dimensions)
        for sweep in WEIGHT_SWEEPS
        for value in sweep.values
    ]
    return Space(FIGURE_5, dimensions, tuple(dict.fromkeys(points)))
