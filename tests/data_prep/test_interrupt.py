"""Ctrl-C, as a terminal sends it: to all processes of the command at once."""

import os
import signal
import subprocess
import sys
import time

import pytest
from processes import ROOT, wait_for

from data_prep.build import prepare
from ser_aae.config import FrontEndConfig
from ser_aae.files.atomic import PARTIAL
from ser_aae.store.corpus import MANIFEST, corpus_folder

SCRIPT = """
import sys, time
from pathlib import Path

from data_prep import build
from ser_aae.config import FrontEndConfig

write = build.write_shard

def write_slowly(*arguments):
    shard = write(*arguments)
    time.sleep(0.5)  # or the corpus would be done before the signal comes
    return shard

if __name__ == "__main__":
    build.UTTERANCES_PER_SHARD = 16
    build.write_shard = write_slowly
    data_root, store, workers = sys.argv[1:]
    print("begun", flush=True)
    try:
        build.prepare("demo", Path(data_root), Path(store), FrontEndConfig(), int(workers))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def start(tmp_path, demo_root, workers):
    script = tmp_path / "prepare_slowly.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(demo_root), str(tmp_path / "store"), str(workers)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupt(process):
    """Send SIGINT to the whole group, and return what the command said on its way out."""
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130, errors
    # the group is empty: no worker has outlived the command
    wait_for(lambda: not group_is_alive(process.pid), seconds=60)
    return errors


def group_is_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupt_keeps_finished_shards_and_a_rerun_completes(
    workers, tmp_path, demo_root, small_shards
):
    folder = corpus_folder(tmp_path / "store", "demo", FrontEndConfig())
    process = start(tmp_path, demo_root, workers)
    wait_for((folder / "shard-00001.json").exists, process)

    errors = interrupt(process)

    assert "Traceback" not in errors
    assert not (folder / MANIFEST).exists()
    assert not list(folder.glob(PARTIAL))
    finished = {path: path.stat().st_mtime_ns for path in folder.glob("*.tfrecord")}
    assert 2 <= len(finished) < 5

    result = prepare("demo", demo_root, tmp_path / "store", FrontEndConfig())
    assert result.is_new
    assert result.num_utterances == 80
    assert {path: path.stat().st_mtime_ns for path in finished} == finished


@pytest.mark.parametrize("delay_s", [0.1, 0.5, 1.0])
def test_interrupt_while_workers_start_is_quiet(delay_s, tmp_path, demo_root):
    process = start(tmp_path, demo_root, workers=2)
    process.stdout.readline()
    time.sleep(delay_s)

    errors = interrupt(process)

    assert "Traceback" not in errors
    assert not list((tmp_path / "store").rglob(MANIFEST))
