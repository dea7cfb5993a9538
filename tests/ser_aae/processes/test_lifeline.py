"""Children end with their parent, whatever they are doing when it is killed."""

import subprocess
import sys

import psutil
import pytest
from processes import ROOT, wait_for

PARENT = """
import subprocess, sys, time
from tuning.local_workers import LocalWorkers
workers = LocalWorkers([*{command!r}], 2)
workers.start(1)
print(*(process.pid for process in workers._processes.values()), flush=True)
time.sleep(600)
"""

# a worker whose chief never answers: it stands for one that is still being started
STARTING = [sys.executable, "-m", "ser_aae", "tune", "--child", "--worker"]

BUSY = """
import os, sys, time
from ser_aae.processes.lifeline import end_with_parent
end_with_parent(sys.stdin.fileno())
while True:
    sum(range(10**6))
"""


def are_gone(numbers):
    return not any(
        psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE
        for number in numbers
    )


@pytest.mark.parametrize("command", [STARTING, [sys.executable, "-c", BUSY]], ids=["tune", "busy"])
@pytest.mark.parametrize("end", ["kill", "terminate"])
@pytest.mark.parametrize("stage", ["at once", "later"])
def test_workers_of_a_search_end_with_the_chief(command, end, stage):
    words = [sys.executable, "-c", PARENT.format(command=command)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as chief:
        numbers = [int(word) for word in chief.stdout.readline().split()]
        if stage == "later":
            wait_for(lambda: min(psutil.Process(n).cpu_times().user for n in numbers) > 1, chief)
        getattr(chief, end)()
    wait_for(lambda: are_gone(numbers), seconds=60)


PREPARING = """
import sys, time
from pathlib import Path
from data_prep import build
from ser_aae.config import FrontEndConfig
if __name__ == "__main__":
    build.UTTERANCES_PER_SHARD = 16
    build.write_shard = lambda *given: print("begun", flush=True) or time.sleep(600)
    build.prepare("demo", Path(sys.argv[1]), Path(sys.argv[2]), FrontEndConfig(), 2)
"""


def test_processes_that_prepare_end_with_the_first(demo_root, tmp_path):
    script = tmp_path / "prepare.py"
    script.write_text(PREPARING)
    words = [sys.executable, script, demo_root, tmp_path / "store"]
    named = {"cwd": ROOT, "env": {"PYTHONPATH": str(ROOT)}, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, **named) as process:
        assert process.stdout.readline() == "begun\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        process.kill()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
