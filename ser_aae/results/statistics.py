"""Bootstrap intervals of UA and of its differences, and paired tests of two models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import permutation_test, rankdata, wilcoxon

from ser_aae.errors import UserError

LEAST_SPEAKERS = 5
"""Fewest speakers whose interval is shown: of four a 95 % interval holds the truth in 80 of 100."""

_UTTERANCE = ["corpus", "utterance_id"]
_RUN = ["fold", "repetition"]
_TEST_PART = "test_ids_digest"
_ACCURACY = "unweighted_accuracy"


@dataclass(frozen=True)
class Interval:
    """A bootstrap interval.

    Attributes:
        estimate: The score itself, a share in [0, 1], or the difference of two.
        level: Share of resamples between the edges.
        speakers: Number of speakers, who are drawn with replacement.
        utterances: Number of their utterances.
        resamples: Number of draws.
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
        pairs: Number of pairs.
        unpaired: Number of runs left out, since the other model has no counterpart.
        mean_difference: Second minus first.
        statistic: Wilcoxon's: the smaller sum of ranks; 0 where all differences have one sign.
        p_value: Two-sided.
    """

    pairs: int
    unpaired: int
    mean_difference: float
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
    """Return a percentile bootstrap interval of UA over new speakers.

    Speakers are drawn with replacement, each with all its utterances: the cluster bootstrap
    (Davison and Hinkley, "Bootstrap Methods and their Application", 1997, Sec. 3.8). Utterances
    of one speaker are right or wrong together: were utterances drawn singly, they would pass for
    that many independent trials, and the interval would come out too narrow. Were they drawn again
    within each speaker, their chance, which the speaker's share holds already, would count twice,
    and the interval would come out too wide.

    The interval says how the UA of *these trained models* would vary on other speakers who stand
    to the training part as those tested do; where tested speakers were trained on too, as with
    10-fold, it says nothing of unknown ones. It says nothing of models that are trained anew, for
    which there is the spread over repetitions, nor of other corpora. With few speakers it is
    rather too narrow: with 24, as RAVDESS has, intervals of 95 % hold the truth in about 92 of 100
    samples; with the four of a fold, in 80.

    The predictions have `corpus`, `utterance_id`, `speaker`, `truth` and `predicted`, and are of
    all folds, and of one repetition or of several. Of several, an utterance counts with the share
    of repetitions that are right on it, and the estimate is the mean of their UA. In a resample, as
    elsewhere, UA is the mean over the classes that occur.

    Raises:
        UserError: Fewer than two speakers, or repetitions that were not tested on the same
            utterances.
    """
    return _interval(predictions, _resample(predictions, classes, resamples, seed), level)


def bootstrap_difference(
    first: pd.DataFrame, second: pd.DataFrame, classes: Sequence[str], *, resamples: int = 2000
) -> Interval:
    """Return a percentile bootstrap interval of the second's UA minus the first's.

    A resample draws the same speakers for both, so that a speaker's difficulty for either falls
    out. Otherwise the interval and the arguments are as of `bootstrap_unweighted_accuracy`; the
    two may be of any number of repetitions.

    Raises:
        UserError: As there, or the two were not tested on the same utterances.
    """
    key = [*_UTTERANCE, "speaker", "truth"]
    mine, theirs = (set(each[key].itertuples(index=False, name=None)) for each in (first, second))
    if mine != theirs:
        raise UserError(
            "bootstrap: expected two models tested on the same utterances, with the same truth, "
            f"received {len(mine - theirs)} that only the first has and {len(theirs - mine)} that "
            "only the second has"
        )
    one, two = (_resample(each, classes, resamples) for each in (first, second))
    return _interval(first, two - one)


def compare_runs(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    average_repetitions: bool = False,
    resamples: int = 9999,
    seed: int = 0,
) -> PairedTest:
    """Test whether two models differ, by Wilcoxon's signed ranks over paired runs.

    A pair is one fold of one repetition: the same test utterances, and the same training ones.
    The p-value is the share of all ways to turn the differences' signs that give ranks as
    one-sided as these. It is exact, except where differences are tied and too many to try all
    signs: then the share of `resamples` draws. Differences of 0 are ranked and then dropped
    (Pratt).

    The test says whether one model is ahead more often, and by more, than a coin would have it, on
    the folds of this corpus. It says neither by how much (see the differences), nor that it would
    be so on other speakers. Repetitions of a fold share their test speakers, and folds share most
    of their training speakers, so runs are not independent and p is too small;
    `average_repetitions` leaves one pair a fold, the mean over the repetitions that both have,
    which is the more honest test and the weaker: with n pairs p is never under 2 / 2**n, which is
    0.031 with six folds.

    The models are each given with one row a run of an experiment, with `fold`, `repetition` and
    `unweighted_accuracy`, as `ser_aae.results.folder.load_runs` gives them. Where both have
    `test_ids_digest` too, runs that were tested on other utterances are no pair.

    Raises:
        UserError: A column is missing, a run stands twice, or no two runs are paired.
    """
    parts = [_TEST_PART] if _TEST_PART in first and _TEST_PART in second else []
    one, two = (_accuracies(runs, [*_RUN, *parts]) for runs in (first, second))
    pairs = pd.concat({"first": one, "second": two}, axis=1, join="inner")
    if pairs.empty:
        raise UserError(
            "paired test: expected runs of the same folds and repetitions, tested on the same "
            "utterances; found none"
        )
    unpaired = len(one) + len(two) - 2 * len(pairs)
    if average_repetitions:
        pairs = pairs.groupby(level="fold").mean()
    # rounded, so that equal shares of utterances computed by two ways are equal ranks
    differences = (pairs["second"] - pairs["first"]).round(12).to_numpy(np.float64)
    statistic, p_value = _signed_ranks(differences, resamples, seed)
    return PairedTest(
        pairs=len(differences),
        unpaired=unpaired,
        mean_difference=float(differences.mean()),
        statistic=statistic,
        p_value=p_value,
    )


def _resample(
    predictions: pd.DataFrame, classes: Sequence[str], resamples: int, seed: int = 0
) -> np.ndarray:
    """Return UA, `(1 + resamples,)`, first of the speakers as they are, then of each draw.

    The same speakers and seed give the same draws, whatever was predicted.
    """
    items = _utterances(predictions)
    counts = items.groupby(["speaker", "truth"])[["right", "tested"]].sum().unstack(fill_value=0)
    speakers = len(counts)
    if speakers < 2:
        raise UserError(
            f"bootstrap: expected predictions on two speakers or more, received {speakers}; an "
            "interval over speakers needs several: pool the folds"
        )
    right, tested = (
        counts[name].reindex(columns=list(classes), fill_value=0).to_numpy(np.int64)
        for name in ("right", "tested")
    )
    # how often each speaker is drawn; whole numbers, whose sums do not depend on their order
    drawn = np.random.default_rng(seed).multinomial(
        speakers, np.full(speakers, 1 / speakers), size=resamples
    )
    times = np.vstack([np.ones_like(drawn[:1]), drawn])
    right, tested = times @ right, times @ tested
    return (right / np.maximum(tested, 1)).sum(axis=-1) / (tested > 0).sum(axis=-1)


def _interval(predictions: pd.DataFrame, scores: np.ndarray, level: float = 0.95) -> Interval:
    """Return the interval of the first score, from its resamples, which are the others."""
    low, high = np.quantile(scores[1:], [(1 - level) / 2, (1 + level) / 2])
    return Interval(
        estimate=float(scores[0]),
        low=float(low),
        high=float(high),
        level=level,
        speakers=predictions["speaker"].nunique(),
        utterances=len(predictions.drop_duplicates(_UTTERANCE)),
        resamples=len(scores) - 1,
    )


def _utterances(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return one row an utterance: how often it was tested, and how often that went right."""
    rows = predictions.assign(right=predictions["truth"] == predictions["predicted"])
    grouped = rows.groupby([*_UTTERANCE, "speaker", "truth"])["right"]
    items = grouped.agg(right="sum", tested="size").reset_index()
    if items["tested"].nunique() > 1 or items.duplicated(_UTTERANCE).any():
        raise UserError(
            "bootstrap: expected every repetition to be tested on the same utterances, with the "
            "same truth; received an utterance more often than another: leave out repetitions "
            "that lack folds"
        )
    return items


def _signed_ranks(differences: np.ndarray, resamples: int, seed: int) -> tuple[float, float]:
    """Return Wilcoxon's statistic and its two-sided p-value."""
    distinct = len(np.unique(np.abs(differences))) == len(differences) and differences.all()
    if distinct:
        found = wilcoxon(differences, method="exact")
        return float(found.statistic), float(found.pvalue)
    ranks = rankdata(np.abs(differences)) * np.sign(differences)
    ranks = ranks[ranks != 0]
    if len(ranks) < 2:  # either sign of a single rank is as one-sided as the other
        return 0.0, 1.0
    # scipy's own wilcoxon would make the ranks anew for every draw
    turned = permutation_test(
        (ranks,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        rng=np.random.default_rng(seed),
    )
    statistic = min(ranks[ranks > 0].sum(), -ranks[ranks < 0].sum())
    return float(statistic), float(turned.pvalue)


def _accuracies(runs: pd.DataFrame, key: Sequence[str]) -> pd.Series:
    """Return UA by fold, repetition and any other column that names a pair."""
    missing = [name for name in (*_RUN, _ACCURACY) if name not in runs]
    if missing:
        raise UserError(f"paired test: expected the columns {', '.join(missing)} in a row a run")
    twice = runs.duplicated(_RUN)
    if twice.any():
        raise UserError(
            "paired test: expected one run for each fold and repetition, received two of "
            f"{runs.loc[twice, _RUN].iloc[0].to_dict()}; compare one experiment with another"
        )
    return runs.set_index(list(key))[_ACCURACY].astype(np.float64)
