"""Workers that the chief starts on its own machine."""

import sys
import time

import pytest

from ser_aae.errors import UserError
from tuning.local_workers import LocalWorkers, worker_command


def processes(code, count=1):
    return LocalWorkers([sys.executable, "-c", code], count)


def lost_by(workers):
    """Return who is lost first."""
    for _ in range(600):
        if names := workers.lost():
            return names
        time.sleep(0.05)
    raise AssertionError("nobody was lost")


def test_a_killed_worker_is_started_again_but_not_for_ever():
    workers = processes("import os; os.kill(os.getpid(), 9)")
    workers.start(1)
    try:
        assert [lost_by(workers) for _ in range(5)] == [[f"worker-{n}"] for n in range(1, 6)]
        with pytest.raises(UserError, match="6 workers were killed, the last by SIGKILL"):
            lost_by(workers)
    finally:
        workers.end()


def test_a_worker_that_ends_with_an_error_ends_the_search():
    workers = processes("raise SystemExit(3)")
    workers.start(1)
    with pytest.raises(UserError, match="worker-1 ended with exit code 3"):
        lost_by(workers)
    workers.end()


def test_workers_share_the_processors_and_end_with_the_chief(tmp_path, monkeypatch):
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tuning.local_workers.cpu_count", lambda: 4)
    code = (
        "import os, pathlib, time\n"
        f"path = pathlib.Path({str(tmp_path)!r}) / os.environ['KERASTUNER_TUNER_ID']\n"
        "path.write_text(os.environ['TF_NUM_INTRAOP_THREADS'])\n"
        "time.sleep(600)"
    )
    workers = processes(code, 2)
    workers.start(1)
    for _ in range(600):
        if [path.read_text() for path in tmp_path.iterdir()] == ["2", "2"]:
            break
        time.sleep(0.05)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["worker-1", "worker-2"]
    started = list(workers._processes.values())
    workers.end()
    assert [process.returncode for process in started] == [-15, -15]


def test_the_command_of_a_worker_is_this_programs(tmp_path):
    words = worker_command(tmp_path / "s", tmp_path / "r", True)
    assert words[:4] == [sys.executable, "-m", "ser_aae", "tune"]
    assert "--child" in words
    assert words[-2:] == ["--verbose", "--worker"]
