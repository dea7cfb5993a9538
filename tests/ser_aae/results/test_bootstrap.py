"""Bootstrap intervals of UA and of its differences, against theory, scipy and simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap, norm

from ser_aae.errors import UserError
from ser_aae.results.metrics import unweighted_accuracy
from ser_aae.results.statistics import bootstrap_difference, bootstrap_unweighted_accuracy

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


def test_a_difference_is_that_of_the_two_and_turns_its_sign_with_them():
    one, two = answers(seed=0), answers(seed=1, mean=0.8)
    found = bootstrap_difference(one, two, CLASSES)
    first, second = (bootstrap_unweighted_accuracy(each, CLASSES).estimate for each in (one, two))
    assert found.estimate == pytest.approx(second - first)
    assert found.low < found.estimate < found.high
    assert (found.speakers, found.utterances, found.resamples) == (12, 360, 2000)
    turned = bootstrap_difference(two, one, CLASSES)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert turned.estimate == pytest.approx(-found.estimate)


def test_what_makes_a_speaker_hard_for_both_falls_out_of_a_difference():
    # the second model differs by a few answers, spread evenly over speakers who differ much
    one = answers(24, 30, spread=0.3)
    two = one.assign(predicted=one["truth"].where(one.index % 10 == 0, one["predicted"]))
    apart = bootstrap_unweighted_accuracy(two, CLASSES)
    found = bootstrap_difference(one, two, CLASSES)
    assert found.high - found.low < 0.5 * (apart.high - apart.low)
    assert found.low > 0


def test_the_interval_of_a_difference_holds_the_truth_about_as_often_as_it_says():
    held = 0
    for seed in range(100):
        one, two = answers(24, 27, seed, mean=0.6), answers(24, 27, 1000 + seed, mean=0.7)
        found = bootstrap_difference(one, two, CLASSES, resamples=400)
        held += found.low <= 0.1 <= found.high
    assert 87 <= held <= 97


def test_repetitions_of_one_model_count_with_their_mean_in_a_difference():
    svm, one, two = answers(seed=0), answers(seed=1), answers(seed=2)
    found = bootstrap_difference(svm, pd.concat([one, two]), CLASSES)
    each = [bootstrap_difference(svm, frame, CLASSES).estimate for frame in (one, two)]
    assert found.estimate == pytest.approx(np.mean(each))
    assert found.utterances == 360


def test_a_difference_is_taken_of_the_same_utterances_alone():
    with pytest.raises(UserError, match="260 that only the first has and 0 that only the second"):
        bootstrap_difference(answers(), answers()[:100], CLASSES)
    other = answers().assign(truth="anger")
    with pytest.raises(UserError, match="with the same truth"):
        bootstrap_difference(answers(), other, CLASSES)
    with pytest.raises(UserError, match="two speakers or more, received 1"):
        bootstrap_difference(answers(speakers=1), answers(speakers=1, seed=1), CLASSES)


def test_a_class_that_no_resampled_utterance_has_is_left_out_of_its_mean():
    frame = answers(speakers=2, each=30).assign(predicted=lambda rows: rows["truth"])
    frame = frame[~(frame["speaker"].eq("demo:0") & frame["truth"].eq("sadness"))]
    found = bootstrap_unweighted_accuracy(frame, CLASSES)
    # a resample of the first speaker alone has no sadness: it is no recall of 0
    assert (found.low, found.high) == (1.0, 1.0)
