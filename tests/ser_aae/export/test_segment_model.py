"""The model in built-in layers: the same posteriors, whatever the model is made of."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from tiny import MODEL

from ser_aae.batches.pipeline import Normalisation, to_network
from ser_aae.config import FrontEndConfig
from ser_aae.export.segment_model import build_segment_model
from ser_aae.export.waveform_model import build_waveform_model
from ser_aae.inference.recogniser import Recogniser
from ser_aae.inference.signature import SPECTROGRAM, Signature
from ser_aae.model.aae import MultitaskAAE

FRONTEND = FrontEndConfig(bins=32, scale="linear")
CLASSES = {"emotion": ("a", "b", "c"), "gender": ("F", "M")}


def describe(frontend=FRONTEND, pad="repeat", shift=32, fewest=1):
    return Signature(SPECTROGRAM, frontend, 64, shift, fewest, pad, CLASSES, ())


def model_and_normalisation(config=MODEL, num_classes=None):
    """Return a model whose every weight is drawn, batch norm's statistics too."""
    draw = np.random.default_rng(0)
    model = MultitaskAAE(config, num_classes or {"emotion": 3, "gender": 2}, (32, 64, 1))
    heads = [weight for head in model.classifiers.values() for weight in head.weights]
    for weight in (*model.encoder.weights, *heads):
        if "seed" in weight.path:
            continue
        fan_in = max(1, np.prod(weight.shape[:-1]))
        is_variance = "moving_variance" in weight.path
        drawn = (
            draw.uniform(0.5, 2, weight.shape) if is_variance else draw.normal(size=weight.shape)
        )
        weight.assign(drawn if is_variance else drawn / np.sqrt(fan_in))
    mean = draw.normal(-40, 5, 32).astype(np.float32)
    return model, Normalisation(mean, draw.uniform(5, 15, 32).astype(np.float32))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pooling": "attention", "latent": "relu"},
        {"pooling": "flatten", "classifier_pool": (2, 2)},
        {"kind": "cnn"},
        {"kind": "stl", "dropout": 0.9, "discriminator_batch_norm": True},
    ],
)
def test_every_kind_of_model_gives_its_posteriors(changes):
    model, normalisation = model_and_normalisation(replace(MODEL, **changes))
    segments = np.random.default_rng(1).normal(-40, 12, (5, 64, 32)).astype(np.float32)
    wanted = model(to_network(tf.constant(segments), normalisation), training=False)
    found = build_segment_model(model, normalisation, describe())(segments)
    assert list(found) == ["emotion", "gender"]
    for task, values in wanted.items():
        np.testing.assert_allclose(found[task], values, atol=2e-6)
        # a model that says the same of everything would be no test
        assert np.ptp(values.numpy(), axis=0).max() > 1e-3


@pytest.mark.parametrize("changes", [{}, {"pooling": "attention", "latent": "relu"}])
def test_the_d_vector_is_the_speaker_classifiers_last_hidden_layer(changes):
    classes = {"emotion": 3, "speaker": 5}
    model, normalisation = model_and_normalisation(replace(MODEL, **changes), classes)
    segments = np.random.default_rng(1).normal(-40, 12, (5, 64, 32)).astype(np.float32)
    heads = model.head_outputs(to_network(tf.constant(segments), normalisation))
    about = replace(describe(), classes={"emotion": ("a", "b", "c"), "speaker": tuple("vwxyz")})
    found = build_segment_model(model, normalisation, about)(segments)
    assert list(found) == ["emotion", "speaker", "d_vector"]
    np.testing.assert_allclose(found["d_vector"], heads["speaker"][1], atol=1e-5)
    assert np.ptp(found["d_vector"], axis=0).max() > 1e-2


def test_every_layer_is_keras_own():
    plain = build_segment_model(*model_and_normalisation(), describe())
    wave = build_waveform_model(plain, describe())
    for model in (plain, wave):
        for layer in model.layers:
            assert type(layer).__module__.partition(".")[0] == "keras", layer
    names = {type(layer).__name__ for layer in plain.layers}
    assert not names & {"BatchNormalization", "Dropout", "PooledBatchNormalization"}


def waveform(samples, seed=0):
    """Return noise with pauses of a few hops between."""
    draw = np.random.default_rng(seed)
    level = np.repeat(draw.choice([1e-3, 1.0], samples // 700 + 1), 700)[:samples]
    level[:200] = 1.0
    return (draw.normal(0, 0.1, samples) * level).astype(np.float32)


@pytest.mark.parametrize(
    ("frontend", "pad", "shift"),
    [
        (FRONTEND, "repeat", 32),
        (FrontEndConfig(bins=32), "floor", 64),
        (replace(FRONTEND, remove_silence=False), "repeat", 16),
        # windows of an odd number of samples are not around a sample
        (replace(FRONTEND, window_ms=25.0625, floor_db=30.0), "floor", 32),
    ],
)
def test_the_front_end_in_the_graph_is_the_front_end(frontend, pad, shift):
    model, normalisation = model_and_normalisation()
    about = describe(frontend, pad, shift)
    plain = build_segment_model(model, normalisation, about)
    wave = build_waveform_model(plain, about)
    recogniser = Recogniser(about, lambda x: {k: v.numpy() for k, v in plain(x).items()})
    for samples in (1, 100, 399, 400, 560, 10_400, 10_401, 16_000, 40_320):
        signal = waveform(samples)
        wanted = recogniser(signal, 16000).posteriors
        found = wave(signal[None])
        for task, values in wanted.items():
            # the shards' half precision is what is left
            np.testing.assert_allclose(found[task][0], list(values.values()), atol=5e-3)


@pytest.mark.parametrize("is_removed", [True, False])
def test_the_graph_removes_the_offset_that_the_config_removes(is_removed):
    model, normalisation = model_and_normalisation()
    about = describe(replace(FRONTEND, remove_offset=is_removed))
    wave = build_waveform_model(build_segment_model(model, normalisation, about), about)
    signal = waveform(16_000)
    signal -= signal.mean()
    plain, shifted = (wave(x[None])["emotion"].numpy() for x in (signal, signal + 0.05))
    assert np.allclose(plain, shifted, atol=1e-4) == is_removed


def test_digital_silence_has_an_answer_too():
    model, normalisation = model_and_normalisation()
    wave = build_waveform_model(build_segment_model(model, normalisation, describe()), describe())
    found = wave(np.zeros((1, 5000), np.float32))["emotion"].numpy()
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1.0)


def test_a_graph_for_litert_is_the_same_function():
    plain = build_segment_model(*model_and_normalisation(), describe())
    signal = waveform(20_000)[None]
    found, lite = (build_waveform_model(plain, describe(), each)(signal) for each in (False, True))
    np.testing.assert_array_equal(found["emotion"], lite["emotion"])
