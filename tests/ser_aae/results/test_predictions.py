"""Predictions: read back, refused, scored, and averaged over repetitions."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from answers import predictions as predictions_of

from ser_aae.errors import UserError
from ser_aae.results.predictions import (
    classes_of,
    read_predictions,
    score,
    score_ensemble,
    write_predictions,
)

TWO_CLASSES = ("anger", "neutral")


def answers(count=8, speaker="demo:1"):
    """Every fourth answer is wrong; truths alternate."""
    truth = [TWO_CLASSES[row % 2] for row in range(count)]
    wrong = [row % 4 == 3 for row in range(count)]
    predicted = [TWO_CLASSES[(row % 2) ^ wrong[row]] for row in range(count)]
    return pd.DataFrame(
        {
            "utterance_id": [f"{speaker}-{row}" for row in range(count)],
            "corpus": "demo",
            "speaker": speaker,
            "gender": "F",
            "truth": truth,
            "predicted": predicted,
            "p_anger": [0.9 if name == "anger" else 0.2 for name in predicted],
            "p_neutral": [0.1 if name == "anger" else 0.8 for name in predicted],
            "segments": 2,
            "gender_predicted": ["M" if row == 0 else "F" for row in range(count)],
        }
    )


def test_predictions_come_back(tmp_path):
    path = tmp_path / "run" / "predictions.parquet"
    frame = answers()
    write_predictions(path, frame)
    back = read_predictions(path)
    assert back.to_dict("list") == frame.to_dict("list")
    assert classes_of(back) == TWO_CLASSES
    assert os.listdir(path.parent) == ["predictions.parquet"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="speaker"), "missing: speaker"),
        (lambda f: f.drop(columns=["p_anger", "p_neutral"]), "missing: p_<class>"),
        (lambda f: f.head(0), "found none"),
        (lambda f: f.assign(truth="fear"), "column truth: expected one of anger, neutral"),
        (lambda f: f.assign(gender=None), "column gender"),
        (lambda f: f.assign(utterance_id="same"), "expected one row an utterance, found .*same"),
        (lambda f: f.assign(p_anger=0.9, p_neutral=0.9), "sum of 1"),
        (lambda f: f.assign(p_anger=-0.5, p_neutral=1.5), "from 0 to 1"),
        (lambda f: f.assign(p_anger=float("nan")), "from 0 to 1"),
        (lambda f: f.assign(predicted="anger"), "most probable class"),
    ],
)
def test_predictions_that_contradict_themselves_are_not_written(tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        write_predictions(tmp_path / "predictions.parquet", change(answers()))
    assert not os.listdir(tmp_path)


def test_predictions_that_cannot_be_read_are_named(tmp_path):
    path = tmp_path / "predictions.parquet"
    with pytest.raises(UserError, match="found none"):
        read_predictions(path)
    write_predictions(path, answers())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r"predictions\.parquet: damaged"):
        read_predictions(path)


def test_the_score_by_hand():
    figures = score(answers(), TWO_CLASSES)
    # anger 4 of 4, neutral 2 of 4; one gender of eight is wrong; one speaker, all "anger"
    assert figures["n"] == 8
    assert figures["weighted_accuracy"] == 6 / 8
    assert figures["unweighted_accuracy"] == 0.75
    assert figures["per_class_recall"] == {"anger": 1.0, "neutral": 0.5}
    assert figures["confusion"] == [[4, 0], [2, 2]]
    assert figures["gender_accuracy"] == 7 / 8
    assert figures["speaker_only_unweighted_accuracy"] == 0.5
    assert figures["chance"] == 0.5
    json.dumps(figures, allow_nan=False)


@pytest.mark.parametrize(("count", "has_matrix"), [(24, True), (25, False)])
def test_of_many_classes_no_matrix_is_counted(count, has_matrix):
    classes = [f"s{number:02d}" for number in range(count)]
    figures = score(predictions_of(["s00", "s01"], ["s00", "s20"], classes), classes)
    assert ("confusion" in figures) == has_matrix
    assert figures["unweighted_accuracy"] == 0.5
    assert figures["per_class_recall"] == {**dict.fromkeys(classes), "s00": 1.0, "s01": 0.0}


def test_the_digest_names_the_test_part_whatever_its_order():
    frame = answers()
    digest = score(frame, TWO_CLASSES)["test_ids_digest"]
    assert score(frame[::-1], TWO_CLASSES)["test_ids_digest"] == digest
    assert score(frame.head(7), TWO_CLASSES)["test_ids_digest"] != digest
    assert score(frame.assign(corpus="other"), TWO_CLASSES)["test_ids_digest"] != digest


def test_gender_is_scored_only_where_it_is_known():
    frame = answers()
    assert score(frame.drop(columns="gender_predicted"), TWO_CLASSES)["gender_accuracy"] is None
    assert score(frame.assign(gender="unknown"), TWO_CLASSES)["gender_accuracy"] is None
    half = frame.assign(gender=["F", "unknown"] * 4, gender_predicted=[None, "F"] + ["F"] * 6)
    assert score(half, TWO_CLASSES)["gender_accuracy"] == 1.0


def test_a_class_without_truth_is_said():
    frame = answers().assign(p_fear=0.0)
    figures = score(frame, (*TWO_CLASSES, "fear"))
    assert figures["classes_scored"] == list(TWO_CLASSES)
    assert figures["per_class_recall"]["fear"] is None
    assert figures["chance"] == 0.5


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
