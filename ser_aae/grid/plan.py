"""Plan of a grid: the missing runs, and an estimate of their time and disk by the complete ones."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ser_aae.config import RunConfig
from ser_aae.files.atomic import parse_json
from ser_aae.grid.remote import open_place, relative_folder
from ser_aae.progress import duration
from ser_aae.results.folder import CONFIG, RESULT
from ser_aae.results.run_kinds import Result
from ser_aae.results.text import count_of
from ser_aae.training.pretraining_key import settings_of_stage_one

_SAMPLES = 20
"""Number of complete runs of a kind that an estimate reads; a long grid has thousands."""

Kind = tuple[Any, ...]


@dataclass(frozen=True)
class Plan:
    """Plan of a grid.

    Attributes:
        total: Number of runs of the grid, each counted once.
        missing: Runs that are not complete, those of `stage_ones` first: workers that begin with
            runs of the same stage 1 would wait for one another.
        stage_ones: Run for each stage 1 that is not computed yet.
        begun: Number of missing runs that were interrupted, and go on.
        seconds: Time of the missing runs on one worker; `None` if no run is complete to judge by.
        bytes: Disk space of the missing runs; `None` likewise.
    """

    total: int
    missing: tuple[RunConfig, ...]
    stage_ones: tuple[RunConfig, ...]
    begun: int
    seconds: float | None
    bytes: float | None

    def describe(self, workers: int, measured_s: float | None = None) -> list[str]:
        """Return the plan as lines.

        Args:
            workers: Number of runs at a time.
            measured_s: Time of the missing runs on this machine alone by measured steps, for want
                of complete runs.
        """
        done = self.total - len(self.missing)
        lines = [f"{count_of(self.total, 'run')}: {done} done, {len(self.missing)} to do"]
        if self.begun:
            lines[0] += f", {self.begun} of them begun"
        if self.missing and measured_s is not None:
            lines.append(
                f"by measured steps at most about {duration(measured_s)} on this machine alone"
            )
        elif self.missing and (self.seconds is None or self.bytes is None):
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
    """Complete run: its size, and its seconds for each epoch that each stage was allowed."""

    config: RunConfig
    pretraining: float
    training: float
    bytes: float


def make_plan(configs: Iterable[RunConfig], runs: str) -> Plan:
    """Return the plan of some runs, which may be named twice, in the run folders of a path or URL.

    Raises:
        UserError: The place cannot be opened, or a result in it not be read.
    """
    system, root = open_place(runs)
    unique = {relative_folder(config): config for config in configs}
    missing, done, begun = [], [], 0
    samples: list[_Sample] = []
    seen: Counter[Kind] = Counter()
    for relative, config in unique.items():
        folder = f"{root}/{relative}"
        if not system.isfile(f"{folder}/{RESULT}"):
            missing.append(config)
            begun += system.isfile(f"{folder}/{CONFIG}")
            continue
        done.append(config)
        kind = _kinds(config)[0]
        seen[kind] += 1
        if seen[kind] <= _SAMPLES:
            result = _read_result(system, f"{folder}/{RESULT}")
            samples.append(_sample(config, result, system.du(folder)))
    known = _by_stage_one(done)
    pretrained = [own for name, own in _by_stage_one(missing).items() if name not in known]
    estimate = _estimate(missing, pretrained, samples)
    first = set(map(relative_folder, pretrained))
    missing.sort(key=lambda config: relative_folder(config) not in first)
    return Plan(len(unique), tuple(missing), tuple(pretrained), begun, *estimate)


def pretraining_epochs(config: RunConfig) -> int:
    """Return the number of epochs of the stage 1 that a run begins with."""
    return config.training.pretraining_epochs if config.has_stage_one else 0


def _by_stage_one(configs: Iterable[RunConfig]) -> dict[str, RunConfig]:
    """Return a run for each stage 1 of some runs, by the settings that it depends on."""
    found = {}
    for config in configs:
        if pretraining_epochs(config):
            data, own = config.data, settings_of_stage_one(config)
            drawn = (data.auxiliary_subset, data.auxiliary_speakers, config.protocol.seed)
            # one on the run's own training part is shared with no other run
            run = () if config.auxiliary else relative_folder(config)
            found.setdefault(json.dumps([own, config.auxiliary, drawn, run]), config)
    return found


def _sample(config: RunConfig, result: Mapping[str, Any], folder_bytes: float) -> _Sample:
    first, epochs = result.get("pretraining_seconds", 0), pretraining_epochs(config)
    training = (result.get("seconds", 0) - first) / config.training.epochs
    # where there was no stage 1, an epoch of it is taken to be like any other
    return _Sample(config, first / epochs if epochs else training, training, folder_bytes)


def size(count: float) -> str:
    """Return a number of bytes for people: `2.5 kB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _estimate(
    missing: Sequence[RunConfig], pretrained: Sequence[RunConfig], samples: Sequence[_Sample]
) -> tuple[float | None, float | None]:
    """Return seconds and bytes of the missing runs, each by the complete runs most like it.

    Early stopping is taken to be as frequent as in those. `pretrained` has one run for each stage
    1 that has to be computed.
    """
    if not samples:
        return None, None
    groups: dict[Kind, list[_Sample]] = {}
    for sample in samples:
        for kind in _kinds(sample.config):
            groups.setdefault(kind, []).append(sample)

    def like(config: RunConfig) -> list[_Sample]:
        return next(groups[kind] for kind in _kinds(config) if kind in groups)

    seconds = volume = 0.0
    for config in missing:
        seconds += fmean(sample.training for sample in like(config)) * config.training.epochs
        volume += fmean(sample.bytes for sample in like(config))
    for config in pretrained:
        each = fmean(sample.pretraining for sample in like(config))
        seconds += each * pretraining_epochs(config)
    return seconds, volume


def _kinds(config: RunConfig) -> tuple[Kind, ...]:
    """Return the kinds of a run, from the narrowest to that of all runs."""
    return (
        (config.emotional, config.auxiliary, config.model),
        (config.emotional, config.auxiliary, config.model.kind),
        (config.model.kind,),
        (),
    )


def _read_result(system: Any, path: str) -> dict[str, Any]:
    return parse_json(system.cat_file(path), path, "remove the folder of the run", Result)
