"""Commands that a reader can paste: to recompute a figure, or to fill a cell that is empty."""

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ser_aae.config import RunConfig
from ser_aae.experiments import Setup, with_settings
from ser_aae.presets import PRESETS
from ser_aae.results.folder import CONFIG, flatten

_FLAGS = {
    "dataset": "--dataset",
    "auxiliary": "--auxiliary",
    "task": "--task",
    "classes": "--classes",
    "model.kind": "--model",
    "protocol.name": "--protocol",
}
"""Settings that `ser-aae train` has a flag for."""

_ALWAYS = ("dataset", "model.kind", "protocol.name")
_OF_A_RUN = ("seed", "protocol.fold")


def evaluate_command(folder: str) -> str:
    """Return the command that recomputes the figures of a folder."""
    return f"ser-aae evaluate {shlex.quote(folder)}"


def train_command(folder: Path, like: Path, runs: Path) -> str:
    """Return the command that trains the run of `folder` with the config of the run `like`."""
    fold, seed = (int(digits) for digits in re.findall(r"\d+", folder.name))
    return (
        f"ser-aae train --config {shlex.quote(str(like / CONFIG))} --set protocol.fold={fold} "
        f"--set seed={seed} --runs {shlex.quote(str(runs))}"
    )


def train_command_of(config: RunConfig, max_folds: int, runs: Path) -> str:
    """Return the command that trains the first repetition of an experiment.

    Args:
        config: Any run of it.
        max_folds: 1 for the first fold alone, else all.
        runs: Where run folders lie.
    """
    plain = config.to_dict()
    preset, changed = shortest_settings(plain, (*_OF_A_RUN, *_ALWAYS))
    values = {name: str(value) for name, value in flatten(plain) if name in _ALWAYS} | changed
    words = ["ser-aae", "train"]
    for name, flag in _FLAGS.items():
        if values.get(name):
            words += [flag, *(values[name].split(",") if name == "auxiliary" else [values[name]])]
    words += _preset(preset)
    for name, value in values.items():
        if name not in _FLAGS:
            words += ["--set", f"{name}={value}"]
    words += ["--fold", "0" if max_folds == 1 else "all", "--runs", str(runs)]
    return shlex.join(words)


def reproduce_command(artefact: str, setup: Setup, runs: Path) -> str:
    """Return the command that runs what is missing of an artefact."""
    without = ("dataset", "auxiliary", *_OF_A_RUN)
    preset, changed = shortest_settings(setup.base.to_dict(), without)
    words = ["ser-aae", "reproduce", artefact, "--budget", setup.budget.name]
    usual = Setup()
    if setup.datasets != usual.datasets:
        words += ["--datasets", *setup.datasets]
    if setup.auxiliary != usual.auxiliary:
        words += ["--auxiliary", setup.auxiliary or "none"]
    if setup.max_auxiliary_speakers != usual.max_auxiliary_speakers:
        words += ["--auxiliary-speakers", str(setup.max_auxiliary_speakers)]
    words += _preset(preset)
    for name, value in changed.items():
        words += ["--set", f"{name}={value}"]
    return shlex.join([*words, "--runs", str(runs)])


def shortest_settings(
    config: Mapping[str, Any], without: Iterable[str]
) -> tuple[str, dict[str, str]]:
    """Return the preset that a config is nearest to, and what it changes of it, as text.

    Args:
        config: As `config.json` holds it. Settings that this version does not know count as
            changed; the digests of corpora, which a run adds, are none.
        without: Settings to leave out.
    """
    left_out = set(without)
    chosen = {name: value for name, value in config.items() if name != "corpora"}
    wanted = {name: str(value) for name, value in flatten(chosen) if name not in left_out}
    found = {}
    for preset, values in PRESETS.items():
        begun = dict(flatten(with_settings(RunConfig(), values).to_dict()))
        found[preset] = {
            name: text for name, text in wanted.items() if text != str(begun.get(name))
        }
    nearest = min(found, key=lambda preset: len(found[preset]))
    return nearest, found[nearest]


def _preset(preset: str) -> list[str]:
    return [] if preset == next(iter(PRESETS)) else ["--preset", preset]
