"""Smaller numbers: how far posteriors move, and on what their ranges are measured."""

import keras
import numpy as np
import pytest
from keras import layers

from ser_aae import export as module
from ser_aae.assembly import assemble
from ser_aae.config import FrontEndConfig
from ser_aae.conversion import write_model
from ser_aae.description import SPECTROGRAM, Description, read_config
from ser_aae.export import Choice, export
from ser_aae.exported import load_exported, write_description

SHAPE = (64, 32)
ABOUT = Description(
    SPECTROGRAM, FrontEndConfig(bins=32), 64, 32, "repeat", {"emotion": ("a", "b", "c")}, ()
)


def examples(count=20, seed=0):
    return np.random.default_rng(seed).normal(-40, 12, (count, *SHAPE)).astype(np.float32)


@pytest.fixture(scope="module")
def small_model():
    keras.utils.set_random_seed(1)
    segments = keras.Input(SHAPE, name="segments")
    x = layers.Rescaling([1 / 12] * 32, [40 / 12] * 32)(segments)
    x = layers.Conv2D(16, 3, activation="relu")(layers.Reshape((*SHAPE, 1))(x))
    x = layers.Dense(64)(layers.Flatten()(layers.MaxPooling2D(4)(x)))
    return keras.Model(segments, {"emotion": layers.Softmax(name="emotion")(layers.Dense(3)(x))})


@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_smaller_numbers_make_smaller_files_of_nearly_the_same_model(small_model, tmp_path, kind):
    suffix = {"onnx": "onnx", "litert": "tflite"}[kind]
    given = examples(5, seed=1)
    wanted = small_model(given)["emotion"].numpy()
    sizes, moved = [], []
    for quantise in ("none", "float16", "int8"):
        path = tmp_path / f"{quantise}.{suffix}"
        write_model(small_model, kind, quantise, examples(), path)
        sizes.append(path.stat().st_size)
        write_description(path, ABOUT)
        about, forward = load_exported(path)
        assert about == ABOUT
        moved.append(np.abs(forward(given)["emotion"] - wanted).max())
    assert sizes[0] > 1.5 * sizes[1] > 1.5 * 1.4 * sizes[2]
    assert moved[0] < 1e-5
    assert moved[1] < 5e-3
    assert 1e-6 < moved[2] < 0.1


def test_ranges_are_measured_on_validation_segments(recorded_run, tmp_path, monkeypatch):
    given = []

    def write(model, kind, quantise, segments, path):
        given.append(segments)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_model", write)
    with pytest.raises(KeyboardInterrupt):
        export(recorded_run.folder, Choice("onnx", "int8"), tmp_path / "m.onnx", recorded_run.store)
    config = read_config(recorded_run.folder)
    data = assemble(config, recorded_run.store)
    pool, test = (
        {
            segment.tobytes()
            for batch, _ in module._segments_in_db(part, config)
            for segment in batch
        }
        for part in (data.validation, data.test)
    )
    (segments,) = given
    found = {segment.tobytes() for segment in segments}
    assert len(segments) > 10
    assert found <= pool
    assert not found & test
    assert not list(tmp_path.iterdir())


def test_examples_are_spread_and_no_more_than_needed(recorded_run, monkeypatch):
    monkeypatch.setattr(module, "EXAMPLES", 5)
    config = read_config(recorded_run.folder)
    validation = assemble(config, recorded_run.store).validation
    every = np.concatenate([batch for batch, _ in module._segments_in_db(validation, config)])
    chosen = module._examples(validation, config)
    assert len(chosen) == 5
    np.testing.assert_array_equal(chosen[[0, -1]], every[[0, -1]])
