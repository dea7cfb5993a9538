"""Disks without room, places that may only be read, and names that are too long, all of them real.

Each ends a command in one line with exit code 2, and nothing that is left looks whole.
"""

from pathlib import Path

import pytest
from disks import read_only, resize, small_disk

from ser_aae.cli import main
from ser_aae.files.atomic import PARTIAL
from ser_aae.results.folder import EPOCHS, PREDICTIONS, RESULT, find_runs

pytestmark = pytest.mark.usefixtures("few_steps")

SMALL = [
    *("frontend.bins=32", "frontend.scale=linear", "data.segment_frames=64"),
    *("data.evaluation_shift_frames=32", "model.filters=4,4", "model.dense_units=8,8"),
    *("model.latent_channels=4", "training.batch_size=64", "training.epochs=2"),
    "training.pretraining_epochs=2",
]
BASE = ["--dataset", "tiny", "--protocol", "loso-session"]
BASE += [word for each in SMALL for word in ("--set", each)]
NAMES = ("train", "tune", "synthesise", "report", "export", "card", "enrol")
LONG = "x" * 300


def check_nothing_looks_whole(folder):
    assert not list(folder.rglob(PARTIAL))
    assert not list(folder.rglob(RESULT))


def test_training_goes_on_in_either_stage_once_there_is_room(tiny_store, tmp_path, refused, capsys):
    train = ["train", *BASE, "--auxiliary", "voices", "--store", str(tiny_store), "--runs"]
    assert main([*train, str(tmp_path / "undisturbed")]) == 0
    capsys.readouterr()

    with small_disk(tmp_path / "disk", 1600) as disk:
        for kilobytes, stage in ((1600, 1), (2000, 2)):
            resize(disk, kilobytes)
            said = refused(*train, disk).splitlines()[-1]
            assert said.startswith(f"ser-aae: error: {disk}")
            assert said.endswith(": the disk is full; make room and give the same command again")
            check_nothing_looks_whole(disk)
            assert bool(list(disk.rglob("weights.npz"))) == (stage == 2)
        resize(disk, 20000)
        assert main([*train, str(disk)]) == 0

        (run,), (other,) = find_runs(Path(disk)), find_runs(tmp_path / "undisturbed")
        assert (run / PREDICTIONS).read_bytes() == (other / PREDICTIONS).read_bytes()
        logs = [(each / EPOCHS).read_text().splitlines() for each in (run, other)]
        assert len(logs[0]) == len(logs[1])


def test_a_search_goes_on_once_there_is_room(tiny_store, tmp_path, refused):
    tune = ["tune", *BASE, "--model", "cnn", "--space", "rate", "--trials", "1"]
    tune += ["--store", str(tiny_store), "--runs"]
    with small_disk(tmp_path / "disk", 1000) as disk:
        said = refused(*tune, disk).splitlines()[-1]
        assert said.endswith(": the disk is full; make room and give the same command again")
        check_nothing_looks_whole(disk)
        assert not list(disk.rglob("best.yaml"))
        resize(disk, 20000)
        assert main([*tune, str(disk)]) == 0


@pytest.fixture
def places(tiny_store, recorded_run):
    """Return a function: where to write -> commands that write there."""

    def commands(place):
        run = str(recorded_run.folder)
        recordings = sorted(recorded_run.recordings.rglob("*.wav"))[:3]
        export = ["export", run, "--format", "keras", "--store", str(recorded_run.store)]
        enrol = ["enrol", run, *map(str, recordings), "--speaker", "ann"]
        runs, store = str(recorded_run.folder.parents[2]), ["--store", str(tiny_store)]
        return {
            "train": ["train", *BASE, "--model", "cnn", *store, "--runs", place],
            "tune": ["tune", *BASE, "--model", "cnn", "--space", "rate", *store, "--runs", place],
            "synthesise": ["synthesise", "--dataset", "demo", "--data-root", place],
            "report": ["report", "--runs", runs, "--out", place],
            "export": [*export, "--out", f"{place}.keras"],
            "enrol": [*enrol, "--out", f"{place}.json"],
            "card": ["card", run, "--out", f"{place}.md"],
        }

    return commands


@pytest.mark.parametrize("name", NAMES)
def test_a_place_that_may_only_be_read(places, tmp_path, refused, name):
    with read_only(tmp_path):
        said = refused(*places(str(tmp_path / "new"))[name]).splitlines()[-1]
    assert str(tmp_path / "new") in said
    assert "read-only" in said.lower()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_too_long(places, tmp_path, refused, name):
    said = refused(*places(str(tmp_path / LONG))[name]).splitlines()[-1]
    assert LONG in said
    assert "too long" in said
    assert not list(tmp_path.iterdir())
