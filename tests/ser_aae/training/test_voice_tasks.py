"""Whole runs whose primary task is gender or speaker, their stage 1, and what they give."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import DATA, MODEL, sounds_of, speakers_of, write_corpus

from reports.card import build_card
from ser_aae.config import ProtocolConfig, RunConfig, TrainingConfig
from ser_aae.config.fields import with_settings
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json, read_jsonl
from ser_aae.files.digests import digest_of_plain
from ser_aae.inference.recogniser import Recogniser
from ser_aae.inference.voices import Voices
from ser_aae.model.aae import build_model
from ser_aae.results.complete_run import read_classes, read_config
from ser_aae.results.evaluation import evaluate
from ser_aae.results.predictions import read_predictions
from ser_aae.results.text import format_evaluation
from ser_aae.training.pretraining import adopt_weights
from ser_aae.training.pretraining_key import describe_stage_one
from ser_aae.training.run import _class_shares, train_and_evaluate

pytestmark = pytest.mark.usefixtures("few_steps")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of three corpora without emotions, of speakers with twelve utterances each."""
    place = tmp_path_factory.mktemp("store")
    for seed, (name, count) in enumerate([("tiny", 6), ("voices", 24), ("others", 4)]):
        utterances = [replace(item, emotion="") for item in speakers_of(name, count, each=3)]
        write_corpus(place, utterances, sounds_of(utterances, 32, seed))
    return place


@pytest.fixture(scope="module")
def gender(frontend):
    """A CNN, which learns from labels alone, and has an auxiliary corpus."""
    return RunConfig(
        dataset="tiny",
        auxiliary=("voices",),
        task="gender",
        frontend=frontend,
        protocol=ProtocolConfig(name="speaker-kfold", folds=3),
        data=DATA,
        model=replace(MODEL, kind="cnn"),
        training=replace(TrainingConfig(), epochs=3, batch_size=64, pretraining_epochs=1),
    )


@pytest.fixture(scope="module")
def speaker(gender):
    """An autoencoder of 30 speakers, with others to verify."""
    return replace(
        gender,
        task="speaker",
        protocol=ProtocolConfig(name="10-fold"),
        model=replace(MODEL, kind="stl"),
        verification="others",
        enrolment_utterances=3,
    )


@pytest.fixture(scope="module")
def gender_run(gender, store, tmp_path_factory):
    return train_and_evaluate(gender, store, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def speaker_run(speaker, store, tmp_path_factory):
    return train_and_evaluate(speaker, store, tmp_path_factory.mktemp("runs"))


def noise(seconds=2.0):
    return np.random.default_rng(1).normal(0, 0.1, int(16000 * seconds)).astype(np.float32)


def test_a_run_of_gender_is_scored_and_validated_by_it(gender_run):
    result = read_json(gender_run / "result.json")
    assert result["classes"] == ["F", "M"]
    assert np.array(result["confusion"]).shape == (2, 2)
    assert {"unweighted_accuracy", "weighted_accuracy"} <= result.keys()
    assert evaluate(gender_run)["unweighted_accuracy"] == result["unweighted_accuracy"]
    predictions = read_predictions(gender_run / "predictions.parquet")
    assert (predictions["truth"] == predictions["gender"]).all()
    assert (predictions["predicted"] == predictions["gender_predicted"]).all()
    rows = read_jsonl(gender_run / "epochs.jsonl")
    assert [row["stage"] for row in rows] == [1, 2, 2, 2]
    assert "unweighted_accuracy" in rows[1]["validation"]
    assert "gender_accuracy" not in rows[1]["validation"]
    assert rows[0]["train"]["gender_loss"] > 0
    assert read_classes(gender_run, read_config(gender_run)) == {"gender": ("F", "M")}


def test_its_words_are_of_gender(gender_run):
    (first, *_) = Recogniser.load(gender_run).signature.warnings
    assert "% UA of gender (mean of the classes' recalls; guessing gives 50.0)" in first
    assert "emotion" not in first
    card = build_card(gender_run, {})
    assert "# Gender from speech" in card
    assert "UA of knowing the speaker alone" not in card
    assert "| true \\ said | F | M | recall |" in card
    found = Recogniser.load(gender_run)(noise(), 16000, timeline_seconds=0.5)
    assert list(found.posteriors) == list(found.timeline[0].posteriors) == ["gender"]
    with pytest.raises(
        UserError, match=r"expected a model with a speaker classifier.*--task speaker"
    ):
        Voices.load(gender_run)


def test_a_run_of_speakers_identifies_and_verifies(speaker_run, speaker, store):
    result = read_json(speaker_run / "result.json")
    data = assemble(speaker, store)
    assert result["classes"] == list(data.speakers)
    assert len(result["classes"]) == 30
    assert result["classes_scored"] == [f"tiny:0{number}" for number in range(6)]
    assert result["chance"] == pytest.approx(1 / 6)
    assert 0 <= result["equal_error_rate"] <= 1
    predictions = read_predictions(speaker_run / "predictions.parquet")
    assert (predictions["truth"] == predictions["speaker"]).all()
    assert read_classes(speaker_run, read_config(speaker_run)) == {"speaker": data.speakers}
    assert Voices.load(speaker_run).threshold().trials == result["verification_trials"]


def test_of_many_speakers_recalls_are_told_and_no_matrix(speaker_run):
    evaluation = evaluate(speaker_run)
    assert "confusion" not in read_json(speaker_run / "result.json")
    assert "confusion" not in evaluation
    lines = format_evaluation(evaluation).splitlines()
    assert sum(line.startswith("tiny:0") for line in lines) == 6
    assert "left out of UA and F1: voices:00, voices:01" in lines[-2]
    assert lines[-2].endswith("voices:11 and 12 more")
    assert "What was said of each class" not in build_card(speaker_run, {})


def test_its_timeline_is_of_the_speaker(speaker_run):
    recogniser = Recogniser.load(speaker_run)
    assert "takes everybody for one of the speakers" in recogniser.signature.warnings[0]
    found = recogniser(noise(), 16000, timeline_seconds=0.5)
    assert list(found.timeline[0].posteriors) == ["speaker"]
    assert not found.timeline[0].silent


def test_its_d_vectors_are_of_the_primary_classifier(speaker_run, speaker):
    voices = Voices.load(speaker_run)
    assert voices.units == speaker.model.dense_units[-1]
    assert list(voices.recogniser.signature.classes) == ["speaker"]


def test_classes_are_balanced_by_the_corpus_that_is_scored(speaker, gender, store):
    shares = _class_shares(assemble(speaker, store))["speaker"]
    assert np.ptp(shares) < 0.01
    assert sum(shares) == pytest.approx(1)
    assert _class_shares(assemble(gender, store)) == {"gender": [0.5, 0.5]}


def name_of(config, store, **settings):
    config = with_settings(config, {name.replace("__", "."): v for name, v in settings.items()})
    return digest_of_plain(describe_stage_one(config, assemble(config, store), ["cpu"]), 16)


def test_stage_1_has_the_primary_task_where_it_runs_all_phases(gender, store):
    emotions = speakers_of("spoken")
    if not list(store.glob("spoken-*")):
        write_corpus(store, emotions, sounds_of(emotions, 32))
    spoken = replace(gender, dataset="spoken", model=replace(gender.model, kind="stl"))
    emotion = {"task": "emotion", "training__pretraining": "all"}
    both = {"model__kind": "mtl"}
    # a single-task model of emotions has no label in it
    assert name_of(spoken, store) != name_of(spoken, store, **emotion)
    # a multi-task model of emotions has the same tasks in it
    assert name_of(spoken, store, **both) == name_of(spoken, store, **emotion, **both)
    alone = {"model__auxiliary_tasks": ("speaker",)}
    assert name_of(spoken, store, **both, **alone) == name_of(spoken, store, **emotion, **both)
    same = {"model__auxiliary_tasks": ("gender",), "model__beta": 1 - gender.model.beta}
    assert name_of(spoken, store) == name_of(spoken, store, **emotion, **both, **same)
    shared = {"training__pretraining": "supervised"}
    assert name_of(spoken, store, **shared) == name_of(spoken, store, task="emotion", **shared)


@pytest.mark.parametrize(
    ("kind", "pretraining"), [("cnn", "all"), ("stl", "supervised"), ("mtl", "all")]
)
def test_a_run_begins_with_the_head_of_its_stage_1(
    gender, store, tmp_path, kind, pretraining, monkeypatch
):
    settings = {"model.kind": kind, "training.pretraining": pretraining, "training.epochs": 1}
    config = with_settings(gender, settings)
    adopted = {}

    def keep(model, place, data, phases):
        before = {name: head.get_weights() for name, head in model.classifiers.items()}
        adopt_weights(model, place, data, phases)
        for name, head in model.classifiers.items():
            pairs = zip(before[name], head.get_weights(), strict=True)
            adopted[name] = any((one != other).any() for one, other in pairs)

    monkeypatch.setattr("ser_aae.training.run.adopt_weights", keep)
    train_and_evaluate(config, store, tmp_path)
    assert adopted == dict.fromkeys(("gender", *config.tasks), True)


def test_a_model_of_gender_has_a_speaker_head_beside_it(gender):
    config = replace(gender, model=replace(MODEL, kind="mtl"))
    model = build_model(config, {"gender": 2, "speaker": 4})
    assert model.primary == "gender"
    assert list(model.classifiers) == ["gender", "speaker"]
