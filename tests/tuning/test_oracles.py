"""Oracles that are killed at any moment, and workers that are not what they seem."""

import json

import pytest
from keras_tuner.engine.trial import Trial, TrialStatus
from stored import read_unsealed

from ser_aae.errors import DamagedError, UserError
from ser_aae.results.search_folder import OBJECTIVE, TRIALS
from tuning.oracles import STATE, build_oracle
from tuning.record import record

pytestmark = pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning")


@pytest.fixture
def oracle_of(search_of, tmp_path):
    """A function: what `search_of` takes -> its oracle, always with the same folder."""

    def make(*arguments, **more):
        return build_oracle(search_of(*arguments, **more), tmp_path)

    return make


def end(oracle, trial, value=0.5):
    """Do what a worker does, over there: with a copy of the trial."""
    oracle.update_trial(trial.trial_id, {OBJECTIVE: value, "fold00-rep00": value})
    copy = Trial(trial.hyperparameters.copy(), trial.trial_id, TrialStatus.COMPLETED)
    oracle.end_trial(copy)


def values_of(trial):
    return tuple(trial.hyperparameters.values.values())


def test_a_grid_is_walked_in_order_and_then_over(oracle_of):
    oracle = oracle_of("optimiser,latent", "grid", 0)
    seen = []
    while (trial := oracle.create_trial("a")).status == TrialStatus.RUNNING:
        seen.append(values_of(trial))
        end(oracle, trial)
    assert seen == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)]
    assert trial.status == TrialStatus.STOPPED


@pytest.mark.parametrize("algorithm", ["grid", "random"])
def test_nobody_is_sent_home_while_another_still_runs(oracle_of, algorithm):
    trials = 0 if algorithm == "grid" else 2
    oracle = oracle_of("optimiser", algorithm, trials)
    first, second = oracle.create_trial("a"), oracle.create_trial("b")
    end(oracle, first)
    assert oracle.create_trial("a").status == TrialStatus.IDLE
    assert oracle.give_back("b") == second.trial_id
    again = oracle.create_trial("a")
    assert (again.trial_id, values_of(again)) == (second.trial_id, values_of(second))
    end(oracle, again)
    assert oracle.create_trial("a").status == TrialStatus.STOPPED
    assert len(oracle.end_order) == 2


def test_a_worker_taken_for_dead_may_end_its_trial_after_all(oracle_of):
    oracle = oracle_of("optimiser", "grid", 0)
    trial = oracle.create_trial("a")
    oracle.give_back("a")
    end(oracle, trial, 0.7)
    assert oracle.create_trial("b").trial_id != trial.trial_id
    end(oracle, trial, 0.1)
    assert oracle.end_order == [trial.trial_id]
    assert oracle.trials[trial.trial_id].score == 0.7


def test_a_worker_without_a_trial_has_none_to_give_back(oracle_of):
    assert oracle_of().give_back("nobody") is None


def test_a_worker_that_outlived_its_chief_keeps_its_trial(oracle_of):
    trial = oracle_of("optimiser", "grid", 0).create_trial("a")
    oracle = oracle_of("optimiser", "grid", 0)
    oracle.resume()
    oracle.adopt("a", trial.trial_id)
    assert oracle.create_trial("b").trial_id != trial.trial_id
    # whoever comes too late is left to it
    oracle.adopt("c", trial.trial_id)
    assert set(oracle.ongoing_trials) == {"a", "b"}
    end(oracle, trial)
    assert oracle.end_order == [trial.trial_id]


@pytest.mark.parametrize("algorithm", ["grid", "random", "bayesian", "hyperband"])
def test_a_reloaded_oracle_goes_on_where_it_was(oracle_of, algorithm):
    trials = 0 if algorithm in ("grid", "hyperband") else 9
    oracle = oracle_of("alpha,beta", algorithm, trials)
    first, second, third = (oracle.create_trial(name) for name in "abc")
    end(oracle, second)
    oracle = oracle_of("alpha,beta", algorithm, trials)
    oracle.resume()
    assert oracle.end_order == [second.trial_id]
    again = [oracle.create_trial(name) for name in "de"]
    assert [values_of(trial) for trial in again] == [values_of(first), values_of(third)]
    new = oracle.create_trial("f")
    assert values_of(new) not in {values_of(trial) for trial in (first, second, third)}


def test_every_file_is_whole_at_every_moment(oracle_of, tmp_path, monkeypatch):
    oracle = oracle_of("alpha", "grid", 0)
    trial = oracle.create_trial("a")
    before = (tmp_path / STATE / "oracle.json").read_bytes()

    def dies(*_):
        raise OSError("killed here")

    monkeypatch.setattr("ser_aae.files.atomic.os.replace", dies)
    with pytest.raises(OSError, match="killed here"):
        oracle.save()
    assert (tmp_path / STATE / "oracle.json").read_bytes() == before
    json.loads((tmp_path / STATE / f"trial_{trial.trial_id}" / "trial.json").read_text())


def test_killed_after_a_trial_was_written_and_before_the_oracle(oracle_of, tmp_path):
    path = tmp_path / STATE / "oracle.json"
    oracle = oracle_of("alpha", "grid", 0)
    first = oracle.create_trial("a")
    before = path.read_bytes()
    end(oracle, first)
    # as after a kill between the two files, at the end of a trial
    path.write_bytes(before)
    oracle = oracle_of("alpha", "grid", 0)
    oracle.resume()
    assert oracle.end_order == [first.trial_id]
    before = path.read_bytes()
    second = oracle.create_trial("a")
    assert values_of(second) == (1,)
    # and at its beginning: nobody was told of it yet
    path.write_bytes(before)
    oracle = oracle_of("alpha", "grid", 0)
    oracle.resume()
    assert set(oracle.trials) == {first.trial_id}
    assert values_of(oracle.create_trial("a")) == (1,)


def test_a_failed_trial_is_run_again_after_a_reload(oracle_of):
    oracle = oracle_of("alpha", "grid", 0)
    trial = oracle.create_trial("a")
    oracle.end_trial(Trial(trial.hyperparameters.copy(), trial.trial_id, TrialStatus.FAILED))
    oracle = oracle_of("alpha", "grid", 0)
    oracle.resume()
    assert oracle.end_order == []
    assert oracle.create_trial("a").trial_id == trial.trial_id


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("oracle.json", {"hyperparameters": {}}),
        ("trial_*/trial.json", {"hyperparameters": {"space": [], "values": {}}}),
    ],
)
def test_a_state_of_before_seals_that_is_none_is_named(oracle_of, tmp_path, name, change):
    oracle_of("alpha", "grid", 0).create_trial("a")
    (path,) = (tmp_path / STATE).glob(name)
    path.write_text(json.dumps(read_unsealed(path) | change))
    with pytest.raises(DamagedError, match=rf"{path}: it is damaged"):
        oracle_of("alpha", "grid", 0).resume()


def test_a_file_in_the_place_of_the_state_is_named(oracle_of, tmp_path):
    (tmp_path / STATE).touch()
    with pytest.raises(UserError, match=rf"{STATE}: expected a folder, found a file"):
        oracle_of()


def test_without_a_state_there_is_nothing_to_resume(oracle_of):
    oracle = oracle_of()
    oracle.resume()
    assert oracle.trials == {}


def test_a_point_the_process_wants_twice_gives_way_to_another(oracle_of, monkeypatch):
    oracle = oracle_of("alpha", "bayesian", 10)
    trial = oracle.create_trial("a")
    tried = dict(trial.hyperparameters.values)
    parent = type(oracle).__mro__[2]
    monkeypatch.setattr(
        parent, "populate_space", lambda self, name: {"status": "RUNNING", "values": dict(tried)}
    )
    assert values_of(oracle.create_trial("b")) != tuple(tried.values())


def test_it_tells_when_a_trial_has_ended_and_its_state_is_on_disk(oracle_of, tmp_path):
    oracle = oracle_of("alpha", "grid", 0)
    told = []

    def on_end(trial):
        state = json.loads((tmp_path / STATE / "oracle.json").read_text())
        told.append((trial.trial_id, trial.score, state["end_order"]))

    oracle.on_end = on_end
    trial = oracle.create_trial("a")
    end(oracle, trial, 0.25)
    assert told == [(trial.trial_id, 0.25, [trial.trial_id])]


def test_the_seed_decides_what_is_tried(oracle_of, search_of):
    base = search_of().config
    tried = []
    for seed in (0, 0, 1):
        config = base.__class__(dataset="tiny", seed=seed)
        oracle = oracle_of("latent,alpha,beta", config=config)
        tried.append([values_of(oracle.create_trial(name)) for name in "abc"])
    assert tried[0] == tried[1] != tried[2]


@pytest.mark.parametrize("algorithm", ["grid", "random"])
def test_two_workers_try_the_same_whoever_ends_first_and_whatever_is_killed(
    search_of, tmp_path, algorithm
):
    search = search_of("masks", algorithm, 0 if algorithm == "grid" else 12)
    found = []
    for number, reloads in enumerate(((), (2, 3))):
        place = tmp_path / str(number)
        oracle = build_oracle(search, place)
        running, ended = {}, 0
        while len(oracle.end_order) < 4:
            for name in ("a", "b")[:: 1 - 2 * number]:
                trial = oracle.create_trial(name)
                if trial.status == TrialStatus.RUNNING:
                    running[name] = trial
            # in one search the first that has begun ends first, in the other one the last
            name = sorted(running, key=lambda name: running[name].trial_id)[-number]
            trial = running.pop(name)
            end(oracle, trial, values_of(trial)[0] / 10)
            ended += 1
            if ended in reloads:
                running.clear()
                oracle = build_oracle(search, place)
                oracle.resume()
        record(search, oracle, place, tmp_path)
        found.append((place / TRIALS).read_text())
    assert oracle.create_trial("a").status == TrialStatus.STOPPED
    assert found[0] == found[1]
    assert len(json.loads(found[0])["trials"]) == 4
