"""Commands that a reader can paste: to recompute a figure, or to fill a cell that is empty."""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from reports.settings import shortest_settings
from ser_aae.config import RunConfig, without_idle
from ser_aae.config.datasets import given_path, stored_name
from ser_aae.config.fields import get
from ser_aae.config.presets import PRESETS
from ser_aae.experiments.setup import TUNED, Setup, compared_settings, setup_folder
from ser_aae.results.folder import CONFIG, flatten
from ser_aae.results.places import Places

_FLAGS = {
    "dataset": "--dataset",
    "auxiliary": "--auxiliary",
    "task": "--task",
    "classes": "--classes",
    "model.kind": "--model",
    "protocol.name": "--protocol",
}
"""Settings that `ser-aae train` has a flag for."""

_OBLIGATORY = ("dataset", "joined", "model.kind", "protocol.name")
_RUN_SETTINGS = ("seed", "protocol.fold")


def with_setup(places: Places, setup: Setup | None) -> Places:
    """Return places with the data root of a setup, if there is a setup."""
    if setup is None:
        return places
    return replace(places, data_root=setup.data_root, allow_partial=setup.allow_partial)


def place_words(places: Places) -> list[str]:
    """Return the flags of a command that name folders."""
    return [*_corpora_words(places), "--runs", str(places.runs)]


def _corpora_words(places: Places) -> list[str]:
    known = ["--data-root", _relative_folder(places.data_root)] if places.data_root else []
    partial = ["--allow-partial"] if places.allow_partial else []
    return [*known, "--store", str(places.store), *partial]


def evaluate_command(folder: Path) -> str:
    """Return the command that recomputes the figures of a folder."""
    return shlex.join(["ser-aae", "evaluate", str(folder)])


def errors_command(folder: Path, places: Places) -> str:
    """Return the command that lists the wrong answers of a folder with their files."""
    return shlex.join(["ser-aae", "errors", str(folder), "--store", str(places.store)])


def prepare_commands(datasets: Iterable[str], places: Places) -> str:
    """Return the commands that prepare corpora, one after the other."""
    commands = (
        shlex.join(["ser-aae", "prepare", "--dataset", name, *_corpora_words(places)])
        for name in datasets
    )
    return " && ".join(commands)


def train_command(folder: Path, like: Path, places: Places) -> str:
    """Return the command that trains the run of `folder` with the config of the run `like`."""
    fold, seed = (int(digits) for digits in re.findall(r"\d+", folder.name))
    words = ["ser-aae", "train", "--config", str(like / CONFIG)]
    words += ["--set", f"protocol.fold={fold}", "--set", f"seed={seed}"]
    return shlex.join([*words, *place_words(places)])


def train_command_of(
    config: RunConfig, max_folds: int, places: Places, seeds: Sequence[int] = (0,)
) -> str:
    """Return the command that trains repetitions of an experiment, a loop where they are several.

    `config` is that of any run of it; `max_folds` is 1 for the first fold alone, else all are run.
    """
    plain = without_idle(config.to_dict(), RunConfig)
    preset, changed = shortest_settings(plain, (*_RUN_SETTINGS, *_OBLIGATORY))
    own = {name: str(value) for name, value in flatten(plain).items() if name in _OBLIGATORY}
    values = own | changed
    further = values.pop("joined", "")
    values["dataset"] = ",".join(filter(None, (values["dataset"], further)))
    words = ["ser-aae", "train"]
    for name, flag in _FLAGS.items():
        if values.get(name):
            words += [flag, *(values[name].split(",") if name == "auxiliary" else [values[name]])]
    words += _preset_words(preset)
    for name, value in values.items():
        if name not in _FLAGS:
            words += ["--set", f"{name}={value}"]
    words += ["--fold", "0" if max_folds == 1 else "all", *place_words(places)]
    if len(seeds) == 1:
        return shlex.join([*words, "--seed", str(seeds[0])])
    listed = " ".join(map(str, seeds))
    return f'for seed in {listed}; do {shlex.join(words)} --seed "$seed" || break; done'


def reproduce_command(artefact: str, setup: Setup, places: Places) -> str:
    """Return the command that runs what is missing of an artefact."""
    without = ("dataset", "joined", "auxiliary", *_RUN_SETTINGS)
    preset, changed = shortest_settings(setup.base.to_dict(), without)
    words = ["ser-aae", "reproduce", artefact, "--budget", setup.budget.name]
    usual = Setup()
    if setup.datasets != usual.datasets:
        words += ["--datasets", *(_locate_dataset(setup, name) for name in setup.datasets)]
    if setup.auxiliary != usual.auxiliary:
        words += ["--auxiliary", _locate_dataset(setup, setup.auxiliary) or "none"]
    if setup.max_auxiliary_speakers != usual.max_auxiliary_speakers:
        words += ["--auxiliary-speakers", str(setup.max_auxiliary_speakers)]
    if setup.repetitions is not None:
        words += ["--repetitions", str(setup.repetitions)]
    if setup.tuned.outcomes:
        words += ["--tuned", str(setup_folder(Path(places.runs), setup) / TUNED)]
    words += _preset_words(preset)
    # a setting that was given counts as given again, even with its default value
    decisive = {name: str(get(setup.base, name)) for name in sorted(setup.decisive)}
    values = decisive | changed
    # what `reproduce` sets by itself
    for name, usual in compared_settings(setup.base, setup.budget).items():
        values.pop(name, None)
        if (value := get(setup.base, name)) != usual:
            values[name] = str(value)
    for name, value in values.items():
        words += ["--set", f"{name}={value}"]
    return shlex.join([*words, *place_words(with_setup(places, setup))])


def _locate_dataset(setup: Setup, dataset: str) -> str:
    """Return a data set as given, or its full path where the given one leads elsewhere."""
    is_elsewhere = given_path(dataset) and setup.stored_name(dataset) != stored_name(dataset)
    return setup.source(dataset) if is_elsewhere else dataset


def _preset_words(preset: str) -> list[str]:
    return [] if preset == next(iter(PRESETS)) else ["--preset", preset]


def _relative_folder(folder: str) -> str:
    """Return a folder relative to the current one where it lies below that."""
    path, here = Path(folder), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else folder
