"""The description of a model: from a run, and back from an exported file."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from stored import read_unsealed, write_unsealed

from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.frontend.spectrogram import band_weights, pack_bands
from ser_aae.inference.signature import (
    Signature,
    Threshold,
    Voice,
    parse_signature,
    read_signature,
)
from ser_aae.results.complete_run import read_config
from ser_aae.results.evaluation import evaluate


@pytest.fixture
def run(recorded_run, tmp_path):
    """A copy that may be changed."""
    return Path(shutil.copytree(recorded_run.folder, tmp_path / "fold00-rep00"))


def change(path, **values):
    content = read_unsealed(path)
    write_unsealed(path, {**content, **values})


def test_a_run_is_described_by_its_own_files(run):
    about = read_signature(run)
    assert about.input == "spectrogram"
    assert (about.segment_frames, about.shift_frames, about.pad) == (64, 32, "repeat")
    assert about.frontend.bins == 32
    assert list(about.classes) == ["emotion", "gender", "speaker"]
    assert about.primary == "emotion"
    assert about.classes["emotion"] == ("anger", "happiness", "neutral", "sadness")
    assert about.classes["gender"] == ("F", "M")
    assert len(about.classes["speaker"]) == 4
    assert all(name.startswith("tones:") for name in about.classes["speaker"])


def test_a_run_of_an_earlier_version_is_read_as_it_was_run(run):
    assert read_config(run).data.evaluation_segments == 4
    content = read_unsealed(run / "config.json")
    del content["data"]["evaluation_segments"], content["training"]["logit_adjustment"]
    write_unsealed(run / "config.json", content)
    config = read_config(run)
    assert (config.data.evaluation_segments, config.training.logit_adjustment) == (1, 0.0)
    assert read_signature(run).fewest_segments == 1


def test_a_config_without_a_setting_that_there_always_was_is_damaged(run):
    content = read_unsealed(run / "config.json")
    for group, name in (("", "dataset"), ("", "seed"), ("frontend", "bins"), ("model", "kind")):
        plain = json.loads(json.dumps(content))
        del (plain[group] if group else plain)[name]
        write_unsealed(run / "config.json", plain)
        where = (
            rf"config\.json: {f'{group}.' if group else ''}{name}: expected .*, found none; train"
        )
        with pytest.raises(UserError, match=where):
            read_config(run)
        with pytest.raises(UserError, match=where):
            evaluate(run)


def test_speakers_whose_names_were_not_written_are_numbered(run):
    content = read_unsealed(run / "normalisation.json")
    del content["speakers"]
    write_unsealed(run / "normalisation.json", content)
    assert read_signature(run).classes["speaker"][0] == "speaker 1"


@pytest.mark.parametrize(
    ("elicitation", "kind"),
    [("acted", "acted speech"), ("natural", "natural speech"), ("", "one corpus"),
     (None, "one corpus")],
)  # fmt: skip
def test_the_warning_says_how_the_corpus_came_to_be(run, elicitation, kind):
    # runs of an earlier version do not say it
    change(run / "result.json", elicitation=elicitation)
    change(run / "config.json", dataset="ravdess")
    result = read_unsealed(run / "result.json")
    change(run / "result.json", unweighted_accuracy=0.5, warnings=["the adversary is dead"])
    first, second = read_signature(run).warnings
    assert f"trained on {kind} (ravdess)" in first
    assert "50.0 % UA (mean of the classes' recalls; guessing gives 25.0)" in first
    assert second == "the adversary is dead"
    assert result["classes"]


def test_guessing_is_among_the_classes_that_were_tested(run):
    classes = read_unsealed(run / "result.json")["classes"]
    change(run / "result.json", classes_scored=classes[:2])
    assert "guessing gives 50.0" in read_signature(run).warnings[0]


def test_an_earlier_run_on_synthetic_speech_still_says_so(run):
    result = read_unsealed(run / "result.json")
    result.pop("elicitation", None)
    write_unsealed(run / "result.json", result | {"synthetic": ["demo"]})
    change(run / "config.json", dataset="demo")
    assert "trained on synthetic speech (demo)" in read_signature(run).warnings[0]


def test_the_warning_names_no_place_on_this_machine(run):
    change(run / "config.json", dataset="csv:/home/me/clinic/calls.csv")
    about = read_signature(run)
    assert "one corpus (calls.csv)" in about.warnings[0]
    assert "clinic" not in about.to_json()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("normalisation.json", {"num_classes": None}),
        ("normalisation.json", {"num_classes": {}}),
        ("normalisation.json", {"num_classes": {"emotion": "many"}}),
        ("normalisation.json", {"num_classes": {"mood": 4}}),
        ("normalisation.json", {"num_classes": {"emotion": 3}}),
        ("normalisation.json", {"classes": "abcd"}),
        ("normalisation.json", {"classes": [1, 2, 3, 4]}),
        ("normalisation.json", {"speakers": []}),
        ("result.json", {"unweighted_accuracy": "high"}),
        ("result.json", {"classes": []}),
        ("result.json", {"warnings": "one"}),
    ],
)
def test_a_damaged_file_of_a_run_is_told_by_its_name(run, name, values):
    change(run / name, **values)
    with pytest.raises(UserError, match=rf"{name}: .*train the run again"):
        read_signature(run)


@pytest.mark.parametrize("name", ["num_classes", "classes"])
def test_what_is_missing_of_the_normalisation_is_told_with_its_file(run, name):
    content = read_unsealed(run / "normalisation.json")
    del content[name]
    write_unsealed(run / "normalisation.json", content)
    with pytest.raises(UserError, match=rf"normalisation\.json: .*\b{name}\b"):
        read_signature(run)


def test_json_and_back_is_the_same(run):
    about = read_signature(run)
    assert parse_signature(about.to_json(), run) == about


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "description is damaged"),
        ("[]", "description is damaged"),
        ('{"version": 2}', "description is damaged"),
        ('{"version": 1}', "expected a model of version 2, found 1; export the model again"),
    ],
)
def test_a_damaged_description_is_told_with_its_file(text, message):
    with pytest.raises(UserError, match=rf"model\.onnx: .*{message}"):
        parse_signature(text, Path("model.onnx"))


VOICE = Voice(
    identity="0123456789abcdef",
    units=8,
    threshold=Threshold(
        cosine=0.5,
        false_match_rate=0.1,
        false_non_match_rate=0.1,
        trials=100,
        enrolment_utterances=20,
    ),
)

WHOLE = Signature(
    input="waveform",
    frontend=FrontEndConfig(bins=32),
    segment_frames=64,
    shift_frames=32,
    fewest_segments=1,
    pad="floor",
    classes={"emotion": ("anger", "neutral"), "speaker": ("a", "b")},
    warnings=(),
    bands=pack_bands(band_weights(FrontEndConfig(bins=32))),
    voice=VOICE,
)


def test_a_description_of_before_has_neither_bands_nor_a_voice():
    content = json.loads(WHOLE.to_json())
    del content["bands"], content["voice"]
    found = parse_signature(json.dumps(content), Path("model.onnx"))
    assert found == replace(WHOLE, bands=(), voice=None)


def test_the_threshold_survives(tmp_path):
    assert parse_signature(WHOLE.to_json(), tmp_path).voice.threshold == VOICE.threshold
    without = replace(WHOLE, voice=VOICE.model_copy(update={"threshold": None}))
    assert parse_signature(without.to_json(), tmp_path) == without


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input": "words"}, "input: expected spectrogram or waveform, found 'words'"),
        ({"segment_frames": 10**9 + 1}, "segment_frames: expected a multiple of 16"),
        ({"segment_frames": "long"}, "segment_frames: expected a whole number"),
        ({"shift_frames": 0}, "evaluation_shift_frames: expected a whole number from 1"),
        ({"shift_frames": True}, "evaluation_shift_frames: expected a whole number from 1"),
        ({"fewest_segments": 0}, "evaluation_segments: expected a whole number from 1"),
        ({"fewest_segments": 10**12}, "evaluation_segments: expected a whole number from 1 to 64"),
        ({"pad": "noise"}, "pad: expected one of repeat, floor"),
        ({"frontend": {"sample_rate_hz": 1}}, "sample_rate_hz: expected a whole number from 1000"),
        ({"frontend": {"no_such": 1}}, "no such setting"),
        ({"frontend": []}, "not a mapping"),
        ({"frontend": {"bins": 32}}, "frontend: expected fft_size, floor_db"),
        ({"classes": {}}, "expected a task"),
        ({"classes": {"emotion": []}}, "emotion: expected a list of texts"),
        ({"classes": {"emotion": "ab"}}, "emotion: expected a list of texts"),
        ({"warnings": [1]}, "warnings: expected a list of texts"),
        ({"bands": [[0, [0.5]]]}, "bands: expected 32, found 1"),
        ({"bands": "wide"}, "bands: expected a tuple, found 'wide'"),
        ({"voice": {"identity": "a", "units": 8}}, "expected voice.threshold, found none"),
        (
            {"voice": {"identity": "a", "units": 0, "threshold": None}},
            "voice.units: expected greater",
        ),
        ({"voice": {"identity": "", "units": 8, "threshold": None}}, "voice.identity: "),
        (
            {"voice": VOICE.model_dump() | {"threshold": {"cosine": 0.5}}},
            "expected voice.threshold.false",
        ),
        ({"voice": []}, "voice: expected "),
        ({"classes": {"emotion": ["a", "b"]}}, "voice: expected a model with a speaker"),
        ({"more": 1}, "expected bands, classes, fewest_segments, frontend, input"),
    ],
)
def test_values_that_cannot_be_are_told_with_the_file(change, message):
    content = json.loads(WHOLE.to_json())
    assert parse_signature(json.dumps(content), Path("model.onnx")) == WHOLE
    with pytest.raises(UserError, match=rf"^model\.onnx: its description is damaged .*{message}"):
        parse_signature(json.dumps(content | change), Path("model.onnx"))


def test_a_run_that_is_not_complete_is_refused(run):
    assert read_config(run).dataset == "tones"
    (run / "result.json").unlink()
    with pytest.raises(UserError, match="expected the folder of a complete run"):
        read_signature(run)
