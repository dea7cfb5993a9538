"""A worker with a run: its environment, its errors, where it leaves the run."""

import shutil
import time

import pytest

from ser_aae.errors import UserError
from ser_aae.files.atomic import write_json
from ser_aae.files.locks import claim
from ser_aae.grid import run_worker
from ser_aae.grid.remote import place_in_cache, relative_folder, send_folder
from ser_aae.grid.run_worker import BUSY, DONE, REFUSED, RunFailedError, train_run
from ser_aae.results.folder import run_folder
from ser_aae.results.places import Places

PLACES = Places(store="/store", runs="/runs")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A worker's cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SER_AAE_CACHE", str(folder))
    monkeypatch.setattr(run_worker, "PAUSE_S", 0.01)
    return folder


# what a worker makes of errors


def test_a_users_error_is_an_outcome_and_any_other_one_is_raised(kfold_config, monkeypatch):
    def refuse(*_):
        raise UserError("no such corpus")

    def break_down(*_):
        raise OSError(5, "the disk is gone")

    monkeypatch.setattr(run_worker, "_train_in_folder", refuse)
    outcome = run_worker.train_run(kfold_config, PLACES)
    assert (outcome.state, outcome.error) == (REFUSED, "no such corpus")
    monkeypatch.setattr(run_worker, "_train_in_folder", break_down)
    with pytest.raises(RunFailedError, match=r"^OSError: .*the disk is gone\nTraceback") as raised:
        run_worker.train_run(kfold_config, PLACES)
    assert raised.value.__cause__ is None


def test_a_busy_run_is_given_back_after_a_pause(kfold_config, monkeypatch):
    slept = []
    monkeypatch.setattr(run_worker, "_train_in_folder", lambda *_: BUSY)
    monkeypatch.setattr(time, "sleep", slept.append)
    assert run_worker.train_run(kfold_config, PLACES).state == BUSY
    assert slept == [run_worker.PAUSE_S]


# runs at a URL


@pytest.fixture
def trained(monkeypatch):
    """Training that writes a folder and is counted."""
    done = []

    def train(config, store, runs):
        folder = run_folder(runs, config)
        with claim(folder) as held:
            if not held:
                return False
            write_json(folder / "config.json", config.to_dict())
            (folder / "tensorboard").mkdir()
            (folder / "tensorboard" / "events").write_text("...")
            write_json(folder / "result.json", {"seconds": 1})
        done.append(folder)
        return True

    monkeypatch.setattr(run_worker, "train_apart", train)
    return done


def test_a_run_is_trained_in_the_cache_sent_whole_and_not_again(
    kfold_config, tiny_store, tmp_path, trained, cache
):
    places = Places(store=str(tiny_store), runs=f"file://{tmp_path}/far/runs")
    assert train_run(kfold_config, places).state == DONE
    sent = tmp_path / "far" / "runs" / relative_folder(kfold_config)
    assert {path.relative_to(sent).as_posix() for path in sent.rglob("*") if path.is_file()} == {
        "config.json",
        "result.json",
        "tensorboard/events",
    }
    assert trained[0].is_relative_to(cache)
    assert not trained[0].exists()
    assert train_run(kfold_config, places).state == DONE
    assert len(trained) == 1


def test_a_run_that_could_not_be_sent_is_sent_without_training_again(
    kfold_config, tiny_store, tmp_path, trained, monkeypatch
):
    def fail(*_):
        raise OSError("no route to host")

    places = Places(store=str(tiny_store), runs=f"file://{tmp_path}/far")
    monkeypatch.setattr(run_worker, "send_folder", fail)
    with pytest.raises(run_worker.RunFailedError, match="no route to host"):
        train_run(kfold_config, places)
    monkeypatch.setattr(run_worker, "send_folder", send_folder)
    assert train_run(kfold_config, places).state == DONE
    assert len(trained) == 1
    assert (tmp_path / "far" / relative_folder(kfold_config) / "result.json").is_file()


@pytest.mark.parametrize("is_far", [False, True])
def test_a_run_that_another_process_holds_is_left_to_it(
    kfold_config, tiny_store, tmp_path, trained, is_far
):
    runs = f"file://{tmp_path}/far" if is_far else str(tmp_path)
    held = place_in_cache(runs) if is_far else tmp_path
    with claim(run_folder(held, kfold_config)):
        assert train_run(kfold_config, Places(store=str(tiny_store), runs=runs)).state == BUSY
    assert not trained


def test_a_complete_run_whose_process_has_not_ended_is_not_taken_away(
    kfold_config, tiny_store, tmp_path, trained
):
    places = Places(store=str(tiny_store), runs=f"file://{tmp_path}/far")
    folder = run_folder(place_in_cache(places.runs), kfold_config)
    write_json(folder / "result.json", {"seconds": 1})
    with claim(folder):  # of a worker that was killed
        assert train_run(kfold_config, places).state == BUSY
    assert folder.is_dir()
    assert train_run(kfold_config, places).state == DONE
    assert not folder.exists()
    assert not trained


def test_a_run_that_another_worker_sent_meanwhile_is_done(
    kfold_config, tiny_store, tmp_path, trained, monkeypatch
):
    places = Places(store=str(tiny_store), runs=f"file://{tmp_path}/far")
    train = run_worker.train_apart

    def train_and_be_late(config, store, runs):
        train(config, store, runs)
        folder = run_folder(runs, config)
        send_folder(folder, places.runs, relative_folder(config))
        shutil.rmtree(folder)
        return True

    monkeypatch.setattr(run_worker, "train_apart", train_and_be_late)
    assert train_run(kfold_config, places).state == DONE
