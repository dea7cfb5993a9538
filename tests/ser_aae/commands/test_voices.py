"""`ser-aae enrol`, `verify` and `card` as a user gives them."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from huggingface_hub import ModelCard
from stored import read_unsealed, write_unsealed

from ser_aae.cli import main
from ser_aae.results.folder import VERIFICATION
from ser_aae.results.trials import write_trials


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
