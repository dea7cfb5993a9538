"""One run on several devices and hosts: real processes that talk over the loopback device."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import tensorflow as tf
from tiny import traced_steps

from ser_aae.cli import build_parser
from ser_aae.commands.run_config import read_config
from ser_aae.config import DataConfig, ModelConfig, TrainingConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json, read_jsonl, write_json
from ser_aae.labels import AUXILIARY
from ser_aae.model.aae import build_model
from ser_aae.results.folder import BEST_WEIGHTS, run_folder
from ser_aae.results.predictions import read_predictions
from ser_aae.training import devices
from ser_aae.training.devices import (
    is_chief,
    mean_over_replicas,
    open_strategy,
    place_to_write,
    share_batches,
)
from ser_aae.training.run import train_and_evaluate
from ser_aae.training.seeds import seed_everything

ROOT = Path(__file__).resolve().parents[3]
MOST_SECONDS = 900


@pytest.fixture(scope="module")
def config(kfold_config):
    return replace(
        kfold_config,
        auxiliary=("voices",),
        data=replace(DataConfig(), segment_frames=64, evaluation_shift_frames=64),
        model=replace(
            ModelConfig(),
            filters=(4, 4),
            latent_channels=4,
            classifier_filters=4,
            dense_units=(8, 8),
            discriminator_zero_start=False,  # its first layers would hardly move in two epochs
        ),
        # not Adam, which makes steps of rounding errors, and slowly: steps double such errors
        training=replace(
            TrainingConfig(),
            optimiser="sgd",
            learning_rate=5e-3,
            epochs=2,
            batch_size=16,
            pretraining_epochs=1,
        ),
    )


def free_ports(count):
    """Return ports of the loopback device that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def start(config, store, runs, cluster):
    """Start `ser-aae train` as a user does on one of several hosts."""
    runs.mkdir(parents=True, exist_ok=True)
    (runs / "config.json").write_text(json.dumps(config.to_dict()))
    command = [sys.executable, "-m", "ser_aae", "train", "--config", str(runs / "config.json")]
    words = ["--store", str(store), "--runs", str(runs), "--strategy", "multiworker"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    environment["TF_CONFIG"] = json.dumps(cluster)
    return subprocess.Popen(
        [*command, *words],
        cwd=runs,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def train_on_two(config, store, runs):
    """Return what both processes printed, the chief's first."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    processes = [
        start(
            config,
            store,
            runs,
            {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}},
        )
        for index in range(2)
    ]
    said = [process.communicate(timeout=MOST_SECONDS) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    return said


def assert_close(one, two):
    assert one.keys() == two.keys()
    for name, value in one.items():
        # hosts add up in another order, and rounding may decide a segment whose two largest
        # posteriors are alike
        tolerance = 0.03 if name.endswith("_accuracy") else 1e-3
        assert value == pytest.approx(two[name], rel=1e-3, abs=tolerance), name


def weights_in(path):
    """Return the weights of all networks in a file of weights, by name."""
    networks = ("encoder/", "decoder/", "discriminator/", "classifiers/")
    found = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset) and name.startswith(networks):
            found[name] = item[()]

    with h5py.File(path) as file:
        file.visititems(keep)
    return found


def untrained_weights(config, run, path):
    """Return what the networks of a run began with; `path` is where they are saved meanwhile."""
    seed_everything(config)
    model = build_model(config, read_json(run / "normalisation.json")["num_classes"])
    model.compile(config.training)
    model.save_weights(path)
    return weights_in(path)


def assert_trained_alike(one, two, untrained):
    """Two runs end with the same weights, and far from where they began."""
    assert one.keys() == two.keys() == untrained.keys()
    for name, weight in one.items():
        # a few times what rounding comes to in so few steps
        np.testing.assert_allclose(two[name], weight, rtol=1e-5, atol=3e-5, err_msg=name)
        # the discriminator's steps are small: two that stayed where they began would agree too
        moved = np.abs(weight - untrained[name]).max()
        assert np.abs(two[name] - weight).max() < 0.01 * moved, name


def test_two_hosts_give_what_one_process_gives_but_for_rounding(config, tiny_store, tmp_path):
    with traced_steps():  # as those of other processes are
        one = train_and_evaluate(config, tiny_store, tmp_path / "one")
    (chief, _), (other, _) = train_on_two(config, tiny_store, tmp_path / "two")
    two = run_folder(tmp_path / "two", config)
    assert chief.splitlines()[-1] == str(two)
    assert other == ""
    rows = [read_jsonl(folder / "epochs.jsonl") for folder in (one, two)]
    assert [row["stage"] for row in rows[1]] == [1, 2, 2]
    weights = [weights_in(folder / BEST_WEIGHTS) for folder in (one, two)]
    assert_trained_alike(*weights, untrained_weights(config, one, tmp_path / "it.weights.h5"))
    for first, second in zip(*rows, strict=True):
        assert_close(first["train"], second["train"])
        assert_close(first["latent"], second["latent"])
    frames = [read_predictions(folder / "predictions.parquet") for folder in (one, two)]
    posteriors = [frame.filter(like="p_").to_numpy() for frame in frames]
    np.testing.assert_allclose(*posteriors, atol=1e-3)
    assert read_json(two / "result.json")["n"] == len(frames[0])
    left = {path.name for path in two.iterdir()}
    assert left == {path.name for path in one.iterdir()} | {"pretraining"}
    assert len(list((tmp_path / "two").rglob("result.json"))) == 1


def test_one_device_is_what_there_is_without_a_strategy():
    strategy = open_strategy("one")
    assert strategy is tf.distribute.get_strategy()
    assert is_chief(strategy)
    batches = tf.data.Dataset.range(1)
    assert share_batches(batches, 7, strategy) is batches
    assert mean_over_replicas(strategy, [0.25]) == [0.25]


@pytest.mark.parametrize(
    "given",
    ["", "{", "[]", '{"cluster": {}}', '{"cluster": {"worker": ["a:1"]}}'],
)
def test_several_hosts_have_to_be_named(monkeypatch, given):
    monkeypatch.setenv("TF_CONFIG", given)
    with pytest.raises(UserError, match=r"--strategy multiworker: expected \$TF_CONFIG as \{"):
        open_strategy("multiworker")


def test_a_batch_that_cannot_be_parted_is_refused():
    strategy = SimpleNamespace(num_replicas_in_sync=3)
    with pytest.raises(UserError, match="expected a multiple of the 3 devices, got 16"):
        share_batches(tf.data.Dataset.range(1), 16, strategy)


def test_a_device_without_a_row_that_takes_part_in_every_phase_is_refused():
    labels = {"emotion": [0] * 8, AUXILIARY: [0] + [1] * 7}
    marked = tf.data.Dataset.from_tensors((tf.zeros([8, 2]), labels))
    strategy = SimpleNamespace(num_replicas_in_sync=2)
    with pytest.raises(UserError, match=r"for each of the 2 devices, got 1; lower data\.aux"):
        share_batches(marked, 8, strategy, primary_rows=1)


@pytest.mark.parametrize(
    ("jobs", "kind", "index", "expected"),
    [
        (["worker"], "worker", 0, True),
        (["worker"], "worker", 1, False),
        (["chief", "worker"], "worker", 0, False),
        (["chief", "worker"], "chief", 0, True),
    ],
)
def test_the_chief_is_the_first_worker_unless_one_is_named(
    monkeypatch, jobs, kind, index, expected
):
    monkeypatch.setattr(devices, "is_on_several_hosts", lambda strategy: True)
    cluster = SimpleNamespace(jobs=jobs)
    resolver = SimpleNamespace(cluster_spec=lambda: cluster, task_type=kind, task_id=index)
    assert is_chief(SimpleNamespace(cluster_resolver=resolver)) is expected


def test_all_but_the_chief_go_on_from_a_copy_and_leave_no_trace(config, tmp_path, monkeypatch):
    begun = run_folder(tmp_path, config)
    write_json(begun / "backup.json", {"epoch": 3})
    one = open_strategy("one")
    with place_to_write(one, config, tmp_path) as place:
        assert place == tmp_path
    monkeypatch.setattr(devices, "is_chief", lambda strategy: False)
    with place_to_write(one, config, tmp_path) as place:
        assert place != tmp_path
        assert read_json(run_folder(place, config) / "backup.json") == {"epoch": 3}
        (run_folder(place, config) / "backup.json").unlink()
    assert not place.exists()
    assert (begun / "backup.json").is_file()


def test_it_is_no_part_of_what_names_a_run(config, tmp_path):
    words = ["train", "--dataset", "tiny", "--runs", str(tmp_path)]
    mine, other = (
        read_config(build_parser().parse_args([*words, "--strategy", name]))
        for name in ("one", "mirrored")
    )
    assert mine.digest() == other.digest()
