"""Display of a training: what a stage trains on, a bar within the epoch, a line an epoch.

All figures of an epoch stand in `epochs.jsonl`; its line has room for the first of them.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from ser_aae.data.part import Part
from ser_aae.data.run_data import RunData
from ser_aae.progress import duration, move_bar
from ser_aae.results.run_kinds import RUNNING, SELECTION
from ser_aae.results.text import count_of
from ser_aae.utterance import known_speakers

if TYPE_CHECKING:
    from tqdm import tqdm

COLUMNS = 100
"""Most characters of an epoch's line."""

WATCHED = "classification_loss"
"""The loss beside the bar, L_c of eq. (2): every kind of model has it, and each stage lowers it."""

_SCORES = {
    "unweighted_accuracy": "UA",
    RUNNING: "running UA",
    "weighted_accuracy": "WA",
}
"""Validation figures that come first in an epoch's line, and their names there."""

Parts = Mapping[str, Sequence[Part]]
"""Name of what parts are for to the parts."""


class EpochBar(keras.callbacks.Callback):
    """Move a bar through the steps of each epoch.

    A step costs a look at the clock. The loss is fetched from the device when the bar is drawn, and
    not where several replicas would have to meet for it.
    """

    def __init__(self, bar: "tqdm", title: str) -> None:
        super().__init__()
        self.bar = bar
        self.title = title

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin with the first step."""
        self.bar.set_description_str(f"{self.title} epoch {epoch + 1}/{self.params['epochs']}")
        self.bar.set_postfix_str("", refresh=False)
        self.bar.reset(self.params["steps"])

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Draw the steps before this one; at the end of one, Keras would copy all its figures."""
        move_bar(self.bar, batch, self._watched)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Say what takes the time after the last step."""
        self.bar.set_postfix_str("validation", refresh=False)
        if not self.bar.disable:
            self.bar.update(self.bar.total - self.bar.n)
            self.bar.refresh()

    def _watched(self) -> str:
        if self.model.distribute_strategy.num_replicas_in_sync > 1:
            return ""
        (tracker,) = (each for each in self.model.metrics if each.name == WATCHED)
        return f"loss {float(tracker.result()):.3f}"


def parts_of_stage_two(data: RunData) -> Parts:
    """Return the parts of a run's fold, by what they are for."""
    return {
        "training": data.train,
        "mixed in": data.mixed,
        "validation": [data.validation],
        "test": [data.test],
    }


def describe_parts(parts: Parts, steps: int) -> str:
    """Return the speakers and utterances of the parts that are there, and the steps an epoch."""
    told = []
    for name, each in parts.items():
        items = [item for part in each for item in part.utterances]
        if items:
            speakers = known_speakers(items)
            counted = count_of(len(items), "utterance")
            told.append(f"{name} {count_of(len(speakers), 'speaker')} {counted}")
    return f"{', '.join(told)}; {count_of(steps, 'step')} an epoch"


def name_device(strategy: tf.distribute.Strategy) -> str:
    """Return the devices that compute a run, in words."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return f"CPU with {os.cpu_count()} threads"
    model = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    count = strategy.num_replicas_in_sync
    return f"{count} x {model}" if count > 1 else model


def estimate_whole(title: str, seconds: float, epochs: int) -> str:
    """Return the estimate by the first of some epochs, all of which may be still to come.

    The first takes longest, for the step's graph is made in it.
    """
    length = count_of(epochs, "epoch")
    return f"{title}: at most about {duration(seconds * epochs)} for {length}, by the first"


def epoch_line(epoch: int, epochs: int, row: Mapping[str, Any]) -> str:
    """Return the line of an epoch: the validation UA first, then what else there is room for.

    Args:
        epoch: Number of the epoch, from 0.
        epochs: Most that are run.
        row: The epoch's line of `epochs.jsonl`.
    """
    line = f"stage {row['stage']} epoch {epoch + 1}/{epochs}: "
    end = f" ({row['seconds']:.1f} s)"
    figures = _figures(row)
    line += next(figures, "")
    for figure in figures:
        if len(f"{line}, {figure}{end}") > COLUMNS:
            break
        line += f", {figure}"
    return line + end


def _figures(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield an epoch's figures, those that matter most first."""
    scores, train = dict(row["validation"]), dict(row["train"])
    scores.pop(SELECTION, None)  # the running UA says the same to a reader
    for name, short in _SCORES.items():
        if name in scores:
            yield f"{short} {100 * scores.pop(name):.1f}"
    if WATCHED in train:
        yield f"loss {train.pop(WATCHED):.3f}"
    for name, value in scores.items():
        yield f"{name.removesuffix('_accuracy')} {100 * value:.1f}"
    for name, value in train.items():
        if name.endswith("_loss"):
            yield f"{name.removesuffix('_loss')} loss {value:.3f}"
