"""Summary of all runs of an experiment: mean, spread, and interval of confidence."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reports.side_by_side import compute_all
from ser_aae.errors import UserError
from ser_aae.experiments.cells import UA
from ser_aae.results.evaluation import evaluate_with_predictions
from ser_aae.results.folder import find_experiments, find_runs, is_complete, mend_incomplete
from ser_aae.results.run_kinds import ERROR_RATE, ERROR_RATES, NUM_TRIALS
from ser_aae.results.statistics import LEAST_SPEAKERS, Interval, bootstrap_unweighted_accuracy
from ser_aae.results.text import count_of, mean_and_std, percent
from ser_aae.results.wrong_answers import (
    GROUPS,
    average_runs,
    find_wrong,
    recall_rows,
)

Evaluations = Mapping[Path, Mapping[str, Any]]
"""Folder of an experiment to its evaluation by `evaluate_all`."""

CONFIDENCE_NOTE = (
    "Intervals are of 95 %, by bootstrap over speakers: 2000 times as many test speakers are drawn "
    "as there are, each with all utterances, in all repetitions. They say how UA would vary on "
    "other speakers who stand to the training part as those tested do: unknown ones, or, with "
    "10-fold, ones that were trained on too. They do not say how it would vary were the models "
    "trained anew, and with few speakers they are somewhat too narrow: of fewer than five there is "
    "none."
)
"""Explanation of an interval of UA for readers of a report."""


MOST_WRONG = 10
"""Wrong answers that an experiment's section shows; `ser-aae errors` has them all."""

NO_INTERVAL = "fewer than five speakers, no interval"


@dataclass(frozen=True)
class Summary:
    """A figure of an experiment.

    Attributes:
        mean: Share in [0, 1], `None` where no run has it.
        std: Sample deviation of what `spread` says, `None` where there is but one value.
        spread: Repetitions or folds that mean and deviation are over, in words.
        interval: Interval of UA; `None` for another figure, and where too few speakers were tested.
        speakers: Test speakers of a repetition.
        n: Test utterances of a repetition; of an equal error rate, pairs that each run tested.
        folds: Folds run of those the protocol has, `"1 of 10"`.
        repetitions: Number of repetitions counted.
    """

    mean: float | None
    std: float | None
    spread: str
    interval: Interval | None
    speakers: int
    n: int
    folds: str
    repetitions: int


NOTHING = Summary(None, None, "", None, 0, 0, "", 0)
"""Summary of an experiment that was not run."""


def evaluate_all(
    runs: Path,
    *,
    may_be_none: bool = False,
    workers: int = 1,
    without: Collection[Path] = (),
) -> dict[Path, dict[str, Any]]:
    """Recompute all figures of every experiment below a folder that has a complete run.

    Args:
        runs: Folder of run folders, at any depth.
        may_be_none: Return nothing where there is no complete run, and do not raise.
        workers: Most processes that compute.
        without: Experiments that are left out, as copies of others are.

    Returns:
        For each folder its evaluation by `evaluate_with_predictions`, and `interval`: that of UA
        over the comparable repetitions, `None` where too few speakers were tested; `wrong`: how
        many utterances were taken for another class, `wrong_answers`: the most confident of them,
        and `recall_rows` by group, as `ser_aae.results.wrong_answers` gives them.

    Raises:
        UserError: No such folder, no complete run and not `may_be_none`, or a run whose files are
            damaged or disagree.
    """
    experiments = [
        folder
        for folder in find_experiments(runs)
        if folder not in without and any(is_complete(run) for run in find_runs(folder))
    ]
    if not runs.is_dir():
        found = "a file" if runs.exists() else "nothing"
        raise UserError(
            f"{runs}: expected a folder of runs, found {found}; name one, or make one with: "
            "ser-aae train --dataset demo"
        )
    if not experiments and not may_be_none:
        begun = find_runs(runs)
        mend = mend_incomplete(begun, "run: ser-aae train --dataset demo")
        raise UserError(
            f"{runs}: expected runs, found {len(begun)} begun and none complete; {mend}"
        )
    found = compute_all(_evaluate, experiments, workers, "recomputes")
    return dict(zip(experiments, found, strict=True))


def summarise(evaluation: Mapping[str, Any], figure: str = UA) -> Summary:
    """Return a figure over the comparable repetitions.

    These are the repetitions with most folds, tested on the same utterances. A figure that cannot
    be computed from predictions, such as the accuracy on speakers, is the mean of what the runs of
    all folds wrote down.
    """
    counted = comparable_repetitions(evaluation)
    pooled, over_folds = [], []
    for item in counted:
        own = [run for run in evaluation["runs"] if run["repetition"] == item["repetition"]]
        each = [run.get(figure, run["stored"].get(figure)) for run in own]
        known = [float(value) for value in each if value is not None and math.isfinite(value)]
        value = item.get(figure)
        if value is None and known:
            value = np.mean(known)
        if value is not None:
            pooled.append(float(value))
            over_folds.append(known)
    std, spread = _spread(pooled, over_folds[0]) if pooled else (None, "")
    tested = int(counted[0]["n"])
    if figure in ERROR_RATES:  # not the sum over folds: all models verify the corpus' same pairs
        own = NUM_TRIALS + figure.removeprefix(ERROR_RATE)
        tested = max(int(run.get(own) or 0) for run in evaluation["runs"])
    return Summary(
        mean=float(np.mean(pooled)) if pooled else None,
        std=std,
        spread=spread,
        interval=evaluation["interval"] if figure == UA else None,
        speakers=int(counted[0]["speakers"]),
        n=tested,
        folds=f"{counted[0]['folds']} of {evaluation['folds_expected'] or '?'}",
        repetitions=len(pooled),
    )


def mean_text(summary: Summary) -> str:
    """Return mean and deviation in per cent.

    The deviation over the folds of one repetition is not that of the figure, which is pooled over
    them, and is told from it: `60.0 (folds ± 5.1)`.
    """
    if summary.repetitions > 1 or summary.std is None:
        return mean_and_std({"mean": summary.mean, "std": summary.std})
    return f"{percent(summary.mean)} (folds ± {percent(summary.std)})"


def interval_text(interval: Interval | None) -> str:
    """Return the edges of an interval in per cent, or why there is none."""
    return (
        NO_INTERVAL if interval is None else f"{percent(interval.low)} to {percent(interval.high)}"
    )


def sample_text(summary: Summary) -> str:
    """Return how many utterances and speakers were tested."""
    return f"{count_of(summary.n, 'utterance')} of {count_of(summary.speakers, 'speaker')}"


def comparable_repetitions(evaluation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the repetitions with most folds; of those, all tested on the same utterances."""
    most = max(item["folds"] for item in evaluation["repetitions"])
    whole = [item for item in evaluation["repetitions"] if item["folds"] == most]
    return [item for item in whole if item["test_ids_digest"] == whole[0]["test_ids_digest"]]


def _spread(pooled: Sequence[float], over_folds: Sequence[float]) -> tuple[float | None, str]:
    """Return the deviation, and the repetitions or folds that it is over, in words."""
    if len(pooled) > 1:
        return float(np.std(pooled, ddof=1)), f"over {len(pooled)} repetitions, folds pooled"
    if len(over_folds) > 1:
        spread = f"over {len(over_folds)} folds of one repetition; the mean is of the folds pooled"
        return float(np.std(over_folds, ddof=1)), spread
    return None, "one fold of one repetition, no spread"


def _evaluate(folder: Path) -> dict[str, Any]:
    evaluation, predictions = evaluate_with_predictions(folder)
    classes = evaluation["classes"]
    answers = average_runs(predictions, classes)
    wrong = find_wrong(answers)
    return evaluation | {
        "interval": _interval(evaluation, predictions),
        "wrong": len(wrong),
        "wrong_answers": wrong.head(MOST_WRONG),
        "recall_rows": {group: recall_rows(answers, group, classes) for group in GROUPS},
    }


def _interval(evaluation: Mapping[str, Any], frames: Sequence[pd.DataFrame]) -> Interval | None:
    counted = {item["repetition"] for item in comparable_repetitions(evaluation)}
    own = zip(evaluation["runs"], frames, strict=True)
    predictions = pd.concat([frame for run, frame in own if run["repetition"] in counted])
    if predictions["speaker"].nunique() < LEAST_SPEAKERS:
        return None
    return bootstrap_unweighted_accuracy(predictions, evaluation["classes"])
