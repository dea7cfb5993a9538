"""`ser-aae export` as it is typed."""

import json
from types import SimpleNamespace

import pytest
from processes import run_code
from stored import read_unsealed

from ser_aae.cli import build_parser, main
from ser_aae.commands.export import _recordings
from ser_aae.export.choice import MOST_POINTS


def test_it_prints_both_accuracies_and_then_the_file(recorded_run, tmp_path, capsys):
    out = tmp_path / "new" / "model.onnx"
    words = ["export", str(recorded_run.folder), "--format", "onnx", "--out", str(out)]
    assert main([*words, "--store", str(recorded_run.store)]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("test part, 16 utterances: UA ")
    assert "(+0.00 points)" in first
    assert last == str(out)
    assert out.is_file()
    sound = recorded_run.recordings / "00" / "anger-0.wav"
    assert main(["predict", str(out), str(sound), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["best"]["emotion"]


def test_a_mistake_is_one_line(recorded_run, tmp_path, refused):
    words = ["export", str(recorded_run.folder), "--format", "wav", "--out", str(tmp_path / "m")]
    said = refused(*words, "--store", recorded_run.store)
    assert "--format: expected one of keras, saved-model, onnx, litert" in said
    words[3] = "saved-model"
    assert "expected a prepared corpus" in refused(*words, "--store", tmp_path / "none")


@pytest.mark.parametrize(
    "words",
    [
        ("export", "nothing", "--format", "onnx", "--out", "m.tflite"),
        ("export", "nothing", "--format", "keras", "--quantise", "int8", "--out", "m.keras"),
        ("train", "--dataset", "demo", "--start-from", "m.onnx"),
        ("predict", "m.h5", "a.wav"),
    ],
)
def test_a_wrong_ending_is_refused_before_anything_is_loaded(tmp_path, words):
    for name in ("m.onnx", "m.h5"):
        (tmp_path / name).write_bytes(b"")
    words = [str(tmp_path / word) if word.startswith("m.") else word for word in words]
    code = (
        "import sys; from ser_aae.cli import main; code = main(sys.argv[1:]);"
        "sys.exit(code if not {'tensorflow', 'onnxruntime', 'librosa'} & set(sys.modules) else 3)"
    )
    done = run_code(code, *words, check=False)
    assert done.returncode == 2, done.stderr
    assert ", got " in done.stderr or ", found a file" in done.stderr


def test_the_tolerance_of_the_command_is_that_of_the_module():
    words = ["export", "run", "--format", "onnx", "--out", "m.onnx"]
    assert build_parser().parse_args(words).tolerance == MOST_POINTS
    assert build_parser().parse_args([*words, "--tolerance", "2"]).tolerance == 2.0


@pytest.mark.parametrize("corpora", [["tones"], ["tones", "foreign"]])
def test_recordings_are_those_of_the_corpora_that_are_tested(
    recorded_run, tmp_path, monkeypatch, corpora
):
    config = read_unsealed(recorded_run.folder / "config.json")
    config["joined"] = ["foreign"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "result.json").write_text("{}")
    asked = []

    def find(name):
        asked.append(name)
        return SimpleNamespace(read=lambda root, allow_partial: SimpleNamespace(root=root / name))

    monkeypatch.setattr("data_prep.corpora.find_adapter", find)
    found = _recordings(corpora, tmp_path, tmp_path / "data")
    assert asked == corpora
    assert found == {name: tmp_path / "data" / name for name in corpora}
