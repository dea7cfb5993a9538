"""The paired test, against scipy and by hand."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import PermutationMethod, wilcoxon

from ser_aae.errors import UserError
from ser_aae.results.statistics import compare_runs


def runs(values, folds=6):
    """Return a row a run; `values` go fold by fold, repetition after repetition."""
    return pd.DataFrame(
        {
            "fold": [index % folds for index in range(len(values))],
            "repetition": [index // folds for index in range(len(values))],
            "unweighted_accuracy": values,
        }
    )


def test_a_model_that_is_always_ahead_has_the_smallest_p_there_is():
    values = np.random.default_rng(0).random(6)
    found = compare_runs(runs(values), runs(values + np.linspace(0.01, 0.05, 6)))
    assert found.pairs == 6
    assert found.p_value == pytest.approx(2 / 2**6)
    assert found.statistic == 0
    assert found.mean_difference == pytest.approx(0.03)
    assert found.unpaired == 0


def test_the_exact_p_is_scipys():
    draw = np.random.default_rng(2)
    first, second = draw.random(10), draw.random(10)
    found = compare_runs(runs(first), runs(second))
    wanted = wilcoxon(second - first, method="exact")
    assert found.p_value == pytest.approx(wanted.pvalue)
    assert found.statistic == wanted.statistic


def test_ties_and_zeros_are_counted_through():
    # ranks by hand: the zero takes rank 1 and goes; four ties share rank 3.5; 0.3 has rank 6
    differences = np.array([0.0, 0.1, 0.1, 0.1, -0.1, 0.3])
    found = compare_runs(runs(np.zeros(6)), runs(differences))
    ranks, wanted = [3.5, 3.5, 3.5, 3.5, 6], 3.5
    sums = [
        sum(r for r, s in zip(ranks, signs, strict=True) if s)
        for signs in product((0, 1), repeat=5)
    ]
    exact = np.mean([min(s, sum(ranks) - s) <= wanted for s in sums])
    assert found.statistic == wanted
    assert found.p_value == pytest.approx(exact)


def test_p_of_ties_is_that_of_scipys_own_test_by_permutation():
    differences = np.random.default_rng(7).normal(0.02, 0.1, 9).round(1)
    assert len(set(np.abs(differences))) < 9
    found = compare_runs(runs(np.zeros(9)), runs(differences))
    wanted = wilcoxon(differences, zero_method="pratt", method=PermutationMethod())
    assert found.p_value == pytest.approx(wanted.pvalue)
    assert found.statistic == wanted.statistic


def test_the_order_of_models_turns_the_difference_and_nothing_else():
    draw = np.random.default_rng(1)
    first, second = runs(draw.random(12)), runs(draw.random(12))
    one, two = compare_runs(first, second), compare_runs(second, first)
    assert one.mean_difference == pytest.approx(-two.mean_difference)
    assert one.p_value == two.p_value


def test_the_same_model_is_no_better_than_itself():
    found = compare_runs(runs([0.5, 0.6, 0.7]), runs([0.5, 0.6, 0.7]))
    assert (found.p_value, found.mean_difference, found.statistic) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("values", [[0.1], [0.0, 0.0, 0.1], [0.0, 0.0]])
def test_one_difference_or_none_tells_nothing(values):
    found = compare_runs(runs(np.zeros(len(values))), runs(values))
    assert (found.p_value, found.statistic, found.pairs) == (1.0, 0.0, len(values))


def test_signs_of_many_ties_are_drawn_by_the_seed():
    draw = np.random.default_rng(3)
    pair = runs(np.zeros(30)), runs(draw.normal(0.02, 0.1, 30).round(2))
    one = compare_runs(*pair, resamples=2000, seed=0)
    assert compare_runs(*pair, resamples=2000, seed=0) == one
    other = compare_runs(*pair, resamples=2000, seed=1)
    assert other != one
    assert one.p_value == pytest.approx(other.p_value, abs=0.05)


def test_runs_are_paired_by_fold_and_repetition_whatever_their_order():
    values = np.random.default_rng(4).random(12)
    turned = runs(values).iloc[::-1]
    assert compare_runs(runs(values), turned).mean_difference == 0
    short = compare_runs(runs(values), runs(values + 0.1)[:8])
    assert (short.pairs, short.unpaired) == (8, 4)


def test_repetitions_averaged_leave_a_pair_a_fold():
    values = np.random.default_rng(5).random(18)
    found = compare_runs(runs(values), runs(values + 0.01), average_repetitions=True)
    assert found.pairs == 6
    assert found.p_value == pytest.approx(2 / 2**6)
    # all runs as if they were independent
    every = compare_runs(runs(values), runs(values + np.linspace(0.01, 0.02, 18)))
    assert every.p_value == pytest.approx(2 / 2**18)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="fold"), "columns fold"),
        (lambda frame: frame.drop(columns="unweighted_accuracy"), "columns unweighted_accuracy"),
        (lambda frame: pd.concat([frame, frame]), "received two of {'fold': 0"),
        (lambda frame: frame.assign(fold=frame["fold"] + 9), "found none"),
    ],
)
def test_what_cannot_be_paired_is_refused(change, message):
    frame = runs(np.arange(6) / 10)
    with pytest.raises(UserError, match=message):
        compare_runs(frame, change(frame))


def test_runs_that_were_tested_on_other_utterances_are_no_pair():
    values = np.random.default_rng(6).random(6)
    first = runs(values).assign(test_ids_digest=list("abcdef"))
    second = runs(values + 0.1).assign(test_ids_digest=list("abcxyz"))
    found = compare_runs(first, second)
    assert (found.pairs, found.unpaired) == (3, 6)
    assert compare_runs(first, second.drop(columns="test_ids_digest")).pairs == 6
    with pytest.raises(UserError, match="tested on the same utterances"):
        compare_runs(first, second.assign(test_ids_digest=list("uvwxyz")))
