"""Writing a Keras model in each format, with weights of fewer bits where that is asked for.

Only weights are quantised: they make a file large, and the runtimes calculate with float32 (LiteRT
multiplies 8-bit weights with inputs that it rounds to 8 bits as they come). With 8-bit activations
too, in ranges measured on validation segments, posteriors moved by 0.05 instead of 0.01, and a
trained model lost two points of unweighted accuracy.
"""

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ser_aae.inference.signature import WAVEFORM

_FEWEST_WEIGHTS = 1024
"""Size from which on an array is stored in fewer bits, as in LiteRT: smaller ones save nothing."""

_SmallerWeights = tuple[dict[str, np.ndarray], Any]
"""Arrays by name, and the ONNX node that makes weights of them."""


def write_model(model: keras.Model, kind: str, quantise: str, path: Path) -> None:
    """Write a model with one input that gives posteriors by task.

    The values of `kind` and `quantise` are those of `ser_aae.export.exporter.Choice`.
    """
    if kind == "keras":
        model.save(path)
    elif kind == "saved-model":
        _save_model(model, path)
    elif kind == "onnx":
        _write_onnx(model, quantise, path)
    else:
        _write_litert(model, quantise, path)


def _save_model(model: keras.Model, path: Path) -> None:
    model.export(path, format="tf_saved_model", input_signature=_input_spec(model), verbose=False)


def _input_spec(model: keras.Model) -> list[tf.TensorSpec]:
    entrance = model.inputs[0]
    return [tf.TensorSpec(entrance.shape, tf.float32, name=entrance.name)]


def _write_onnx(model: keras.Model, quantise: str, path: Path) -> None:
    import onnx

    spec = _input_spec(model)
    with _mute_converters():
        import tf2onnx

        serve = tf.function(lambda x: model(x, training=False), input_signature=spec)
        written, _ = tf2onnx.convert.from_function(serve, input_signature=spec, opset=17)
    _name_axes(written.graph, model)
    if quantise != "none":
        _shorten_weights(written.graph, _to_float16 if quantise == "float16" else _to_int8)
    onnx.save(written, path)


def _name_axes(graph: Any, model: keras.Model) -> None:
    """Name the axes of input and outputs that may have any length; those of no name are fixed.

    A model of waveforms takes one recording at a time, so its first axis is 1.
    """
    of_waveforms = model.inputs[0].name == WAVEFORM
    for value in (*graph.input, *graph.output):
        first = value.type.tensor_type.shape.dim[0]
        if of_waveforms:
            first.dim_value = 1
        else:
            first.dim_param = "batch"
    if of_waveforms:
        graph.input[0].type.tensor_type.shape.dim[1].dim_param = "samples"


def _shorten_weights(
    graph: Any, shorten: Callable[[str, np.ndarray, str], _SmallerWeights]
) -> None:
    """Store the large weights of an ONNX graph in fewer bits, and read them as float32 again."""
    from onnx import numpy_helper

    reader = {name: node.op_type for node in graph.node for name in node.input}
    kept, restoring = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _FEWEST_WEIGHTS:
            kept.append(tensor)
            continue
        arrays, node = shorten(tensor.name, values, reader[tensor.name])
        kept += [numpy_helper.from_array(array, name) for name, array in arrays.items()]
        restoring.append(node)
    nodes = [*restoring, *graph.node]  # a node has to stand before those that read its output
    for field, content in ((graph.initializer, kept), (graph.node, nodes)):
        del field[:]
        field.extend(content)


def _to_float16(name: str, values: np.ndarray, _: str) -> _SmallerWeights:
    from onnx import TensorProto, helper

    stored = f"{name}/float16"
    node = helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT)
    return {stored: values.astype(np.float16)}, node


def _to_int8(name: str, values: np.ndarray, reader: str) -> _SmallerWeights:
    """Store weights in 8 bits; each output channel has a scale that makes its largest 127."""
    from onnx import helper

    channel = 0 if reader == "Conv" else values.ndim - 1
    others = tuple(axis for axis in range(values.ndim) if axis != channel)
    # the scale of a channel without weights is not 0 either
    scale = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-12) / 127
    arrays = {
        f"{name}/int8": np.round(values / scale).astype(np.int8),
        f"{name}/scale": scale.ravel().astype(np.float32),
    }
    return arrays, helper.make_node("DequantizeLinear", [*arrays], [name], axis=channel)


def _write_litert(model: keras.Model, quantise: str, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ser-aae-") as folder, _mute_converters():
        _save_model(model, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if quantise != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantise == "float16":
            converter.target_spec.supported_types = [tf.float16]
        path.write_bytes(converter.convert())


@contextlib.contextmanager
def _mute_converters() -> Iterator[None]:
    """Drop the messages of the converters, those in C++ too; their errors are raised."""
    root = logging.getLogger()
    level, standard_error = root.level, os.dup(2)
    root.setLevel(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            open(os.devnull, "w", encoding="utf-8") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            warnings.simplefilter("ignore")
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
        root.setLevel(level)
