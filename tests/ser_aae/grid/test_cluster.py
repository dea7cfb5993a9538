"""Scheduling, with work that takes no time, on a cluster within this process."""

from dataclasses import replace

import pytest
from distributed import Client, LocalCluster

from ser_aae.errors import UserError
from ser_aae.grid import cluster as grid
from ser_aae.grid.cluster import (
    RETRIES,
    Failure,
    count_workers,
    open_client,
    own_settings,
    run_grid,
)
from ser_aae.grid.remote import relative_folder
from ser_aae.grid.run_worker import BUSY, DONE, REFUSED, Outcome, RunFailedError
from ser_aae.progress import duration
from ser_aae.results.places import Places

PLACES = Places(store="/store", runs="/runs")
calls = []


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def configs(kfold_config):
    protocol = kfold_config.protocol
    calls.clear()
    return [replace(kfold_config, protocol=replace(protocol, fold=fold)) for fold in range(4)]


def fold_of(config):
    calls.append(config.protocol.fold)
    return config.protocol.fold


def succeed(config, places):
    assert places == PLACES
    fold_of(config)
    return Outcome(DONE, 2.0)


def fail_on_the_second(config, places):
    if fold_of(config) == 1:
        raise RunFailedError("OSError: no such disk\nTraceback: ...")
    return Outcome(DONE)


def fail_once(config, places):
    fold = fold_of(config)
    if calls.count(fold) == 1:
        raise RunFailedError("OSError: a cable came loose")
    return Outcome(DONE)


def refuse_the_third(config, places):
    if fold_of(config) == 2:
        return Outcome(REFUSED, 1.0, "loss became nan")
    return Outcome(DONE)


def be_busy_twice(config, places):
    fold = fold_of(config)
    return Outcome(BUSY if fold == 0 and calls.count(0) < 3 else DONE)


def test_each_run_is_done_once_and_told_with_rate_and_time_left(client, configs):
    shown = []
    assert run_grid(configs, PLACES, client, shown.append, succeed) == []
    assert sorted(calls) == [0, 1, 2, 3]
    assert [line.partition(" ")[0] for line in shown] == ["[1/4]", "[2/4]", "[3/4]", "[4/4]"]
    assert all("2 s" in line and "runs an hour" in line for line in shown)
    assert {line.split()[1].rstrip(":") for line in shown} == set(map(relative_folder, configs))
    assert shown[-1].endswith("about 0 s left")


def test_an_error_is_tried_again_and_then_listed_while_the_rest_goes_on(client, configs):
    shown = []
    failures = run_grid(configs, PLACES, client, shown.append, fail_on_the_second)
    assert [failure.config for failure in failures] == [configs[1]]
    assert calls.count(1) == 1 + RETRIES
    assert sorted(set(calls)) == [0, 1, 2, 3]
    text = str(failures[0])
    assert text.startswith(f"{relative_folder(configs[1])}: OSError: no such disk\n  Traceback")
    assert sum("failed: OSError: no such disk; " in line for line in shown) == 1


def test_an_error_that_does_not_come_again_is_no_failure(client, configs):
    assert run_grid(configs, PLACES, client, print, fail_once) == []
    assert sorted(calls) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_settings_that_cannot_succeed_are_not_tried_again(client, configs):
    failures = run_grid(configs, PLACES, client, print, refuse_the_third)
    assert failures == [Failure(configs[2], "loss became nan")]
    assert calls.count(2) == 1
    assert "protocol.fold=2" in str(failures[0])


def test_a_run_that_another_grid_trains_is_looked_at_again(client, configs):
    shown = []
    assert run_grid(configs, PLACES, client, shown.append, be_busy_twice) == []
    assert calls.count(0) == 3
    assert len(shown) == 4


def test_nothing_to_do_is_no_error(client):
    assert run_grid([], PLACES, client, print, succeed) == []


def test_a_failure_of_an_unknown_kind_has_a_name(client, configs):
    def raise_silently(config, places):
        raise ZeroDivisionError

    failures = run_grid(configs[:1], PLACES, client, print, raise_silently)
    assert failures[0].error == "ZeroDivisionError"


def test_own_settings_are_those_that_are_not_the_defaults(configs):
    words = own_settings(replace(configs[3], auxiliary=("voices", "more"))).split()
    assert {"dataset=tiny", "auxiliary=voices,more", "protocol.fold=3"} <= set(words)
    assert "frontend.bins=32" in words
    assert not [word for word in words if word.startswith("training.")]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (3600, "60 min"), (7500, "2 h 05 min")],
)
def test_durations_are_said_as_people_say_them(seconds, said):
    assert duration(seconds) == said


def test_a_scheduler_that_does_not_answer_is_the_users_to_mend(monkeypatch):
    monkeypatch.setattr(grid, "CONNECT_S", 0.2)
    with (
        pytest.raises(UserError, match=r"--scheduler tcp://127\.0\.0\.1:9: expected a Dask"),
        open_client(scheduler="tcp://127.0.0.1:9"),
    ):
        pytest.fail("connected to nothing")


def test_workers_at_an_address_are_used_and_left_running(client, configs):
    with open_client(scheduler=client.scheduler.address) as other:
        assert count_workers(other) == 2
        assert run_grid(configs, PLACES, other, print, succeed) == []
    assert run_grid(configs[:1], PLACES, client, print, succeed) == []
