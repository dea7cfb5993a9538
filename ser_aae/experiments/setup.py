"""Setup of the paper's experiments: corpora, base config, budget, what a search has chosen."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ser_aae.config import TABLES, RunConfig
from ser_aae.config.build import build_config
from ser_aae.config.datasets import Naming, Table
from ser_aae.config.fields import check_stored, get, with_settings, woken_settings
from ser_aae.config.presets import PRESETS
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import DamagedError, UserError
from ser_aae.experiments.tuned import WEIGHTS, Tuned, tuned_from
from ser_aae.files.atomic import read_json, write_bytes, write_json, write_plain_json
from ser_aae.files.digests import digest_of_file, digest_of_plain
from ser_aae.files.records import Record

SETUPS = "setups"
"""Folder below the runs that holds the setups they were run for."""

_BASE, _REST = "base.json", "setup.json"

TUNED = "tuned.yaml"
"""File of a setup with the outcomes of searches, which `ser-aae reproduce --tuned` takes."""

_CIRCUMSTANCES = ("repetitions", "data_root", "allow_partial")
"""Fields of a setup that say how its runs are made, and not which they are."""

_SELECTIONS = ("data.auxiliary_subset", "data.auxiliary_speakers", "verification_subset")
"""Settings that are left to the paper where they are empty."""

_SIZES = ("model.filters", "model.classifier_pool")
"""Settings of the preset `paper` that a base may change and still follow the paper."""

_COMPARED: Mapping[str, tuple[float, int]] = {
    "smoke": (0.75, 20),
    "small": (0.5, 1000),
    "full": (0.5, 30000),
}
"""Budget to the labelled share of a batch of stage 2 and to the updates of stage 1 in comparisons.

Half a batch is left to speech without labels; 30,000 updates are some three passes over 600
speakers of LibriSpeech. No part of the budgets, for stored ones lack both."""

_INSTEAD = {"training.pretraining_steps": "training.pretraining_epochs"}
"""Settings of a comparison to others that, where they are given, say the same in another way."""

Value = TypeVar("Value")


class SetupRecord(Record):
    """`setup.json`; those of earlier versions lack what has a default."""

    datasets: list[str]
    auxiliary: str
    max_auxiliary_speakers: int
    budget: dict[str, Any]
    tuned: Mapping[str, Any] = {}
    repetitions: int | None = None
    data_root: str = ""
    allow_partial: bool = False
    given: Sequence[str] = ()
    tables: Sequence[dict[str, str]] = ()
    base_sha256: str | None = None


@dataclass(frozen=True)
class Budget:
    """Amount of an experiment that is run.

    Attributes:
        name: `"smoke"`, `"small"`, `"full"`.
        epochs: Epochs of stage 2, at most; 0 leaves those of the base config.
        pretraining_epochs: Epochs of stage 1; 0 leaves those of the base config.
        max_folds: Folds of each protocol that are run, from the first; 0 is all.
        points: Points of a sweep, thinned evenly with both ends kept; 0 is all.
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
        """Epochs and overrides by dotted name."""
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
        # while scores still rise this fast, a mean over half the epochs would lag behind
        overrides={"training.selection_epochs": 4},
    ),
    "full": Budget("full"),
}
"""`smoke` shows in minutes that everything runs, and nothing else. `small` is made for one machine
without a GPU: `ravdess` takes some two hours on two cores. `full` is the paper's ten repetitions of
every fold and every point, with the epochs of the base config."""


@dataclass(frozen=True)
class Setup(Naming):
    """Everything that artefacts are functions of.

    Attributes:
        datasets: Corpora with emotions, in the paper's order; cross-corpus trains on the first
            and tests on the second.
        auxiliary: Corpus without emotions, `""` for none.
        base: Preset and settings that all cells share.
        max_auxiliary_speakers: End of Fig. 4's axis: 900 in the paper, fewer where the auxiliary
            corpus has fewer.
        tuned: Outcomes of searches, over base and budget.
        given: Settings of the base that were given by name and are not left to the paper, even
            with the value of a preset or a default.
        repetitions: Seeds in place of the budget's, `None` for as many as the budget says.
        data_root: Folder of the corpora, `""` where it is not known.
        tables: Records of the corpora that are named by a path.
        corpora: Facts of corpora by their names in the store, which are not written down.

    Repetitions, data root and partial copies change no cell.
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
    given: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    corpora: Mapping[str, CorpusFacts] = field(default_factory=dict, compare=False)

    def stored_name(self, dataset: str) -> str:
        """Return the name under which a store keeps a data set, from whatever folder."""
        name = super().stored_name(dataset)
        aliases = {alias: own for own, facts in self.corpora.items() for alias in facts.aliases}
        return aliases.get(name, name)

    def facts_of(self, dataset: str) -> CorpusFacts:
        """Return the facts of a corpus, those of an unknown one where it has none."""
        return self.corpora.get(self.stored_name(dataset), CorpusFacts())

    def title_of(self, dataset: str) -> str:
        """Return what a corpus is called in a table."""
        return self.facts_of(dataset).title or dataset

    def tables_of(self, datasets: Iterable[str]) -> tuple[Table, ...]:
        """Return the records of those data sets that are named by a path, as they are named."""
        found = {name: self.find_table(name) or self.base.find_table(name) for name in datasets}
        return tuple(replace(table, given=name) for name, table in found.items() if table)

    @property
    def decisive(self) -> frozenset[str]:
        """Settings that would be left to the paper, had they not been given."""
        return self._open_settings & frozenset(self.given)

    def leaves_to_paper(self, *names: str) -> bool:
        """Return whether cells take some settings from the paper, and not from the base."""
        return (self._open_settings - frozenset(self.given)).issuperset(names)

    @property
    def _open_settings(self) -> frozenset[str]:
        """Settings to which the base itself gives no value of its own."""
        weights = WEIGHTS if _has_papers_model(self.base) else ()
        return frozenset([*weights, *(name for name in _SELECTIONS if not get(self.base, name))])

    @property
    def repetitions_asked(self) -> int:
        """Number of seeds that each cell is to have."""
        return self.budget.repetitions if self.repetitions is None else self.repetitions


def compared_settings(base: RunConfig, budget: Budget) -> dict[str, Any]:
    """Return the settings that make comparisons of the paper fair, whatever the preset.

    All models begin with the same stage 1 (Sec. 4.3), of as many updates whatever the number of its
    speakers. In stage 2 all make the same updates on the same number of labels. Setups of before
    have the values of their base.
    """
    share, updates = _COMPARED.get(budget.name, _COMPARED["full"])
    return {
        "data.labelled_rows": max(1, int(share * base.training.batch_size)),
        "training.pretraining": "supervised",
        "training.pretraining_steps": updates,
    }


def compare_fairly(base: RunConfig, given: Collection[str], budget: Budget) -> RunConfig:
    """Return a base for comparisons, which are fair but for the settings that were given."""
    fair = compared_settings(base, budget).items()
    return with_settings(base, {k: v for k, v in fair if not {k, _INSTEAD.get(k)} & {*given}})


def _has_papers_model(base: RunConfig) -> bool:
    """Return whether a base has the paper's networks and losses, and alpha and beta by default."""
    default = RunConfig()
    wanted = {**PRESETS["paper"], **{name: get(default, name) for name in WEIGHTS}}
    return all(
        get(base, name) == value
        for name, value in wanted.items()
        if name.startswith("model.") and name not in _SIZES
    )


def thin(values: Sequence[Value], points: int) -> tuple[Value, ...]:
    """Return `points` of the values, evenly spread with both ends among them; 0 is all."""
    if points <= 0 or points >= len(values):
        return tuple(values)
    if points == 1:
        return (values[0],)
    step = (len(values) - 1) / (points - 1)
    return tuple(values[int(number * step)] for number in range(points))


def write_setup(runs: Path, setup: Setup) -> Path:
    """Write a setup to `<runs>/setups/<digest>`, the folder that is returned.

    Two setups that have the same cells are the same: the later one replaces the other.
    """
    folder = setup_folder(runs, setup)
    content = _identity(setup) | {name: getattr(setup, name) for name in _CIRCUMSTANCES}
    content |= {"given": list(setup.given), TABLES: [asdict(table) for table in setup.tables]}
    write_plain_json(folder / _BASE, setup.base.to_record())
    if setup.tuned.outcomes:
        write_bytes(folder / TUNED, setup.tuned.to_yaml().encode())
    content["base_sha256"] = digest_of_file(folder / _BASE)
    write_json(folder / _REST, content)  # last: its presence means complete
    return folder


def setup_folder(runs: Path, setup: Setup) -> Path:
    """Return where a setup lies beside its runs."""
    base = setup.base.identity()
    base |= woken_settings(setup.base, [outcome.values for outcome in setup.tuned.outcomes])
    return runs / SETUPS / digest_of_plain([base, _identity(setup)], 8)


def _identity(setup: Setup) -> dict[str, Any]:
    """Return the facts that, beside the base, decide which runs a setup has."""
    identity = {
        "datasets": list(setup.datasets),
        "auxiliary": setup.auxiliary,
        "max_auxiliary_speakers": setup.max_auxiliary_speakers,
        "budget": asdict(setup.budget),
    }
    identity |= {"tuned": setup.tuned.to_plain()} if setup.tuned.outcomes else {}
    return identity | ({"decisive": sorted(setup.decisive)} if setup.decisive else {})


def read_setups(runs: Path, corpora: Mapping[str, CorpusFacts] | None = None) -> list[Setup]:
    """Return the setups that lie beside runs, by the names of their folders.

    Raises:
        UserError: A file of one cannot be read.
    """
    found = sorted((runs / SETUPS).glob(f"*/{_REST}"))
    return [_read_setup(path.parent, corpora or {}) for path in found]


def _read_setup(folder: Path, corpora: Mapping[str, CorpusFacts]) -> Setup:
    mend = f"remove {folder} and give ser-aae reproduce again"
    rest = read_json(folder / _REST, "a setup", mend, SetupRecord)
    base = _read_base(folder, rest.get("base_sha256"), mend)
    try:
        budget = dict(rest["budget"])
        # with_settings takes lists too, but a setup that is read back equals the one written
        overrides = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in budget.pop("overrides").items()
        }
        return Setup(
            datasets=tuple(rest["datasets"]),
            auxiliary=rest["auxiliary"],
            base=base,
            budget=Budget(**budget, overrides=overrides),
            max_auxiliary_speakers=rest["max_auxiliary_speakers"],
            tuned=tuned_from(rest.get("tuned", {})),
            # setups of earlier versions do not say the rest
            **{name: rest[name] for name in _CIRCUMSTANCES if name in rest},
            given=tuple(rest.get("given", ())),
            tables=tuple(Table(**row) for row in rest.get(TABLES, ())),
            corpora=corpora,
        )
    except (KeyError, TypeError) as error:
        raise DamagedError(
            f"{folder / _REST}: not what ser-aae reproduce writes ({error}); {mend}"
        ) from error


def _read_base(folder: Path, digest: str | None, mend: str) -> RunConfig:
    """Return the base of a setup; one of an earlier version has no digest."""
    path = folder / _BASE
    plain = read_json(path, "the base of a setup", mend)
    try:
        check_stored(plain)
    except UserError as error:
        raise DamagedError(f"{path}: {error}; {mend}") from error
    if digest not in (None, digest_of_file(path)):
        raise DamagedError(
            f"{path}: changed since it was written, by its SHA-256 in {_REST}; {mend}"
        )
    return build_config(file=path, stored=True)
