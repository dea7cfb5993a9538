"""The schedule of Sec. 4.3, the log and the backup, on a model that need not learn."""

import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from ser_aae.config import ModelConfig, TrainingConfig
from ser_aae.files.atomic import PARTIAL, append_jsonl, parse_json, read_jsonl
from ser_aae.files.digests import digest_of_plain
from ser_aae.model.aae import MultitaskAAE
from ser_aae.results.folder import EPOCHS
from ser_aae.training import callbacks
from ser_aae.training.callbacks import (
    Backup,
    DivergedError,
    EpochLog,
    HalveOnPlateau,
    StopOnNaN,
    SwapAverages,
    learning_rates,
    read_backup,
    remove_backup,
    save_weights,
)

CONFIG = replace(ModelConfig(), filters=(2, 2), latent_channels=2, dense_units=(4, 4))


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    model = MultitaskAAE(CONFIG, {"emotion": 2, "gender": 2}, (16, 32, 1))
    model.compile(TrainingConfig(update="serial"))
    return model


def set_weights(model, value):
    model.encoder.get_layer("encoder_1_conv").kernel.assign(
        np.full((5, 5, 1, 2), value, np.float32)
    )


def first_weight(model):
    return float(model.encoder.get_layer("encoder_1_conv").kernel.numpy()[0, 0, 0, 0])


def follow(model, schedule, scores):
    """Show the schedule one score an epoch, marking each epoch's weights with its number."""
    schedule.set_model(model)
    for epoch, score in enumerate(scores):
        set_weights(model, epoch)
        schedule.on_epoch_end(epoch, {"val_unweighted_accuracy": score})
        if model.stop_training:
            return epoch
    return None


def plateau(tmp_path, **changes):
    settings = {"patience_epochs": 3, "rate_factor": 0.5, "stop_ratio": 0.1, "selection_epochs": 1}
    settings = TrainingConfig(**settings | changes)
    return HalveOnPlateau(tmp_path / "best.weights.h5", settings, chance=0.25)


def test_no_halving_while_it_improves(model, tmp_path):
    before = learning_rates(model)
    follow(model, plateau(tmp_path), [0.1, 0.2, 0.15, 0.15, 0.3])
    assert learning_rates(model) == before


def test_plateau_restores_the_best_and_halves_every_rate(model, tmp_path):
    before = learning_rates(model)
    schedule = plateau(tmp_path)
    follow(model, schedule, [0.1, 0.5, 0.4, 0.4, 0.4])
    assert first_weight(model) == 1.0
    assert schedule.state["best_epoch"] == 1
    after = learning_rates(model)
    assert set(after) == {
        "reconstruction",
        "discriminator",
        "generator",
        "classification",
        "emotion",
        "gender",
    }
    for name, rate in after.items():
        assert rate == pytest.approx(before[name] / 2)


def test_rates_of_the_best_epoch_do_not_come_back_with_its_weights(model, tmp_path):
    before = learning_rates(model)["classification"]
    follow(model, plateau(tmp_path, patience_epochs=1), [0.5, 0.4, 0.4])
    assert learning_rates(model)["classification"] == pytest.approx(before / 4)


def test_ends_when_the_rate_falls_under_a_tenth(model, tmp_path):
    # 1/2, 1/4, 1/8, 1/16: the fourth halving is the first under a tenth
    assert follow(model, plateau(tmp_path, patience_epochs=2), [0.5] + [0.4] * 20) == 8


@pytest.mark.parametrize(
    ("changes", "last"),
    [({"patience_epochs": 1}, 4), ({"rate_factor": 0.05}, 3), ({"stop_ratio": 0.3}, 6)],
)
def test_each_setting_changes_the_schedule(model, tmp_path, changes, last):
    assert follow(model, plateau(tmp_path, **changes), [0.5] + [0.4] * 20) == last


def test_best_weights_come_back_at_the_end(model, tmp_path):
    schedule = plateau(tmp_path)
    follow(model, schedule, [0.1, 0.5, 0.4])
    assert first_weight(model) == 2.0
    schedule.on_train_end()
    assert first_weight(model) == 1.0


def test_an_epoch_that_is_good_by_luck_is_not_chosen(model, tmp_path):
    scores = [0.1, 0.9, 0.1, 0.5, 0.6, 0.6]
    alone, running = (
        plateau(tmp_path, patience_epochs=9),
        plateau(tmp_path, patience_epochs=9, selection_epochs=3),
    )
    for schedule in (alone, running):
        follow(model, schedule, scores)
    assert (alone.state["best_epoch"], running.state["best_epoch"]) == (1, 5)
    assert running.state["best"] == pytest.approx((0.5 + 0.6 + 0.6) / 3)


@pytest.mark.parametrize(
    ("start", "kept"), [("left-out", 0), ("guessing", 5)], ids=["left-out", "guessing"]
)
def test_a_lucky_first_epoch_is_kept_only_where_its_mean_is_one_of_one(
    model, tmp_path, start, kept
):
    changes = {"patience_epochs": 9, "selection_epochs": 3, "selection_start": start}
    schedule = plateau(tmp_path, **changes)
    follow(model, schedule, [0.9, 0.3, 0.5, 0.6, 0.7, 0.8])
    assert schedule.state["best_epoch"] == kept


@pytest.mark.parametrize("start", ["left-out", "guessing"])
def test_what_is_reported_is_a_mean_of_epochs_that_ran(model, tmp_path, start):
    logs = {"val_unweighted_accuracy": 0.75}
    schedule = plateau(tmp_path, selection_epochs=3, selection_start=start)
    schedule.set_model(model)
    schedule.on_epoch_end(0, logs)
    assert logs["val_running_unweighted_accuracy"] == 0.75
    filled = (0.75 + 0.25 + 0.25) / 3
    expected = {"left-out": 0.75, "guessing": filled}[start]
    assert logs["val_selection_unweighted_accuracy"] == pytest.approx(expected)


def test_a_first_epoch_worse_than_guessing_is_kept_until_one_is_better(model, tmp_path):
    schedule = plateau(tmp_path, patience_epochs=9, selection_epochs=3)
    follow(model, schedule, [0.2, 0.1, 0.1, 0.2])
    assert schedule.state["best_epoch"] == 0


@pytest.mark.parametrize(
    ("start", "epochs", "compared"),
    [
        ("guessing", 60, 30),
        ("guessing", 15, 8),
        ("guessing", 1, 1),
        ("guessing", 500, 30),
        ("left-out", 15, 30),
    ],
)
def test_at_most_half_a_run_is_compared_where_its_start_is_filled(start, epochs, compared):
    assert TrainingConfig(selection_start=start, epochs=epochs).compared_epochs == compared


def test_what_chooses_is_logged_and_goes_on_from_a_backup(model, tmp_path):
    logs = {"val_unweighted_accuracy": 0.4}
    schedule = plateau(tmp_path, selection_epochs=2)
    schedule.set_model(model)
    schedule.state |= {"recent": [0.9, 0.8]}
    schedule.on_epoch_end(7, logs)
    assert logs["val_running_unweighted_accuracy"] == pytest.approx(0.6)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_stops_with_the_name_of_the_loss_and_what_helps(value):
    with pytest.raises(DivergedError, match=r"emotion_loss became .* in epoch 3; lower training"):
        StopOnNaN().on_epoch_end(2, {"gender_loss": 1.0, "emotion_loss": value})


def test_finite_losses_go_on():
    StopOnNaN().on_epoch_end(0, {"emotion_loss": 1.0})


def test_swap_puts_the_averages_in_and_takes_them_out(model):
    swap = SwapAverages()
    swap.set_model(model)
    set_weights(model, 7.0)
    trained = model.get_weights()
    swap.on_epoch_end(0)
    assert first_weight(model) != 7.0
    swap.on_epoch_end(0)
    for one, two in zip(model.get_weights(), trained, strict=True):
        np.testing.assert_array_equal(one, two)


def test_no_swap_without_averaging(model):
    model.compile(replace(TrainingConfig(), average_decay=0.0))
    set_weights(model, 7.0)
    model.swap_averages()
    assert first_weight(model) == 7.0


def test_log_writes_a_line_an_epoch_and_shows_it(model, tmp_path):
    shown, tracked = [], []
    latent = {"mean": 0.0, "variance": 1.0}
    log = EpochLog(tmp_path, 2, lambda: latent, shown.append, tracked.append)
    log.set_model(model)
    log.set_params({"epochs": 2})
    log.on_train_begin()
    for epoch in range(2):
        log.on_epoch_begin(epoch)
        log.on_epoch_end(epoch, {"emotion_loss": 1.5, "val_unweighted_accuracy": 0.25})
    log.on_train_end()
    rows = read_jsonl(tmp_path / "epochs.jsonl")
    assert [row["number"] for row in rows] == [1, 2]
    assert rows[0]["train"] == {"emotion_loss": 1.5}
    assert rows[0]["validation"] == {"unweighted_accuracy": 0.25}
    assert rows[0]["latent"]["variance"] == 1.0
    assert rows[0]["learning_rates"] == learning_rates(model)
    first, estimate, second = shown
    assert first.startswith("stage 2 epoch 1/2: UA 25.0, emotion loss 1.500 (")
    assert estimate.startswith("stage 2: at most about 0 s for 2 epochs")
    assert second.startswith("stage 2 epoch 2/2: UA 25.0")
    assert tracked == rows


def test_backup_holds_one_whole_state(model, tmp_path):
    schedule = plateau(tmp_path)
    schedule.state["wait"] = 2
    backup = Backup(tmp_path, 2, schedule)
    backup.set_model(model)
    for epoch in range(3):
        set_weights(model, epoch)
        backup.on_epoch_end(epoch)
    state = read_backup(tmp_path)
    assert state is not None
    assert (state["stage"], state["epoch"], state["schedule"]["wait"]) == (2, 2, 2)
    assert [path.name for path in tmp_path.glob("backup-*.h5")] == [state["weights"]]
    set_weights(model, 9.0)
    model.load_weights(tmp_path / state["weights"])
    assert first_weight(model) == 2.0


def test_a_backup_reads_each_line_of_the_log_once(model, tmp_path, monkeypatch):
    """An epoch late in a long training costs as much as an early one."""
    read = []

    def spy(line, *arguments):
        read.append(line)
        return parse_json(line, *arguments)

    monkeypatch.setattr(callbacks, "parse_json", spy)
    rows = [{"stage": 1, "epoch": epoch, "train": {"loss": 0.1 + epoch}} for epoch in range(6)]
    append_jsonl(tmp_path / EPOCHS, rows[0])  # of a process before this one
    backup = Backup(tmp_path, 1)
    backup.set_model(model)
    for epoch, row in enumerate(rows[1:], start=1):
        append_jsonl(tmp_path / EPOCHS, row)
        backup.on_epoch_end(epoch)
        state = read_backup(tmp_path)
        assert state is not None
        assert state["log"] == digest_of_plain(rows[: epoch + 1], 16)
    assert len(read) == len(rows)


def test_an_interrupted_write_leaves_the_last_backup(model, tmp_path, monkeypatch):
    backup = Backup(tmp_path, 2, plateau(tmp_path))
    backup.set_model(model)
    backup.on_epoch_end(0)

    def interrupted(path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "save_weights", interrupted)
    with pytest.raises(KeyboardInterrupt):
        backup.on_epoch_end(1)
    state = read_backup(tmp_path)
    assert state is not None
    assert state["epoch"] == 0
    assert not list(tmp_path.glob(PARTIAL))
    monkeypatch.undo()
    model.load_weights(tmp_path / state["weights"])


@pytest.mark.parametrize("when", ["before the backup", "before the name"])
def test_a_kill_between_best_weights_and_backup_costs_nothing(model, tmp_path, monkeypatch, when):
    """The backup that is found goes with the best weights that it was written with."""
    schedule = plateau(tmp_path)
    backup = Backup(tmp_path, 2, schedule)
    backup.set_model(model)
    follow(model, schedule, [0.1])
    backup.on_epoch_end(0)
    set_weights(model, 7.0)
    schedule.on_epoch_end(1, {"val_unweighted_accuracy": 0.5})
    if when == "before the name":
        monkeypatch.setattr(schedule, "settle", lambda: None)
        backup.on_epoch_end(1)
    state = read_backup(tmp_path)
    assert state is not None
    model.load_weights(tmp_path / "best.weights.h5")
    best = {"before the backup": (0, 0.0), "before the name": (1, 7.0)}
    assert (state["schedule"]["best_epoch"], first_weight(model)) == best[when]
    assert [path.name for path in tmp_path.glob("*best*")] == ["best.weights.h5"]


def test_best_weights_without_any_backup_are_not_kept(model, tmp_path):
    follow(model, plateau(tmp_path), [0.1])
    assert read_backup(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_noticed_before_anything_is_written(model, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(OSError, match=r"No space left.*best\.weights\.h5"):
        save_weights(model, tmp_path / "best.weights.h5")
    assert not list(tmp_path.iterdir())


def test_removed_backup_is_gone(model, tmp_path):
    backup = Backup(tmp_path, 1, plateau(tmp_path))
    backup.set_model(model)
    backup.on_epoch_end(0)
    remove_backup(tmp_path)
    assert read_backup(tmp_path) is None
    assert not list(tmp_path.glob("backup*"))
