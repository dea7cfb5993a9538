"""A grid in real processes, some of which are killed in the middle of their work."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import dask
import pandas as pd
import psutil
import pytest
from processes import MOST_SECONDS, ROOT, wait_for

from ser_aae.config import DataConfig, ModelConfig, TrainingConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_jsonl
from ser_aae.grid import cluster as grid
from ser_aae.grid.cluster import open_client, run_grid
from ser_aae.grid.plan import make_plan
from ser_aae.grid.remote import relative_folder
from ser_aae.grid.run_process import _ENVIRONMENT
from ser_aae.grid.run_worker import Outcome
from ser_aae.results.evaluation import evaluate
from ser_aae.results.places import Places
from ser_aae.results.predictions import read_predictions

DRIVER = """
import os, pickle, sys
from ser_aae.grid.cluster import open_client, run_grid
configs, places = pickle.load(sys.stdin.buffer)
with open_client(workers=2) as client:
    print(*client.run(os.getpid).values(), flush=True)
    sys.exit(len(run_grid(configs, places, client, print)))
"""

UNDISTURBED = """
import pickle, sys
from pathlib import Path
from ser_aae.training.run import train_and_evaluate
configs, store, runs = pickle.load(sys.stdin.buffer)
for config in configs:
    train_and_evaluate(config, Path(store), Path(runs))
"""


@pytest.fixture(scope="module")
def configs(kfold_config):
    small = replace(
        kfold_config,
        data=replace(DataConfig(), segment_frames=64, evaluation_shift_frames=64),
        model=replace(
            ModelConfig(kind="cnn"),
            filters=(4, 4),
            latent_channels=4,
            classifier_filters=4,
            dense_units=(4, 4),
        ),
        training=replace(TrainingConfig(), epochs=6, batch_size=16),
    )
    return [
        replace(small, protocol=replace(small.protocol, fold=fold, folds=4)) for fold in range(3)
    ]


@pytest.fixture(scope="module")
def undisturbed(configs, tiny_store, tmp_path_factory):
    """The folder of the same runs, which one process trained, as those of a grid do."""
    runs = tmp_path_factory.mktemp("undisturbed")
    given = pickle.dumps((configs, str(tiny_store), str(runs)))
    command = [sys.executable, "-c", UNDISTURBED]
    subprocess.run(command, input=given, check=True, cwd=ROOT, env=os.environ | _ENVIRONMENT)
    return runs


def start(configs, places):
    """Start a grid in a process of its own; return it with the numbers of its workers."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    process.stdin.write(pickle.dumps((configs, places)))
    process.stdin.close()
    return process, [int(word) for word in process.stdout.readline().split()]


def begun(runs, configs):
    folders = [runs / relative_folder(config) for config in configs]
    return [folder for folder in folders if read_jsonl(folder / "epochs.jsonl")]


def losses_of(folder):
    return [row["train"] for row in read_jsonl(folder / "epochs.jsonl")]


def test_killed_workers_and_schedulers_change_nothing(configs, undisturbed, tiny_store, tmp_path):
    places = Places(store=str(tiny_store), runs=str(tmp_path))
    process, workers = start(configs, places)
    wait_for(lambda: begun(tmp_path, configs), process)
    os.kill(workers[0], signal.SIGKILL)
    wait_for(lambda: list(tmp_path.rglob("result.json")), process)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()  # the scheduler lives in it
    process.wait()
    process.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=MOST_SECONDS)
    assert not alive, "workers outlive their scheduler"

    plan = make_plan(configs, places.runs)
    assert 0 < len(plan.missing) < len(configs)
    with open_client(workers=1) as client:
        assert run_grid(plan.missing, places, client, print) == []
    assert make_plan(configs, places.runs).missing == ()
    for config in configs:
        one, two = (runs / relative_folder(config) for runs in (undisturbed, tmp_path))
        assert losses_of(one) == losses_of(two)
        frames = [read_predictions(run / "predictions.parquet") for run in (one, two)]
        pd.testing.assert_frame_equal(*frames, check_exact=True)
    experiment = Path(relative_folder(configs[0])).parent
    first, second = (evaluate(runs / experiment) for runs in (undisturbed, tmp_path))
    assert first["repetitions"] == second["repetitions"]


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and a worker as one starts them on a cluster: processes and address."""
    file = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    start = [sys.executable, "-m", "dask"]
    options = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
    with subprocess.Popen([*start, "scheduler", "--port", "0", *options], **quiet) as scheduler:
        wait_for(file.is_file, scheduler)
        options = ["--nthreads", "1", "--no-dashboard", "--scheduler-file", str(file)]
        with subprocess.Popen([*start, "worker", *options], **quiet) as worker:
            yield scheduler, json.loads(file.read_text())["address"]
            worker.terminate()
        scheduler.kill()


def test_a_scheduler_elsewhere_trains_and_its_end_is_told(cluster, configs, monkeypatch):
    scheduler, address = cluster
    monkeypatch.setattr(grid, "CONNECT_S", 5.0)

    def be_quick(config, places):
        return Outcome("done")

    def wait_forever(config, places):
        time.sleep(3600)

    soon = dask.config.set({"distributed.comm.timeouts.connect": "3s"})
    with soon, open_client(scheduler=address) as client:
        assert run_grid(configs, Places(store="", runs=""), client, print, be_quick) == []
        threading.Timer(1.0, scheduler.kill).start()
        with pytest.raises(UserError, match="the scheduler has gone away; what is done is kept"):
            run_grid(configs, Places(store="", runs=""), client, print, wait_forever)
