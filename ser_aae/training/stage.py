"""The epochs of a stage: its batches, what happens after each, going on where it stopped."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from ser_aae.batches.pipeline import Normalisation, training_dataset
from ser_aae.config import RunConfig
from ser_aae.data.mixture import Mixture
from ser_aae.errors import DamagedError
from ser_aae.files.atomic import read_jsonl, write_bytes
from ser_aae.files.digests import digest_of_plain
from ser_aae.model.aae import MultitaskAAE
from ser_aae.progress import Show, open_bar
from ser_aae.results.folder import BACKUP, EPOCHS
from ser_aae.results.run_kinds import Epoch, epoch_number
from ser_aae.training.callbacks import (
    Backup,
    EpochLog,
    HalveOnPlateau,
    StopOnNaN,
    SwapAverages,
    Track,
    load_weights,
    read_backup,
    train_anew,
)
from ser_aae.training.devices import AgreedScores, AllReplicas, share_batches
from ser_aae.training.display import EpochBar, Parts, describe_parts, name_device
from ser_aae.training.latent import describe_latent


@dataclass(frozen=True)
class Stage:
    """One of the two stages of training (Sec. 4.3).

    Attributes:
        number: 1 is on the auxiliary corpora alone, 2 on emotional data.
        told: Parts that the opening line speaks of, by what they are for.
        epochs: Most that are run.
        mixture: Shares of each batch.
        steps: Steps of each epoch.
        normalisation: Normalisation of all segments.
        observed: Batches that the latent code is described on, segments first.
        scoring: Callbacks after each epoch, while the averaged weights are in the model.
        schedule: Schedule of the rates; without one they stay, and so do the last epoch's weights.
    """

    number: int
    told: Parts
    epochs: int
    mixture: Mixture
    steps: int
    normalisation: Normalisation
    observed: tf.data.Dataset
    scoring: Sequence[keras.callbacks.Callback] = ()
    schedule: HalveOnPlateau | None = None


def fit_stage(
    model: MultitaskAAE, stage: Stage, config: RunConfig, folder: Path, show: Show, track: Track
) -> None:
    """Run the epochs of a stage that are still to be run, with log and backup in a folder.

    The model is compiled and has the weights that the stage begins with.
    """
    schedule, first = stage.schedule, _resume(model, stage, folder, show)
    if first >= stage.epochs:
        if schedule is not None:
            schedule.set_model(model)
            schedule.on_train_end()
        return
    seed = config.seed * 2 + stage.number
    batches = training_dataset(
        stage.mixture, stage.steps, stage.normalisation, config.data, seed, first
    )
    size = sum(share.rows for share in stage.mixture)
    strategy, title = model.distribute_strategy, f"stage {stage.number}"
    opening = f"{title}, fold {config.protocol.fold}" if stage.number == 2 else title
    show(f"{opening} on {name_device(strategy)}: {describe_parts(stage.told, stage.steps)}")
    with open_bar(stage.steps, title, "step", show) as bar:
        model.fit(
            share_batches(batches, size, strategy, stage.mixture[0].rows),
            steps_per_epoch=stage.steps,
            initial_epoch=first,
            epochs=stage.epochs,
            shuffle=False,
            verbose=0,
            callbacks=[EpochBar(bar, title), *_callbacks(model, stage, folder, show, track)],
        )


def _callbacks(
    model: MultitaskAAE, stage: Stage, folder: Path, show: Show, track: Track
) -> list[keras.callbacks.Callback]:
    """Return what is done after each epoch, in this order: the backup is of a whole epoch."""
    schedule = stage.schedule
    return [
        AllReplicas(),
        StopOnNaN(),
        SwapAverages(),
        *stage.scoring,
        AgreedScores(),
        *([schedule] if schedule is not None else []),
        EpochLog(folder, stage.number, lambda: describe_latent(model, stage.observed), show, track),
        SwapAverages(),
        Backup(folder, stage.number, schedule),
    ]


def _resume(model: MultitaskAAE, stage: Stage, folder: Path, show: Show) -> int:
    """Load what an interrupted stage left, and return its next epoch."""
    backup = read_backup(folder)
    if backup is None or backup["stage"] != stage.number:
        _forget_epochs_after(folder, stage.number, -1, None)
        return 0
    _forget_epochs_after(folder, stage.number, backup["epoch"], backup.get("log"))
    load_weights(model, folder / backup["weights"], train_anew(folder))
    if stage.schedule is not None:
        stage.schedule.state = backup["schedule"]
    first = int(backup["epoch"]) + 1
    show(f"stage {stage.number}: goes on after epoch {first}")
    return stage.epochs if backup["ended"] else first


def _forget_epochs_after(folder: Path, stage: int, epoch: int, digest: str | None) -> None:
    """Remove from the log the lines of epochs that will be run again.

    Raises:
        DamagedError: It lacks a line of an epoch before, or has a line that is none of a log; or
            the lines that are left have another digest, where there is one.
    """
    path, mend = folder / EPOCHS, train_anew(folder)
    rows = read_jsonl(path, mend, Epoch)
    kept = [row for row in rows if (row["stage"], epoch_number(row)) <= (stage, epoch + 1)]
    for number in sorted({stage, *(row["stage"] for row in kept)}):
        found = [epoch_number(row) for row in kept if row["stage"] == number]
        wanted = epoch + 1 if number == stage else len(found)
        if found != list(range(1, wanted + 1)):
            raise DamagedError(
                f"{path}: expected a line for each of {wanted} epochs of stage {number}, found "
                f"{len(found)}; {mend}"
            )
    if digest not in (None, digest_of_plain(kept, 16)):
        raise DamagedError(
            f"{path}: changed since it was written, by its digest in {BACKUP}; {mend}"
        )
    if path.exists():
        write_bytes(path, "".join(json.dumps(row) + "\n" for row in kept).encode())
