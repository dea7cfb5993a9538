"""On what and for how long the paper's experiments are run: corpora, base config, budget."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ser_aae.config import RunConfig
from ser_aae.config_fields import with_settings
from ser_aae.config_file import build_config
from ser_aae.errors import UserError
from ser_aae.experiments.tuned import Tuned
from ser_aae.files.atomic import read_json, write_bytes, write_json
from ser_aae.files.digests import digest_of_plain

SETUPS = "setups"
"""Folder below the runs that holds what they were run for."""

_BASE, _REST = "base.json", "setup.json"

TUNED = "tuned.yaml"
"""What a search has chosen for a setup, in its folder: `ser-aae reproduce --tuned` takes it."""

_HOW = ("repetitions", "data_root", "allow_partial")
"""What of a setup says how its runs are made, and not which they are."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Budget:
    """How much of an experiment is run.

    Attributes:
        name: `"smoke"`, `"small"`, `"full"`.
        epochs: Of stage 2, at most; 0 leaves what the base config says.
        pretraining_epochs: Of stage 1, likewise; 0 leaves what the base config says.
        max_folds: Folds of each protocol that are run, from the first; 0 is all.
        points: Of a sweep, thinned evenly with both ends kept; 0 is all.
        repetitions: Seeds 0, 1, ... (decisions P5).
        overrides: Settings by dotted name, over those of the base config.
    """

    name: str
    epochs: int = 0
    pretraining_epochs: int = 0
    max_folds: int = 0
    points: int = 0
    repetitions: int = 10
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, config: RunConfig) -> RunConfig:
        """Return a config with this budget's epochs and overrides."""
        return with_settings(config, self.settings)

    @property
    def settings(self) -> dict[str, Any]:
        """Its epochs and overrides by dotted name."""
        values = dict(self.overrides)
        if self.epochs:
            values["training.epochs"] = self.epochs
        if self.pretraining_epochs:
            values["training.pretraining_epochs"] = self.pretraining_epochs
        return values


BUDGETS: Mapping[str, Budget] = {
    "smoke": Budget(
        "smoke",
        epochs=2,
        pretraining_epochs=1,
        max_folds=1,
        points=3,
        repetitions=1,
        overrides={
            "model.filters": (4, 4),
            "model.latent_channels": 4,
            "model.classifier_filters": 4,
            "model.dense_units": (16, 16),
            "data.auxiliary_ratio": 0.25,  # fewer steps an epoch
            "enrolment_utterances": 5,
        },
    ),
    "small": Budget(
        "small",
        epochs=15,
        pretraining_epochs=5,
        points=5,
        repetitions=2,
        # while figures still rise this fast, a mean over half the epochs would lag behind
        overrides={"training.selection_epochs": 4},
    ),
    "full": Budget("full"),
}
"""`smoke` shows in minutes that everything runs, and nothing else. `small` is made for one machine
without a GPU: `ravdess` takes some two hours on two cores. `full` is the paper's ten repetitions of
every fold and every point, with the epochs of the base config."""


@dataclass(frozen=True)
class Setup:
    """What the artefacts are made of.

    Attributes:
        datasets: Corpora with emotions, in the paper's order; cross-corpus trains on the first
            and tests on the second.
        auxiliary: Corpus without emotions, `""` for none.
        base: Preset and settings that all cells share. Where its networks and losses are those
            of the preset `paper`, and its alpha and beta are left at their defaults, cells take
            the weights that the paper chose for their task and model (Sec. 5.1).
        budget: How much is run.
        max_auxiliary_speakers: Where Fig. 4's axis ends: 900 in the paper, fewer where the
            auxiliary corpus has fewer.
        tuned: What a search has chosen, over base and budget.
        repetitions: Seeds in place of the budget's, `None` for as many as the budget says.
        data_root: Folder of the corpora, `""` where it is not known.
        allow_partial: Whether incomplete copies of corpora were accepted.

    The last three are how it was run: they change no cell.
    """

    datasets: tuple[str, ...] = ("iemocap", "msp")
    auxiliary: str = "librispeech"
    base: RunConfig = field(default_factory=RunConfig)
    budget: Budget = field(default_factory=lambda: BUDGETS["full"])
    max_auxiliary_speakers: int = 900
    tuned: Tuned = field(default_factory=Tuned)
    repetitions: int | None = None
    data_root: str = ""
    allow_partial: bool = False

    @property
    def repetitions_asked(self) -> int:
        """How many seeds each cell is to have."""
        return self.budget.repetitions if self.repetitions is None else self.repetitions


def thin(values: Sequence[Value], points: int) -> tuple[Value, ...]:
    """Return `points` of the values, evenly spread with both ends among them; 0 is all."""
    if points <= 0 or points >= len(values):
        return tuple(values)
    if points == 1:
        return (values[0],)
    step = (len(values) - 1) / (points - 1)
    return tuple(values[int(number * step)] for number in range(points))


def write_setup(runs: Path, setup: Setup) -> Path:
    """Leave a setup beside the runs made for it; the same one twice is one.

    Two that differ only in how they are run are the same: the later one replaces the other.

    Returns:
        `<runs>/setups/<digest>`.
    """
    folder = setup_folder(runs, setup)
    how = {name: getattr(setup, name) for name in _HOW}
    write_json(folder / _BASE, setup.base.to_dict())
    if setup.tuned.values:
        write_bytes(folder / TUNED, setup.tuned.to_yaml().encode())
    write_json(folder / _REST, _which(setup) | how)  # last: its presence means complete
    return folder


def setup_folder(runs: Path, setup: Setup) -> Path:
    """Return where a setup lies beside its runs."""
    return runs / SETUPS / digest_of_plain([setup.base.identity(), _which(setup)], 8)


def _which(setup: Setup) -> dict[str, Any]:
    """Return what says which runs a setup has, beside its base."""
    which = {
        "datasets": list(setup.datasets),
        "auxiliary": setup.auxiliary,
        "max_auxiliary_speakers": setup.max_auxiliary_speakers,
        "budget": asdict(setup.budget),
    }
    return which | ({"tuned": asdict(setup.tuned)} if setup.tuned.values else {})


def read_setups(runs: Path) -> list[Setup]:
    """Return the setups that lie beside runs, by the names of their folders.

    Raises:
        UserError: A file of one cannot be read.
    """
    return [_read_setup(path.parent) for path in sorted((runs / SETUPS).glob(f"*/{_REST}"))]


def _read_setup(folder: Path) -> Setup:
    rest = read_json(folder / _REST, "a setup", f"remove {folder} and give ser-aae reproduce again")
    try:
        budget = dict(rest["budget"])
        lists = {name: _as_tuple(value) for name, value in budget.pop("overrides").items()}
        return Setup(
            datasets=tuple(rest["datasets"]),
            auxiliary=rest["auxiliary"],
            base=build_config(file=folder / _BASE, stored=True),
            budget=Budget(**budget, overrides=lists),
            max_auxiliary_speakers=rest["max_auxiliary_speakers"],
            tuned=Tuned(**rest.get("tuned", {})),
            # setups of earlier versions do not say it
            **{name: rest[name] for name in _HOW if name in rest},
        )
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{folder / _REST}: not what ser-aae reproduce writes ({error}); remove {folder} and "
            "give the command again"
        ) from error


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
