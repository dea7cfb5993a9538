"""The front end in a graph, stage by stage, against the one in NumPy."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from ser_aae.config import FrontEndConfig
from ser_aae.export import waveform_model as waveform
from ser_aae.frontend.segments import cut_segments, segment_starts
from ser_aae.frontend.silence import remove_silence
from ser_aae.frontend.spectrogram import log_spectrogram
from ser_aae.inference.signature import SPECTROGRAM, Signature

CONFIG = FrontEndConfig(bins=32, scale="linear")


def where(mask):
    return ops.nonzero(mask)[0]


def graph_of(stage, shape=(None,), **more):
    """Return a stage as a function of an array, built without knowing its length."""
    entrance = keras.Input(batch_shape=shape)
    model = keras.Model(entrance, stage(entrance, **more))
    return lambda x: model(x).numpy()


def speech(samples, seed):
    """Return noise whose level changes every 37 ms, at times by more than the threshold."""
    draw = np.random.default_rng(seed)
    level = 10.0 ** -draw.uniform(0, 3, samples // 600 + 1)
    return (draw.normal(0, 0.2, samples) * np.repeat(level, 600)[:samples]).astype(np.float32)


@pytest.fixture(scope="module")
def without_pauses():
    return graph_of(waveform._drop_pauses, config=CONFIG, where=where)


@pytest.mark.parametrize("samples", [160, 401, 1600, 15_999, 16_000, 16_001, 32_100])
def test_the_same_samples_are_kept(without_pauses, samples):
    shortened = 0
    for seed in range(5):
        signal = speech(samples, seed)
        kept = remove_silence(signal, CONFIG)
        np.testing.assert_array_equal(without_pauses(signal), kept)
        shortened += len(kept) < samples
    assert shortened or samples < 2000


def test_digital_silence_is_kept_whole(without_pauses):
    np.testing.assert_array_equal(without_pauses(np.zeros(1234, np.float32)), np.zeros(1234))


@pytest.mark.parametrize("threshold", [10.0, 50.0])
def test_the_threshold_is_the_configs(threshold):
    config = replace(CONFIG, silence_db=threshold)
    signal = speech(20_000, 3)
    found = graph_of(waveform._drop_pauses, config=config, where=where)(signal)
    np.testing.assert_array_equal(found, remove_silence(signal, config))


@pytest.mark.parametrize("scale", ["linear", "mel"])
def test_the_spectrogram_is_the_same_to_a_hundredth_of_a_decibel(scale):
    config = replace(CONFIG, scale=scale)
    spectrogram = graph_of(waveform._spectrogram, config=config, where=where)
    for samples in (1, 399, 400, 401, 559, 560, 561, 8000):
        signal = speech(samples, samples)
        wanted = log_spectrogram(signal, config)
        found = spectrogram(signal)
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, atol=0.01)


def test_the_floor_is_under_the_peak():
    config = replace(CONFIG, floor_db=20.0)
    found = graph_of(waveform._spectrogram, config=config, where=where)(speech(8000, 0))
    assert found.max() - found.min() == pytest.approx(20.0, abs=1e-3)
    assert (found == found.min()).mean() > 0.1


@pytest.mark.parametrize(("pad", "fewest"), [("repeat", 1), ("repeat", 4), ("floor", 1)])
@pytest.mark.parametrize(("length", "shift"), [(64, 32), (64, 64), (64, 10), (32, 31)])
def test_the_segments_are_the_pipelines(pad, fewest, length, shift):
    about = Signature(SPECTROGRAM, CONFIG, length, shift, fewest, pad, {}, ())
    segments = graph_of(waveform._segments, (None, 32), signature=about, where=where)
    for frames in (1, 5, 63, 64, 65, 96, 97, 128, 300):
        spectrogram = np.random.default_rng(frames).normal(size=(frames, 32)).astype(np.float32)
        starts = segment_starts(frames, length, shift, fewest)
        np.testing.assert_array_equal(
            segments(spectrogram), cut_segments(spectrogram, starts, length, pad)
        )


def test_the_positions_for_litert_are_the_same():
    mask = np.array([True, False, True, True, False])
    layer = waveform.LiteWhere()
    assert layer(mask).numpy().tolist() == where(mask).numpy().tolist() == [0, 2, 3]
    spec = layer.compute_output_spec(keras.KerasTensor((None,), "bool"))
    assert (spec.shape, spec.dtype) == ((None,), "int32")


def test_the_transform_is_the_one_of_fourier():
    fourier, bands = waveform._matrices(replace(CONFIG, window_ms=10.0, fft_size=256))
    frame = np.random.default_rng(0).normal(size=160)
    window = np.hamming(161)[:-1]
    parts = frame @ fourier
    power = np.square(parts[:129]) + np.square(parts[129:])
    np.testing.assert_allclose(power, np.abs(np.fft.rfft(frame * window, 256)) ** 2, rtol=1e-5)
    np.testing.assert_array_equal(bands[:129], bands[129:])
