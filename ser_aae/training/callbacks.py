"""Callbacks at the end of an epoch: scores, the schedule of Sec. 4.3, the log, the backup."""

import errno
import math
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras

from ser_aae.config import TrainingConfig
from ser_aae.errors import DamagedError
from ser_aae.files.atomic import (
    append_jsonl,
    has_file,
    parse_json,
    read_json,
    write_json,
    written_whole,
)
from ser_aae.files.damage import damage_told
from ser_aae.files.digests import RowsDigest, digest_of_file
from ser_aae.progress import Show
from ser_aae.results.folder import (
    BACKUP,
    BACKUP_WEIGHTS,
    BEST_WEIGHTS,
    EPOCHS,
    NEXT_BEST_WEIGHTS,
    backup_weights,
)
from ser_aae.results.run_kinds import EPOCH_NUMBER, RUNNING, SELECTION
from ser_aae.results.run_kinds import Backup as BackupRecord
from ser_aae.training.display import epoch_line, estimate_whole
from ser_aae.training.divergence import MEND, DivergedError
from ser_aae.training.scoring import Scorer, score_tasks

_SPARE_BYTES = 1_000_000
"""Most that an HDF5 file of weights needs beyond the weights themselves."""

Logs = dict[str, float]

Track = Callable[[Mapping[str, Any]], None]
"""Takes a line of a run's log."""


class StopOnNaN(keras.callbacks.Callback):
    """End training where a loss is NaN or infinite, and say which and what helps."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Look at the epoch's losses; the mean over an epoch is NaN if one step's was."""
        for name, value in logs.items():
            if not math.isfinite(value):
                raise DivergedError(f"{name} became {value} in epoch {epoch + 1}; {MEND}")


class SwapAverages(keras.callbacks.Callback):
    """Put the averaged weights in the place of the trained ones, or back.

    One stands before the callbacks that score and keep an epoch, another one after them.
    """

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Swap."""
        self.model.swap_averages()


class ValidationScores(keras.callbacks.Callback):
    """Score the validation utterances and put the figures among the epoch's logs."""

    def __init__(self, scorer: Scorer, primary: str) -> None:
        """Score what `scorer` holds; `primary` gets WA and UA, other tasks an accuracy."""
        super().__init__()
        self.scorer = scorer
        self.primary = primary

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Add `val_unweighted_accuracy` and the others."""
        posteriors, _ = self.scorer.posteriors()
        scores = score_tasks(posteriors, self.scorer.part, self.primary)
        logs.update({f"val_{name}": value for name, value in scores.items()})


class HalveOnPlateau(keras.callbacks.Callback):
    """The schedule of Sec. 4.3 over all optimisers (decisions T3).

    After `patience_epochs` without a better value the best weights come back and every learning
    rate is multiplied by `rate_factor`; training ends when the rate has fallen under `stop_ratio`
    of the first. The best weights are kept in a file, so that the best epoch outlives an
    interruption, and come back at the end. Those of a new best epoch wait under another name until
    a backup knows of them (`settle`): whoever goes on from the backup before needs the old ones.

    The value is the mean of the validation UA over the last `selection_epochs` epochs. On a few
    validation speakers one epoch alone is best by luck as often as by learning. For the same reason
    epochs that have not run yet count as guessing (`selection_start`): the mean of the first epochs
    would else be a mean of one, and a lucky first epoch would be kept.

    Attributes:
        state: Plain values that say where the schedule stands; part of the backup.
    """

    def __init__(self, path: Path, settings: TrainingConfig, chance: float) -> None:
        """Keep the best weights in `path`, whose name ends in `.weights.h5`.

        `chance` is the UA of guessing.
        """
        super().__init__()
        self.chance = chance
        self.path = path
        self.waiting = path.with_name(NEXT_BEST_WEIGHTS)
        self.settings = settings
        first = {"best": -1.0, "best_epoch": -1, "wait": 0, "scale": 1.0}
        self.state: dict[str, Any] = {**first, "recent": []}

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Keep a better epoch; halve, or end, after too many worse ones."""
        state, settings = self.state, self.settings
        compared = settings.compared_epochs
        state["recent"] = [*state["recent"], logs["val_unweighted_accuracy"]][-compared:]
        logs[f"val_{RUNNING}"] = sum(state["recent"]) / len(state["recent"])
        value = logs[f"val_{SELECTION}"] = self._fill_start(state["recent"])
        if value > state["best"]:
            state.update(best=value, best_epoch=epoch, wait=0)
            save_weights(self.model, self.waiting)
            return
        state["wait"] += 1
        if state["wait"] < settings.patience_epochs:
            return
        state["wait"] = 0
        state["scale"] *= settings.rate_factor
        rates = learning_rates(self.model)
        self.model.load_weights(self.newest())
        for name, optimiser in self.model.optimisers.items():
            # the file holds the rates of the best epoch too: they must not come back
            optimiser.learning_rate.assign(rates[name] * settings.rate_factor)
        if state["scale"] < settings.stop_ratio:
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Bring the best epoch's weights back."""
        if self.state["best_epoch"] >= 0:
            self.model.load_weights(self.newest())

    def _fill_start(self, recent: list[float]) -> float:
        """Return the mean of the UA of recent epochs, with those that have not run yet."""
        if self.settings.selection_start == "left-out":
            return sum(recent) / len(recent)
        missing = self.settings.compared_epochs - len(recent)
        return (sum(recent) + missing * self.chance) / (len(recent) + missing)

    def newest(self) -> Path:
        """Return the file that has the best epoch's weights."""
        return self.waiting if self.waiting.is_file() else self.path

    def settle(self) -> None:
        """Give the best epoch's weights their name, once a backup knows of them."""
        if self.waiting.is_file():
            os.replace(self.waiting, self.path)


class EpochLog(keras.callbacks.Callback):
    """Write one line an epoch to `epochs.jsonl`, tell trackers the same, and show progress.

    `latent` gives the latent code's mean, variance and kurtosis.
    """

    def __init__(
        self,
        folder: Path,
        stage: int,
        latent: Callable[[], Mapping[str, float]],
        show: Show,
        track: Track,
    ) -> None:
        super().__init__()
        self.folder = folder
        self.stage = stage
        self.latent = latent
        self.show = show
        self.track = track

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take the next epoch for the first of this process."""
        self.is_first = True

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write the epoch down."""
        figures = {name: float(value) for name, value in logs.items()}
        row = {
            "stage": self.stage,
            EPOCH_NUMBER: epoch + 1,
            "seconds": round(time.monotonic() - self.started, 3),
            "learning_rates": learning_rates(self.model),
            "train": {name: v for name, v in figures.items() if not name.startswith("val_")},
            "validation": {n[len("val_") :]: v for n, v in figures.items() if n.startswith("val_")},
            "latent": dict(self.latent()),
        }
        append_jsonl(self.folder / EPOCHS, row)
        self.track(row)
        self.show(epoch_line(epoch, self.params["epochs"], row))
        left = self.params["epochs"] - epoch
        if self.is_first and left > 1:
            self.show(estimate_whole(f"stage {self.stage}", row["seconds"], left))
        self.is_first = False


class Backup(keras.callbacks.Callback):
    """Keep what an interrupted run needs to go on as if nothing had happened.

    That is the weights, the optimisers, the state of everything random, and the schedule.
    The weights are written under a new name first; the JSON file that names them is replaced
    last, so that there is a whole backup at every moment.
    """

    def __init__(self, folder: Path, stage: int, schedule: HalveOnPlateau | None = None) -> None:
        """Keep the backup in `folder`, with where the schedule stands if there is one."""
        super().__init__()
        self.folder = folder
        self.stage = stage
        self.schedule = schedule
        self._log = RowsDigest()
        self._log_bytes = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the state after this epoch and forget the one before."""
        weights = backup_weights(self.stage, epoch)
        save_weights(self.model, self.folder / weights)
        state = {"stage": self.stage, "epoch": epoch, "weights": weights}
        state |= {"schedule": self.schedule.state} if self.schedule else {}
        state["ended"] = bool(self.model.stop_training)
        kept = {weights: self.folder / weights}
        kept |= {self.schedule.path.name: self.schedule.newest()} if self.schedule else {}
        self._read_log()
        state["log"] = self._log.digits(16)
        state["sha256"] = {
            name: digest_of_file(path) for name, path in kept.items() if path.is_file()
        }
        write_json(self.folder / BACKUP, state)
        if self.schedule:
            self.schedule.settle()
        for old in self.folder.glob(BACKUP_WEIGHTS):
            if old.name != weights:
                old.unlink()

    def _read_log(self) -> None:
        """Add the lines that came since to the digest: each epoch costs as much as the first."""
        path = self.folder / EPOCHS
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(self._log_bytes)
            for line in file:
                self._log.add(parse_json(line, str(path), train_anew(self.folder)))
            self._log_bytes = file.tell()


def read_backup(folder: Path) -> dict[str, Any] | None:
    """Return the state an interrupted run left, `None` where there is none.

    Best weights that wait get their name where the backup knows of them, and are removed otherwise:
    their epoch will be run again.

    Raises:
        DamagedError: It cannot be read, or the log or the weights beside it are not those that
            it was written with.
    """
    path, mend = folder / BACKUP, train_anew(folder)
    waiting = folder / NEXT_BEST_WEIGHTS
    state = read_json(path, "a backup", mend, kind=BackupRecord) if has_file(path) else None
    if has_file(waiting):
        digests = state.get("sha256", {}) if state else {}
        if digests.get(BEST_WEIGHTS) == digest_of_file(waiting):
            os.replace(waiting, folder / BEST_WEIGHTS)
        else:
            waiting.unlink()
    if state is None:
        return None
    # backups of an earlier version have no digests
    for name in {state["weights"], *state.get("sha256", {})}:
        if not has_file(folder / name):
            raise DamagedError(f"{folder / name}: expected weights of a backup, found none; {mend}")
        if state.get("sha256", {}).get(name) not in (None, digest_of_file(folder / name)):
            raise DamagedError(
                f"{folder / name}: changed since it was written, by its SHA-256 in {BACKUP}; {mend}"
            )
    return state


def train_anew(folder: Path) -> str:
    """Return the advice where something of an interrupted run is damaged."""
    return f"remove {folder} and give the same command again"


def remove_backup(folder: Path) -> None:
    """Remove the state of a run that has ended."""
    for path in [folder / BACKUP, *folder.glob(BACKUP_WEIGHTS)]:
        if (
            path.is_file()
        ):  # a file system that may only be read refuses to remove what is not there
            path.unlink(missing_ok=True)


def save_weights(model: keras.Model, path: Path) -> None:
    """Save weights and optimisers whole or not at all.

    Raises:
        OSError: ENOSPC, before anything is written: HDF5 ends the whole process on a full disk.
    """
    optimisers = [value for each in model.optimisers.values() for value in each.variables]
    needed = (
        2 * sum(value.numpy().nbytes for value in (*model.variables, *optimisers)) + _SPARE_BYTES
    )
    if shutil.disk_usage(path.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    with written_whole(path) as temporary:
        model.save_weights(temporary)


def load_weights(model: keras.Model, path: Path, mend: str) -> None:
    """Load weights and optimisers; an error ends with what mends it.

    Raises:
        DamagedError: No such file, or it is damaged or of another model.
    """
    with damage_told(path, mend, "expected weights, cannot read them"):
        model.load_weights(path)


def learning_rates(model: keras.Model) -> dict[str, float]:
    """Return the present rate of every optimiser."""
    return {name: float(each.learning_rate.numpy()) for name, each in model.optimisers.items()}
