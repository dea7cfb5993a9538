"""Corpora that are not there: made where they can be, else a container says where to mount."""

import pytest

from data_prep.synthetic import demo
from ser_aae.cli import main


def test_the_demo_corpus_is_made_where_it_is_not_there(monkeypatch, capsys):
    monkeypatch.setattr(demo, "DEFAULT_SPEAKERS", 2)
    assert main(["prepare", "--dataset", "demo"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "data/demo: synthetic speech, made now"
    assert "of 2 speakers" in rest[-1]
    assert main(["prepare", "--dataset", "demo"]) == 0
    assert "made now" not in capsys.readouterr().out


@pytest.mark.parametrize("command", ["prepare", "train"])
def test_a_container_says_what_to_mount(command, monkeypatch, refused):
    words = [command, "--dataset", "msp", "--data-root", "/data"]
    plain = refused(*words)
    assert "/data/msp: expected MSP-IMPROV" in plain
    assert "docker run" not in plain
    monkeypatch.setenv("SER_AAE_CONTAINER", "1")
    told = refused(*words)
    assert "/data/msp: expected MSP-IMPROV" in told
    assert '  docker run --user "$(id -u):$(id -g)" -v /my/corpora:/data:ro -v ' in told
    assert told.endswith(f"ser-aae {' '.join(words)}\n")
    assert "\n  mkdir -p store" in told
    assert "/my/corpora/msp" in told


def test_a_corpus_that_is_there_but_wrong_is_no_question_of_mounting(
    tmp_path, monkeypatch, refused
):
    monkeypatch.setenv("SER_AAE_CONTAINER", "1")
    (tmp_path / "data" / "ravdess").mkdir(parents=True)
    (tmp_path / "data" / "ravdess" / "README.md").write_text("nothing yet")
    told = refused("prepare", "--dataset", "ravdess")
    assert "found no such audio" in told
    assert "docker run" not in told
