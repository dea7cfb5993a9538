"""Trackers: a fake one that draws and fails, MLflow with a store of its own, wandb offline."""

import json
import random

import numpy as np
import pytest
from mistakes import error_of

from ser_aae.config import RunConfig
from ser_aae.files.atomic import append_jsonl
from ser_aae.results.folder import flatten
from ser_aae.training import trackers as module
from ser_aae.training.trackers import figures_of_epoch, figures_of_result, open_trackers

RESULT = {"unweighted_accuracy": 0.5, "epochs": 3, "warnings": [], "flag": True, "other": None}


def row(stage, number):
    return {
        "stage": stage,
        "number": number,
        "seconds": 1.0,
        "learning_rates": {"generator": 0.1},
        "train": {"emotion_loss": 1.0 + number},
        "validation": {"unweighted_accuracy": 0.25} if stage == 2 else {},
        "latent": {"mean": 0.0},
    }


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "runs" / "demo-emotion-mtl-loso" / "12345678" / "fold00-rep00"
    place.mkdir(parents=True)
    append_jsonl(place / "epochs.jsonl", row(1, 1))
    (place / "config.json").write_text("{}")
    (place / "result.json").write_text(json.dumps(RESULT))
    return place


class Fake:
    """A tracker that notes what it is told, draws random numbers, and may fail."""

    told: list = []  # noqa: RUF012
    fails_at = ""
    is_new = True

    def _note(self, name, *told):
        random.random()  # noqa: S311
        np.random.random()
        if self.fails_at == name:
            raise OSError("the server is gone")
        self.told.append((name, *told))

    def start(self, run):
        self._note("start", run.name, run.digest, run.parameters["model.kind"])
        return self.is_new

    def epoch(self, number, figures):
        self._note("epoch", number, figures)

    def artefact(self, path):
        self._note("artefact", path.name)

    def end(self, figures, is_done):
        self._note("end", figures, is_done)


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setitem(module._TRACKERS, "mlflow", Fake)
    for name, value in {"told": [], "fails_at": "", "is_new": True}.items():
        monkeypatch.setattr(Fake, name, value)
    return Fake


def track(folder, names, show=print):
    """Tell trackers what a training tells them."""
    with open_trackers(RunConfig(), folder, show, names) as trackers:
        trackers.catch_up()
        for number in (1, 2):
            trackers.epoch(row(2, number))
        trackers.finish(RESULT)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_tracker_is_told_the_run_its_epochs_its_files_and_its_end(
    fake, folder, monkeypatch, is_new
):
    monkeypatch.setattr(Fake, "is_new", is_new)
    track(folder, ["mlflow"])
    digest = RunConfig().digest()
    epochs = ([row(1, 1)] if is_new else []) + [row(2, 1), row(2, 2)]
    assert fake.told == [
        ("start", "demo-emotion-mtl-loso/12345678/fold00-rep00", digest, "mtl"),
        *(("epoch", each["number"], figures_of_epoch(each)) for each in epochs),
        *(("artefact", name) for name in ("config.json", "epochs.jsonl", "result.json")),
        ("end", {"unweighted_accuracy": 0.5, "epochs": 3.0}, True),
    ]
    figures = figures_of_epoch(row(2, 2))
    assert figures["stage2/train/emotion_loss"] == 3.0
    assert figures["stage2/validation/unweighted_accuracy"] == 0.25
    assert figures_of_result(RESULT) == {"unweighted_accuracy": 0.5, "epochs": 3.0}


def test_a_run_that_is_interrupted_is_told_so(fake, folder):
    with pytest.raises(KeyboardInterrupt), open_trackers(RunConfig(), folder, print, ["mlflow"]):
        raise KeyboardInterrupt
    assert fake.told[-1] == ("end", {}, False)


@pytest.mark.parametrize("fails_at", ["epoch", "artefact", "end"])
def test_one_that_fails_ends_no_training(fake, folder, monkeypatch, fails_at):
    monkeypatch.setattr(Fake, "fails_at", fails_at)
    shown = []
    track(folder, ["mlflow", "tensorboard"], shown.append)
    assert shown == [
        "warning: mlflow is told nothing any more: OSError: the server is gone",
    ]
    assert list((folder / "tensorboard").glob("events*"))


def test_one_that_does_not_start_is_the_users_to_mend(fake, folder, monkeypatch):
    monkeypatch.setattr(Fake, "fails_at", "start")
    said = error_of(track, folder, ["tensorboard", "mlflow"])
    assert "--log mlflow: it cannot be started (OSError: the server is gone)" in said


def test_what_a_tracker_draws_changes_no_draw_of_the_run(fake, folder):
    random.seed(1)
    np.random.seed(1)
    wanted = random.random(), np.random.random()  # noqa: S311
    random.seed(1)
    np.random.seed(1)
    track(folder, ["mlflow"])
    assert (random.random(), np.random.random()) == wanted  # noqa: S311


@pytest.mark.filterwarnings("ignore")  # what these packages say of one another
def test_mlflow_has_parameters_epochs_files_and_the_digest(folder, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="needs the extra mlflow", exc_type=ImportError)
    store = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(store)
    with open_trackers(RunConfig(), folder, print, ["mlflow"]) as trackers:  # is interrupted
        trackers.catch_up()
        trackers.epoch(row(2, 1))
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("ser-aae").experiment_id
    (before,) = client.search_runs([experiment])
    assert before.info.status == "KILLED"
    with open_trackers(RunConfig(), folder, pytest.fail, ["mlflow"]) as trackers:
        trackers.catch_up()
        trackers.epoch(row(2, 2))
        trackers.finish(RESULT)

    (found,) = client.search_runs([experiment])
    assert found.info.run_id == before.info.run_id
    assert found.info.status == "FINISHED"
    assert found.data.params["model.kind"] == "mtl"
    assert found.data.params.keys() == flatten(RunConfig().to_dict()).keys()
    assert found.data.tags["ser-aae.digest"] == RunConfig().digest()
    assert found.data.metrics["unweighted_accuracy"] == 0.5
    history = client.get_metric_history(found.info.run_id, "stage2/train/emotion_loss")
    assert [(each.step, each.value) for each in history] == [(0, 1.0), (1, 2.0)]
    assert len(client.get_metric_history(found.info.run_id, "stage1/train/emotion_loss")) == 1
    names = {each.path for each in client.list_artifacts(found.info.run_id)}
    assert names == {"config.json", "epochs.jsonl", "result.json"}

    track(folder, ["mlflow"])  # a run that is trained anew is another one
    assert len(client.search_runs([experiment])) == 2


@pytest.mark.filterwarnings("ignore")  # what these packages say of one another
def test_wandb_keeps_a_run_offline(folder, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="needs the extra wandb", exc_type=ImportError)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    track(folder, ["wandb"], pytest.fail)
    wandb.teardown()  # writes what waits
    (run,) = (tmp_path / "wandb").glob("offline-run-*")
    (record,) = run.glob("*.wandb")
    content = record.read_bytes()
    for text in (RunConfig().digest(), "stage2/train/emotion_loss", "model.kind"):
        assert text.encode() in content
    assert {path.name for path in (run / "files").iterdir()} >= {"config.json", "result.json"}
