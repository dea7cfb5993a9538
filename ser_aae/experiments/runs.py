"""Runs that fill artefacts: folds, repetitions, each run once."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.experiments.cells import Artefact
from ser_aae.experiments.setup import Budget, Setup

CountFolds = Callable[[RunConfig], int]


def folds_of(config: RunConfig, budget: Budget, count_folds: CountFolds) -> range:
    """Return the folds of a config's protocol that a budget runs.

    Args:
        config: Any run of the experiment.
        budget: Its `max_folds` limits them.
        count_folds: Returns the number of folds of the protocol on the corpus.
    """
    total = count_folds(config)
    return range(min(total, budget.max_folds) if budget.max_folds else total)


def runs_of(
    artefacts: Iterable[Artefact], setup: Setup, repetitions: int, count_folds: CountFolds
) -> list[RunConfig]:
    """Return every run of some artefacts once, however many cells it stands in.

    A repetition of everything comes before the next repetition of anything, so that a grid that
    is stopped early has numbers in all its cells.

    Args:
        artefacts: Tables and figures.
        setup: Their setup.
        repetitions: Number of seeds, from 0.
        count_folds: Returns the number of folds of a config's protocol; called once an experiment.

    Raises:
        UserError: Fewer than one repetition, or whatever `count_folds` refuses.
    """
    if repetitions < 1:
        raise UserError(f"repetitions: expected 1 or more, got {repetitions}")
    configs = {cell.config.digest(): cell.config for item in artefacts for cell in item.cells}
    folds = {
        digest: folds_of(config, setup.budget, count_folds) for digest, config in configs.items()
    }
    return [
        replace(config, seed=seed, protocol=replace(config.protocol, fold=fold))
        for seed in range(repetitions)
        for digest, config in configs.items()
        for fold in folds[digest]
    ]
