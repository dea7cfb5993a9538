"""Models that give no numbers, were changed, or are programs, in the commands that load them."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest
from stored import forget_digests
from tiny import change_weights, export_small, poison

from ser_aae.cli import main
from ser_aae.inference.exported_model import SUFFIXES
from ser_aae.inference.recogniser import Recogniser
from ser_aae.server.limits import Limits
from ser_aae.server.queue import FaultError, RecognitionQueue

WAYS = ["run", *SUFFIXES]
VALUES = {"nan": np.nan, "infinite": np.inf}
# LiteRT makes finite numbers of an infinite weight where TensorFlow 2.21 wrote the file
POISONED = [
    (way, value) for way in WAYS for value in VALUES if (way, value) != ("litert", "infinite")
]


@pytest.fixture(scope="module")
def poisoned(recorded_run, tmp_path_factory):
    """A function: way out, value -> a model with one weight of that value."""
    made = {}

    def make(way, value="nan"):
        if (way, value) not in made:
            folder = tmp_path_factory.mktemp("poisoned")

            def change(values):
                return poison(values, VALUES[value])

            if way == "run":
                run = Path(shutil.copytree(recorded_run.folder, folder / "fold00-rep00"))
                change_weights(run, change)
                forget_digests(run)
                made[way, value] = run
            else:
                made[way, value] = export_small(folder, way, change)
        return made[way, value]

    return make


@pytest.fixture
def sounds(recorded_run):
    return sorted(map(str, (recorded_run.recordings / "00").glob("*.wav")))


def trust(way):
    return ["--trust"] if way == "saved-model" else []


@pytest.mark.parametrize(("way", "value"), POISONED)
@pytest.mark.parametrize("output", [[], ["--json"], ["--timeline", "0.5"]])
def test_no_class_is_predicted_by_a_model_that_gives_no_numbers(
    poisoned, sounds, tmp_path, refused, way, value, output
):
    model, table = poisoned(way, value), tmp_path / "a.csv"
    said = refused("predict", model, *sounds[:2], "--csv", table, *output, *trust(way))
    assert f"error: {model}: output emotion is nan, expected a finite number" in said
    assert "again" in said
    # once, not for every recording
    assert said.count("output emotion") == 1
    assert not table.exists()


def test_no_voice_is_compared_or_enrolled_by_one(poisoned, sounds, tmp_path, refused):
    model, out = poisoned("run"), tmp_path / "speakers.json"
    for words in (
        ("verify", model, *sounds[:2]),
        ("enrol", model, sounds[0], "--speaker", "a", "--out", out),
    ):
        said = refused(*words)
        assert f"error: {model}: output " in said
        assert "not checked" in said
    assert not out.exists()


@pytest.mark.parametrize("way", WAYS)
def test_a_server_answers_nothing_of_one_and_its_log_names_it(poisoned, sounds, way, caplog):
    model = poisoned(way)
    queue = RecognitionQueue(Recogniser.load(model, trust=True), Limits())
    with pytest.raises(FaultError, match="the server's model is damaged") as raised:
        asyncio.run(queue.ask(Path(sounds[0]), 0.5, "light"))
    queue.close()
    assert str(model) not in str(raised.value)
    assert f"{model}: output emotion is nan" in caplog.text


@pytest.fixture
def changed(recorded_run, tmp_path):
    """A run with the sign of some weights flipped."""
    run = Path(shutil.copytree(recorded_run.folder, tmp_path / "fold00-rep00"))
    change_weights(run, np.negative)
    return run


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "RUN", "SOUND"),
        ("verify", "RUN", "SOUND", "SOUND"),
        ("enrol", "RUN", "SOUND", "--speaker", "a", "--out", "speakers.json"),
        ("serve", "RUN", "--port", "0"),
        ("serve", "RUN", "--port", "0", "--speakers", "speakers.json"),
        ("export", "RUN", "--format", "onnx", "--store", "STORE", "--out", "m.onnx"),
    ],
)
def test_a_changed_weight_is_noticed_by_whatever_loads_it(
    changed, recorded_run, sounds, refused, words
):
    given = {"RUN": changed, "SOUND": sounds[0], "STORE": recorded_run.store}
    said = refused(*(given.get(word, word) for word in words))
    assert f"{changed / 'best.weights.h5'}: it is damaged, or was changed" in said
    assert not list(Path().glob("m.onnx"))


def test_a_run_of_before_is_said_to_be_unchecked_in_one_line(
    recorded_run, sounds, tmp_path, capsys
):
    run = Path(shutil.copytree(recorded_run.folder, tmp_path / "fold00-rep00"))
    forget_digests(run)
    for words in (
        ("predict", run, sounds[0]),
        ("evaluate", run),
        ("card", run),
        ("verify", run, sounds[0], sounds[1]),
        ("enrol", run, sounds[0], "--speaker", "a", "--out", "speakers.json"),
        ("export", run, "--format", "onnx", "--store", recorded_run.store, "--out", "m.onnx"),
    ):
        assert main([str(word) for word in words]) == 0
        said = capsys.readouterr().err
        assert said.count("made before digests of weights were kept: not checked\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "MODEL", "SOUND"),
        ("verify", "MODEL", "SOUND", "SOUND"),
        ("enrol", "MODEL", "SOUND", "--speaker", "a", "--out", "speakers.json"),
        ("serve", "MODEL", "--port", 0),
        ("serve", "MODEL", "--port", 0, "--speakers", "speakers.json"),
    ],
)
def test_a_saved_model_is_a_program_that_is_run_for_who_trusts_it(tmp_path, sounds, refused, words):
    model = export_small(tmp_path, "saved-model")
    given = {"MODEL": model, "SOUND": sounds[0]}
    said = refused(*(given.get(word, word) for word in words))
    assert f"{model}: a SavedModel is a program that can read and write your files" in said
    assert "--trust" in said


def test_a_trusted_saved_model_predicts(tmp_path, sounds, capsys):
    model = export_small(tmp_path, "saved-model")
    assert main(["predict", str(model), sounds[0], "--trust"]) == 0
    assert "emotion" in capsys.readouterr().out
