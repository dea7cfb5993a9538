"""The benchmark of two workers, with a program that only writes down how it was started."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks import tune_workers

PROGRAM = """
import json, os, pathlib, sys, time
words = sys.argv[1:]
runs = pathlib.Path(words[words.index("--runs") + 1])
worker = "--worker" in words
for _ in range(600):
    cores = sorted(os.sched_getaffinity(0))
    if not worker or len(cores) == 1:
        break
    time.sleep(0.05)
said = {"words": words, "cores": cores, "threads": os.environ.get("TF_NUM_INTRAOP_THREADS")}
(runs / f"{'worker' if worker else 'chief'}-{os.getpid()}.json").write_text(json.dumps(said))
"""

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system pins no process to a core"
)


def test_each_worker_has_a_core_and_the_chief_all(tmp_path, monkeypatch):
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    cores = sorted(os.sched_getaffinity(0))[:2]
    program = [sys.executable, "-c", PROGRAM]
    words = ["--dataset", "tiny", "--trials", "4"]
    seconds = tune_workers.time_search(words, tmp_path / "store", cores, tmp_path, program)
    assert seconds > 0
    said = {path.name: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    workers = [each for name, each in said.items() if name.startswith("worker")]
    (chief,) = [each for name, each in said.items() if name.startswith("chief")]
    assert sorted(core for each in workers for core in each["cores"]) == cores
    assert chief["cores"] == sorted(os.sched_getaffinity(0))
    assert {each["threads"] for each in workers} == {"1"}
    assert chief["words"][:5] == ["tune", *words]
    address = chief["words"][chief["words"].index("--chief") + 1]
    assert all(address in each["words"] for each in workers)
    assert not any("--dataset" in each["words"] for each in workers)


def test_a_failing_worker_is_no_time(tmp_path):
    code = "import sys, time; '--worker' in sys.argv and sys.exit(3); time.sleep(600)"
    core = min(os.sched_getaffinity(0))
    with pytest.raises(subprocess.CalledProcessError, match="exit status 3"):
        tune_workers.time_search([], tmp_path, [core], tmp_path, [sys.executable, "-c", code])


def test_the_ratio_is_printed(monkeypatch, capsys, tmp_path):
    asked = []

    def time_search(words, store, cores, runs):
        asked.append((words, store, len(cores)))
        return 10.0 / len(cores) + 1

    monkeypatch.setattr(tune_workers, "time_search", time_search)
    monkeypatch.setattr(tune_workers.os, "sched_getaffinity", lambda _: {0, 1, 2})
    tune_workers.main(["--store", str(tmp_path), "--dataset", "ravdess"])
    assert asked == [
        (["--dataset", "ravdess"], tmp_path, 1),
        (["--dataset", "ravdess"], tmp_path, 2),
    ]
    assert capsys.readouterr().out.splitlines()[-1] == "ratio: 0.55"


def test_one_core_is_too_few(monkeypatch):
    monkeypatch.setattr(tune_workers.os, "sched_getaffinity", lambda _: {0})
    with pytest.raises(SystemExit, match="expected two cores or more, found 1"):
        tune_workers.main([])
