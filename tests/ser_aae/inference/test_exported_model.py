"""Files that are no exports, or were."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from processes import run_code
from sounds import RATE_HZ, noise
from tiny import DATA, FRONTEND, export_small

from ser_aae.errors import ModelError, UserError
from ser_aae.frontend.spectrogram import band_weights, pack_bands
from ser_aae.inference import exported_model as exported
from ser_aae.inference.exported_model import format_of, load_exported
from ser_aae.inference.signature import Signature, Voice


def test_the_format_is_read_from_the_name(tmp_path):
    for name, kind in (("a.keras", "keras"), ("b.onnx", "onnx"), ("c.tflite", "litert")):
        (tmp_path / name).write_bytes(b"x")
        assert format_of(tmp_path / name) == kind
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"x")
    assert format_of(tmp_path / "model") == "saved-model"


@pytest.mark.parametrize(
    ("name", "came"), [("none.onnx", "nothing"), ("a.txt", "a file"), ("b", "a folder")]
)
def test_what_is_no_model_is_told(tmp_path, name, came):
    (tmp_path / "a.txt").write_bytes(b"x")
    (tmp_path / "b").mkdir()
    with pytest.raises(UserError, match=rf"expected the folder of a run .* found {came}"):
        load_exported(tmp_path / name)


@pytest.mark.parametrize("name", ["a.keras", "a.tflite"])
def test_a_file_of_something_else_has_no_description(tmp_path, name):
    (tmp_path / name).write_bytes(b"not even an archive")
    with pytest.raises(UserError, match="found no description in it"):
        load_exported(tmp_path / name)
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("other.json", "{}")
    with pytest.raises(UserError, match="found no description in it"):
        load_exported(tmp_path / name)


@pytest.mark.parametrize("name", ["a.keras", "a.tflite"])
def test_a_description_that_would_fill_the_memory_is_not_unpacked(tmp_path, name, monkeypatch):
    monkeypatch.setattr(exported, "_MEMBER_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ser_aae.json", " " * 1001)
    with pytest.raises(UserError, match="found no description in it"):
        load_exported(tmp_path / name)


def test_a_foreign_saved_model_has_none_either(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(UserError, match="found no description in it"):
        load_exported(tmp_path, trust=True)


@pytest.mark.parametrize("kind", ["keras", "onnx", "litert", "saved-model"])
def test_a_signature_of_other_classes_than_the_models_is_told(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("tiny.FOUR", ("anger", "happiness", "neutral"))
    path = export_small(tmp_path, kind)
    _, forward = load_exported(path, trust=True)
    with pytest.raises(
        ModelError, match=r"model.*: its signature names 3 classes of emotion, .* 4"
    ):
        forward(np.zeros((1, DATA.segment_frames, FRONTEND.bins), np.float32))


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"emotion": 4}, "4 classes of speaker, the model gives 0"),
        ({"emotion": 4, "speaker": 4}, "8 numbers of a d-vector, the model gives 0"),
        ({"emotion": 4, "speaker": 4, "d_vector": 9}, "8 numbers of a d-vector, the model gives 9"),
    ],
)
def test_the_outputs_are_those_of_the_signature(tmp_path, outputs, message):
    voice = Voice(identity="0123456789abcdef", units=8, threshold=None)
    classes = {"emotion": tuple("abcd"), "speaker": tuple("efgh")}
    about = Signature("spectrogram", FRONTEND, 64, 32, 1, "repeat", classes, (), voice=voice)
    whole = {"emotion": np.zeros((3, 4)), "speaker": np.zeros((3, 4)), "d_vector": np.zeros((3, 8))}
    exported._refuse_other_outputs(whole, about, tmp_path / "m.onnx")
    found = {name: np.zeros((3, width)) for name, width in outputs.items()}
    said = rf"m\.onnx: its signature names {message}; export the run again"
    with pytest.raises(ModelError, match=said):
        exported._refuse_other_outputs(found, about, tmp_path / "m.onnx")


@pytest.mark.parametrize("scale", ["mel", "linear"])
@pytest.mark.parametrize("kind", ["onnx", "litert"])
def test_a_prediction_imports_neither_tensorflow_nor_what_starts_slowly(tmp_path, kind, scale):
    frontend = replace(FRONTEND, scale=scale)
    bands = pack_bands(band_weights(frontend))
    model = export_small(tmp_path, kind, frontend=frontend, bands=bands)
    recording = tmp_path / "a.wav"
    soundfile.write(recording, noise(2.0), RATE_HZ * 3)
    code = (
        "import sys, ser_aae.cli\n"
        "assert ser_aae.cli.main(['predict', *sys.argv[1:], '--timeline', '0.2']) == 0\n"
        "print(*sys.modules)"
    )
    done = run_code(code, model, recording)
    assert not done.stderr
    said = done.stdout.splitlines()
    assert "anger" in said[1]
    loaded = {name.partition(".")[0] for name in said[-1].split()}
    slow = {"tensorflow", "keras", "librosa", "numba", "pandas", "scipy", "sklearn", "onnx"}
    assert "numpy" in loaded
    assert not loaded & slow


@pytest.mark.parametrize("name", ["a.onnx", "a.tflite", "a.keras"])
def test_a_damaged_file_is_told(tmp_path, name):
    path = tmp_path / name
    if name == "a.onnx":
        path.write_bytes(b"no protobuf at all")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("ser_aae.json", "{}")
    with pytest.raises(UserError, match=rf"{name}: cannot be loaded .*export the run again"):
        load_exported(path)
