"""Speaker verification on a tiny store: who is tried against whom, and whole runs with it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from stored import forget_digests
from tiny import DATA, MODEL, sound_of, sounds_of, speakers_of, write_corpus

from ser_aae.batches.pipeline import evaluation_dataset
from ser_aae.config import RunConfig, TrainingConfig
from ser_aae.data.part import Part
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json, write_json
from ser_aae.model.aae import MultitaskAAE
from ser_aae.results.evaluation import evaluate
from ser_aae.results.folder import VERIFICATION
from ser_aae.results.text import format_evaluation
from ser_aae.results.trials import read_trials
from ser_aae.store.corpus import load_corpus
from ser_aae.training import verification
from ser_aae.training.run import train_and_evaluate
from ser_aae.training.verification import TrialPlan, d_vectors, plan_trials, score_pairs

pytestmark = pytest.mark.usefixtures("few_steps")


@pytest.fixture(scope="module")
def config(kfold_config):
    return replace(
        kfold_config,
        data=DATA,
        model=MODEL,
        training=replace(TrainingConfig(), epochs=1, batch_size=16),
        verification="voices",
        enrolment_utterances=3,
    )


@pytest.fixture(scope="module")
def plan(config, tiny_store):
    return plan_trials(config, tiny_store, assemble(config, tiny_store))


def ids(plan, rows):
    return {plan.part.corpus.utterances[row].utterance_id for row in rows}


def test_everyone_is_enrolled_and_the_rest_is_tested(plan):
    assert sorted(plan.enrolment) == [f"voices:0{number}" for number in range(6)]
    for speaker, rows in plan.enrolment.items():
        assert len(set(rows)) == 3
        assert {plan.part.corpus.utterances[row].speaker for row in rows} == {speaker}
    enrolled = np.concatenate(list(plan.enrolment.values()))
    assert sorted([*enrolled, *plan.tested]) == list(plan.part.rows) == list(range(48))


def test_every_repetition_and_model_has_the_same_trials(config, plan, tiny_store):
    other = replace(config, seed=7, protocol=replace(config.protocol, fold=2))
    again = plan_trials(other, tiny_store, assemble(other, tiny_store))
    assert again.enrolment.keys() == plan.enrolment.keys()
    for speaker, rows in plan.enrolment.items():
        np.testing.assert_array_equal(again.enrolment[speaker], rows)
    drawn = replace(config, protocol=replace(config.protocol, seed=1))
    others = plan_trials(drawn, tiny_store, assemble(drawn, tiny_store))
    assert any(
        ids(others, others.enrolment[s]) != ids(plan, plan.enrolment[s]) for s in plan.enrolment
    )


def test_no_verification_where_none_is_asked_for(config, tiny_store):
    config = replace(config, verification="")
    assert plan_trials(config, tiny_store, assemble(config, tiny_store)) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verification": "tiny"}, "verification and the rest of the run share speakers: tiny:00"),
        ({"auxiliary": ("voices",)}, "share speakers: voices:00"),
        ({"enrolment_utterances": 8}, "over 8 utterances each, found 6; fewer have: voices:00"),
        ({"verification_subset": "clean"}, "verification_subset: voices has no subsets"),
        ({"verification": "nobody"}, "expected a prepared corpus"),
        ({"model": replace(MODEL, kind="stl")}, "stl has none"),
        ({"model": replace(MODEL, auxiliary_tasks=("gender",))}, "speaker classifier"),
    ],
)
def test_what_cannot_be_verified_is_refused(config, tiny_store, change, message):
    config = replace(config, **change)
    with pytest.raises(UserError, match=message):
        plan_trials(config, tiny_store, assemble(config, tiny_store))


def test_a_subset_may_be_verified_whose_corpus_trains_otherwise(config, tmp_path):
    write_corpus(tmp_path, speakers_of("tiny"), sounds_of(speakers_of("tiny"), 32))
    voices = [
        replace(item, extra={"subset": "train" if int(item.speaker[-2:]) < 4 else "test"})
        for item in speakers_of("voices", 6)
    ]
    write_corpus(tmp_path, voices, sounds_of(voices, 32))
    data = replace(config.data, auxiliary_subset="train")
    config = replace(config, auxiliary=("voices",), verification_subset="test", data=data)
    plan = plan_trials(config, tmp_path, assemble(config, tmp_path))
    assert list(plan.enrolment) == ["voices:04", "voices:05"]
    everyone = replace(config, verification_subset="")
    with pytest.raises(UserError, match="share speakers: voices:00"):
        plan_trials(everyone, tmp_path, assemble(everyone, tmp_path))


def test_no_recording_enrols_a_speaker_and_is_tested_too(config, tmp_path):
    write_corpus(tmp_path, speakers_of("tiny"), sounds_of(speakers_of("tiny"), 32))
    same = {"00-anger-0": "x", "00-anger-1": "x", "01-anger-0": "y", "02-anger-0": "y"}
    voices = [
        replace(item, sound=sound_of(same.get(item.utterance_id, item.utterance_id)))
        for item in speakers_of("voices", 6)
    ]
    write_corpus(tmp_path, voices, sounds_of(voices, 32))
    plan = plan_trials(config, tmp_path, assemble(config, tmp_path))
    assert len(plan.part.rows) == 45
    # the first of two that agree stays, and none of two that name two speakers
    assert ids(plan, plan.part.rows) & set(same) == {"00-anger-0"}


def test_a_recording_that_trains_is_not_verified(config, tmp_path):
    tiny = [replace(item, sound=sound_of(item.utterance_id)) for item in speakers_of("tiny")]
    write_corpus(tmp_path, tiny, sounds_of(tiny, 32))
    voices = speakers_of("voices", 6)
    voices[3] = replace(voices[3], sound=sound_of("07-anger-1"))
    write_corpus(tmp_path, voices, sounds_of(voices, 32))
    with pytest.raises(UserError, match="tiny and voices hold the same recording"):
        plan_trials(config, tmp_path, assemble(config, tmp_path))


def test_a_d_vector_is_the_mean_over_an_utterances_segments(tiny_store, frontend, as_they_are):
    corpus = load_corpus(tiny_store, "voices", frontend)
    part = Part(corpus, np.array([0, 5, 7, 11]), {})
    model = MultitaskAAE(MODEL, {"emotion": 4, "speaker": 6}, (32, 64, 1))
    found = d_vectors(model, evaluation_dataset(part, as_they_are, DATA, 3), part)
    assert found.shape == (4, 8)
    for place, row in enumerate(part.rows):
        alone = Part(corpus, np.array([row]), {})
        (batch,) = evaluation_dataset(alone, as_they_are, DATA, 99)
        hidden = model.classifiers["speaker"](model.encoder(batch[0], training=False))[1]
        assert len(hidden) == alone.num_segments(64, 32, DATA.fewest_segments)
        np.testing.assert_allclose(found[place], np.mean(hidden, axis=0), rtol=1e-4, atol=1e-5)


def test_scores_are_the_cosine_to_the_mean_of_the_enrolment(tiny_store, frontend):
    corpus = load_corpus(tiny_store, "voices", frontend)
    rows = np.array([0, 1, 2, 8, 9, 10])
    plan = TrialPlan(
        Part(corpus, rows, {}),
        {"voices:00": np.array([0, 1]), "voices:01": np.array([8, 9])},
        np.array([2, 10]),
    )
    vectors = np.array([[2, 0], [0, 2], [3, 3], [0, 4], [0, 2], [0, 0]], float)
    trials = score_pairs(vectors, plan)
    assert list(trials["enrolled"]) == ["voices:00", "voices:01"] * 2
    assert list(trials["utterance_id"]) == [
        corpus.utterances[r].utterance_id for r in (2, 2, 10, 10)
    ]
    assert list(trials["target"]) == [True, False, False, True]
    # (1, 1) and (0, 3) are enrolled; a vector of zeros is like nobody
    np.testing.assert_allclose(trials["score"], [1.0, np.sqrt(0.5), 0.0, 0.0])


@pytest.fixture(scope="module")
def unscored(config, tiny_store, tmp_path_factory):
    """Runs with one that has verified nobody yet; not to be changed."""
    runs = tmp_path_factory.mktemp("unscored")
    train_and_evaluate(config, tiny_store, runs, score_test=False)
    return runs


@pytest.fixture(scope="module")
def run(config, tiny_store, unscored, tmp_path_factory):
    """Return the folder of a complete run with verification."""
    runs = shutil.copytree(unscored, tmp_path_factory.mktemp("scored") / "runs")
    return train_and_evaluate(config, tiny_store, runs)


def test_a_run_leaves_its_trials_and_their_figures(run):
    result, trials = read_json(run / "result.json"), read_trials(run / VERIFICATION)
    # 30 utterances against 6 speakers
    assert result["verification_trials"] == len(trials) == 180
    assert result["verification_targets"] == trials["target"].sum() == 30
    assert 0 <= result["equal_error_rate"] <= 1
    assert np.abs(trials["score"]).max() <= 1 + 1e-9
    assert trials["score"].std() > 0
    assert set(read_json(run / "config.json")["corpora"]) == {"tiny", "voices"}


def test_evaluation_computes_the_rate_again_and_tells_it(run):
    found = evaluate(run)
    stored = read_json(run / "result.json")["equal_error_rate"]
    assert found["equal_error_rate"] == stored
    wanted = f"speaker verification: equal error rate {100 * stored:.1f} over 180 trials"
    assert wanted in format_evaluation(found)
    folds = evaluate(run.parent)
    assert folds["repetitions"][0]["equal_error_rate"] == pytest.approx(stored)
    assert folds["repetitions"][0]["over_folds"]["equal_error_rate"]["n"] == 1
    # one fold of four is no repetition that could be told
    assert "verification" not in format_evaluation(folds)
    folds["over_repetitions"]["equal_error_rate"] = {"mean": 0.25, "std": 0.01, "n": 3}
    assert "equal error rate 25.0 ± 1.0 over 3 repetitions" in format_evaluation(folds)


@pytest.mark.parametrize("zeros", [0, 3])
def test_d_vectors_without_a_direction_are_said(
    config, tiny_store, unscored, tmp_path, monkeypatch, zeros
):
    def silence(model, batches, part):
        vectors = np.random.default_rng(0).uniform(0.1, 1, (len(part.rows), 8))
        vectors[:zeros] = 0.0
        return vectors

    monkeypatch.setattr(verification, "d_vectors", silence)
    shown = []
    runs = shutil.copytree(unscored, tmp_path / "runs")
    folder = train_and_evaluate(config, tiny_store, runs, shown.append)
    result = read_json(folder / "result.json")
    for said in (shown, result["warnings"]):
        found = [line for line in said if "3 of 48 utterances have a d-vector of zeros" in line]
        assert len(found) == (zeros > 0)


@pytest.fixture
def doctored(run):
    """Give the run to be changed, and put it back as it was."""
    kept = {name: (run / name).read_bytes() for name in (VERIFICATION, "result.json")}
    yield run
    for name, content in kept.items():
        (run / name).write_bytes(content)


def test_a_changed_score_is_noticed(doctored):
    trials = read_trials(doctored / VERIFICATION)
    # scores that part targets from impostors without an error, which no epoch of training gives
    trials.assign(score=trials["target"].astype(float)).to_parquet(doctored / VERIFICATION)
    with pytest.raises(UserError, match=r"verification\.parquet: .* changed since the run ended"):
        evaluate(doctored)
    forget_digests(doctored)
    with pytest.raises(UserError, match=r"equal_error_rate: result\.json says .* gives 0\.0;"):
        evaluate(doctored)


@pytest.mark.parametrize("kind", ["no trials", "no figure", "another figure"])
def test_a_figure_without_its_trials_is_noticed_and_the_other_way_round(doctored, kind):
    result = read_json(doctored / "result.json")
    if kind == "no trials":
        (doctored / VERIFICATION).unlink()
        with pytest.raises(UserError, match="expected verification trials"):
            evaluate(doctored)
        return
    if kind == "no figure":
        del result["equal_error_rate"]
    else:
        result["equal_error_rate"] /= 2
    write_json(doctored / "result.json", result)
    with pytest.raises(UserError, match=r"equal_error_rate: result\.json says"):
        evaluate(doctored)


def test_the_settings_are_in_the_digest_of_the_experiment(config):
    plain = json.loads(json.dumps(RunConfig().to_dict()))
    assert plain["enrolment_utterances"] == 20
    for change in ({"verification": ""}, {"enrolment_utterances": 4}):
        assert replace(config, **change).digest() != config.digest()
