"""Windows: cut without TensorFlow as the pipeline cuts them; where speech lies in a signal."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from ser_aae import pipeline
from ser_aae.config import DataConfig, FrontEndConfig
from ser_aae.frontend.segments import cut_segments, segment_starts
from ser_aae.frontend.silence import loudest_db, remove_silence, speech_intervals

CONFIG = FrontEndConfig()


@pytest.mark.parametrize("pad", ["repeat", "floor"])
@pytest.mark.parametrize("frames", [1, 20, 64, 65, 200])
def test_the_pipelines_windows(pad, frames):
    spectrogram = np.random.default_rng(frames).normal(size=(frames, 8)).astype(np.float32)
    data = replace(DataConfig(), segment_frames=64, pad=pad)
    starts = segment_starts(frames, 64, 32)
    wanted = pipeline.cut_segments(tf.constant(spectrogram), tf.constant(starts, tf.int32), data)
    np.testing.assert_array_equal(cut_segments(spectrogram, starts, 64, pad), wanted.numpy())


def signal_with_a_pause():
    signal = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
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
