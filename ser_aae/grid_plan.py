"""What a grid would do: which runs are missing, and what they will take by those that are done."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.grid import duration
from ser_aae.grid_storage import open_place, relative_folder
from ser_aae.results.folder import CONFIG, RESULT

_SAMPLES = 20
"""Complete runs of a kind that an estimate looks at; a long grid has thousands."""

Kind = tuple[Any, ...]


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        total: Runs of the grid, each counted once.
        missing: Those that are not complete.
        begun: How many of the missing were interrupted, and go on.
        seconds: That the missing take on one worker; `None` where no run is done to judge by.
        bytes: That they leave on disk; `None` likewise.
    """

    total: int
    missing: tuple[RunConfig, ...]
    begun: int
    seconds: float | None
    bytes: float | None

    def describe(self, workers: int) -> list[str]:
        """Return the plan as lines; `workers` train at a time."""
        done = self.total - len(self.missing)
        lines = [f"{self.total} runs: {done} done, {len(self.missing)} to do"]
        if self.begun:
            lines[0] += f", {self.begun} of them begun"
        if self.missing and (self.seconds is None or self.bytes is None):
            lines.append("no run is done yet from which time and disk could be estimated")
        elif self.missing:
            at_once = max(1, min(workers, len(self.missing)))
            lines.append(
                f"by the runs done so far about {duration(self.seconds / at_once)} with "
                f"{at_once} at a time, and {size(self.bytes)} of disk"
            )
        return lines


@dataclass(frozen=True)
class _Sample:
    """What a complete run took for each epoch that it was allowed, and the size of its folder."""

    config: RunConfig
    seconds_per_epoch: float
    bytes: float


def make_plan(configs: Iterable[RunConfig], runs: str) -> Plan:
    """Look at which runs are complete.

    Args:
        configs: May name a run twice.
        runs: Path or URL of the run folders.

    Raises:
        UserError: The place cannot be opened, or a result in it not be read.
    """
    system, root = open_place(runs)
    unique = {relative_folder(config): config for config in configs}
    missing, begun = [], 0
    samples: list[_Sample] = []
    seen: dict[Kind, int] = {}
    for relative, config in unique.items():
        folder = f"{root}/{relative}"
        if not system.isfile(f"{folder}/{RESULT}"):
            missing.append(config)
            begun += system.isfile(f"{folder}/{CONFIG}")
            continue
        kind = _kinds(config)[0]
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= _SAMPLES:
            result = _read_result(system, f"{folder}/{RESULT}")
            seconds = result.get("seconds", 0) / most_epochs(config)
            samples.append(_Sample(config, seconds, system.du(folder)))
    return Plan(len(unique), tuple(missing), begun, *_estimate(missing, samples))


def most_epochs(config: RunConfig) -> int:
    """Return how many epochs a run is allowed, of both stages."""
    first = config.training.pretraining_epochs if config.auxiliary else 0
    return first + config.training.epochs


def size(count: float) -> str:
    """Return a number of bytes as a person says it."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _estimate(
    missing: Sequence[RunConfig], samples: Sequence[_Sample]
) -> tuple[float | None, float | None]:
    """Return seconds and bytes of the missing runs, each by the done ones that are most like it.

    Early stopping is in it as often as it was in those.
    """
    if not samples:
        return None, None
    groups: dict[Kind, list[_Sample]] = {}
    for sample in samples:
        for kind in _kinds(sample.config):
            groups.setdefault(kind, []).append(sample)
    means = {
        kind: (fmean(s.seconds_per_epoch for s in group), fmean(s.bytes for s in group))
        for kind, group in groups.items()
    }
    return _sums(missing, means)


def _sums(
    missing: Sequence[RunConfig], means: Mapping[Kind, tuple[float, float]]
) -> tuple[float, float]:
    seconds = volume = 0.0
    for config in missing:
        per_epoch, each = next(means[kind] for kind in _kinds(config) if kind in means)
        seconds += per_epoch * most_epochs(config)
        volume += each
    return seconds, volume


def _kinds(config: RunConfig) -> tuple[Kind, ...]:
    """Return what a run is like, from the nearest to the farthest; the last is all runs."""
    return (
        (config.dataset, config.auxiliary, config.model),
        (config.dataset, config.auxiliary, config.model.kind),
        (config.model.kind,),
        (),
    )


def _read_result(system: Any, path: str) -> dict[str, Any]:
    try:
        result: dict[str, Any] = json.loads(system.cat_file(path))
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error}); remove the folder of the run") from error
    return result
