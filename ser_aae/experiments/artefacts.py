"""Every table and figure by its name, and the runs that fill them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.experiments.cells import Artefact
from ser_aae.experiments.figures import (
    figure_2,
    figure_3,
    figure_4,
    figure_4_multitask,
    figure_5,
    semi_supervised,
)
from ser_aae.experiments.setup import Setup
from ser_aae.experiments.tables import (
    ravdess,
    ravdess_baved,
    table_2,
    table_3,
    table_4,
    table_5,
    table_6,
)
from ser_aae.experiments.weight_sweeps import FIGURE_5

ARTEFACTS: Mapping[str, Callable[[Setup], Artefact]] = {
    "table-2": table_2,
    "table-3": table_3,
    "table-4": table_4,
    "table-5": table_5,
    "table-6": table_6,
    "figure-2": figure_2,
    "figure-3": figure_3,
    "figure-4": figure_4,
    "figure-4-multitask": figure_4_multitask,
    FIGURE_5: figure_5,
    "semi-supervised": semi_supervised,
    "ravdess": ravdess,
    "ravdess-baved": ravdess_baved,
}
"""Name to the function that lists its cells."""

ALL = "all"
OWN_CORPUS = ("ravdess", "ravdess-baved")
"""Artefacts that bring their corpora: no part of `all`."""


def choose(names: Iterable[str], setup: Setup) -> list[Artefact]:
    """Return artefacts by name, each once, in the order of `ARTEFACTS`.

    `all` is what the setup's own corpora allow: those of `OWN_CORPUS`, which bring theirs, are
    named apart, and Table 4 needs two corpora.

    Raises:
        UserError: An unknown name, or an artefact that the setup does not allow.
    """
    wanted = set(names)
    unknown = sorted(wanted - {ALL, *ARTEFACTS})
    if unknown:
        raise UserError(f"{', '.join(unknown)}: expected some of {', '.join(ARTEFACTS)}, or {ALL}")
    if ALL in wanted:
        one = len(setup.datasets) < 2
        wanted |= set(ARTEFACTS) - set(OWN_CORPUS) - ({"table-4"} if one else set())
    return [make(setup) for name, make in ARTEFACTS.items() if name in wanted]


def runs_of(
    artefacts: Iterable[Artefact],
    setup: Setup,
    repetitions: int,
    count_folds: Callable[[RunConfig], int],
) -> list[RunConfig]:
    """Return every run of some artefacts once, however many cells it stands in.

    A repetition of everything comes before the next repetition of anything, so that a grid that
    is stopped early has numbers in all its cells. The setup's budget limits the folds;
    `count_folds` returns those of a config's protocol, and is called once an experiment.

    Raises:
        UserError: Fewer than one repetition, or whatever `count_folds` refuses.
    """
    if repetitions < 1:
        raise UserError(f"repetitions: expected 1 or more, got {repetitions}")
    configs = {cell.config.digest(): cell.config for item in artefacts for cell in item.cells}
    most = setup.budget.max_folds or None
    folds = {digest: range(count_folds(config))[:most] for digest, config in configs.items()}
    return [
        replace(config, seed=seed, protocol=replace(config.protocol, fold=fold))
        for seed in range(repetitions)
        for digest, config in configs.items()
        for fold in folds[digest]
    ]
