"""Speaker verification on a tiny store: who is tried against whom, and whole runs with it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from stored import forget_digests
from tiny import DATA, MODEL, sound_of, sounds_of, speakers_of, write_corpus

from ser_aae.batches.pipeline import evaluation_dataset
from ser_aae.config import RunConfig, TrainingConfig, complete_stored
from ser_aae.data.part import Part
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json, write_json
from ser_aae.model.aae import MultitaskAAE
from ser_aae.results.evaluation import evaluate
from ser_aae.results.folder import VERIFICATION
from ser_aae.results.run_kinds import ERROR_RATES
from ser_aae.results.text import format_evaluation
from ser_aae.results.trials import TEST, VERIFIED, read_trials, score_trials
from ser_aae.store.corpus import load_corpus
from ser_aae.training import verification
from ser_aae.training.run import train_and_evaluate
from ser_aae.training.verification import (
    Population,
    TrialPlan,
    d_vectors,
    plan_trials,
    score_pairs,
)

pytestmark = pytest.mark.usefixtures("few_steps")


@pytest.fixture(scope="module")
def config(kfold_config):
    return replace(
        kfold_config,
        data=DATA,
        model=MODEL,
        training=replace(TrainingConfig(), epochs=1, batch_size=64),
        verification="voices",
        enrolment_utterances=3,
    )


@pytest.fixture(scope="module")
def plan(config, tiny_store):
    return plan_trials(config, tiny_store, assemble(config, tiny_store))


@pytest.fixture(scope="module")
def voices(plan):
    return plan.populations[VERIFIED]


def ids(population, rows):
    return {population.part.corpus.utterances[row].utterance_id for row in rows}


@pytest.mark.parametrize(
    ("name", "speakers"),
    [(VERIFIED, [f"voices:0{number}" for number in range(6)]), (TEST, ["tiny:00", "tiny:01"])],
)
def test_everyone_is_enrolled_and_the_rest_is_tested(plan, name, speakers):
    population = plan.populations[name]
    assert sorted(population.enrolment) == speakers
    for speaker, rows in population.enrolment.items():
        assert len(set(rows)) == 3
        assert {population.part.corpus.utterances[row].speaker for row in rows} == {speaker}
    enrolled = np.concatenate(list(population.enrolment.values()))
    both = sorted([*enrolled, *population.tested])
    assert both == list(population.part.rows) == list(range(8 * len(speakers)))
    assert plan.warnings == ()


def test_every_repetition_and_model_has_the_same_trials(config, plan, voices, tiny_store):
    def planned(**protocol):
        other = replace(config, seed=7, protocol=replace(config.protocol, **protocol))
        return plan_trials(other, tiny_store, assemble(other, tiny_store)).populations

    again, fold = planned(), planned(fold=2)
    for found, name in ((again, VERIFIED), (again, TEST), (fold, VERIFIED)):
        wanted = plan.populations[name].enrolment
        assert found[name].enrolment.keys() == wanted.keys()
        for speaker, rows in wanted.items():
            np.testing.assert_array_equal(found[name].enrolment[speaker], rows)
    assert list(fold[TEST].enrolment) == ["tiny:04", "tiny:05"]
    drawn = planned(seed=1)[VERIFIED]
    assert any(
        ids(drawn, drawn.enrolment[s]) != ids(voices, voices.enrolment[s]) for s in voices.enrolment
    )


def test_without_the_test_part_the_corpus_is_verified_as_before_it_could_be(
    config, voices, tiny_store
):
    config = replace(config, verification_test_part=False)
    plan = plan_trials(config, tiny_store, assemble(config, tiny_store))
    assert plan.populations.keys() == {VERIFIED}
    for speaker, rows in voices.enrolment.items():
        np.testing.assert_array_equal(plan.populations[VERIFIED].enrolment[speaker], rows)


def test_speakers_of_the_test_part_who_are_trained_on_are_not_verified(config, tmp_path):
    for everyone in (speakers_of("tiny", each=5), speakers_of("voices", 6)):
        write_corpus(tmp_path, everyone, sounds_of(everyone, 32))
    config = replace(config, protocol=replace(config.protocol, name="10-fold"))
    plan = plan_trials(config, tmp_path, assemble(config, tmp_path))
    assert plan.populations.keys() == {VERIFIED}
    known, alone = plan.warnings
    assert "speakers of the test part are trained or selected on too, and are not" in known
    assert alone == "verification: the equal error rate is over voices alone"


@pytest.mark.parametrize(("fewer", "left"), [((0,), ["tiny:01"]), ((0, 1), [])])
def test_speakers_of_the_test_part_with_too_few_utterances_are_left_out(
    config, tmp_path, fewer, left
):
    everyone = [
        item
        for item in speakers_of("tiny")
        if not (int(item.speaker[-2:]) in fewer and item.emotion in ("anger", "neutral"))
    ]
    write_corpus(tmp_path, everyone, sounds_of(everyone, 32))
    voices = speakers_of("voices", 6)
    write_corpus(tmp_path, voices, sounds_of(voices, 32))
    config = replace(config, enrolment_utterances=4)
    plan = plan_trials(config, tmp_path, assemble(config, tmp_path))
    assert list(plan.populations[TEST].enrolment if left else ()) == left
    told = f"{len(fewer)} of 2 speakers of the test part have no utterance to be tested beside 4"
    assert told in plan.warnings[0]
    assert "tiny:00" in plan.warnings[0]
    assert len(plan.warnings) == (1 if left else 2)


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
    assert list(plan.populations[VERIFIED].enrolment) == ["voices:04", "voices:05"]
    everyone = replace(config, verification_subset="")
    with pytest.raises(UserError, match="share speakers: voices:00"):
        plan_trials(everyone, tmp_path, assemble(everyone, tmp_path))


def test_no_recording_enrols_a_speaker_and_is_tested_too(config, tmp_path):
    tiny = [replace(item, sound=sound_of(item.path)) for item in speakers_of("tiny")]
    tiny[1] = replace(tiny[1], sound=tiny[0].sound)
    write_corpus(tmp_path, tiny, sounds_of(tiny, 32))
    same = {"00-anger-0": "x", "00-anger-1": "x", "01-anger-0": "y", "02-anger-0": "y"}
    voices = [
        replace(item, sound=sound_of(same.get(item.utterance_id, f"voices {item.utterance_id}")))
        for item in speakers_of("voices", 6)
    ]
    write_corpus(tmp_path, voices, sounds_of(voices, 32))
    plan = plan_trials(config, tmp_path, assemble(config, tmp_path)).populations
    rows = plan[VERIFIED].part.rows
    assert len(rows) == 45
    # the first of two that agree stays, and none of two that name two speakers
    assert ids(plan[VERIFIED], rows) & set(same) == {"00-anger-0"}
    assert ids(plan[TEST], plan[TEST].part.rows) & {"00-anger-0", "00-anger-1"} == {"00-anger-0"}


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
    voices = Population(
        Part(corpus, rows, {}),
        {"voices:00": np.array([0, 1]), "voices:01": np.array([8, 9])},
        np.array([2, 10]),
    )
    vectors = np.array([[2, 0], [0, 2], [3, 3], [0, 4], [0, 2], [0, 0]], float)
    trials = score_pairs({VERIFIED: vectors}, TrialPlan({VERIFIED: voices}))
    assert "enrolled_part" not in trials
    assert list(trials["enrolled"]) == ["voices:00", "voices:01"] * 2
    assert list(trials["utterance_id"]) == [
        corpus.utterances[r].utterance_id for r in (2, 2, 10, 10)
    ]
    assert list(trials["target"]) == [True, False, False, True]
    # (1, 1) and (0, 3) are enrolled; a vector of zeros is like nobody
    np.testing.assert_allclose(trials["score"], [1.0, np.sqrt(0.5), 0.0, 0.0])


def test_the_speakers_of_two_populations_are_tried_against_one_another(tiny_store, frontend):
    def population(name, rows, **enrolment):
        corpus = load_corpus(tiny_store, name, frontend)
        enrolled = {f"{name}:{key[1:]}": np.array(own) for key, own in enrolment.items()}
        tested = np.setdiff1d(rows, np.concatenate(list(enrolled.values())))
        return Population(Part(corpus, np.array(rows), {}), enrolled, tested)

    voices = population("voices", [0, 1, 8, 9], _00=[0], _01=[8])
    tiny = population("tiny", [16, 17, 18], _02=[16])
    vectors = {
        VERIFIED: np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]], float),
        TEST: np.array([[0, 0, 1], [0, 0, 1], [0, 1, 1]], float),
    }
    trials = score_pairs(vectors, TrialPlan({VERIFIED: voices, TEST: tiny}))
    names = ["voices:00", "voices:01", "tiny:02"]
    assert list(trials["enrolled"]) == names * 4
    assert list(trials["enrolled_part"]) == [VERIFIED, VERIFIED, TEST] * 4
    assert list(trials["tested_part"]) == [VERIFIED] * 6 + [TEST] * 6
    half = np.sqrt(0.5)
    np.testing.assert_allclose(trials["score"], [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, half, half])
    assert trials["target"].sum() == 4
    found = score_trials(trials)
    assert found["verification_trials"] == 12
    assert found["verification_trials_of_corpus"] == 4
    # one speaker has no impostor in the test part: all trials with tiny:02 on either side
    assert found["verification_trials_of_test_part"] == 8
    assert found["verification_test_speakers"] == 1


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
    # 30 utterances of six voices and 10 of the two test speakers, against all eight
    assert result["verification_trials"] == len(trials) == 320
    assert result["verification_targets"] == trials["target"].sum() == 40
    assert result["verification_trials_of_corpus"] == 180
    assert result["verification_trials_of_test_part"] == 20
    assert result["verification_test_speakers"] == 2
    for ending in ("", "_of_corpus", "_of_test_part"):
        assert 0 <= result[f"equal_error_rate{ending}"] <= 1
    assert np.abs(trials["score"]).max() <= 1 + 1e-9
    assert trials["score"].std() > 0
    assert set(read_json(run / "config.json")["corpora"]) == {"tiny", "voices"}


def test_evaluation_computes_the_rate_again_and_tells_it(run):
    found = evaluate(run)
    result = read_json(run / "result.json")
    stored, *alone = (result[name] for name in ERROR_RATES)
    assert [found[name] for name in ERROR_RATES] == [stored, *alone]
    wanted = (
        f"speaker verification: equal error rate {100 * stored:.1f} over 320 trials (verified "
        f"corpus alone {100 * alone[0]:.1f}, test part alone {100 * alone[1]:.1f})"
    )
    assert wanted in format_evaluation(found)
    folds = evaluate(run.parent)
    assert folds["repetitions"][0]["equal_error_rate"] == pytest.approx(stored)
    assert folds["repetitions"][0]["over_folds"]["equal_error_rate"]["n"] == 1
    # one fold of four is no repetition that could be told
    assert "verification" not in format_evaluation(folds)
    folds["over_repetitions"]["equal_error_rate"] = {"mean": 0.25, "std": 0.01, "n": 3}
    folds["over_repetitions"]["equal_error_rate_of_corpus"] = {"mean": 0.2, "std": None, "n": 1}
    wanted = "equal error rate 25.0 ± 1.0 over 3 repetitions (verified corpus alone 20.0)"
    assert wanted in format_evaluation(folds)


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
        found = [
            line
            for line in said
            if f"{2 * zeros} of 64 utterances have a d-vector of zeros" in line
        ]
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
    others = {"enrolment_utterances": 4}, {"verification_test_part": False}
    for change in ({"verification": ""}, *others):
        assert replace(config, **change).digest() != config.digest()


def test_a_run_of_before_keeps_its_name_and_verifies_the_corpus_alone(config):
    before = replace(config, verification_test_part=False).to_dict()
    del before["verification_test_part"]
    assert complete_stored(before, RunConfig)["verification_test_part"] is False
    named = replace(config, verification_test_part=False).identity()
    assert "verification_test_part" not in named
    # where no corpus is verified there is nothing to be named after
    alone = replace(config, verification="")
    assert alone.digest() == replace(alone, verification_test_part=False).digest()
