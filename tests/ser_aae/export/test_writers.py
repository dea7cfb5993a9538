"""Weights in fewer bits: how far posteriors move, and what is left as it is."""

from dataclasses import replace

import keras
import numpy as np
import onnx
import pytest
from keras import layers

from ser_aae.config import FrontEndConfig
from ser_aae.export.writers import write_model
from ser_aae.inference.exported_model import load_exported, write_signature
from ser_aae.inference.signature import SPECTROGRAM, Signature

SHAPE = (64, 32)
ABOUT = Signature(
    SPECTROGRAM, FrontEndConfig(bins=32), 64, 32, 2, "repeat", {"emotion": ("a", "b", "c")}, ()
)


def examples(count):
    return np.random.default_rng(1).normal(-40, 12, (count, *SHAPE)).astype(np.float32)


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
    given = examples(5)
    wanted = small_model(given)["emotion"].numpy()
    sizes, moved = [], []
    for quantise in ("none", "float16", "int8"):
        path = tmp_path / f"{quantise}.{suffix}"
        write_model(small_model, kind, quantise, path)
        sizes.append(path.stat().st_size)
        write_signature(path, ABOUT)
        about, forward = load_exported(path)
        assert about == ABOUT
        moved.append(np.abs(forward(given)["emotion"] - wanted).max())
    assert sizes[0] > 1.5 * sizes[1] > 1.5 * 1.4 * sizes[2]
    assert moved[0] < 1e-5 < moved[1] < 2e-3 < moved[2] < 0.1


def weights_of(path):
    """Return the arrays of an ONNX file, the larger ones first."""
    arrays = [onnx.numpy_helper.to_array(each) for each in onnx.load(path).graph.initializer]
    return sorted(arrays, key=lambda each: -each.size)


@pytest.mark.parametrize(("quantise", "dtype"), [("float16", np.float16), ("int8", np.int8)])
def test_only_large_weights_are_shortened(small_model, tmp_path, quantise, dtype):
    path = tmp_path / "m.onnx"
    write_model(small_model, "onnx", quantise, path)
    large, *others = weights_of(path)
    assert large.dtype == dtype
    assert large.size == small_model.layers[-3].kernel.shape.num_elements()
    # offsets, the few weights of the convolution and of the last layer
    assert others[0].size < 1024
    assert dtype not in {each.dtype.type for each in others}


def test_each_output_channel_has_a_scale_of_its_own(tmp_path):
    segments = keras.Input(SHAPE, name="segments")
    dense = layers.Dense(32, use_bias=False)
    x = layers.Permute((2, 1))(dense(segments))
    convolution = layers.Conv1D(64, 1, use_bias=False)
    x = layers.GlobalAveragePooling1D()(convolution(x))
    model = keras.Model(segments, {"emotion": layers.Softmax(name="emotion")(x)})
    draw = np.random.default_rng(0)
    # channels a thousand times as large as others, and one that is all 0
    sizes = np.geomspace(1e-3, 1.0, 32) * (np.arange(32) > 0)
    dense.set_weights([draw.uniform(-1, 1, (32, 32)) * sizes])
    sizes = np.geomspace(1.0, 1e-3, 64)
    convolution.set_weights([draw.uniform(-1, 1, (1, 64, 64)) * sizes])
    path = tmp_path / "m.onnx"
    write_model(model, "onnx", "int8", path)
    numbers = [each for each in weights_of(path) if each.dtype == np.int8]
    assert [each.size for each in numbers] == [64 * 64, 32 * 32]
    for each in numbers:
        channel = 0 if each.ndim > 2 else 1
        most = np.abs(each.astype(int)).max(axis=tuple({*range(each.ndim)} - {channel}))
        assert set(most) <= {127, 0}
        assert np.count_nonzero(most) >= len(most) - 1
    given = examples(3)
    classes = tuple(str(number) for number in range(64))
    write_signature(path, replace(ABOUT, classes={"emotion": classes}))
    wanted = model(given)["emotion"].numpy()
    np.testing.assert_allclose(load_exported(path)[1](given)["emotion"], wanted, atol=0.02)
