"""Repetitions whose posteriors are averaged."""

import numpy as np
import pandas as pd
import pytest

from ser_aae.results.predictions import score, score_ensemble

CLASSES = ("anger", "neutral", "sadness")


def predictions(posteriors, truth=("anger", "neutral", "sadness"), **columns):
    """Return predictions on as many utterances as there are rows of posteriors."""
    shares = np.asarray(posteriors, float)
    return pd.DataFrame(
        {
            "corpus": "demo",
            "utterance_id": [f"u{row}" for row in range(len(shares))],
            "speaker": "demo:1",
            "gender": None,
            "truth": list(truth),
            "predicted": [CLASSES[column] for column in shares.argmax(axis=1)],
            "gender_predicted": "F",
            **{f"p_{name}": shares[:, column] for column, name in enumerate(CLASSES)},
            **columns,
        }
    )


ONE = predictions([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]])
TWO = predictions([[0.3, 0.4, 0.3], [0.1, 0.8, 0.1], [0.1, 0.2, 0.7]])


def test_what_most_is_said_of_wins_over_what_one_says():
    found = score_ensemble([ONE, TWO], CLASSES)
    assert found["members"] == 2
    assert found["n"] == 3
    assert found["unweighted_accuracy"] == 1.0
    assert score(ONE, CLASSES)["unweighted_accuracy"] == pytest.approx(1 / 3)
    assert score(TWO, CLASSES)["unweighted_accuracy"] == pytest.approx(2 / 3)
    assert found["gender_accuracy"] is None


def test_the_order_of_rows_and_members_counts_nothing():
    first = score_ensemble([ONE, TWO], CLASSES)
    assert score_ensemble([TWO.iloc[::-1], ONE], CLASSES) == first


def test_three_members_weigh_the_same():
    third = predictions([[0.0, 1.0, 0.0]] * 3)
    found = score_ensemble([ONE, TWO, third], CLASSES)
    # sums: 0.9 1.7, 0.6 2.2, and 0.6 1.3 1.1
    assert found["confusion"][0] == [0, 1, 0]
    assert found["confusion"][2] == [0, 1, 0]


def test_of_equal_means_the_first_class_is_taken():
    pair = [predictions([[0.4, 0.6, 0.0]] * 3), predictions([[0.6, 0.4, 0.0]] * 3)]
    assert [row[0] for row in score_ensemble(pair, CLASSES)["confusion"]] == [1, 1, 1]


def test_one_repetition_is_no_ensemble():
    assert score_ensemble([], CLASSES) is None
    assert score_ensemble([ONE], CLASSES) is None


def test_nor_are_repetitions_tested_on_other_utterances_or_another_truth():
    assert score_ensemble([ONE, TWO.iloc[:2]], CLASSES) is None
    other = predictions(TWO.filter(like="p_"), truth=("anger", "anger", "sadness"))
    assert score_ensemble([ONE, other], CLASSES) is None
