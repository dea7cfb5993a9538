"""A chief and its workers over real gRPC on loopback, as threads of this process."""

import json
import os
import socket
import threading
import time
from contextlib import contextmanager

import grpc
import pytest

from ser_aae.errors import UserError
from ser_aae.results.search_folder import TRIALS
from tuning import worker
from tuning.chief import Chief, digest_of, serve
from tuning.hypermodel import TrialFailedError
from tuning.oracles import build_oracle
from tuning.search import search_alone, search_with_workers
from tuning.worker import Messenger, run_worker

pytestmark = pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(worker, "_BEAT_S", 0.05)
    monkeypatch.setattr("tuning.tuner._WAIT_S", 0.05)
    monkeypatch.setattr("tuning.chief._POLL_S", 0.02)


@pytest.fixture
def address():
    """An address of this machine whose port is free."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


@contextmanager
def chief_of(search, runs, address, patience_s=60.0):
    """Run a chief beside the test; give what it shows, and raise what it raised at the end."""
    shown, raised = [], []

    def target():
        try:
            search_with_workers(search, runs, shown.append, address, patience_s=patience_s)
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    try:
        yield shown
    finally:
        thread.join(timeout=300)
    assert not thread.is_alive()
    if raised:
        raise raised[0]


def definition_of(search):
    """What a chief says that it searches."""
    return json.dumps(search.to_dict()).encode()


def rows_of(search, runs):
    return json.loads((search.folder(runs) / TRIALS).read_text())["trials"]


def test_workers_find_what_one_process_finds(search_of, cheap_runs, address, tmp_path):
    search = search_of(trials=6, folds=(0, 1), executions=2)
    search_alone(search, tmp_path / "alone", cheap_runs, print)
    asked = cheap_runs.asked[:]
    cheap_runs.asked.clear()
    ready = []
    with chief_of(search, tmp_path / "led", address) as shown:
        run_worker(address, cheap_runs, print, ready=ready.append)
    assert ready == [search]
    assert cheap_runs.asked == asked
    assert rows_of(search, tmp_path / "led") == rows_of(search, tmp_path / "alone")
    assert not [key for key in os.environ if key.startswith("KERASTUNER_")]
    lines = [line.partition("] ")[2] for line in shown if line.startswith("[worker-")]
    assert lines[:2] == ["trial 0: run 1 of 4: fold00-rep00", "trial 0: an epoch"]
    assert any(line.startswith("6 of 6 trials done; best so far") for line in shown)


def test_the_trial_of_a_worker_that_is_silent_is_run_again(
    search_of, cheap_runs, address, tmp_path
):
    search = search_of("optimiser", "grid", 0)
    with chief_of(search, tmp_path, address, patience_s=1.0) as shown:
        with grpc.insecure_channel(address) as channel:
            from keras_tuner.src import protos

            stub = protos.get_service_grpc().OracleStub(channel)
            request = protos.get_service().CreateTrialRequest(tuner_id="worker-silent")
            given = stub.CreateTrial(request, wait_for_ready=True, timeout=60).trial.trial_id
        run_worker(address, cheap_runs, print)
    assert f"[worker-silent] is not heard of any more; trial {given} will be run again" in shown
    assert sorted(row["values"]["optimiser"] for row in rows_of(search, tmp_path)) == [
        "adam",
        "sgd",
    ]
    assert len(cheap_runs.asked) == 2


def test_a_failing_trial_ends_the_chief_with_its_settings(search_of, address, tmp_path):
    def failing(config, show):
        raise ValueError("no good")

    search = search_of("optimiser", "grid", 0)
    wanted = "with training.optimiser adam failed in fold00-rep00: ValueError: no good"
    with (
        pytest.raises(UserError, match=wanted),
        chief_of(search, tmp_path, address),
        pytest.raises(TrialFailedError, match=wanted),
    ):
        run_worker(address, failing, print)
    assert rows_of(search, tmp_path) == [] if (search.folder(tmp_path) / TRIALS).exists() else True


def test_a_worker_that_is_not_ready_takes_no_trial(search_of, cheap_runs, address, tmp_path):
    def ready(search):
        raise UserError("no such corpus here")

    search = search_of("optimiser", "grid", 0)
    with chief_of(search, tmp_path, address):
        with pytest.raises(UserError, match="no such corpus here"):
            run_worker(address, cheap_runs, print, ready=ready)
        assert cheap_runs.asked == []
        run_worker(address, cheap_runs, print)
    assert len(rows_of(search, tmp_path)) == 2


def test_without_a_chief_a_worker_says_so(cheap_runs, address):
    with pytest.raises(UserError, match=f"--worker {address}: no chief answers there"):
        run_worker(address, cheap_runs, print, first_answer_s=0.2)


def test_an_address_that_is_taken_is_told(search_of, tmp_path):
    search = search_of()
    chief = Chief(build_oracle(search, tmp_path), search, print)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"--chief 127.0.0.1:{port}: cannot listen there"):
            serve(chief, f"127.0.0.1:{port}")


def test_a_full_disk_at_the_chief_ends_the_search(
    search_of, cheap_runs, address, tmp_path, monkeypatch
):
    search = search_of("optimiser", "grid", 0)

    def full(*_):
        raise OSError(28, "No space left on device")

    def run(config, show):
        monkeypatch.setattr("tuning.oracles.write_json", full)
        return cheap_runs(config, show)

    with (
        pytest.raises(OSError, match="No space left"),
        chief_of(search, tmp_path, address),
        pytest.raises(UserError, match="went away"),
    ):
        run_worker(address, run, print)


def test_a_message_that_is_not_heard_is_told_with_the_next(search_of, address, tmp_path):
    search = search_of()
    shown = []
    chief = Chief(build_oracle(search, tmp_path), search, shown.append)
    with grpc.insecure_channel(address) as channel:
        messenger = Messenger(channel, definition_of(search), "worker-a", print)
        messenger.begin("07")
        messenger.say("one")
        assert messenger.tell() is False
        thread = threading.Thread(target=serve, args=(chief, address))
        thread.start()
        for _ in range(600):
            if messenger.tell():
                break
            time.sleep(0.1)
        messenger.say("two")
        assert messenger.tell() is True
        chief.error = UserError("enough")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(threading, "excepthook", lambda _: None)
            thread.join(timeout=60)
    assert shown[1:] == ["[worker-a] trial 07: one", "[worker-a] trial 07: two"]


def test_who_was_sent_home_does_not_keep_the_chief(search_of, tmp_path):
    search = search_of("optimiser", "grid", 0)
    oracle = build_oracle(search, tmp_path)
    chief = Chief(oracle, search, print)

    class Request:
        tuner_id = "worker-a"

    oracle.points = []
    chief.CreateTrial(Request, None)
    last = {"worker": "worker-a", "trial": None, "lines": ["bye"], "failure": ""}
    last["search"] = digest_of(definition_of(search))
    chief.beat(json.dumps(last).encode(), None)
    assert chief.finished()
    chief.beat(json.dumps(last | {"worker": "worker-b"}).encode(), None)
    assert not chief.finished()
    chief.forget("worker-b")
    assert chief.finished()


def test_a_worker_of_the_search_before_tells_nothing_to_the_next(
    search_of, cheap_runs, address, tmp_path
):
    search, other = search_of("optimiser", "grid", 0), search_of("alpha", "grid", 0)
    oracle = build_oracle(search, tmp_path)
    shown = []
    chief = Chief(oracle, search, shown.append)

    def run(config, show):
        # as if the chief had been ended and another started in its place meanwhile
        chief._definition = definition_of(other)
        return cheap_runs(config, show)

    thread = threading.Thread(target=serve, args=(chief, address))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)
        thread.start()
        with pytest.raises(UserError, match=f"{address}: the chief searches something else"):
            run_worker(address, run, print)
        chief.error = UserError("enough")
        thread.join(timeout=60)
    assert len(cheap_runs.asked) == 1
    assert oracle.end_order == []
    assert not [line for line in shown if "an epoch" in line]


def test_a_failure_in_the_search_before_does_not_end_the_next(search_of, tmp_path):
    search, other = search_of("optimiser", "grid", 0), search_of("alpha", "grid", 0)
    chief = Chief(build_oracle(search, tmp_path), search, print)
    said = {"worker": "worker-a", "trial": "0000", "lines": [], "failure": "no good"}
    chief.beat(json.dumps(said | {"search": digest_of(definition_of(other))}).encode(), None)
    assert chief.error is None
    chief.beat(json.dumps(said | {"search": digest_of(definition_of(search))}).encode(), None)
    assert str(chief.error) == "no good"


@pytest.mark.parametrize(("algorithm", "trials"), [("grid", 0), ("random", 2), ("hyperband", 0)])
def test_a_chief_whose_search_has_ended_waits_for_nobody(
    algorithm, trials, search_of, cheap_runs, address, tmp_path
):
    search = search_of("optimiser", algorithm, trials)
    with chief_of(search, tmp_path, address) as shown:
        run_worker(address, cheap_runs, print)
    assert f"listens at {address}; start workers: ser-aae tune --worker {address}" in shown
    before = rows_of(search, tmp_path)
    with chief_of(search, tmp_path, address) as shown:
        pass
    assert not [line for line in shown if line.startswith("listens")]
    assert rows_of(search, tmp_path) == before


def test_a_trial_looked_for_is_not_lost(search_of, cheap_runs, address, tmp_path):
    search = search_of("alpha,optimiser", "random", 3)
    search_alone(search, tmp_path, cheap_runs, print)
    more = search_of("alpha,optimiser", "random", 5)
    with chief_of(more, tmp_path, address):
        run_worker(address, cheap_runs, print)
    assert len(rows_of(more, tmp_path)) == 5
    assert len(cheap_runs.asked) == 5


def test_a_chief_on_all_addresses_names_one_that_others_reach(
    search_of, cheap_runs, address, tmp_path
):
    port = address.rpartition(":")[2]
    with chief_of(search_of("optimiser", "grid", 0), tmp_path, f"0.0.0.0:{port}") as shown:
        run_worker(address, cheap_runs, print)
    name = f"{socket.gethostname()}:{port}"
    assert f"listens at 0.0.0.0:{port}; start workers: ser-aae tune --worker {name}" in shown
