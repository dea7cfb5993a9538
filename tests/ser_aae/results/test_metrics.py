"""Accuracies and error rates against numbers by hand and of independent implementations."""

import re
from pathlib import Path

import audmetric
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold

from ser_aae.errors import UserError
from ser_aae.results import metrics

URDU = Path(__file__).parents[3] / "../shared/corpora/urdu"
CLASSES = ("anger", "happiness", "neutral", "sadness")

# counted by hand: anger 2 of 3, happiness 1 of 2, neutral 1 of 1, sadness 0 of 2
TRUTH = ["anger"] * 3 + ["happiness"] * 2 + ["neutral"] + ["sadness"] * 2
PREDICTED = [
    *("anger", "anger", "neutral"),
    *("happiness", "anger"),
    "neutral",
    *("neutral", "anger"),
]


def test_weighted_accuracy_is_the_share_that_is_right():
    assert metrics.weighted_accuracy(TRUTH, PREDICTED) == pytest.approx(4 / 8)


def test_unweighted_accuracy_is_the_mean_recall():
    value, scored = metrics.unweighted_accuracy(TRUTH, PREDICTED, CLASSES)
    assert value == pytest.approx((2 / 3 + 1 / 2 + 1 + 0) / 4)
    assert scored == CLASSES


def test_macro_f1_by_hand():
    # precision: anger 2/4, happiness 1/1, neutral 1/3, sadness none predicted
    by_hand = [2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2), 2 / 3, 2 * (1 / 3) / (4 / 3), 0]
    assert metrics.macro_f1(TRUTH, PREDICTED, CLASSES)[0] == pytest.approx(np.mean(by_hand))


def test_confusion_has_rows_of_truth_in_the_order_given():
    assert metrics.confusion(TRUTH, PREDICTED, CLASSES) == [
        [2, 0, 1, 0],
        [1, 1, 0, 0],
        [0, 0, 1, 0],
        [1, 0, 1, 0],
    ]
    turned = metrics.confusion(TRUTH, PREDICTED, CLASSES[::-1])
    assert turned[3] == [0, 1, 0, 2]


def test_a_class_without_truth_is_left_out_and_said():
    truth = ["anger", "anger", "neutral", "neutral"]
    predicted = ["anger", "sadness", "neutral", "anger"]
    value, scored = metrics.unweighted_accuracy(truth, predicted, CLASSES)
    assert scored == ("anger", "neutral")
    # the answer "sadness" is wrong for anger, though sadness itself is not scored
    assert value == pytest.approx((1 / 2 + 1 / 2) / 2)
    recalls = metrics.class_recalls(truth, predicted, CLASSES)
    assert recalls == {"anger": 0.5, "happiness": None, "neutral": 0.5, "sadness": None}
    assert metrics.macro_f1(truth, predicted, CLASSES)[1] == scored


@pytest.mark.parametrize("seed", range(5))
def test_independent_implementations_agree(seed):
    generator = np.random.default_rng(seed)
    truth = [*CLASSES, *generator.choice(CLASSES, 60, p=[0.5, 0.2, 0.2, 0.1]).tolist()]
    predicted = generator.choice(CLASSES, len(truth)).tolist()
    value, _ = metrics.unweighted_accuracy(truth, predicted, CLASSES)
    assert value == pytest.approx(audmetric.unweighted_average_recall(truth, predicted))
    assert value == balanced_accuracy_score(truth, predicted)  # to the bit: it chooses epochs
    recalls = metrics.class_recalls(truth, predicted, CLASSES)
    assert value == pytest.approx(np.mean(list(recalls.values())))
    matrix = np.array(metrics.confusion(truth, predicted, CLASSES))
    assert value == pytest.approx(np.mean(matrix.diagonal() / matrix.sum(axis=1)))
    assert metrics.weighted_accuracy(truth, predicted) == pytest.approx(
        matrix.trace() / matrix.sum()
    )
    assert metrics.macro_f1(truth, predicted, CLASSES)[0] == pytest.approx(
        f1_score(truth, predicted, average="macro")
    )


def test_knowing_only_the_speaker():
    speakers = ["a"] * 4 + ["b"] * 4
    truth = ["anger", "anger", "anger", "neutral", "neutral", "neutral", "sadness", "sadness"]
    # a is answered with anger, b with neutral, the first of two equally frequent classes
    value = metrics.speaker_only_unweighted_accuracy(speakers, truth, CLASSES)
    assert value == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_speakers_tell_nothing_where_each_has_all_classes_equally():
    speakers = [name for name in "abcdef" for _ in CLASSES]
    value = metrics.speaker_only_unweighted_accuracy(speakers, list(CLASSES) * 6, CLASSES)
    assert value == pytest.approx(1 / 4)


@pytest.fixture(scope="module")
def urdu():
    if not URDU.is_dir():
        pytest.skip(f"no URDU at {URDU}")
    names = [
        re.fullmatch(r"S([MF]\d+)_F\d+_([AHNS])\d+", path.stem).groups()
        for path in sorted(URDU.glob("*/*.wav"))
    ]
    speakers, truth = zip(*names, strict=True)
    return np.array(speakers), np.array(truth)


def test_on_urdu_the_speaker_alone_gives_96(urdu):
    speakers, truth = urdu
    assert len(truth) == 400
    value = metrics.speaker_only_unweighted_accuracy(list(speakers), list(truth), tuple("AHNS"))
    # three speakers have more than one class: 2 A, 10 H and 4 S of 100 each are lost
    assert value == pytest.approx((0.98 + 0.90 + 1.00 + 0.96) / 4)


def test_on_urdu_the_speaker_alone_gives_95_on_held_out_utterances(urdu):
    speakers, truth = urdu
    values = []
    for seed in range(10):
        answers = truth.copy()
        parts = StratifiedKFold(5, shuffle=True, random_state=seed)
        for train, test in parts.split(speakers, truth):
            for row in test:
                own = truth[train][speakers[train] == speakers[row]]
                seen = own if len(own) else truth[train]
                names, counts = np.unique(seen, return_counts=True)
                answers[row] = names[counts.argmax()]
        values.append(metrics.unweighted_accuracy(list(truth), list(answers), tuple("AHNS"))[0])
    assert np.mean(values) == pytest.approx(0.95, abs=0.005)


def test_equal_error_rate_by_hand():
    # one of three targets is under one of three impostors
    same = [True, True, True, False, False, False]
    assert metrics.equal_error_rate(same, [0.9, 0.8, 0.4, 0.6, 0.2, 0.1]) == pytest.approx(1 / 3)
    assert metrics.equal_error_rate(same, [0.9, 0.8, 0.7, 0.6, 0.2, 0.1]) == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.weighted_accuracy([], []), "at least one"),
        (lambda: metrics.weighted_accuracy(["a"], ["a", "a"]), "received 2 and 1"),
        (lambda: metrics.unweighted_accuracy(["a"], ["b"], ("a",)), "received b"),
        (lambda: metrics.confusion(["z"], ["a"], ("a",)), "received z"),
        (lambda: metrics.speaker_only_unweighted_accuracy(["s"], ["b"], ("a",)), "received b"),
        (lambda: metrics.equal_error_rate([True, True], [0.1, 0.2]), "one kind"),
        (lambda: metrics.equal_error_rate([True], [0.1, 0.2]), "received 2 and 1"),
    ],
)
def test_what_cannot_be_scored_is_refused(call, message):
    with pytest.raises(UserError, match=message):
        call()


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_utterances_and_of_classes_changes_no_figure(seed):
    generator = np.random.default_rng(seed)
    truth = np.array([*CLASSES, *generator.choice(CLASSES, 40)])
    predicted = generator.choice(CLASSES, len(truth))
    order = generator.permutation(len(truth))
    for figure in (metrics.unweighted_accuracy, metrics.macro_f1):
        value, _ = figure(truth.tolist(), predicted.tolist(), CLASSES)
        again, _ = figure(truth[order].tolist(), predicted[order].tolist(), CLASSES[::-1])
        assert value == pytest.approx(again, abs=1e-12)


def test_perfect_answers_score_one_and_constant_ones_score_chance():
    truth = [*CLASSES] * 3 + ["anger"] * 20
    assert metrics.unweighted_accuracy(truth, truth, CLASSES)[0] == 1.0
    assert metrics.macro_f1(truth, truth, CLASSES)[0] == 1.0
    constant = ["anger"] * len(truth)
    assert metrics.unweighted_accuracy(truth, constant, CLASSES)[0] == pytest.approx(1 / 4)
    # the imbalance flatters WA: that is what UA is for
    assert metrics.weighted_accuracy(truth, constant) == pytest.approx(23 / 32)


def test_knowing_the_speaker_is_everything_where_each_has_one_class():
    speakers = [f"s{row % 8}" for row in range(40)]
    truth = [CLASSES[(row % 8) // 2] for row in range(40)]
    assert metrics.speaker_only_unweighted_accuracy(speakers, truth, CLASSES) == 1.0


def test_scores_that_say_nothing_give_an_equal_error_rate_of_a_half():
    generator = np.random.default_rng(0)
    same = [bool(row % 2) for row in range(4000)]
    assert metrics.equal_error_rate(same, generator.normal(size=4000)) == pytest.approx(
        0.5, abs=0.03
    )
    # a similarity turned round is wrong throughout
    scores = [0.9 if target else 0.1 for target in same]
    assert metrics.equal_error_rate(same, scores) == 0.0
