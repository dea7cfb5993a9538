"""Writing a plain Keras model in each format, quantised where that is asked for."""

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

_OPSET = 17


def write_model(
    model: keras.Model, kind: str, quantise: str, examples: np.ndarray, path: Path
) -> None:
    """Write a model.

    Args:
        model: Of one input; it gives posteriors by task.
        kind: One of `ser_aae.exported.SUFFIXES`.
        quantise: `"none"`, `"float16"` or `"int8"`.
        examples: `(n, ...)` of the input, which `"int8"` measures its ranges on.
        path: The file or folder.
    """
    if kind == "keras":
        model.save(path)
    elif kind == "saved-model":
        _save_model(model, path)
    elif kind == "onnx":
        _write_onnx(model, quantise, examples, path)
    else:
        _write_litert(model, quantise, examples, path)


def _save_model(model: keras.Model, path: Path) -> None:
    model.export(path, format="tf_saved_model", input_signature=_signature(model), verbose=False)


def _serving(model: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    """Return the model as a function whose argument has the name of its input."""
    return tf.function(lambda x: model(x, training=False), input_signature=_signature(model))


def _signature(model: keras.Model) -> list[tf.TensorSpec]:
    entrance = model.inputs[0]
    return [tf.TensorSpec(entrance.shape, tf.float32, name=entrance.name)]


def _write_onnx(model: keras.Model, quantise: str, examples: np.ndarray, path: Path) -> None:
    import onnx

    written = _to_onnx(model)
    if quantise == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        written = convert_float_to_float16(written, keep_io_types=True)
    if quantise != "int8":
        onnx.save(written, path)
        return
    from onnxruntime.quantization import QuantFormat, quantize_static

    with tempfile.TemporaryDirectory(prefix="ser-aae-") as folder, _quiet():
        onnx.save(written, Path(folder) / "float.onnx")
        quantize_static(
            Path(folder) / "float.onnx",
            path,
            _Calibration(model.inputs[0].name, examples),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
        )


def _to_onnx(model: keras.Model) -> Any:
    """Return the model as an `onnx.ModelProto`."""
    with _quiet():
        import tf2onnx

        serve = _serving(model)
        written, _ = tf2onnx.convert.from_function(
            serve, input_signature=serve.input_signature, opset=_OPSET
        )
    return written


def _write_litert(model: keras.Model, quantise: str, examples: np.ndarray, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ser-aae-") as folder, _quiet():
        _save_model(model, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if quantise != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantise == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantise == "int8":
            name = model.inputs[0].name
            converter.representative_dataset = lambda: ({name: one[None]} for one in examples)
        path.write_bytes(converter.convert())


class _Calibration:
    """Examples, one after the other, as ONNX Runtime asks for them."""

    def __init__(self, name: str, examples: np.ndarray) -> None:
        self._rows = iter(examples)
        self._name = name

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next example, `None` after the last."""
        row = next(self._rows, None)
        return None if row is None else {self._name: row[None].astype(np.float32)}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the converters from talking, those in C++ too; their errors are raised."""
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
