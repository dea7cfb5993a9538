"""The epochs of a stage: its batches, what happens after each, going on where it stopped."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import tensorflow as tf

from ser_aae.batches.pipeline import Normalisation, steps_per_epoch, training_dataset
from ser_aae.config import RunConfig
from ser_aae.data.part import Part
from ser_aae.files.atomic import read_jsonl, write_bytes
from ser_aae.model.aae import MultitaskAAE
from ser_aae.progress import Show
from ser_aae.results.folder import EPOCHS
from ser_aae.training.callbacks import (
    Backup,
    EpochLog,
    HalveOnPlateau,
    StopOnNaN,
    SwapAverages,
    read_backup,
)
from ser_aae.training.devices import AgreedScores, AllReplicas, share_batches
from ser_aae.training.latent import latent_moments


@dataclass(frozen=True)
class Stage:
    """One of the two stages of training (Sec. 4.1.3).

    Attributes:
        number: 1 is on the auxiliary corpora alone, 2 on emotional data.
        epochs: At most.
        primary: Parts that an epoch visits once.
        auxiliary: Parts that are mixed in.
        auxiliary_ratio: The share of a batch that they have.
        normalisation: Of all its segments.
        observed: Batches that the latent code is described on, segments first.
        scoring: Called after each epoch, with the averaged weights in their place.
        schedule: Of the rates; without one they stay, and so do the weights of the last epoch.
    """

    number: int
    epochs: int
    primary: Sequence[Part]
    auxiliary: Sequence[Part]
    auxiliary_ratio: float
    normalisation: Normalisation
    observed: tf.data.Dataset
    scoring: Sequence[keras.callbacks.Callback] = ()
    schedule: HalveOnPlateau | None = None


def fit_stage(
    model: MultitaskAAE, stage: Stage, config: RunConfig, folder: Path, show: Show
) -> None:
    """Run the epochs of a stage that are still to be run.

    Args:
        model: Compiled, with the weights that the stage begins with.
        stage: What it is trained on.
        config: The run.
        folder: Where log and backup lie.
        show: Called with a line of text an epoch.
    """
    schedule, first = stage.schedule, 0
    backup = read_backup(folder)
    if backup is not None and backup["stage"] == stage.number:
        first = backup["epoch"] + 1
        model.load_weights(folder / backup["weights"])
        if schedule is not None:
            schedule.state = backup["schedule"]
        show(f"stage {stage.number}: goes on after epoch {first}")
        if first >= stage.epochs or backup["ended"]:
            if schedule is not None:
                schedule.set_model(model)
                schedule.on_train_end()
            return
    _forget_epochs_after(folder, stage.number, first - 1)
    batches, steps = _batches(stage, config, first)
    batches = share_batches(batches, config.training.batch_size, model.distribute_strategy)
    scheduled = [] if schedule is None else [schedule]
    model.fit(
        batches,
        steps_per_epoch=steps,
        initial_epoch=first,
        epochs=stage.epochs,
        shuffle=False,
        verbose=0,
        # in this order: the backup is of a whole epoch
        callbacks=[
            AllReplicas(),
            StopOnNaN(),
            SwapAverages(),
            *stage.scoring,
            AgreedScores(),
            *scheduled,
            EpochLog(folder, stage.number, lambda: latent_moments(model, stage.observed), show),
            SwapAverages(),
            Backup(folder, stage.number, schedule),
        ],
    )


def _batches(stage: Stage, config: RunConfig, first: int) -> tuple[tf.data.Dataset, int]:
    """Return the batches of a stage from its epoch `first` on, and the steps of an epoch."""
    size = config.training.batch_size
    data = replace(config.data, auxiliary_ratio=stage.auxiliary_ratio)
    batches = training_dataset(
        stage.primary,
        stage.auxiliary,
        stage.normalisation,
        data,
        size,
        config.seed * 2 + stage.number,
        first,
    )
    return batches, steps_per_epoch(stage.primary, data, size, bool(stage.auxiliary))


def _forget_epochs_after(folder: Path, stage: int, epoch: int) -> None:
    """Drop the lines of epochs that will be run again from the log."""
    path = folder / EPOCHS
    rows = read_jsonl(path)
    kept = [row for row in rows if (row["stage"], row["epoch"]) <= (stage, epoch)]
    if path.is_file():
        write_bytes(path, "".join(json.dumps(row) + "\n" for row in kept).encode())
