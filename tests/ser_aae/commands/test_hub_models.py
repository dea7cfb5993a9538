"""Models on the Hub as they are typed: `card --push`, and a command with `hf://`."""

import json

import pytest
from hub import running_hub
from tiny import export_small

from ser_aae.cli import main
from ser_aae.export.exporter import Choice, export


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with running_hub(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture(scope="module")
def exported(recorded_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "model.keras"
    export(recorded_run.folder, Choice("keras"), out, recorded_run.store, lambda corpora: {})
    return out


def test_a_pushed_model_answers_from_the_hub(hub, recorded_run, exported, capsys):
    run = recorded_run.folder
    assert main(["card", str(run), "--push", "me/voices", "--file", str(exported)]) == 0
    assert capsys.readouterr().out == f"{hub.address}/me/voices\n"
    files = hub.repos["me/voices"]
    assert list(files) == ["README.md", "model.keras"]
    assert files["model.keras"] == exported.read_bytes()
    assert "ser-aae predict hf://me/voices/model.keras speech.wav" in files["README.md"].decode()

    sound = str(recorded_run.recordings / "00" / "anger-0.wav")
    answers = []
    for model in (str(exported), "hf://me/voices", "hf://me/voices/model.keras"):
        assert main(["predict", model, sound, "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1] == answers[2]


def test_the_card_alone_is_pushed_and_written_too(hub, recorded_run, tmp_path, capsys):
    out = tmp_path / "README-model.md"
    words = ["card", str(recorded_run.folder), "--push", "me/voices", "--out", str(out)]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines() == [str(out), f"{hub.address}/me/voices"]
    assert hub.repos["me/voices"] == {"README.md": out.read_bytes()}
    assert b"hf://" not in out.read_bytes()


def test_mistakes_send_nothing(hub, recorded_run, exported, tmp_path, refused, monkeypatch):
    run, other = recorded_run.folder, export_small(tmp_path, "keras")
    assert "goes with --push" in refused("card", run, "--file", exported)
    push = ("card", run, "--push", "me/voices", "--file")
    assert "found one of another run" in refused(*push, other)
    assert "found nothing" in refused(*push, tmp_path / "none.onnx")
    (tmp_path / "notes.txt").touch()
    said = refused(*push, tmp_path / "notes.txt")
    assert "notes.txt: expected a file of ser-aae export (.onnx, .tflite, .keras)" in said
    assert "different names" in refused(*push, exported, "--file", exported)
    assert "expected hf://OWNER/NAME" in refused("predict", "hf://voices", "a.wav")
    monkeypatch.delenv("HF_TOKEN")
    for words in ((), ("--out", tmp_path / "card.md")):
        assert "expected a token" in refused("card", run, "--push", "me/voices", *words)
    assert not (tmp_path / "card.md").exists()
    assert "expected a repository of models" in refused("predict", "hf://me/voices", "a.wav")
    assert hub.repos == {}
