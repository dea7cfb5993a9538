"""Exported models: the place of the signature in each format, and its runtime.

| format | file | place of the signature | runtime |
| --- | --- | --- | --- |
| `keras` | `.keras` | a member of the archive beside Keras' own | Keras |
| `saved-model` | a folder | `assets.extra/ser_aae.json` | TensorFlow |
| `onnx` | `.onnx` | metadata `ser_aae` | ONNX Runtime |
| `litert` | `.tflite` | a member of an archive appended to the file | LiteRT |

A runtime is imported when a file needs it: ONNX and LiteRT files run without TensorFlow. A
SavedModel is a program: its graph can read and write files. The operations of the other formats
cannot, and Keras refuses code in a file (`safe_mode`).
"""

import os
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ser_aae.errors import ModelError, UserError
from ser_aae.files.damage import damage_told
from ser_aae.inference.export_digest import (
    SAVED_MODEL,
    has_digest,
    refuse_changed_file,
    write_digest,
)
from ser_aae.inference.signature import (
    D_VECTOR,
    Forward,
    Outputs,
    Signature,
    parse_signature,
    refuse_not_finite,
)
from ser_aae.processes.quiet_tensorflow import no_standard_error
from ser_aae.results.folder import name_runs_below
from ser_aae.results.model_files import NOT_CHECKED

SUFFIXES = {"keras": ".keras", SAVED_MODEL: "", "onnx": ".onnx", "litert": ".tflite"}
"""Format to the ending of its files' names; a SavedModel is a folder."""

FETCHED = (".onnx", ".tflite", ".keras")
"""Endings of the files that hold no program, the one that starts soonest first."""

QUANTISED = ("onnx", "litert")
"""Formats whose numbers may have fewer than 32 bits."""

_METADATA = "ser_aae"
_MEMBER = f"{_METADATA}.json"
_SAVED_MODEL_FILE = Path("assets.extra") / _MEMBER
_MEMBER_BYTES = 1 << 24
"""Bytes of the longest signature; ten thousand speakers' names take 200 kB. An archive can hold
gigabytes in as many kilobytes."""


def format_of(path: Path) -> str:
    """Return the format of an exported file.

    Raises:
        UserError: No such file, or another kind of file.
    """
    if (path / "saved_model.pb").is_file():
        return SAVED_MODEL
    for name, suffix in SUFFIXES.items():
        if suffix and path.suffix == suffix and path.is_file():
            return name
    came = "a file" if path.is_file() else "a folder" if path.is_dir() else "nothing"
    mend = f"; {below}" if (below := name_runs_below(path)) else ""
    raise UserError(
        f"{path}: expected the folder of a run (fold00-rep00) or a file of `ser-aae export` "
        f"({', '.join(suffix for suffix in SUFFIXES.values() if suffix)}, or a SavedModel), "
        f"found {came}{mend}"
    )


def refuse_untrainable(path: Path) -> None:
    """Refuse an exported file whose weights a training cannot start from.

    Raises:
        UserError: No exported file, or one of another format than Keras'.
    """
    if (kind := format_of(path)) != "keras":
        raise UserError(
            f"--start-from {path}: expected the folder of a run or a file of `ser-aae export "
            f"--format keras`, got {kind}, whose weights cannot be trained on"
        )


def write_signature(path: Path, signature: Signature) -> None:
    """Put the signature into an exported file, and a digest of all that the file then holds."""
    text = signature.to_json()
    kind = format_of(path)
    if kind == SAVED_MODEL:
        (path / _SAVED_MODEL_FILE).parent.mkdir(exist_ok=True)
        (path / _SAVED_MODEL_FILE).write_text(text, encoding="utf-8")
    elif kind == "onnx":
        import onnx

        model = onnx.load(path)
        onnx.helper.set_model_props(model, {_METADATA: text})
        onnx.save(model, path)
    else:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(_MEMBER, text)
    write_digest(path, kind)


def remarks_on_file(path: Path) -> tuple[str, ...]:
    """Return what to tell of an exported file that could not be checked; else nothing."""
    return () if has_digest(path, format_of(path)) else (f"{path}: {NOT_CHECKED}",)


def load_exported(
    path: Path, trust: bool = False, d_vector: bool = False
) -> tuple[Signature, Forward]:
    """Load an exported file in its own runtime.

    Args:
        path: The file, or the folder of a SavedModel.
        trust: Whether to run a SavedModel. Nothing in its folder can show who made it, for
            whoever makes a folder writes all that is in it.
        d_vector: Whether to give the d-vector beside the posteriors; a file whose signature has
            no `voice` has none.

    Raises:
        UserError: No exported file, damaged, changed, or written by something else; or a
            SavedModel without trust.
    """
    loaders = {
        "keras": _load_keras,
        SAVED_MODEL: _load_saved_model,
        "onnx": _load_onnx,
        "litert": _load_litert,
    }
    kind = format_of(path)
    if kind == SAVED_MODEL and not trust:
        raise UserError(
            f"{path}: a SavedModel is a program that can read and write your files, whatever it "
            "says of itself; run it with --trust if you know who made it, or take an export to "
            "ONNX or Keras, which holds no program"
        )
    refuse_changed_file(path, kind)
    with damage_told(path, "export the run again", "cannot be loaded", UserError):
        text, forward = loaders[kind](path)
    signature = parse_signature(text, path)

    def checked(x: np.ndarray) -> Outputs:
        found = forward(x)
        _refuse_other_outputs(found, signature, path)
        if not d_vector:
            found = {name: values for name, values in found.items() if name != D_VECTOR}
        return refuse_not_finite(found, path, "export the run again, or train it anew")

    return signature, checked


def _refuse_other_outputs(outputs: Outputs, signature: Signature, path: Path) -> None:
    """Refuse outputs that are not the posteriors and the d-vector that the signature describes."""
    wanted = {task: (len(names), f"classes of {task}") for task, names in signature.classes.items()}
    if signature.voice:
        wanted[D_VECTOR] = signature.voice.units, "numbers of a d-vector"
    for name, (count, words) in wanted.items():
        width = np.shape(outputs[name])[-1] if name in outputs else 0
        if width != count:
            raise ModelError(
                f"{path}: its signature names {count} {words}, the model gives {width}; export "
                "the run again"
            )


def _load_keras(path: Path) -> tuple[str, Forward]:
    text = _read_member(path)
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says
    import keras
    import tensorflow as tf

    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    run = tf.function(lambda x: model(x, training=False), reduce_retracing=True)
    return text, lambda x: _to_numpy(run(tf.constant(x)))


def _load_saved_model(path: Path) -> tuple[str, Forward]:
    if not (path / _SAVED_MODEL_FILE).is_file():
        raise _no_export(path)
    text = (path / _SAVED_MODEL_FILE).read_text(encoding="utf-8")
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    run = loaded.signatures["serving_default"]
    (name,) = run.structured_input_signature[1]
    # the default value keeps the loaded model alive, which the function alone does not
    return text, lambda x, _=loaded: _to_numpy(run(**{name: tf.constant(x)}))


def _load_onnx(path: Path) -> tuple[str, Forward]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    tasks = [output.name for output in session.get_outputs()]

    def forward(x: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(tasks, session.run(tasks, {name: x.astype(np.float32)}), strict=True))

    text = session.get_modelmeta().custom_metadata_map.get(_METADATA)
    if text is None:
        raise _no_export(path)
    return text, forward


def _load_litert(path: Path) -> tuple[str, Forward]:
    text = _read_member(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    with no_standard_error():  # it says there with what it computes
        interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner()
    (name,) = runner.get_input_details()
    return text, lambda x: runner(**{name: x.astype(np.float32)})


def _read_member(path: Path) -> str:
    """Return the signature in an archive, or in one appended to a file."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if _MEMBER in archive.namelist():
                with archive.open(_MEMBER) as member:
                    content = member.read(_MEMBER_BYTES + 1)
                if len(content) > _MEMBER_BYTES:
                    raise _no_export(path)
                return content.decode()
    raise _no_export(path)


def _no_export(path: Path) -> UserError:
    return UserError(
        f"{path}: expected a file of `ser-aae export`, found no description in it; export the run "
        "with that"
    )


def _to_numpy(found: Mapping[str, object]) -> dict[str, np.ndarray]:
    return {task: np.asarray(values) for task, values in found.items()}
