"""Budgets, setups, settings by name; and a setup written and read back."""

import json
from dataclasses import replace

import pytest
from stored import read_unsealed

from data_prep.corpora import known_facts
from ser_aae.config import RunConfig
from ser_aae.config.build import build_config
from ser_aae.config.fields import get, values_by_name, with_settings
from ser_aae.errors import UserError
from ser_aae.experiments.artefacts import choose
from ser_aae.experiments.setup import BUDGETS, Budget, Setup, read_setups, thin, write_setup
from ser_aae.results.folder import find_runs


def test_settings_are_changed_by_their_dotted_names():
    config = with_settings(RunConfig(), {"model.alpha": 0.1, "model.beta": 0.2, "task": "valence"})
    assert (config.model.alpha, config.model.beta, config.task) == (0.1, 0.2, "valence")
    assert config.training == RunConfig().training


@pytest.mark.parametrize("name", ["model.alpha2", "models.alpha", "alpha", "model.kind.alpha"])
def test_a_name_that_is_no_setting_is_refused(name):
    with pytest.raises(UserError, match=f"{name}: there is no such setting"):
        with_settings(RunConfig(), {name: 1})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("model.alpha", -0.1, "expected a number from 0, got '-0.1'"),
        ("model.alpha", "0.4", "expected a number from 0, got '0.4'"),
        ("model.beta", float("nan"), "expected a number from 0 to 1"),
        ("model.kind", "mlt", "expected one of mtl, stl"),
        ("model.filters", (16,), "expected 2 whole numbers from 1"),
        ("model.auxiliary_tasks", "gender", "expected some of gender, speaker, got 'gender'"),
        ("training.epochs", 1.5, "expected a whole number from 1"),
        ("training.epochs", True, "expected a whole number from 1"),
        ("data.unlabelled_rest", 1, "expected true or false"),
        ("dataset", 3, "expected one text, got 3"),
    ],
)
def test_a_value_that_its_setting_cannot_have_is_refused(name, value, expected):
    with pytest.raises(UserError, match=f"{name}: {expected}"):
        with_settings(RunConfig(), {name: value})


def test_a_value_becomes_what_its_field_holds():
    config = with_settings(RunConfig(), {"model.alpha": 1, "model.filters": [4, 8]})
    assert (config.model.alpha, config.model.filters) == (1.0, (4, 8))
    assert get(config, "model.filters") == (4, 8)
    assert get(config, "dataset") == "demo"
    assert with_settings(RunConfig(), values_by_name(config.to_dict())) == config


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (0, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)),
        (10, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)),
        (99, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)),
        (3, (0, 4, 9)),
        (2, (0, 9)),
        (1, (0,)),
    ],
)
def test_a_sweep_is_thinned_evenly_with_both_ends_kept(points, expected):
    assert thin(range(10), points) == expected


@pytest.mark.parametrize("length", range(2, 12))
@pytest.mark.parametrize("points", range(2, 12))
def test_thinning_never_repeats_a_value(length, points):
    found = thin(range(length), points)
    assert len(set(found)) == len(found) == min(length, points)
    assert (found[0], found[-1]) == (0, length - 1)


def test_a_budget_of_nothing_leaves_a_config_as_it_is():
    assert Budget("none").apply(RunConfig()) == RunConfig()
    assert BUDGETS["full"].apply(RunConfig()) == RunConfig()


def test_smoke_is_one_repetition_of_one_fold_with_three_points():
    smoke = BUDGETS["smoke"]
    assert (smoke.repetitions, smoke.max_folds, smoke.points) == (1, 1, 3)
    assert smoke.apply(RunConfig()).training.epochs <= 2
    assert BUDGETS["full"].repetitions == 10


def test_small_runs_every_fold_of_two_repetitions_for_fewer_epochs():
    small = BUDGETS["small"]
    assert (small.repetitions, small.max_folds) == (2, 0)
    config = small.apply(RunConfig())
    whole = RunConfig().training
    assert config.training.epochs == 15 < whole.epochs
    # the epoch is chosen by several, and by a smaller share of them than in a whole run
    shares = [each.selection_epochs / each.epochs for each in (config.training, whole)]
    assert 1 / config.training.epochs < shares[0] < shares[1]
    assert config.model == RunConfig().model


@pytest.mark.parametrize("name", BUDGETS)
@pytest.mark.parametrize("preset", ["default", "paper"])
def test_a_setup_comes_back_as_it_was_written_and_gives_the_same_digests(tmp_path, name, preset):
    base = build_config(preset, assignments=["training.batch_size=16", "frontend.bins=64"])
    setup = Setup(("ravdess", "demo"), "", base, BUDGETS[name], 9, corpora=known_facts())
    write_setup(tmp_path, setup)
    (back,) = read_setups(tmp_path, corpora=known_facts())
    assert back == setup
    digests = [
        [cell.config.digest() for item in choose(["all", "ravdess"], each) for cell in item.cells]
        for each in (setup, back)
    ]
    assert digests[0] == digests[1]


def test_the_same_setup_written_twice_is_one_and_another_is_another(tmp_path):
    first = write_setup(tmp_path, Setup(corpora=known_facts()))
    assert write_setup(tmp_path, Setup(corpora=known_facts())) == first
    assert write_setup(tmp_path, Setup(auxiliary="urdu", corpora=known_facts())) != first
    assert len(read_setups(tmp_path, corpora=known_facts())) == 2


def test_how_it_was_run_comes_back_and_makes_no_other_setup(tmp_path):
    first = write_setup(tmp_path, Setup(corpora=known_facts()))
    later = Setup(repetitions=3, data_root="/corpora", allow_partial=True, corpora=known_facts())
    assert write_setup(tmp_path, later) == first
    assert read_setups(tmp_path, corpora=known_facts()) == [later]


def test_a_setup_of_an_earlier_version_does_not_say_how_it_was_run(tmp_path):
    folder = write_setup(
        tmp_path,
        Setup(repetitions=3, data_root="/corpora", allow_partial=True, corpora=known_facts()),
    )
    content = read_unsealed(folder / "setup.json")
    for name in ("repetitions", "data_root", "allow_partial"):
        del content[name]
    (folder / "setup.json").write_text(json.dumps(content))
    assert read_setups(tmp_path, corpora=known_facts()) == [Setup(corpora=known_facts())]


def test_repetitions_are_the_budgets_unless_they_are_given():
    small = Setup(budget=BUDGETS["small"], corpora=known_facts())
    assert small.repetitions_asked == 2
    assert replace(small, repetitions=3).repetitions_asked == 3


def test_a_setup_is_no_run(tmp_path):
    write_setup(tmp_path, Setup(corpora=known_facts()))
    assert find_runs(tmp_path) == []


def test_a_setup_that_was_not_written_to_its_end_is_not_read(tmp_path):
    folder = write_setup(tmp_path, Setup(corpora=known_facts()))
    (folder / "setup.json").unlink()
    assert read_setups(tmp_path, corpora=known_facts()) == []
    assert read_setups(tmp_path / "nowhere", corpora=known_facts()) == []


@pytest.mark.parametrize("lacking", ["datasets", "budget", "max_auxiliary_speakers"])
def test_a_setup_that_lacks_something_names_its_file(tmp_path, lacking):
    folder = write_setup(tmp_path, Setup(corpora=known_facts()))
    content = read_unsealed(folder / "setup.json")
    del content[lacking]
    (folder / "setup.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"setup\.json: expected {lacking}, found none"):
        read_setups(tmp_path, corpora=known_facts())


def test_half_a_setup_is_mended_by_the_command_that_writes_it(tmp_path):
    folder = write_setup(tmp_path, Setup())
    (folder / "setup.json").write_text('{"datasets": ')
    mend = rf"setup\.json: not JSON .*; remove {folder} and give ser-aae reproduce again$"
    with pytest.raises(UserError, match=mend):
        read_setups(tmp_path)


def test_a_budget_with_a_field_that_there_is_not_is_refused(tmp_path):
    folder = write_setup(
        tmp_path, replace(Setup(corpora=known_facts()), budget=Budget("own", overrides={"seed": 1}))
    )
    content = read_unsealed(folder / "setup.json")
    content["budget"]["hours"] = 3
    (folder / "setup.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="hours"):
        read_setups(tmp_path, corpora=known_facts())
