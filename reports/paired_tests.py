"""Paired tests of one model against another over their runs, as the cells of a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ser_aae.errors import UserError
from ser_aae.experiments.cells import UA
from ser_aae.results.statistics import PairedTest, compare_runs

PAIRED_TEST_NOTE = (
    "Differences are points of UA to the reference, averaged over the pairs. A pair is a fold of a "
    "repetition, in which both were tested on the same utterances; p is of Wilcoxon's signed "
    "ranks, two-sided. Repetitions share their test speakers, so that p is too small; the p over "
    "folds, for which the repetitions of a fold are averaged, is the honest one. It cannot fall "
    "under 2 / 2^n with n folds. No p is corrected for the number of comparisons."
)
"""Explanation of differences and p-values for readers of a report."""

REFERENCE = "reference"
"""Text in place of a difference for the experiment that others are compared with."""

_COLUMNS = ("difference", "pairs", "p", "folds", "p over folds")
_RUN_KEYS = ("fold", "repetition", UA, "test_ids_digest")


@dataclass(frozen=True)
class Comparison:
    """One model against another.

    Attributes:
        runs: Test over folds and repetitions; a difference is this model's UA less the other's.
        folds: Test over folds, with the repetitions of a fold averaged.
    """

    runs: PairedTest
    folds: PairedTest


def compare(evaluation: Mapping[str, Any], other: Mapping[str, Any]) -> Comparison | None:
    """Test an experiment against another; `None` where they have no fold in common."""
    first, second = (
        pd.DataFrame([{name: run[name] for name in _RUN_KEYS} for run in item["runs"]])
        for item in (other, evaluation)
    )
    try:
        runs = compare_runs(first, second)
    except UserError:  # no fold of a repetition is in both
        return None
    return Comparison(runs, compare_runs(first, second, average_repetitions=True))


def comparison_columns(found: Comparison | None, *, is_reference: bool) -> dict[str, str]:
    """Return a comparison as the cells of a table; dashes where there is none."""
    if found is None:
        return dict.fromkeys(_COLUMNS, "-") | ({"difference": REFERENCE} if is_reference else {})
    texts = (
        f"{100 * found.runs.mean_difference:+.1f}",
        str(found.runs.pairs),
        _p_text(found.runs),
        str(found.folds.pairs),
        _p_text(found.folds),
    )
    return dict(zip(_COLUMNS, texts, strict=True))


def _p_text(test: PairedTest) -> str:
    return "< 0.001" if test.p_value < 0.001 else f"{test.p_value:.3f}"
