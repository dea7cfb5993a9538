"""How sure a figure is: a bootstrap interval of UA, and a paired test between two models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import PermutationMethod, wilcoxon

from ser_aae.errors import UserError

_UTTERANCE = ["corpus", "utterance_id"]
_RUN = ["fold", "repetition"]


@dataclass(frozen=True)
class Interval:
    """A bootstrap interval.

    Attributes:
        estimate: The figure itself, a share in [0, 1].
        low: Lower edge.
        high: Upper edge.
        level: Share of resamples between the edges.
        speakers: How many were drawn from.
        utterances: How many were drawn from.
        resamples: How many were drawn.
    """

    estimate: float
    low: float
    high: float
    level: float
    speakers: int
    utterances: int
    resamples: int


@dataclass(frozen=True)
class PairedTest:
    """A paired comparison of two models.

    Attributes:
        pairs: How many.
        unpaired: Runs of either model that the other has no counterpart of; they are left out.
        mean_difference: Second minus first.
        median_difference: Second minus first.
        statistic: Wilcoxon's: the smaller sum of ranks; 0 where all differences have one sign.
        p_value: Two-sided.
    """

    pairs: int
    unpaired: int
    mean_difference: float
    median_difference: float
    statistic: float
    p_value: float


def bootstrap_unweighted_accuracy(
    predictions: pd.DataFrame,
    classes: Sequence[str],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return a percentile bootstrap interval of UA over new speakers and new utterances.

    Speakers are drawn with replacement, and of each speaker drawn as many utterances as there
    are. Utterances of one speaker are right or wrong together: drawn singly, they would pass
    for that many independent trials, and the interval would come out too narrow.

    It says how the UA of *these trained models* would vary on other speakers like those tested.
    It does not say how it would vary if the models were trained anew, which is what the spread
    over repetitions is for; nor anything of other corpora. With few speakers (RAVDESS has 24,
    a fold four) it is rough, and rather too narrow than too wide.

    `scipy.stats.bootstrap` draws on one level alone, so the two draws are made here.

    Args:
        predictions: With `corpus`, `utterance_id`, `speaker`, `truth` and `predicted`; of all
            folds, and of one repetition or of several. Of several, an utterance counts with the
            share of repetitions that are right on it, and the estimate is the mean of their UA.
        classes: Those of the task. In a resample, as in `ser_aae.metrics`, UA is the mean over
            the classes that occur.
        level: Share of resamples between the edges.
        resamples: How many are drawn.
        seed: Of the draw.

    Raises:
        UserError: Fewer than two speakers, of whom nothing can be said about others; or
            repetitions that were not tested on the same utterances.
    """
    items = _utterances(predictions)
    truth = pd.Categorical(items["truth"], categories=list(classes)).codes
    right = items["right"].to_numpy(np.float64)
    _, firsts, sizes = np.unique(
        items["speaker"].to_numpy(dtype=object).astype(str), return_index=True, return_counts=True
    )
    if len(sizes) < 2:
        raise UserError(
            f"bootstrap: expected predictions on two speakers or more, received {len(sizes)}; an "
            "interval over speakers needs several: pool the folds"
        )
    generator = np.random.default_rng(seed)
    drawn = np.empty(resamples)
    for index in range(resamples):
        speakers = generator.integers(len(sizes), size=len(sizes))
        counts = np.repeat(sizes[speakers], sizes[speakers])
        rows = np.repeat(firsts[speakers], sizes[speakers]) + generator.integers(counts)
        drawn[index] = _unweighted(truth[rows], right[rows], len(classes))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    estimate = _unweighted(truth, right, len(classes))
    return Interval(estimate, float(low), float(high), level, len(sizes), len(items), resamples)


def compare_runs(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    figure: str = "unweighted_accuracy",
    average_repetitions: bool = False,
    resamples: int = 9999,
    seed: int = 0,
) -> PairedTest:
    """Test whether two models differ, by Wilcoxon's signed ranks over paired runs.

    A pair is one fold of one repetition: the same test utterances, and the same training ones.
    The p-value is the share of all ways to turn the differences' signs that give ranks as
    one-sided as these. It is exact, except where differences are tied and too many to try all
    signs: then of `resamples` drawn by the seed. Differences of 0 are ranked and then dropped
    (Pratt).

    It says whether one model is ahead more often, and by more, than a coin would have it, on
    the folds of this corpus. It does not say by how much (see the differences), nor that it
    would be so on other speakers. Repetitions of a fold share their test speakers and folds
    share most of their training speakers, so runs are not independent and p is too small;
    `average_repetitions` leaves one pair a fold, which is the more honest test and the weaker:
    with n pairs p is never under 2 / 2**n, which is 0.031 with six folds.

    Args:
        first: One row a run with `fold`, `repetition` and the figure, as
            `ser_aae.results.load_runs` gives them, of one experiment.
        second: The same of another.
        figure: Column to compare.
        average_repetitions: Pair folds, with the mean over the repetitions both have.
        resamples: How many ways are tried at most where differences are tied.
        seed: Of the draw.

    Raises:
        UserError: A column is missing, a run stands twice, or no two runs are paired.
    """
    one, two = (_figures(runs, figure) for runs in (first, second))
    pairs = pd.concat({"first": one, "second": two}, axis=1, join="inner")
    if pairs.empty:
        raise UserError("paired test: expected runs of the same folds and repetitions, found none")
    unpaired = len(one) + len(two) - 2 * len(pairs)
    if average_repetitions:
        pairs = pairs.groupby(level="fold").mean()
    # rounded, so that equal shares of utterances computed by two ways are equal ranks
    differences = (pairs["second"] - pairs["first"]).round(12).to_numpy(np.float64)
    statistic, p_value = 0.0, 1.0
    if differences.any():
        tied = len(np.unique(np.abs(differences))) < len(differences) or not differences.all()
        draw = PermutationMethod(n_resamples=resamples, rng=np.random.default_rng(seed))
        found = wilcoxon(differences, zero_method="pratt", method=draw if tied else "exact")
        statistic, p_value = float(found.statistic), float(found.pvalue)
    return PairedTest(
        pairs=len(differences),
        unpaired=unpaired,
        mean_difference=float(differences.mean()),
        median_difference=float(np.median(differences)),
        statistic=statistic,
        p_value=p_value,
    )


def _utterances(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return one row an utterance, by speaker, with the share of repetitions that are right."""
    rows = predictions.assign(right=predictions["truth"] == predictions["predicted"])
    grouped = rows.groupby([*_UTTERANCE, "speaker", "truth"], sort=True)["right"]
    items = grouped.agg(["mean", "size"]).reset_index().rename(columns={"mean": "right"})
    if items["size"].nunique() > 1 or items.duplicated(_UTTERANCE).any():
        raise UserError(
            "bootstrap: expected every repetition to be tested on the same utterances, with the "
            "same truth; received an utterance more often than another: leave out repetitions "
            "that lack folds"
        )
    return items.sort_values(["speaker", *_UTTERANCE], ignore_index=True)


def _unweighted(truth: np.ndarray, right: np.ndarray, classes: int) -> float:
    """Return the mean over the classes that occur of the share that is right."""
    total = np.bincount(truth, minlength=classes)
    hits = np.bincount(truth, right, minlength=classes)
    present = total > 0
    return float(np.mean(hits[present] / total[present]))


def _figures(runs: pd.DataFrame, figure: str) -> pd.Series:
    """Return the figure by fold and repetition."""
    missing = [name for name in (*_RUN, figure) if name not in runs]
    if missing:
        raise UserError(f"paired test: expected the columns {', '.join(missing)} in a row a run")
    by_run = runs.set_index(_RUN)[figure].astype(np.float64)
    if by_run.index.has_duplicates:
        raise UserError(
            "paired test: expected one run for each fold and repetition, received two of "
            f"{dict(zip(_RUN, by_run.index[by_run.index.duplicated()][0], strict=True))}; compare "
            "one experiment with another"
        )
    return by_run
