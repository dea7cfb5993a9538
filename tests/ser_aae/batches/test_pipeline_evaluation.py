"""Evaluation batches, padding and normalisation."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from tiny import UNCHANGED as DATA
from tiny import sounds_of, speakers_of, write_corpus

from ser_aae.batches.pipeline import evaluation_dataset, measure_normalisation, training_dataset
from ser_aae.batches.windows import cut_windows
from ser_aae.data.mixture import Share
from ser_aae.data.part import Part
from ser_aae.frontend.segments import segment_starts
from ser_aae.store.records import parse

LENGTH = DATA.segment_frames
BATCH = 4


def cut(starts, pad, frames=10, length=6):
    sound = tf.stack([tf.range(1.0, frames + 1), tf.range(101.0, frames + 101)], axis=1)
    return cut_windows(sound, tf.constant(starts), length, pad).numpy()[:, :, 0].tolist()


def test_windows_go_round_the_utterance():
    assert cut([0, 7], "repeat") == [[1, 2, 3, 4, 5, 6], [8, 9, 10, 1, 2, 3]]
    assert cut([-2, 23], "repeat") == [[9, 10, 1, 2, 3, 4], [4, 5, 6, 7, 8, 9]]
    assert cut([1], "repeat", frames=2) == [[2, 1, 2, 1, 2, 1]]


def test_windows_are_padded_with_the_floor():
    # the floor is the lowest value of the whole utterance, not of the bin
    assert cut([0, 7], "floor") == [[1, 2, 3, 4, 5, 6], [8, 9, 10, 1, 1, 1]]
    assert cut([-2, 23], "floor") == [[1, 1, 1, 2, 3, 4], [1, 1, 1, 1, 1, 1]]
    sound = tf.constant([[5.0, -3.0]])
    padded = cut_windows(sound, tf.constant([0]), 2, "floor")
    np.testing.assert_array_equal(padded, [[[5, -3], [-3, -3]]])


@pytest.mark.parametrize(
    ("pad", "fewest", "taken"), [("repeat", 1, 1), ("repeat", 4, 4), ("floor", 4, 1)]
)
@pytest.mark.parametrize("shift", [16, 32, 64])
def test_evaluation_cuts_every_utterance_in_order(
    marked_part, as_they_are, pad, fewest, taken, shift
):
    data = replace(DATA, evaluation_shift_frames=shift, evaluation_segments=fewest, pad=pad)
    part = replace(marked_part, rows=np.array([0, 2, 3, 5, 9]))
    dataset = evaluation_dataset(part, as_they_are, data, BATCH)
    frames = part.corpus.num_frames
    starts = {
        row: segment_starts(int(frames[row]), LENGTH, shift, taken).tolist() for row in part.rows
    }
    expected = [(int(row), start) for row in part.rows for start in starts[row]]
    batches = list(dataset)
    assert len(batches) == len(dataset) == -(-len(expected) // BATCH)
    assert sum(len(index) for *_, index in batches) == part.num_segments(LENGTH, shift, taken)
    found = []
    for segments, labels, index in batches:
        assert segments.shape[1:] == (32, LENGTH, 1)
        np.testing.assert_array_equal(labels["speaker"], index)
        np.testing.assert_array_equal(labels["emotion"], index % 4)
        np.testing.assert_array_equal(segments[:, 0, 0, 0], tf.cast(index, tf.float32))
        found += zip(index.numpy().tolist(), segments[:, 1, 0, 0].numpy().tolist(), strict=True)
    assert found == expected


def test_evaluation_covers_the_last_frame_of_each_utterance(marked_part, as_they_are):
    dataset = evaluation_dataset(marked_part, as_they_are, DATA, BATCH)
    last = Counter()
    for segments, _, index in dataset:
        for row, window in zip(index.numpy(), segments[:, 1, :, 0].numpy(), strict=True):
            last[row] = max(last[row], window.max())
    frames = marked_part.corpus.num_frames
    assert [last[row] for row in range(len(frames))] == (frames - 1).tolist()


def test_evaluation_is_the_same_each_time_and_for_each_batch_size(marked_part, as_they_are):
    def segments(batch_size):
        dataset = evaluation_dataset(marked_part, as_they_are, DATA, batch_size)
        return [np.concatenate([x.numpy() for x, *_ in dataset]) for _ in range(2)]

    (first, again), (other, _) = segments(3), segments(7)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, other)


def stored(part):
    """Return the spectrograms of a part as the store keeps them, by numpy alone."""
    records = tf.data.TFRecordDataset([str(path) for path in part.corpus.shards])
    sounds = [parse(record, part.corpus.frontend.bins)[1].numpy() for record in records]
    return [sounds[row].astype(np.float64) for row in part.rows]


def test_normalisation_is_that_of_the_training_rows(tiny_part, frontend):
    part = replace(tiny_part, rows=np.arange(3, 40))
    frames = np.concatenate(stored(part))
    found = measure_normalisation([part])
    assert found.mean.shape == found.deviation.shape == (frontend.bins,)
    assert found.mean.dtype == found.deviation.dtype == np.float32
    np.testing.assert_allclose(found.mean, frames.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.deviation, frames.std(axis=0), rtol=1e-4)


def test_normalisation_weighs_all_parts_by_their_frames(tiny_part, marked_part):
    parts = [replace(tiny_part, rows=np.arange(5)), marked_part]
    frames = np.concatenate([sound for part in parts for sound in stored(part)])
    found = measure_normalisation(parts)
    np.testing.assert_allclose(found.mean, frames.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.deviation, frames.std(axis=0), rtol=1e-4)


def test_normalisation_does_not_see_other_rows(tmp_path, frontend):
    utterances = speakers_of("loud", speakers=2, each=1)
    sounds = sounds_of(utterances, frontend.bins)
    louder = [sound + (40 if row >= 4 else 0) for row, sound in enumerate(sounds)]
    found = [
        measure_normalisation([Part(corpus, np.arange(4), {})])
        for corpus in (
            write_corpus(tmp_path / "a", utterances, sounds),
            write_corpus(tmp_path / "b", utterances, louder),
        )
    ]
    np.testing.assert_array_equal(found[0].mean, found[1].mean)
    np.testing.assert_array_equal(found[0].deviation, found[1].deviation)


def test_a_bin_that_never_changes_does_not_divide_by_zero(tmp_path):
    utterances = speakers_of("silent", speakers=1, each=1)
    corpus = write_corpus(tmp_path, utterances, [np.full((70, 32), -80.0)] * 4)
    part = Part(corpus, np.arange(4), {"emotion": np.arange(4, dtype=np.int32)})
    normalisation = measure_normalisation([part])
    assert (normalisation.deviation > 0).all()
    (segments, *_), *_ = evaluation_dataset(part, normalisation, DATA, BATCH)
    np.testing.assert_allclose(segments, np.zeros((BATCH, 32, LENGTH, 1)), atol=1e-3)


def test_masks_are_the_training_mean_which_normalises_to_zero(marked_part, global_seed):
    normalisation = measure_normalisation([marked_part])
    data = replace(DATA, mask_bins=16)
    stream = training_dataset([Share([marked_part], BATCH)], 6, normalisation, data, 0)
    segments = np.concatenate([x.numpy() for x, _ in stream.take(6)])
    masked = (np.abs(segments[..., 0]) < 1e-4).all(axis=2)
    assert masked.any(axis=1).mean() > 0.5
    assert masked.sum(axis=1).max() <= 16


def test_batches_are_normalised(tiny_part, global_seed):
    normalisation = measure_normalisation([tiny_part])
    stream = training_dataset([Share([tiny_part], 32)], 4, normalisation, DATA, 0)
    segments = np.concatenate([x.numpy() for x, _ in stream.take(4)])
    assert np.abs(segments.mean(axis=(0, 2, 3))).max() < 0.2
    assert np.abs(segments.std(axis=(0, 2, 3)) - 1).max() < 0.2
    tiled = np.concatenate(
        [x.numpy() for x, *_ in evaluation_dataset(tiny_part, normalisation, DATA, 32)]
    )
    assert np.abs(tiled.mean(axis=(0, 2, 3))).max() < 0.2
