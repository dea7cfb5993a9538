"""What a model takes and gives, from a run and back from an exported file."""

import json
import shutil
from pathlib import Path

import pytest

from ser_aae.description import describe_run, parse_description, read_config
from ser_aae.errors import UserError


@pytest.fixture
def run(recorded_run, tmp_path):
    """A copy that may be changed."""
    return Path(shutil.copytree(recorded_run.folder, tmp_path / "fold00-rep00"))


def change(path, **values):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **values}))


def test_a_run_is_described_by_its_own_files(run):
    about = describe_run(run)
    assert about.input == "spectrogram"
    assert (about.segment_frames, about.shift_frames, about.pad) == (64, 32, "repeat")
    assert about.frontend.bins == 32
    assert list(about.classes) == ["emotion", "gender", "speaker"]
    assert about.classes["emotion"] == ("anger", "happiness", "neutral", "sadness")
    assert about.classes["gender"] == ("F", "M")
    assert len(about.classes["speaker"]) == 4
    assert all(name.startswith("tones:") for name in about.classes["speaker"])


def test_speakers_whose_names_were_not_written_are_numbered(run):
    content = json.loads((run / "normalisation.json").read_text())
    del content["speakers"]
    (run / "normalisation.json").write_text(json.dumps(content))
    assert describe_run(run).classes["speaker"][0] == "speaker 1"


@pytest.mark.parametrize(
    ("dataset", "kind"), [("ravdess", "acted"), ("demo", "synthetic"), ("urdu", "one corpus")]
)
def test_the_warning_says_how_the_corpus_came_to_be(run, dataset, kind):
    change(run / "config.json", dataset=dataset)
    result = json.loads((run / "result.json").read_text())
    change(run / "result.json", unweighted_accuracy=0.5, warnings=["the adversary is dead"])
    first, second = describe_run(run).warnings
    assert kind in first
    assert "50.0 % UA (chance 25.0)" in first
    assert second == "the adversary is dead"
    assert result["classes"]


def test_json_and_back_is_the_same(run):
    about = describe_run(run)
    assert parse_description(about.to_json(), run) == about


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "description is damaged"),
        ("[]", "description is damaged"),
        ('{"version": 1}', "description is damaged"),
        ('{"version": 99}', "expected a model of version 1, found 99"),
    ],
)
def test_a_damaged_description_is_told_with_its_file(text, message):
    with pytest.raises(UserError, match=rf"model\.onnx: .*{message}"):
        parse_description(text, Path("model.onnx"))


def test_a_run_that_is_not_complete_is_refused(run):
    assert read_config(run).dataset == "tones"
    (run / "result.json").unlink()
    with pytest.raises(UserError, match="expected the folder of a complete run"):
        describe_run(run)
