"""Voices: d-vectors as in verification, enrolled speakers on disk, and a threshold from trials."""

import json
import re
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import soundfile
from stored import read_unsealed
from tiny import export_small

from ser_aae.data.part import Part
from ser_aae.errors import UserError
from ser_aae.files.atomic import write_json
from ser_aae.inference.recogniser import Recogniser
from ser_aae.inference.signature import read_signature
from ser_aae.inference.voices import (
    Voices,
    cosine,
    enrol,
    nearest,
    read_enrolled,
    threshold_of,
)
from ser_aae.labels import FOUR
from ser_aae.results.folder import VERIFICATION
from ser_aae.results.trials import score_trials, write_trials
from ser_aae.server.limits import Limits
from ser_aae.server.queue import RecognitionQueue
from ser_aae.store.corpus import load_corpus

RATE_HZ = 16000


@pytest.fixture(scope="module")
def voices(recorded_run):
    return Voices.load(recorded_run.folder)


@pytest.fixture(scope="module")
def toy(recorded_run):
    """Voices without TensorFlow: the d-vector is the mean spectrum over the floor."""

    def forward(segments):
        return {"d_vector": np.maximum(segments.mean(axis=1) + 60, 0)}

    return Voices(Recogniser(read_signature(recorded_run.folder), forward), "0123456789abcdef")


def recordings_of(run, speaker):
    return sorted((run.recordings / speaker).glob("*.wav"))


def test_a_recording_has_the_d_vector_that_verification_gives_it(voices, recorded_run):
    from ser_aae.batches.pipeline import evaluation_dataset
    from ser_aae.inference.run_model import load_trained
    from ser_aae.results.complete_run import read_config
    from ser_aae.training.verification import d_vectors

    config = read_config(recorded_run.folder)
    corpus = load_corpus(recorded_run.store, "tones", config.frontend)
    part = Part(corpus, np.arange(6), {})
    model, normalisation = load_trained(recorded_run.folder)
    wanted = d_vectors(model, evaluation_dataset(part, normalisation, config.data, 4), part)
    for row in range(6):
        path = corpus.utterances[row].audio_path(recorded_run.recordings)
        np.testing.assert_allclose(voices.d_vector(path), wanted[row], rtol=0, atol=1e-5)
    assert wanted.any()


def test_a_long_recording_is_the_mean_over_all_its_segments(toy, tmp_path):
    draw = np.random.default_rng(0).normal(0, 0.1, 130 * RATE_HZ)
    soundfile.write(tmp_path / "long.wav", draw, RATE_HZ)
    soundfile.write(tmp_path / "short.wav", draw[: 20 * RATE_HZ], RATE_HZ)
    long, short = (toy.d_vector(tmp_path / f"{name}.wav") for name in ("long", "short"))
    assert cosine(long, short) > 0.999


def test_one_pass_gives_the_d_vector_beside_the_same_posteriors(voices, recorded_run):
    path = recordings_of(recorded_run, "00")[0]
    alone, both = Recogniser.load(recorded_run.folder), voices.recogniser
    assert both.recognise_file(path, 0.5) == alone.recognise_file(path, 0.5)
    assert both.recognise_file(path).d_vector is not None
    assert alone.recognise_file(path).d_vector is None


def test_of_silence_there_is_no_voice(toy, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE_HZ), RATE_HZ)
    with pytest.raises(UserError, match=r"silence\.wav: expected a voice, found silence"):
        toy.d_vector(tmp_path / "silence.wav")


def test_a_d_vector_of_zeros_is_said_and_is_no_voice(toy, recorded_run):
    dead = replace(toy.recogniser, forward=lambda x: {"d_vector": np.zeros((len(x), 4))})
    path = recordings_of(recorded_run, "00")[0]
    with pytest.raises(UserError, match=r"wav: the d-vector .* is all zeros: it has no direction"):
        Voices(dead, "0123456789abcdef").d_vector(path)
    queue = RecognitionQueue(dead, Limits(), partial(nearest, enrolled={"a": np.ones(4)}))
    answer = queue.answer(path, None)
    queue.close()
    assert answer.speakers == []
    assert "no direction" in answer.recognition.warnings[-1]


def test_a_cosine_is_of_directions():
    first = np.array([3.0, 4.0])
    assert cosine(first, 10 * first) == pytest.approx(1)
    assert cosine(first, -first) == pytest.approx(-1)
    assert cosine(first, np.array([4.0, -3.0])) == pytest.approx(0)
    for none in (np.zeros(2), np.array([np.nan, 1.0]), np.array([np.inf, 1.0])):
        with pytest.raises(ValueError, match="expected two vectors with a direction"):
            cosine(first, none)


def test_the_nearest_comes_first():
    enrolled = {"a": np.array([0.0, 1.0]), "b": np.array([1.0, 0.1]), "c": np.array([-1.0, 0.0])}
    found = nearest(np.array([1.0, 0.0]), enrolled)
    assert [name for name, _ in found] == ["b", "a", "c"]
    assert found[2][1] == pytest.approx(-1)


def test_enrolled_speakers_are_added_and_replaced(toy, recorded_run, tmp_path):
    out = tmp_path / "deep" / "speakers.json"
    first, second = (recordings_of(recorded_run, name) for name in ("00", "01"))
    assert enrol(toy, "Änne", first[:2], out) == 1
    assert enrol(toy, "Ben", second[:3], out) == 2
    found = read_enrolled(out, toy)
    assert list(found) == ["Änne", "Ben"]
    wanted = np.mean([toy.d_vector(path) for path in first[:2]], axis=0)
    np.testing.assert_allclose(found["Änne"], wanted)
    assert enrol(toy, "Ben", second[3:4], out) == 2
    np.testing.assert_allclose(read_enrolled(out, toy)["Ben"], toy.d_vector(second[3]))
    assert [path.name for path in out.parent.iterdir()] == ["speakers.json"]


def test_a_recording_that_cannot_be_read_leaves_the_file_as_it_was(toy, recorded_run, tmp_path):
    out = tmp_path / "speakers.json"
    files = recordings_of(recorded_run, "00")
    enrol(toy, "a", files[:1], out)
    before = out.read_bytes()
    with pytest.raises(UserError, match="absent"):
        enrol(toy, "b", [files[0], tmp_path / "absent.wav"], out)
    assert out.read_bytes() == before


def test_a_speaker_has_a_name(toy, recorded_run, tmp_path):
    with pytest.raises(UserError, match="expected a name"):
        enrol(toy, " ", recordings_of(recorded_run, "00")[:1], tmp_path / "speakers.json")


@pytest.mark.parametrize(
    "content",
    [
        *("not json", "[]", "{}", '{"version": 9, "model": "x", "speakers": {}}'),
        '{"version": 1, "model": "x", "speakers": []}',
        '{"version": 1, "model": "x", "speakers": {"a": {}}}',
        '{"version": 1, "model": "x", "speakers": {"a": {"d_vector": ["b"]}}}',
        '{"version": 1, "model": "x", "speakers": {"a": {"d_vector": [0.0, 0.0]}}}',
        '{"version": 1, "model": "x", "speakers": {"a": {"d_vector": [1.0, NaN]}}}',
        '{"version": 1, "model": "x", "speakers": {"a": {"d_vector": [1e200, 1e200]}}}',
    ],
)
def test_a_file_of_something_else_is_refused_and_kept(toy, recorded_run, tmp_path, content):
    out = tmp_path / "speakers.json"
    out.write_text(content)
    refusal = (
        r"speakers\.json: .*(expected|not JSON).*; name another file, or enrol the speakers anew$"
    )
    with pytest.raises(UserError, match=refusal):
        read_enrolled(out, toy)
    with pytest.raises(UserError, match=refusal):
        enrol(toy, "a", recordings_of(recorded_run, "00")[:1], out)
    assert out.read_text() == content


def test_speakers_of_another_model_are_refused(toy, recorded_run, tmp_path):
    out = tmp_path / "speakers.json"
    enrol(toy, "a", recordings_of(recorded_run, "00")[:1], out)
    content = read_unsealed(out)
    out.write_text(json.dumps(content | {"model": "another"}))
    with pytest.raises(UserError, match="enrolled with another model"):
        read_enrolled(out, toy)


def test_speakers_with_vectors_of_another_length_are_refused(voices, recorded_run, tmp_path):
    out = tmp_path / "speakers.json"
    enrol(voices, "a", recordings_of(recorded_run, "00")[:1], out)
    content = read_unsealed(out)
    content["speakers"]["a"]["d_vector"].append(1.0)
    out.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"speakers\.json: expected d-vectors of \d+ numbers"):
        read_enrolled(out, voices)


def test_a_missing_file_names_the_command_that_makes_one(toy, tmp_path):
    with pytest.raises(UserError, match="ser-aae enrol"):
        read_enrolled(tmp_path / "absent.json", toy)


def test_neighbours_are_found_with_the_runs_own_model(voices, recorded_run, tmp_path):
    out = tmp_path / "speakers.json"
    for name in ("00", "01"):
        enrol(voices, name, recordings_of(recorded_run, name), out)
    path = recordings_of(recorded_run, "00")[0]
    enrolled = read_enrolled(out, voices)
    found = nearest(voices.d_vector(path), enrolled)
    assert {name for name, _ in found} == {"00", "01"}
    neighbours = partial(nearest, enrolled=enrolled)
    queue = RecognitionQueue(voices.recogniser, Limits(), neighbours)
    assert queue.answer(path, None).speakers == found
    queue.close()


def test_what_is_no_model_is_refused(tmp_path):
    said = "expected the folder of a run (fold00-rep00) or a file of `ser-aae export`"
    with pytest.raises(UserError, match=re.escape(said)):
        Voices.load(tmp_path)


def test_a_run_without_trials_has_no_threshold(recorded_run):
    assert threshold_of(recorded_run.folder) is None


def test_the_threshold_errs_as_often_on_either_side(recorded_run, tmp_path):
    run = shutil.copytree(recorded_run.folder, tmp_path / "fold00-rep00")
    draw = np.random.default_rng(0)
    target = np.repeat([True, False], [200, 800])
    frame = pd.DataFrame(
        {
            "enrolled": "a",
            "corpus": "voices",
            "utterance_id": [str(number) for number in range(1000)],
            "speaker": np.where(target, "a", "b"),
            "score": draw.normal(np.where(target, 0.7, 0.3), 0.15),
            "target": target,
        }
    )
    write_trials(run / VERIFICATION, frame)
    write_json(run / "result.json", score_trials(frame))
    found = threshold_of(run)
    accepted = frame["score"] >= found.cosine
    assert found.false_match_rate == pytest.approx(accepted[~target].mean(), abs=0.002)
    assert found.false_non_match_rate == pytest.approx((~accepted)[target].mean(), abs=0.006)
    rate = score_trials(frame)["equal_error_rate"]
    assert found.false_match_rate == pytest.approx(rate, abs=0.01)
    assert found.false_non_match_rate == pytest.approx(rate, abs=0.01)
    assert 0.4 < found.cosine < 0.6
    assert (found.trials, found.enrolment_utterances) == (1000, 20)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"emotion": FOUR}, "expected a model with a speaker classifier, .* this one has emotion"),
        ({"emotion": FOUR, "speaker": FOUR}, "earlier version exported without; export the run"),
    ],
)
def test_a_file_that_gives_no_d_vector_is_refused(tmp_path, classes, message):
    path = export_small(tmp_path, "keras", classes=classes)
    with pytest.raises(UserError, match=rf"model\.keras: .*{message}"):
        Voices.load(path)
