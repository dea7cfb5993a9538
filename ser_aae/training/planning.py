"""Plan of a run: what it trains on, and its time by a few steps on random segments here.

Nothing is trained on data and nothing is written. Of a corpus its manifest is read alone.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow as tf

from ser_aae.config import RunConfig
from ser_aae.data.mixture import mix_stage_two, steps_per_epoch
from ser_aae.data.run_data import RunData
from ser_aae.model.aae import build_model
from ser_aae.progress import duration
from ser_aae.results.text import count_of
from ser_aae.training.display import describe_parts, parts_of_stage_two
from ser_aae.training.pretraining_key import steps_of_stage_one
from ser_aae.training.seeds import seed_everything

_ROUNDS = 3
"""Number of calls that are timed, after one that traces the graph."""


@dataclass(frozen=True)
class StepTimes:
    """Seconds that a batch takes: in a training step, and where it is scored."""

    train_s: float
    score_s: float


def measure_steps(config: RunConfig, num_classes: Mapping[str, int]) -> StepTimes:
    """Time a run's model on this machine; it is thrown away."""
    seed_everything(config)
    model = build_model(config, num_classes, config.training.precision)
    size = config.training.batch_size
    model.compile(config.training)
    segments = tf.random.normal((size, config.frontend.bins, config.data.segment_frames, 1))
    labels = {task: tf.range(size) % count for task, count in num_classes.items()}
    step = tf.function(lambda: model.train_step((segments, labels)))
    score = tf.function(lambda: model(segments, training=False))
    return StepTimes(_median_seconds(step), _median_seconds(score))


def plan_stage_one(config: RunConfig, data: RunData, times: StepTimes) -> tuple[str, float] | None:
    """Return the line and the seconds of a run's stage 1, `None` where it has none."""
    epochs = config.training.pretraining_epochs
    if not config.has_stage_one:
        return None
    steps = steps_of_stage_one(config, data.pretraining)
    seconds = epochs * steps * times.train_s
    line = describe_parts({"training": data.pretraining}, steps)
    return f"stage 1: {line}; {count_of(epochs, 'epoch')}, about {duration(seconds)}", seconds


def plan_fold(config: RunConfig, data: RunData, times: StepTimes) -> tuple[str, float]:
    """Return the line and the seconds of a fold's stage 2, if it does not stop early."""
    settings, size = config.data, config.training.batch_size
    steps = steps_per_epoch(mix_stage_two(config, data), settings.segment_frames)
    windows = data.validation.num_segments(
        settings.segment_frames, settings.evaluation_shift_frames, settings.evaluation_segments
    )
    epochs = config.training.epochs
    epoch_s = steps * times.train_s + math.ceil(windows / size) * times.score_s
    line = describe_parts(parts_of_stage_two(data), steps)
    seconds = epochs * epoch_s
    return (
        f"fold {config.protocol.fold}: {line}; at most {count_of(epochs, 'epoch')}, about "
        f"{duration(seconds)}",
        seconds,
    )


def _median_seconds(function: Callable[[], object]) -> float:
    function()
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for value in tf.nest.flatten(function()):
            value.numpy()  # a device may still compute when the call returns
        times.append(time.perf_counter() - started)
    return statistics.median(times)
