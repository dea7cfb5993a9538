"""`ser-aae train` on a pseudo-terminal, and its plan."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

from processes import ROOT

from data_prep.build import prepare
from ser_aae.cli import main
from ser_aae.config import FrontEndConfig

SMALL = (
    *("--dataset", "tiny", "--protocol", "loso-session", "--model", "cnn", "--epochs", "2"),
    *("--set", "frontend.bins=32", "--set", "frontend.scale=linear"),
    *("--set", "data.segment_frames=64", "--set", "data.evaluation_shift_frames=64"),
    *("--set", "model.filters=4,4", "--set", "model.dense_units=8,8"),
    *("--set", "training.batch_size=4"),
)


def read_all(terminal):
    found = b""
    try:
        while block := os.read(terminal, 4096):
            found += block
    except OSError:  # Linux says so that nobody has the other end any more
        pass
    return found.decode()


def test_a_terminal_has_a_bar_and_then_the_lines(tiny_store, tmp_path):
    words = ["train", *SMALL, "--store", str(tiny_store), "--runs", str(tmp_path / "runs"), "-v"]
    # as a user has it: TensorFlow by itself would speak of cuFFT
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    own, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "ser_aae", *words],
        stdout=subprocess.DEVNULL,
        stderr=other,
        env=environment,
    ) as process:
        os.close(other)
        shown = read_all(own)
    os.close(own)
    assert process.returncode == 0, shown
    assert "stage 2 epoch 1/2:   0%|" in shown
    assert "validation]" in shown
    kept = [line.rpartition("\r")[2] for line in shown.replace("\r\n", "\n").split("\n")]
    opening = next(n for n, line in enumerate(kept) if line.startswith("stage 2, fold 0 on "))
    assert "steps an epoch" in kept[opening]
    assert kept[opening + 1].startswith("stage 2 epoch 1/2: UA ")
    assert kept[opening + 2].startswith("stage 2: at most about ")
    assert kept[opening + 3].startswith("stage 2 epoch 2/2: UA ")
    for noise in ("cuFFT", "cuDNN", "oneDNN", "external/local_xla"):
        assert noise not in shown


def test_a_plan_lists_the_folds_and_writes_nothing(tiny_store, tmp_path, capsys):
    words = ["train", *SMALL, "--store", str(tiny_store), "--fold", "all", "--plan"]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"fold {n}" for n in range(4)] + [
        "4 folds"
    ]
    assert "training 4 speakers 32 utterances, validation 2" in lines[0]
    assert "at most 2 epochs, about " in lines[0]
    assert list(tmp_path.iterdir()) == []


def test_a_plan_counts_a_stage_1_of_each_folds_own(tiny_store, capsys):
    words = ["train", *SMALL, "--store", str(tiny_store), "--fold", "all", "--plan"]
    for given in (
        "data.labelled_rows=2",
        "training.pretraining=supervised",
        "training.pretraining_data=training",
        "training.pretraining_steps=40",
    ):
        words += ["--set", given]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    titles = [line.partition(":")[0] for line in lines]
    assert titles == [each for n in range(4) for each in ("stage 1", f"fold {n}")] + ["4 folds"]
    assert "training 4 speakers 32 utterances; 4 steps an epoch; 10 epochs" in lines[0]


def test_a_plan_prepares_nothing(refused, tmp_path):
    places = ["--store", tmp_path / "empty", "--data-root", tmp_path / "none"]
    said = refused("train", *SMALL, *places, "--dataset", "savee", "--plan")
    assert "expected SAVEE" in said
    assert not (tmp_path / "empty").exists()
    # of a corpus that nobody knows there is nothing to prepare
    said = refused("train", *SMALL, *places, "--plan")
    assert "expected a data set (baved, " in said


def test_a_plan_needs_no_store_where_the_recordings_are(demo_root, tmp_path, capsys):
    """It has the same counts before and after the corpus is prepared."""
    store = tmp_path / "store"
    words = ["train", *SMALL, "--dataset", "demo", "--protocol", "10-fold", "--store", str(store)]
    words += ["--data-root", str(demo_root), "--set", "frontend.remove_silence=false", "--plan"]
    assert main(words) == 0
    unprepared = capsys.readouterr()
    assert "demo: not prepared, so counted with its pauses" in unprepared.err
    assert not store.exists()
    prepare("demo", demo_root, store, FrontEndConfig(bins=32, scale="linear", remove_silence=False))
    assert main(words) == 0
    prepared = capsys.readouterr()
    assert "not prepared" not in prepared.err
    counts = [said.out.partition(", about")[0] for said in (unprepared, prepared)]
    assert "training" in counts[0]
    assert counts[0] == counts[1]
