"""Wrong answers: the confident ones first, an utterance once, and recall by group."""

import pandas as pd
import pytest
from answers import predictions

from ser_aae.config.datasets import readable_name
from ser_aae.results.predictions import POSTERIOR
from ser_aae.results.wrong_answers import (
    average_runs,
    find_wrong,
    name_files,
    recall_by,
    recall_rows,
    wrong_rows,
)
from ser_aae.utterance import Utterance

CLASSES = ("anger", "joy", "calm")


def frame_of(rows, **columns):
    """Return predictions of rows `(id, speaker, truth, posteriors)`."""
    ids, speakers, truth, posteriors = zip(*rows, strict=True)
    answers = [CLASSES[max(range(3), key=list(each).__getitem__)] for each in posteriors]
    names = {"utterance_id": list(ids), "speaker": list(speakers)} | columns
    frame = predictions(list(truth), answers, CLASSES, **names)
    for number, name in enumerate(CLASSES):
        frame[f"{POSTERIOR}{name}"] = [each[number] for each in posteriors]
    return frame


ROWS = [
    ("a", "x", "anger", (0.7, 0.2, 0.1)),
    ("b", "x", "anger", (0.3, 0.6, 0.1)),
    ("c", "y", "joy", (0.05, 0.05, 0.9)),
    ("d", "y", "joy", (0.1, 0.8, 0.1)),
    ("e", "y", "calm", (0.6, 0.3, 0.1)),
]


@pytest.fixture
def one():
    return average_runs([frame_of(ROWS)], CLASSES)


def test_the_most_confident_wrong_answer_comes_first(one):
    wrong = find_wrong(one)
    assert list(wrong["utterance_id"]) == ["c", "b", "e"]
    assert list(wrong["answer"]) == ["calm", "joy", "anger"]
    assert list(wrong["posterior"]) == [0.9, 0.6, 0.6]
    assert list(wrong["posterior_of_truth"]) == [0.05, 0.3, 0.1]


def test_repetitions_are_averaged_and_an_utterance_stands_once():
    other = [(name, who, truth, (0.1, 0.15, 0.75)) for name, who, truth, _ in ROWS]
    found = average_runs([frame_of(ROWS), frame_of(other)], CLASSES)
    assert list(found["utterance_id"]) == ["a", "b", "c", "d", "e"]
    assert set(found["runs"]) == {2}
    by_id = found.set_index("utterance_id")
    assert by_id.loc["b", "p_anger"] == pytest.approx(0.2)
    assert list(by_id["wrong"]) == [1, 2, 2, 1, 1]
    # the largest mean: of a, b and e another one than the first run's, of d than the second's
    assert list(by_id["answer"]) == ["calm", "calm", "calm", "joy", "calm"]
    assert wrong_rows(find_wrong(found), 10)[1][-1] == "2 of 2"


def test_folds_are_put_together():
    folds = [frame_of(ROWS[:2]), frame_of(ROWS[2:])]
    pd.testing.assert_frame_equal(
        average_runs(folds, CLASSES), average_runs([frame_of(ROWS)], CLASSES)
    )


def test_the_answer_of_a_single_run_is_its_own():
    """Of two classes that are equally likely the run said which."""
    frame = frame_of([("a", "x", "anger", (0.45, 0.45, 0.1))]).assign(predicted="joy")
    assert list(average_runs([frame], CLASSES)["answer"]) == ["joy"]


def test_recall_by_class_speaker_and_gender(one):
    by_class = recall_by(one, "truth", CLASSES)
    assert by_class.to_numpy().tolist() == [["anger", 2, 0.5], ["joy", 2, 0.5], ["calm", 1, 0.0]]
    by_speaker = recall_by(one, "speaker", CLASSES)
    assert by_speaker.to_numpy().tolist() == [
        ["x", 2, 0.5, 0.5],
        ["y", 3, pytest.approx(1 / 3), 0.25],
    ]
    by_gender = recall_by(average_runs([frame_of(ROWS, gender="F")], CLASSES), "gender", CLASSES)
    assert by_gender.to_numpy().tolist() == [["F", 5, 0.4, pytest.approx(1 / 3)]]
    assert recall_rows(one, "truth", CLASSES)[1] == ["anger", "2", "50.0"]


def test_files_are_named_with_the_part_that_was_cut(one):
    corpus = one["corpus"][0]
    known = {
        (corpus, "c"): Utterance(corpus, "c", "calls/1.wav", "y", "F", start_s=1.5, end_s=3.0),
        (corpus, "b"): Utterance(corpus, "b", "calls/2.wav", "x", "F"),
    }
    wrong = name_files(find_wrong(one), known)
    assert list(wrong["file"].fillna("")) == ["calls/1.wav", "calls/2.wav", ""]
    assert [row[0] for row in wrong_rows(wrong, 10)[1:]] == [
        "calls/1.wav [1.5, 3] s",
        "calls/2.wav",
        "e",
    ]


def test_as_many_rows_as_are_asked_for(one):
    assert len(wrong_rows(find_wrong(one), 1)) == 2


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("csv-odd_table-50-9da7a7:e#e", "odd_table-50:e#e"),
        ("audformat-emodb-1-4-emotion-0a1b2c", "emodb-1-4-emotion"),
        ("ravdess:09", "ravdess:09"),
        ("csv-short-9da7", "csv-short-9da7"),
    ],
)
def test_a_speaker_of_a_table_is_said_without_its_digits(stored, said):
    assert readable_name(stored) == said
