"""`ser-aae enrol`, `verify` and `card` as a user gives them."""

import argparse
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile
from huggingface_hub import ModelCard
from processes import run_code
from stored import read_unsealed, write_unsealed
from tiny import export_small

from ser_aae.cli import main
from ser_aae.commands import serve
from ser_aae.export.exporter import Choice, export
from ser_aae.results.folder import VERIFICATION
from ser_aae.results.trials import score_trials, write_trials
from ser_aae.server.limits import Limits


@pytest.fixture(scope="module")
def judged(recorded_run, tmp_path_factory):
    """The run with trials in which cosines from 0.5 on are one speaker's."""
    run = tmp_path_factory.mktemp("judged") / "fold00-rep00"
    shutil.copytree(recorded_run.folder, run)
    target = np.array([True, False] * 50)
    trials = pd.DataFrame(
        {
            "enrolled": "a",
            "corpus": "voices",
            "utterance_id": [str(number) for number in range(100)],
            "speaker": np.where(target, "a", "b"),
            "score": np.where(target, 0.5, -2.0) + np.arange(100) / 1000,
            "target": target,
        }
    )
    write_trials(run / VERIFICATION, trials)
    result = read_unsealed(run / "result.json")
    write_unsealed(run / "result.json", result | score_trials(trials))
    return run


@pytest.fixture(scope="module")
def voice(recorded_run):
    return sorted((recorded_run.recordings / "00").glob("*.wav"))


def test_a_voice_is_itself_with_the_expected_error(judged, voice, capsys):
    assert main(["verify", str(judged), str(voice[0]), str(voice[0])]) == 0
    said = capsys.readouterr().out
    assert said.startswith("yes, one speaker: cosine 1.000, threshold ")
    wanted = "100 trials, each of one recording and a speaker enrolled with 20, it took 0.0 % of"
    assert wanted in said


def test_the_decision_is_the_threshold_on_the_cosine(judged, recorded_run, voice, capsys):
    other = recorded_run.recordings / "01" / "sadness-0.wav"
    assert main(["verify", str(judged), str(voice[0]), str(other), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert -1 <= found["cosine"] < 1
    assert found["same_speaker"] == (found["cosine"] >= found["threshold"])
    assert (found["trials"], found["enrolment_utterances"]) == (100, 20)


def test_without_trials_there_is_a_cosine_and_the_way_to_a_threshold(recorded_run, voice, capsys):
    order = ["verify", str(recorded_run.folder), str(voice[0]), str(voice[1])]
    assert main(order) == 0
    said = capsys.readouterr().out
    assert said.startswith("cosine ")
    assert "no yes or no" in said
    assert "--set verification=" in said
    assert main([*order, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["threshold"] is None
    assert found["same_speaker"] is None


def test_an_enrolled_speaker_is_verified_by_name(judged, voice, tmp_path, capsys):
    out = tmp_path / "speakers.json"
    order = ["enrol", str(judged), "--speaker", "Anna", str(voice[0]), str(voice[1])]
    assert main([*order, "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"Anna: 2 recordings; {out} holds 1 speaker\n"
    verify = ["verify", str(judged), "Anna", str(voice[0]), "--speakers", str(out)]
    assert main([*verify, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cosine"] > 0.5
    verify[2] = "Ben"
    assert main(verify) == 2
    assert "expected an enrolled speaker (Anna), got 'Ben'" in capsys.readouterr().err


@pytest.fixture(scope="module")
def exported(judged, recorded_run, tmp_path_factory):
    """That run as an ONNX file."""
    out = tmp_path_factory.mktemp("exported") / "m.onnx"
    export(judged, Choice("onnx"), out, recorded_run.store, lambda: recorded_run.recordings)
    return out


def test_a_file_and_its_run_know_the_same_speakers(judged, exported, voice, tmp_path, capsys):
    cosines = []
    for first, second in ((judged, exported), (exported, judged)):
        out = tmp_path / f"{first.name}.json"
        assert main(["enrol", str(first), "--speaker", "a", str(voice[0]), "--out", str(out)]) == 0
        capsys.readouterr()
        verify = ["verify", str(second), "a", str(voice[1]), "--speakers", str(out), "--json"]
        assert main(verify) == 0
        cosines.append(json.loads(capsys.readouterr().out))
    assert cosines[0].pop("cosine") == pytest.approx(cosines[1].pop("cosine"), abs=1e-5)
    # the threshold came with the file
    assert cosines[0] == cosines[1]
    assert (cosines[0]["trials"], cosines[0]["enrolment_utterances"]) == (100, 20)


def test_a_served_file_names_the_nearest_speaker(judged, exported, voice, tmp_path):
    out = tmp_path / "speakers.json"
    assert main(["enrol", str(judged), "--speaker", "a", str(voice[0]), "--out", str(out)]) == 0
    arguments = argparse.Namespace(model=exported, speakers=out, trust=False)
    queue = serve._load(arguments, Limits())
    ((name, cosine),) = queue.answer(voice[0], None).speakers
    queue.close()
    assert (name, cosine) == ("a", pytest.approx(1.0, abs=1e-5))


def test_verifying_with_a_file_imports_nothing_that_starts_slowly(exported, voice):
    code = (
        "import sys, ser_aae.cli\n"
        "assert ser_aae.cli.main(['verify', *sys.argv[1:]]) == 0\n"
        "print(*sys.modules)"
    )
    said = run_code(code, exported, voice[0], voice[1]).stdout.splitlines()
    assert "cosine" in said[0]
    loaded = {name.partition(".")[0] for name in said[-1].split()}
    assert not loaded & {"tensorflow", "keras", "librosa", "pandas", "sklearn"}


def test_a_file_without_speakers_is_refused_in_one_line(voice, tmp_path, refused):
    model, out = export_small(tmp_path, "onnx"), tmp_path / "speakers.json"
    for words in (
        ("enrol", model, voice[0], "--speaker", "a", "--out", out),
        ("verify", model, voice[0], voice[1]),
        ("serve", model, "--port", "0", "--speakers", out),
    ):
        said = refused(*words)
        assert "model.onnx: expected a model with a speaker classifier" in said
    assert not out.exists()


def test_a_recording_that_is_missing_is_said(judged, voice, tmp_path, capsys):
    missing = str(tmp_path / "absent.wav")
    assert main(["verify", str(judged), missing, str(voice[0])]) == 2
    assert missing in capsys.readouterr().err
    out = tmp_path / "speakers.json"
    assert main(["enrol", str(judged), "--speaker", "a", missing, "--out", str(out)]) == 2
    assert not out.exists()


def test_a_card_is_printed_or_written(recorded_run, tmp_path, capsys):
    assert main(["card", str(recorded_run.folder)]) == 0
    printed = capsys.readouterr().out
    out = tmp_path / "hub" / "README.md"
    assert main(["card", str(recorded_run.folder), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.read_text(encoding="utf-8") == printed
    assert ModelCard(printed).data.library_name == "keras"


def test_a_card_has_the_terms_of_a_known_corpus(recorded_run, tmp_path, capsys):
    run = tmp_path / "experiment" / "digest" / "fold00-rep00"
    shutil.copytree(recorded_run.folder, run)
    config = read_unsealed(run / "config.json")
    write_unsealed(run / "config.json", config | {"dataset": "ravdess"})
    assert main(["card", str(run)]) == 0
    card = ModelCard(capsys.readouterr().out)
    assert card.data.to_dict()["dataset_licenses"] == {"ravdess": "CC BY-NC-SA 4.0"}
    assert "livingstone2018ravdess" in card.text


def test_what_is_no_run_has_no_card(tmp_path, capsys):
    assert main(["card", str(tmp_path)]) == 2
    assert "expected the folder of a complete run" in capsys.readouterr().err


def test_a_voice_may_be_a_channel_of_its_recording(judged, voice, tmp_path, capsys):
    sounds = [soundfile.read(path, dtype="float32") for path in voice[:2]]
    length = min(len(samples) for samples, _ in sounds)
    pair = np.stack([samples[:length] for samples, _ in sounds], axis=1)
    soundfile.write(tmp_path / "call.wav", pair, sounds[0][1], subtype="FLOAT")
    opposite = np.stack([pair[:, 0], -pair[:, 0]], axis=1)
    for name in ("float", "pcm_16"):  # whose rounding leaves something that is not silence
        soundfile.write(tmp_path / f"{name}.wav", opposite, 16000, subtype=name.upper())
    call, speakers = str(tmp_path / "call.wav"), str(tmp_path / "speakers.json")
    words = ["enrol", str(judged), call, "--speaker", "a", "--out", speakers, "--channel", "right"]
    assert main(words) == 0
    verify = ["verify", str(judged), "a", call, "--speakers", speakers, "--json", "--channel"]
    capsys.readouterr()
    cosines = {}
    for channel in ("left", "right", "mix"):
        assert main([*verify, channel]) == 0
        cosines[channel] = json.loads(capsys.readouterr().out)["cosine"]
    assert cosines["right"] == pytest.approx(1.0)
    assert max(cosines["left"], cosines["mix"]) < 1 - 1e-6
    assert main(["verify", str(judged), call, str(tmp_path / "float.wav")]) == 2
    assert "found silence; its 2 channels cancel each other" in capsys.readouterr().err
    assert main(["verify", str(judged), call, str(tmp_path / "pcm_16.wav")]) == 0
    assert "pcm_16.wav: its 2 channels cancel each other" in capsys.readouterr().err
    assert main([*verify, "each"]) == 2
