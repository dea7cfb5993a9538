"""Completion by the Tab key, in bash itself."""

import shutil
import subprocess

import pytest

from ser_aae.cli import build_parser, main

pytest.importorskip("shtab", reason="needs the package shtab")


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Return a file with the script for bash."""
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lines.append)
        assert main(["completion", "bash"]) == 0
    path = tmp_path_factory.mktemp("completion") / "ser-aae"
    path.write_text(lines[0])
    return path


def completed(script, *words, folder=None):
    """Return what bash offers for the last of these words."""
    code = (
        f'source {script}; shift 0; COMP_WORDS=(ser-aae "$@"); COMP_CWORD=$#; '
        "_shtab_ser_aae; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", code, "bash", *words], check=True, capture_output=True, text=True, cwd=folder
    )
    return done.stdout.split()


def test_commands_options_and_words_are_completed(script):
    commands = build_parser()._subparsers._group_actions[0].choices
    assert set(completed(script, "")) >= set(commands)
    assert completed(script, "pre") == ["prepare", "predict"]
    assert "--auxiliary" in completed(script, "train", "--a")
    assert set(completed(script, "train", "--dataset", "")) >= {"ravdess", "demo", "iemocap"}
    assert completed(script, "export", "run", "--format", "") == [
        *("keras", "saved-model", "onnx", "litert"),
    ]
    assert completed(script, "train", "--preset", "p") == ["paper"]


def test_of_an_option_that_takes_several_words_each_is_completed(script):
    assert completed(script, "train", "--log", "") == ["tensorboard", "mlflow", "wandb", "none"]
    assert completed(script, "report", "--format", "") == ["png", "pdf", "svg"]
    assert completed(script, "tune", "--space", "al") == ["alpha"]


def test_files_are_completed(script, tmp_path):
    (tmp_path / "model.onnx").touch()
    (tmp_path / "models").mkdir()
    assert set(completed(script, "predict", "mod", folder=tmp_path)) == {"model.onnx", "models"}
    assert completed(script, "train", "--runs", "mod", folder=tmp_path) == ["models"]


def test_zsh_takes_its_script(tmp_path, capsys):
    assert main(["completion", "zsh"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("#compdef ser-aae")
    if shutil.which("zsh"):
        (tmp_path / "_ser-aae").write_text(text)
        subprocess.run(["zsh", "-n", tmp_path / "_ser-aae"], check=True)


def test_another_shell_is_refused(refused):
    assert "invalid choice: 'fish'" in refused("completion", "fish")
