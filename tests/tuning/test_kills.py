"""Real processes on loopback, killed in the middle: nothing is lost, nothing is repeated."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import wait_for

from ser_aae.results.search_folder import TRIALS

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("cheap_search.py")
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    **{f"TF_NUM_{name}_THREADS": "1" for name in ("INTRAOP", "INTEROP")},
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@pytest.fixture
def start(tmp_path):
    """A function: seconds a run, workers -> a chief, its lines in `tmp_path / "said"`."""
    chiefs = []

    def begin(seconds, workers):
        words = ["chief", tmp_path / "runs", tmp_path / "log", seconds, workers]
        with (tmp_path / "said").open("a") as said:
            chief = subprocess.Popen(
                [sys.executable, SCRIPT, *map(str, words)],
                env=ENVIRONMENT,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        chiefs.append(chief)
        return chief

    yield begin
    for chief in chiefs:
        if chief.poll() is None:
            chief.kill()
            chief.wait()


def lines_of(path):
    return path.read_text().splitlines() if path.is_file() else []


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # a child of a dead parent is a zombie until it is waited for
    return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] == "Z"


def test_a_worker_and_then_the_chief_are_killed(start, tmp_path):
    log, said = tmp_path / "log", tmp_path / "said"

    def of(kind):
        rows = [line.split() for line in lines_of(log)]
        return [(alpha, int(pid)) for word, alpha, pid in rows if word == kind]

    chief = start(1.0, 2)
    wait_for(lambda: len(of("ended")) >= 2, chief)
    running = wait_for(lambda: set(of("begun")) - set(of("ended")), chief)
    lost, victim = min(running)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: "will be run again" in said.read_text(), chief)
    before = len(of("ended"))
    wait_for(lambda: len(of("ended")) >= before + 2, chief)
    chief.kill()
    chief.wait()
    workers = {pid for _, pid in of("begun")}
    wait_for(lambda: all(map(is_gone, workers)), seconds=30)

    (path,) = (tmp_path / "runs").rglob(TRIALS)
    done = {str(row["values"]["alpha"]) for row in json.loads(path.read_text())["trials"]}
    assert len(done) >= 2
    begun_before = len(of("begun"))
    assert start(0.1, 2).wait(timeout=600) == 0
    words = said.read_text()
    assert words.rstrip().endswith("ended")
    assert "goes on" in words
    assert "] trial 0000: an epoch" in words
    rows = json.loads(path.read_text())["trials"]
    tenths = [number / 10 for number in range(1, 11)]
    assert sorted(row["values"]["alpha"] for row in rows) == tenths
    assert lost in {alpha for alpha, _ in of("ended")}
    assert not done & {alpha for alpha, _ in of("begun")[begun_before:]}


def test_ctrl_c_ends_the_workers_too(start, tmp_path):
    log = tmp_path / "log"
    chief = start(60.0, 2)
    wait_for(lambda: len(lines_of(log)) == 2, chief)
    workers = [int(line.split()[2]) for line in lines_of(log)]
    assert not any(map(is_gone, workers))
    chief.send_signal(signal.SIGINT)
    assert chief.wait(timeout=300) != 0
    assert all(map(is_gone, workers))
    assert len(lines_of(log)) == 2
