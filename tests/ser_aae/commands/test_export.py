"""`ser-aae export` as it is typed."""

import json
from types import SimpleNamespace

import pytest
from stored import read_unsealed

from ser_aae.cli import build_parser, main
from ser_aae.commands.export import _recordings
from ser_aae.export.exporter import MOST_POINTS


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
