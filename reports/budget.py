"""Gaps of an experiment: runs that its budget asks for and that are not there."""

from collections.abc import Mapping
from typing import Any

from reports.summary import Summary
from ser_aae.experiments.setup import Setup

MISSING = "missing"


def lacking(found: Summary, evaluation: Mapping[str, Any] | None, setup: Setup) -> str:
    """Return how much of what was asked for a figure is over, where that is not all of it.

    Args:
        found: The figure.
        evaluation: Of its experiment, `None` where nothing was run.
        setup: Asks for folds and repetitions.

    Returns:
        `"2 of 10 folds"`; `"1 of 2 repetitions"` where those have their folds; `MISSING` where
        there is no figure; else `""`.
    """
    if evaluation is None or found.mean is None:
        return MISSING
    most, wanted = max(_folds_run(evaluation).values()), _folds_asked(evaluation, setup)
    if wanted is None or most < wanted:
        return f"{most} of {wanted or '?'} folds"
    if found.repetitions < setup.repetitions_asked:
        return f"{found.repetitions} of {setup.repetitions_asked} repetitions"
    return ""


def seeds_to_train(evaluation: Mapping[str, Any] | None, setup: Setup) -> list[int]:
    """Return the seeds of the repetitions asked for that lack folds."""
    seeds = range(setup.repetitions_asked)
    if evaluation is None:
        return list(seeds)
    there, wanted = _folds_run(evaluation), _folds_asked(evaluation, setup)
    return [seed for seed in seeds if wanted is None or there.get(seed, 0) < wanted]


def _folds_run(evaluation: Mapping[str, Any]) -> dict[int, int]:
    return {item["repetition"]: item["folds"] for item in evaluation["repetitions"]}


def _folds_asked(evaluation: Mapping[str, Any], setup: Setup) -> int | None:
    """Return how many folds a repetition is to have, `None` where no run says what all are."""
    known = [count for count in (evaluation["folds_expected"], setup.budget.max_folds) if count]
    return min(known, default=None)
