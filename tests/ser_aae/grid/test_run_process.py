"""One run in a process of its own: what it is given, and what becomes of its errors."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from processes import MOST_SECONDS, ROOT, wait_for

from ser_aae.errors import UserError
from ser_aae.files.locks import claim, holder
from ser_aae.grid import run_process
from ser_aae.grid.run_process import RunFailedError, train_apart
from ser_aae.results.folder import run_folder
from ser_aae.training import run as train
from ser_aae.training.divergence import DivergedError

WORKER = """
import pickle, sys
from ser_aae.grid.run_process import train_apart
train_apart(*pickle.load(sys.stdin.buffer))
"""


def child_of(process):
    """Return the run that a process has started."""

    def find():
        return [c for c in process.children() if "ser_aae.grid.run_process" in c.cmdline()]

    return wait_for(find)[0]


def test_tensorflow_has_one_thread_unless_the_worker_says_otherwise():
    environment = run_process._environment({"TF_NUM_INTRAOP_THREADS": "8", "PYTHONPATH": "/mine"})
    assert environment["TF_NUM_INTRAOP_THREADS"] == "8"
    assert environment["TF_NUM_INTEROP_THREADS"] == environment["OMP_NUM_THREADS"] == "1"
    assert environment["KERAS_BACKEND"] == "tensorflow"
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "/mine"]


def test_a_users_error_comes_back_as_one(kfold_config, tmp_path):
    with pytest.raises(UserError, match=r"expected a prepared corpus, found no manifest\.json"):
        train_apart(kfold_config, tmp_path / "nothing", tmp_path)


def test_a_package_that_the_worker_lacks_is_the_users_to_mend(
    kfold_config, tiny_store, tmp_path, monkeypatch
):
    (tmp_path / "keras.py").write_text("raise ModuleNotFoundError('no keras', name='keras')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UserError, match=r"^this needs keras.*'ser-aae\[train\]'$"):
        train_apart(kfold_config, tiny_store, tmp_path / "runs")


def test_any_other_error_comes_back_with_its_name_and_where_it_was(
    kfold_config, tiny_store, tmp_path, monkeypatch
):
    (tmp_path / "keras.py").write_text("raise RuntimeError('abacus')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RunFailedError) as raised:
        train_apart(kfold_config, tiny_store, tmp_path / "runs")
    first, second, *_ = str(raised.value).splitlines()
    assert first == "RuntimeError: abacus"
    assert second.startswith("Traceback")


def test_a_run_that_is_killed_is_told_as_killed(kfold_config, tiny_store, tmp_path):
    def kill():
        child_of(psutil.Process()).send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(RunFailedError, match=r"^killed by signal 9"):
        train_apart(kfold_config, tiny_store, tmp_path)
    killer.join()


def test_a_run_ends_with_its_worker_and_holds_the_folder_until_then(
    kfold_config, tiny_store, tmp_path
):
    folder = run_folder(tmp_path, kfold_config)
    command = [sys.executable, "-c", WORKER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT) as worker:
        worker.stdin.write(pickle.dumps((kfold_config, tiny_store, tmp_path)))
        worker.stdin.close()
        child = child_of(psutil.Process(worker.pid))
        held = f"process {child.pid} on {socket.gethostname()}"
        wait_for(lambda: holder(folder) == held)
        child.suspend()  # so that it cannot end yet
        worker.kill()
        worker.wait()
        with claim(folder) as mine:
            assert not mine
        child.resume()
        psutil.wait_procs([child], timeout=MOST_SECONDS)
    assert not child.is_running()
    with claim(folder) as mine:
        assert mine


def test_a_run_that_another_process_trains_is_left_to_it(kfold_config, tiny_store, tmp_path):
    with claim(run_folder(tmp_path, kfold_config)):
        assert not train_apart(kfold_config, tiny_store, tmp_path)
    assert list(tmp_path.rglob("*.json")) == []


@pytest.fixture
def given(monkeypatch, tmp_path):
    """A function: a task -> `main` reads it, and is watched by nobody."""
    path = tmp_path / "task"
    path.touch()
    monkeypatch.setattr(run_process, "end_with_parent", lambda pipe: None)
    with path.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield lambda *task: path.write_bytes(pickle.dumps(task))


def test_a_diverged_run_would_diverge_again(given, kfold_config, tmp_path, monkeypatch, capsys):
    def diverge(*_):
        raise DivergedError("loss became nan; lower training.learning_rate")

    given(kfold_config, Path("store"), tmp_path)
    monkeypatch.setattr(train, "train_claimed", diverge)
    assert run_process.main() == run_process._REFUSAL_CODE
    assert capsys.readouterr().out == "loss became nan; lower training.learning_rate"


def test_a_run_is_what_the_worker_wrote(given, kfold_config, tmp_path, monkeypatch, capsys):
    done = []
    given(kfold_config, Path("store"), tmp_path)
    monkeypatch.setattr(train, "train_claimed", lambda *task: done.append(task))
    assert run_process.main() == 0
    assert done == [(kfold_config, Path("store"), tmp_path)]
    assert capsys.readouterr().out == ""
