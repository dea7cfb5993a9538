"""The bootstrap interval and the paired test, against theory, scipy and simulation."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import PermutationMethod, bootstrap, norm, wilcoxon

from ser_aae.errors import UserError
from ser_aae.metrics import unweighted_accuracy
from ser_aae.statistics import bootstrap_unweighted_accuracy, compare_runs

CLASSES = ("anger", "neutral", "sadness")


def answers(speakers=12, each=30, seed=0, spread=0.0, mean=0.7):
    """Return predictions of which each speaker's are right with a probability of its own."""
    draw = np.random.default_rng(seed)
    rows = []
    for speaker in range(speakers):
        chance = np.clip(mean + spread * draw.normal(), 0, 1)
        for number in range(each):
            truth = CLASSES[number % 3]
            wrong = CLASSES[(number + 1) % 3]
            rows.append(
                {
                    "corpus": "demo",
                    "utterance_id": f"{speaker}-{number}",
                    "speaker": f"demo:{speaker}",
                    "truth": truth,
                    "predicted": truth if draw.random() < chance else wrong,
                }
            )
    return pd.DataFrame(rows)


def runs(values, folds=6):
    """Return a row a run; `values` go fold by fold, repetition after repetition."""
    return pd.DataFrame(
        {
            "fold": [index % folds for index in range(len(values))],
            "repetition": [index // folds for index in range(len(values))],
            "unweighted_accuracy": values,
        }
    )


def test_the_estimate_is_the_unweighted_accuracy_and_lies_between_the_edges():
    frame = answers()
    found = bootstrap_unweighted_accuracy(frame, CLASSES)
    wanted = unweighted_accuracy(list(frame["truth"]), list(frame["predicted"]), CLASSES)[0]
    assert found.estimate == pytest.approx(wanted)
    assert found.low < found.estimate < found.high
    assert (found.speakers, found.utterances, found.resamples) == (12, 360, 2000)


def test_the_seed_gives_the_interval_and_the_order_of_rows_does_not():
    frame = answers()
    first = bootstrap_unweighted_accuracy(frame, CLASSES, seed=3)
    assert bootstrap_unweighted_accuracy(frame.sample(frac=1, random_state=1), CLASSES, seed=3) == (
        first
    )
    assert bootstrap_unweighted_accuracy(frame, CLASSES, seed=4) != first


def test_speakers_that_differ_widen_the_interval():
    alike = bootstrap_unweighted_accuracy(answers(spread=0.0), CLASSES)
    differ = bootstrap_unweighted_accuracy(answers(spread=0.25), CLASSES)
    # of utterances drawn singly the interval would know nothing of the difference
    assert differ.high - differ.low > 1.5 * (alike.high - alike.low)


def test_where_every_speaker_has_one_rate_scipys_bootstrap_of_speakers_agrees():
    # all right or all wrong: what scipy draws of single numbers are whole speakers
    frame = answers(speakers=30, each=12, seed=5)
    share = frame["speaker"].isin([f"demo:{number}" for number in range(20)])
    frame["predicted"] = frame["truth"].where(share, frame["truth"].map(dict(zip(
        CLASSES, (*CLASSES[1:], CLASSES[0]), strict=True
    ))))  # fmt: skip
    found = bootstrap_unweighted_accuracy(frame, CLASSES, resamples=5000)
    rates = np.array([1.0] * 20 + [0.0] * 10)
    wanted = bootstrap((rates,), np.mean, method="percentile", rng=np.random.default_rng(0))
    assert found.low == pytest.approx(wanted.confidence_interval.low, abs=0.02)
    assert found.high == pytest.approx(wanted.confidence_interval.high, abs=0.02)


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.1])
def test_the_width_is_that_of_a_known_variance(spread):
    speakers, each, mean = 150, 12, 0.65
    found = [
        bootstrap_unweighted_accuracy(answers(speakers, each, seed, spread, mean), CLASSES)
        for seed in range(4)
    ]
    within = mean * (1 - mean) - spread**2
    deviation = np.sqrt(spread**2 / speakers + within / (speakers * each))
    width = np.mean([item.high - item.low for item in found])
    # of utterances drawn within the drawn speakers once more it would be 1.27 or more, and of
    # utterances drawn singly, with the largest spread, 0.82
    assert 0.9 < width / (2 * norm.ppf(0.975) * deviation) < 1.1


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    # 24 speakers, as RAVDESS has; what is sought is the mean of their talent
    held = 0
    for seed in range(100):
        frame = answers(24, 27, seed, spread=0.05, mean=0.65)
        found = bootstrap_unweighted_accuracy(frame, CLASSES, resamples=400)
        held += found.low <= 0.65 <= found.high
    assert 87 <= held <= 97  # to hold it always is to say too little


def test_a_speaker_is_drawn_with_all_utterances_or_not_at_all():
    # both speakers are right on one half: a draw within them would find a better or worse half
    frame = answers(speakers=2, each=12)
    wrong = frame["truth"].map(dict(zip(CLASSES, (*CLASSES[1:], CLASSES[0]), strict=True)))
    frame["predicted"] = frame["truth"].where(frame.index % 12 < 6, wrong)
    found = bootstrap_unweighted_accuracy(frame, CLASSES)
    assert (found.low, found.estimate, found.high) == (0.5, 0.5, 0.5)


def test_a_higher_level_is_wider():
    frame = answers()
    narrow = bootstrap_unweighted_accuracy(frame, CLASSES, level=0.8)
    wide = bootstrap_unweighted_accuracy(frame, CLASSES, level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_of_several_repetitions_the_mean_is_estimated_and_utterances_are_not_counted_twice():
    one, two = answers(seed=0), answers(seed=1)
    both = bootstrap_unweighted_accuracy(pd.concat([one, two]), CLASSES)
    alone = [bootstrap_unweighted_accuracy(frame, CLASSES) for frame in (one, two)]
    assert both.estimate == pytest.approx(np.mean([item.estimate for item in alone]))
    assert both.utterances == 360
    twice = bootstrap_unweighted_accuracy(pd.concat([one, one]), CLASSES)
    assert twice == alone[0]


def test_a_class_without_truth_is_left_out():
    frame = answers()
    frame = frame[frame["truth"] != "anger"]
    found = bootstrap_unweighted_accuracy(frame, CLASSES)
    wanted = unweighted_accuracy(list(frame["truth"]), list(frame["predicted"]), CLASSES)[0]
    assert found.estimate == pytest.approx(wanted)
    assert np.isfinite([found.low, found.high]).all()


def test_one_speaker_says_nothing_of_others():
    with pytest.raises(UserError, match="two speakers or more, received 1"):
        bootstrap_unweighted_accuracy(answers(speakers=1), CLASSES)


def test_repetitions_of_other_utterances_are_not_taken_together():
    with pytest.raises(UserError, match="tested on the same utterances"):
        bootstrap_unweighted_accuracy(pd.concat([answers(), answers()[:100]]), CLASSES)


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


def test_a_class_that_no_resampled_utterance_has_is_left_out_of_its_mean():
    frame = answers(speakers=2, each=30).assign(predicted=lambda rows: rows["truth"])
    frame = frame[~(frame["speaker"].eq("demo:0") & frame["truth"].eq("sadness"))]
    found = bootstrap_unweighted_accuracy(frame, CLASSES)
    # a resample of the first speaker alone has no sadness: it is no recall of 0
    assert (found.low, found.high) == (1.0, 1.0)
