"""Windows: cut in NumPy and in a graph alike; means over them; where speech lies in a signal."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from sounds import noise

from ser_aae.batches.windows import cut_windows
from ser_aae.config import FrontEndConfig
from ser_aae.frontend.segments import (
    SegmentMeans,
    all_segment_starts,
    cut_segments,
    num_segments,
    segment_starts,
)
from ser_aae.frontend.silence import loudest_db, remove_silence, speech_intervals

CONFIG = FrontEndConfig()


@pytest.mark.parametrize("pad", ["repeat", "floor"])
@pytest.mark.parametrize("frames", [1, 20, 64, 65, 200])
@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_a_graph_cuts_the_same_windows(pad, frames, kind):
    spectrogram = np.random.default_rng(frames).normal(size=(frames, 8)).astype(kind)
    tiles = segment_starts(frames, 64, 32)
    # before the beginning and past the end too, by more than once round
    starts = np.concatenate([tiles, [-1, -63, -64, -200, frames - 1, frames, frames + 130]])
    wanted = cut_segments(spectrogram, starts, 64, pad)
    assert wanted.dtype == kind
    now = cut_windows(tf.constant(spectrogram), tf.constant(starts, tf.int32), 64, pad)
    assert now.dtype == kind
    np.testing.assert_array_equal(now, wanted)
    # the same of a graph that knows no length
    traced = tf.function(
        lambda x, y: cut_windows(x, y, 64, pad),
        input_signature=[tf.TensorSpec([None, 8], kind), tf.TensorSpec([None], tf.int32)],
    )
    np.testing.assert_array_equal(traced(spectrogram, starts.astype(np.int32)), wanted)


@pytest.mark.parametrize(("shift", "fewest"), [(32, 1), (32, 4), (64, 3), (7, 1)])
def test_starts_of_many_utterances_are_those_of_each(shift, fewest):
    frames = np.array([1, 20, 64, 65, 96, 97, 128, 300, 2])
    starts, ends = all_segment_starts(frames, 64, shift, fewest)
    each = np.split(starts, ends[:-1])
    for count, found in zip(frames.tolist(), each, strict=True):
        tiles = list(range(0, max(count - 64, 0) + shift, shift))
        spread = [number * count // fewest for number in range(fewest)]
        wanted = spread if len(tiles) < fewest else tiles
        assert found.tolist() == wanted == segment_starts(count, 64, shift, fewest).tolist()
    np.testing.assert_array_equal(num_segments(frames, 64, shift, fewest), np.diff(ends, prepend=0))


def test_means_are_of_each_utterances_segments_in_whatever_batches_they_come():
    draw = np.random.default_rng(0)
    rows, places = np.array([3, 8, 40]), np.array([0, 2, 2, 1, 0, 2, 1])
    values = {"a": draw.normal(size=(7, 4)).astype(np.float32), "b": draw.normal(size=(7, 1))}
    whole, pieces = SegmentMeans(rows), SegmentMeans(rows)
    whole.add(rows[places], values)
    for part in np.split(np.arange(7), [1, 4]):
        pieces.add(rows[places][part], {name: each[part] for name, each in values.items()})
    np.testing.assert_array_equal(whole.counts, [2, 2, 3])
    np.testing.assert_array_equal(pieces.counts, whole.counts)
    for name, found in whole.means().items():
        assert found.dtype == np.float64
        np.testing.assert_array_equal(pieces.means()[name], found)
        for place in range(3):
            by_hand = values[name][places == place].astype(np.float64).mean(axis=0)
            np.testing.assert_allclose(found[place], by_hand, rtol=1e-14)


def signal_with_a_pause():
    signal = noise()
    signal[4000:12000] *= 1e-3
    return signal


def test_intervals_are_what_is_kept():
    signal = signal_with_a_pause()
    intervals = speech_intervals(signal, CONFIG)
    assert len(intervals) == 2
    # a frame reaches half a window beyond the samples it stands for
    assert abs(intervals[0, 1] - 4000) <= 400
    assert abs(intervals[1, 0] - 12000) <= 400
    joined = np.concatenate([signal[first:last] for first, last in intervals])
    np.testing.assert_array_equal(remove_silence(signal, CONFIG), joined)


def test_all_is_one_interval_where_pauses_are_kept_and_where_nothing_sounds():
    keeping = replace(CONFIG, remove_silence=False)
    assert speech_intervals(signal_with_a_pause(), keeping).tolist() == [[0, 16000]]
    assert speech_intervals(np.zeros(500, np.float32), CONFIG).tolist() == [[0, 500]]


def test_the_loudest_frame_is_in_decibel_of_full_scale():
    square = np.tile(np.array([0.5, -0.5], np.float32), 4000)
    assert loudest_db(square, CONFIG) == pytest.approx(-6.02, abs=0.01)
    assert loudest_db(np.zeros(800, np.float32), CONFIG) == -100.0
