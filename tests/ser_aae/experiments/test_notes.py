"""Notes where an artefact departs from the paper, or compares what is not alike."""

from dataclasses import replace

import pytest

from data_prep.corpora import known_facts
from ser_aae.config import RunConfig
from ser_aae.config.build import build_config
from ser_aae.config.fields import with_settings
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import BUDGETS, Budget, Setup, compare_fairly
from ser_aae.experiments.tuned import Outcome, Tuned

SETUP = Setup(budget=Budget("few"), corpora=known_facts())


FULL = BUDGETS["full"]
COMPARISON = replace(SETUP, base=compare_fairly(SETUP.base, (), FULL))
"""What `reproduce` makes of the preset."""


def notes_of(name, setup=SETUP):
    return " ".join(ARTEFACTS[name](setup).notes)


@pytest.mark.parametrize(
    ("name", "others"),
    [("figure-3", "AE, STL and MTL"), ("semi-supervised", "AAE, multi-task")],
)
def test_models_that_make_more_updates_than_the_cnn_are_named(name, others):
    assert f"{others} take 50% of each batch of stage 2 from LibriSpeech" in notes_of(name)
    assert "about 2 times as many steps" in notes_of(name)
    alone = replace(SETUP, auxiliary="")
    assert "number of updates" not in notes_of(name, alone)


def test_how_many_more_follows_from_the_base_and_the_budget():
    base = with_settings(RunConfig(), {"data.auxiliary_ratio": 0.75})
    budget = Budget("own", pretraining_epochs=5)
    setup = replace(SETUP, base=base, auxiliary="urdu", budget=budget)
    notes = notes_of("figure-3", setup)
    assert "take 75% of each batch of stage 2 from URDU" in notes
    assert "about 4 times as many steps, after 5 epochs of stage 1" in notes


@pytest.mark.parametrize("auxiliary", ["librispeech", ""])
def test_the_labelled_share_is_of_the_training_part_alone(auxiliary):
    notes = notes_of("semi-supervised", replace(SETUP, auxiliary=auxiliary))
    assert "Validation keeps all of its own at every share" in notes
    assert "CNN trains on the labelled utterances alone, in as many steps at every share" in notes


def test_figure_4_says_who_is_verified():
    notes = notes_of("figure-4")
    assert "speakers of LibriSpeech (test-clean) are verified together with the test part" in notes
    assert "without more than 20 utterances is left out" in notes
    few = replace(SETUP, budget=BUDGETS["smoke"])
    assert "without more than 5 utterances is left out" in notes_of("figure-4", few)
    assert "verified" not in notes_of("figure-4", replace(SETUP, auxiliary=""))


def test_figure_4_without_the_test_part_says_that_the_paper_verifies_more():
    base = with_settings(RunConfig(), {"verification_test_part": False})
    notes = notes_of("figure-4", replace(SETUP, base=base))
    assert "here those of LibriSpeech (test-clean) alone" in notes
    named = replace(SETUP, base=replace(base, verification="demo"))
    assert "here those of demo alone" in notes_of("figure-4", named)


def test_figure_4_says_which_reading_it_is():
    assert "computed in the single tasks, as the paper has it" in notes_of("figure-4")
    assert "figure-4-multitask has the other reading" in notes_of("figure-4")
    assert "All panels are of the multi-task model" in notes_of("figure-4-multitask")
    assert "as figure-4 does" in notes_of("figure-4-multitask")


@pytest.mark.parametrize(("share", "times"), [(0.5, "2"), (0.25, "1.33"), (0.2, "1.25")])
def test_ravdess_says_how_many_more_steps_more_speech_takes(share, times):
    base = replace(SETUP.base, data=replace(SETUP.base.data, auxiliary_ratio=share))
    said = f"a share of {share:g} is such speech, so an epoch of it has {times} times the steps"
    assert said in notes_of("ravdess", replace(SETUP, base=base))


def test_ravdess_says_that_alpha_and_beta_are_the_multi_task_models():
    said = "All models have the same settings, alpha and beta included"
    assert said in notes_of("ravdess")
    # in the preset `paper` AE and AAE have the weights that were chosen for each
    assert said not in notes_of("ravdess", replace(SETUP, base=build_config("paper")))


def test_ravdess_has_what_a_search_chose_and_says_for_which_model():
    tuned = Tuned((Outcome("emotion", "mtl", {"model.alpha": 0.9, "model.latent_channels": 8}),))
    artefact = ARTEFACTS["ravdess"](replace(SETUP, tuned=tuned))
    models = {cell.config.model.kind: cell.config.model for cell in artefact.cells}
    assert {model.latent_channels for model in models.values()} == {8}
    assert [models[kind].alpha for kind in ("cnn", "ae", "stl", "mtl")] == [0.4, 0.4, 0.9, 0.9]
    assert "The search was of AAE, multi-task." in artefact.notes[-1]
    other = Tuned((replace(tuned.outcomes[0], task="valence"),))
    assert "search" not in notes_of("ravdess", replace(SETUP, tuned=other))
    both = Tuned((*tuned.outcomes, Outcome("emotion", "ae", {"model.alpha": 0.2})))
    said = "Each of these models has a search of its own: AAE, multi-task; AE."
    assert said in notes_of("ravdess", replace(SETUP, tuned=both))


def test_shares_of_a_batch_that_a_search_chose_for_one_task_are_both_named():
    tuned = Tuned((Outcome("emotion", "mtl", {"data.auxiliary_ratio": 0.75}),))
    notes = notes_of("figure-3", replace(SETUP, tuned=tuned))
    assert "take 50% or 75% of each batch" in notes
    assert "about 2 or 4 times as many steps" in notes


@pytest.mark.parametrize("name", sorted({*ARTEFACTS} - {"table-2", "figure-2"}))
def test_updates_and_labelled_rows_are_equal_and_said_under_each_comparison(name):
    artefact = ARTEFACTS[name](COMPARISON)
    (rows,) = {cell.config.data.labelled_rows for cell in artefact.cells}
    assert 8 <= rows < RunConfig().training.batch_size
    notes = notes_of(name, COMPARISON)
    assert "Every model makes the same number of updates in an epoch of stage 2" in notes
    assert f"draws {rows} rows with a label in each of them" in notes
    assert "as many steps, after" not in notes
    assert "times the steps" not in notes
    # a setup of before has what it had
    assert "Every model makes the same" not in notes_of(name)


def test_stage_1_is_counted_in_updates():
    assert "begins with 30000 updates of gender" in notes_of("figure-3", COMPARISON)
    given = compare_fairly(SETUP.base, ["training.pretraining_epochs"], FULL)
    assert given.training.pretraining_steps == 0  # its length is given in epochs
    assert "begins with 10 epochs of gender" in notes_of("figure-3", replace(SETUP, base=given))


def points_of(setup):
    return ARTEFACTS["figure-4"](setup).cells


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS)
def test_the_points_of_figure_4_differ_in_speakers_alone(budget):
    setup = replace(SETUP, base=compare_fairly(SETUP.base, (), budget), budget=budget)
    trainings = {
        replace(cell.config.training, pretraining_data="auxiliary") for cell in points_of(setup)
    }
    (training,) = trainings
    assert training.pretraining_updates > 0
    assert all(cell.config.has_stage_one for cell in points_of(setup))
    own = {cell.x: cell.config.training.pretraining_data for cell in points_of(setup)}
    assert own.pop(0.0) == "training"
    assert set(own.values()) == {"auxiliary"}
    said = f"stage 1 makes {training.pretraining_updates} updates each; at 0, without auxiliary"
    assert said in notes_of("figure-4", setup)


def test_a_zero_point_of_before_stays_and_is_said_to_differ_in_more():
    assert not [cell for cell in points_of(SETUP) if cell.x == 0 and cell.config.has_stage_one]
    assert "Points differ in more than speakers: 0 has no stage 1" in notes_of("figure-4")


def test_without_an_auxiliary_corpus_no_point_has_a_stage_1():
    alone = replace(COMPARISON, auxiliary="")
    assert not [cell for cell in points_of(alone) if cell.config.has_stage_one]
    assert "stage 1 makes" not in notes_of("figure-4", alone)
