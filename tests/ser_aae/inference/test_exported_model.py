"""Files that are no exports, or were."""

import zipfile

import numpy as np
import pytest
from tiny import DATA, FRONTEND, export_small

from ser_aae.errors import ModelError, UserError
from ser_aae.inference import exported_model as exported
from ser_aae.inference.exported_model import format_of, load_exported


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
