"""Scoring: means over the segments of an utterance, and the tables of them."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from ser_aae.batches.pipeline import evaluation_dataset
from ser_aae.config import DataConfig
from ser_aae.data.part import Part
from ser_aae.labels import FOUR
from ser_aae.results.predictions import read_predictions, score, write_predictions
from ser_aae.training.divergence import DivergedError
from ser_aae.training.scoring import Scorer, average_outputs, predictions_frame, score_tasks

DATA = DataConfig(segment_frames=64, evaluation_shift_frames=32, evaluation_segments=3)


class Listener:
    """A stand-in for a model: hears the raised bands of the tiny corpora by their level in dB."""

    def __init__(self):
        self.training = []

    def __call__(self, segments, training):
        self.training.append(training)
        bands = tf.reduce_mean(segments[..., 0], axis=2)
        emotion = tf.reduce_mean(tf.reshape(bands[:, :16], [-1, 4, 4]), axis=2)
        gender = tf.stack([bands[:, 20], bands[:, 22]], axis=1)
        # mild, so that the segments of one utterance differ
        return {"emotion": tf.nn.softmax(emotion / 20), "gender": tf.nn.softmax(gender / 20)}


@pytest.fixture(scope="module")
def part(tiny_part):
    # rows out of the middle, with gaps: places in the part are not rows of the corpus
    return replace(tiny_part, rows=np.array([3, 9, 10, 17, 30, 31, 44, 63]))


@pytest.fixture(scope="module")
def scorer_of(as_they_are):
    def make(part, batch_size=5, model=None, data=DATA):
        dataset = evaluation_dataset(part, as_they_are, data, batch_size)
        return Scorer(model or Listener(), dataset, part)

    return make


def test_posteriors_are_the_mean_over_the_segments_of_an_utterance(part, scorer_of, as_they_are):
    means, counts = scorer_of(part).posteriors()
    frames = part.corpus.num_frames[part.rows]
    tiles = 1 + np.ceil(np.maximum(frames - 64, 0) / 32).astype(int)
    np.testing.assert_array_equal(counts, np.maximum(tiles, 3))
    assert tiles.min() < 3 < tiles.max()
    said = {int(row): [] for row in part.rows}
    for segments, _, rows in evaluation_dataset(part, as_they_are, DATA, 1):
        said[int(rows[0])].append(Listener()(segments, training=False))
    for place, row in enumerate(part.rows):
        assert len(said[int(row)]) == counts[place]
        for task in ("emotion", "gender"):
            by_hand = np.mean([answer[task].numpy()[0] for answer in said[int(row)]], axis=0)
            np.testing.assert_allclose(means[task][place], by_hand, atol=1e-5)
            assert means[task][place].sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("task", ["emotion", "speaker"])
def test_a_posterior_that_is_no_number_is_no_class(part, as_they_are, task):
    """The largest of four NaN would be the first class."""
    dataset = evaluation_dataset(part, as_they_are, DATA, 4)

    def forward(segments):
        count = len(segments)
        outputs = {"emotion": tf.fill([count, 4], 0.25), "speaker": tf.fill([count, 2], 0.5)}
        return outputs | {task: outputs[task] * np.nan}

    with pytest.raises(DivergedError, match=f"output {task} is nan; lower training.learning_rate"):
        average_outputs(forward, dataset, part)


def test_what_was_planted_is_found(part, scorer_of):
    means, _ = scorer_of(part).posteriors()
    np.testing.assert_array_equal(
        means["emotion"].argmax(axis=1), part.labels["emotion"][part.rows]
    )
    np.testing.assert_array_equal(means["gender"].argmax(axis=1), part.labels["gender"][part.rows])


def test_the_batch_size_changes_nothing_and_scoring_again_nothing(part, scorer_of):
    model = Listener()
    scorer = scorer_of(part, 3, model)
    first, again, other = scorer.posteriors(), scorer.posteriors(), scorer_of(part, 64).posteriors()
    for found in (again, other):
        np.testing.assert_allclose(found[0]["emotion"], first[0]["emotion"], atol=1e-6)
        np.testing.assert_array_equal(found[1], first[1])
    assert set(model.training) == {False}


def test_the_shift_decides_on_how_many_segments_an_utterance_is_heard(part, scorer_of):
    _, fine = scorer_of(part, data=replace(DATA, evaluation_shift_frames=8)).posteriors()
    _, coarse = scorer_of(part, data=replace(DATA, evaluation_shift_frames=64)).posteriors()
    assert fine.sum() > coarse.sum()
    assert (fine >= coarse).all()


def test_so_do_the_fewest_segments_which_change_the_posteriors(part, scorer_of):
    few, one = scorer_of(part, data=replace(DATA, evaluation_segments=1)).posteriors()
    more, six = scorer_of(part, data=replace(DATA, evaluation_segments=6)).posteriors()
    assert six.min() == 6
    assert (one < six).any()
    assert not np.allclose(few["emotion"], more["emotion"])


def four_rows(tiny_part, emotion, gender=(0, 1, 0, 1), speaker=(-1, -1, -1, -1)):
    """A part of the first four utterances with the given truth."""
    labels = {"emotion": emotion, "gender": gender, "speaker": speaker}
    arrays = {task: np.array(values, np.int32) for task, values in labels.items()}
    return Part(tiny_part.corpus, np.arange(4), arrays)


def sure_of(*classes, count):
    return np.eye(count)[list(classes)]


def test_scores_of_the_primary_task_and_the_others(tiny_part):
    part = four_rows(tiny_part, (0, 0, 0, 1))
    posteriors = {
        "emotion": sure_of(0, 0, 2, 1, count=4),
        "gender": sure_of(0, 0, 0, 1, count=2),
        "speaker": sure_of(0, 1, 2, 3, count=5),
    }
    assert score_tasks(posteriors, part, "emotion") == {
        "weighted_accuracy": pytest.approx(3 / 4),
        # classes 2 and 3 have no truth: the mean is over two recalls
        "unweighted_accuracy": pytest.approx((2 / 3 + 1) / 2),
        "gender_accuracy": pytest.approx(3 / 4),
    }


def test_rows_without_a_label_do_not_count(tiny_part):
    part = four_rows(tiny_part, (0, -1, 1, -1), gender=(-1, -1, -1, 1), speaker=(2, -1, -1, 0))
    posteriors = {
        "emotion": sure_of(0, 3, 3, 3, count=4),
        "gender": sure_of(0, 0, 0, 1, count=2),
        "speaker": sure_of(2, 2, 2, 2, count=3),
    }
    assert score_tasks(posteriors, part, "emotion") == {
        "weighted_accuracy": 0.5,
        "unweighted_accuracy": 0.5,
        "gender_accuracy": 1.0,
        "speaker_accuracy": 0.5,
    }


def test_another_primary_task_gets_the_two_accuracies(tiny_part):
    part = four_rows(tiny_part, (0, 0, 0, 1), gender=(0, 1, 1, 1))
    posteriors = {"gender": sure_of(0, 0, 1, 1, count=2), "emotion": sure_of(0, 0, 0, 0, count=4)}
    assert score_tasks(posteriors, part, "gender") == {
        "weighted_accuracy": 0.75,
        "unweighted_accuracy": pytest.approx((1 + 2 / 3) / 2),
        "emotion_accuracy": 0.75,
    }


def test_a_task_without_any_label_is_left_out_even_the_primary_one(tiny_part):
    part = four_rows(tiny_part, (-1, -1, -1, -1))
    posteriors = {"emotion": sure_of(0, 1, 2, 3, count=4), "speaker": sure_of(0, 0, 0, 0, count=2)}
    assert score_tasks(posteriors, part, "emotion") == {}


def test_rows_are_those_of_the_part_not_the_first_of_the_corpus(tiny_part):
    rows = np.array([60, 62])
    part = replace(tiny_part, rows=rows)
    posteriors = {"emotion": sure_of(*tiny_part.labels["emotion"][rows], count=4)}
    assert score_tasks(posteriors, part, "emotion")["weighted_accuracy"] == 1.0


@pytest.fixture(scope="module")
def frame(part, scorer_of):
    posteriors, segments = scorer_of(part).posteriors()
    return predictions_frame(posteriors, segments, part, FOUR, "emotion")


def test_a_frame_has_one_row_an_utterance(part, frame):
    assert list(frame.columns) == [
        "utterance_id",
        "corpus",
        "speaker",
        "gender",
        "truth",
        "predicted",
        *(f"p_{name}" for name in FOUR),
        "segments",
        "gender_predicted",
    ]
    utterances = [part.corpus.utterances[row] for row in part.rows]
    assert frame["utterance_id"].tolist() == [item.utterance_id for item in utterances]
    assert frame["speaker"].tolist() == [item.speaker for item in utterances]
    assert frame["gender"].tolist() == [item.gender for item in utterances]
    assert frame["truth"].tolist() == [item.emotion for item in utterances]
    assert set(frame["corpus"]) == {"tiny"}


def test_a_frame_says_what_the_posteriors_say(part, scorer_of, frame):
    posteriors, segments = scorer_of(part).posteriors()
    columns = [f"p_{name}" for name in FOUR]
    np.testing.assert_allclose(frame[columns].to_numpy(), posteriors["emotion"], atol=1e-6)
    assert frame["predicted"].tolist() == [FOUR[i] for i in posteriors["emotion"].argmax(axis=1)]
    assert frame["segments"].tolist() == segments.tolist()
    assert frame["gender_predicted"].tolist() == frame["gender"].tolist()


def test_results_accept_the_frame_and_agree_with_the_scores(part, scorer_of, frame, tmp_path):
    write_predictions(tmp_path / "predictions.parquet", frame)
    result = score(read_predictions(tmp_path / "predictions.parquet"), list(FOUR))
    posteriors, _ = scorer_of(part).posteriors()
    scores = score_tasks(posteriors, part, "emotion")
    assert result["n"] == len(part.rows)
    for name in ("weighted_accuracy", "unweighted_accuracy", "gender_accuracy"):
        assert result[name] == pytest.approx(scores[name])


def test_wrong_answers_are_scored_alike_by_both(part, tmp_path):
    draw = np.random.default_rng(8).dirichlet(np.ones(4), len(part.rows))
    posteriors = {"emotion": draw}
    frame = predictions_frame(posteriors, np.ones(len(draw), int), part, FOUR, "emotion")
    assert frame["gender_predicted"].isna().all()
    write_predictions(tmp_path / "predictions.parquet", frame)
    result = score(read_predictions(tmp_path / "predictions.parquet"), list(FOUR))
    scores = score_tasks(posteriors, part, "emotion")
    assert 0 < scores["weighted_accuracy"] < 1
    assert result["weighted_accuracy"] == pytest.approx(scores["weighted_accuracy"])
    assert result["unweighted_accuracy"] == pytest.approx(scores["unweighted_accuracy"])
    assert result["gender_accuracy"] is None
