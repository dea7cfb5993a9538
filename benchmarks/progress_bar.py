"""Cost of the bar within an epoch: epochs with one that is drawn, beside epochs without.

    python benchmarks/progress_bar.py --steps 300

The model is tiny, so that the bar's share is far larger than in a training: what it costs a step
is printed too, and is the same for any model.
"""

import contextlib
import io
import os
import statistics
from dataclasses import replace
from functools import partial

from measuring import make_parser, seconds_by_turns

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from ser_aae.config import ModelConfig, TrainingConfig
from ser_aae.model.aae import MultitaskAAE
from ser_aae.progress import open_bar
from ser_aae.training.display import EpochBar

SHAPE = (16, 32, 1)
BATCH = 4


class Screen(io.StringIO):
    """A stream that says it is a terminal, and takes no time to draw."""

    def isatty(self) -> bool:
        """Return that it is one."""
        return True


def build_model() -> tuple[MultitaskAAE, tf.data.Dataset]:
    """Return a model of a few filters, and the same batch without end."""
    tiny = {"filters": (2, 2), "latent_channels": 2, "dense_units": (4, 4)}
    model = MultitaskAAE(replace(ModelConfig(), **tiny), {"emotion": 2, "gender": 2}, SHAPE)
    model.compile(TrainingConfig())
    labels = {task: tf.range(BATCH) % 2 for task in ("emotion", "gender")}
    segments = tf.random.normal((BATCH, *SHAPE))
    return model, tf.data.Dataset.from_tensors((segments, labels)).repeat()


def run_epoch(model: keras.Model, batches: tf.data.Dataset, steps: int, *, is_drawn: bool) -> int:
    """Train an epoch, with a bar or without; return how many times a bar was drawn."""
    screen = Screen()
    with contextlib.redirect_stderr(screen), open_bar(steps, "stage 2", "step") as bar:
        callbacks = [EpochBar(bar, "stage 2")] if is_drawn else []
        model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=callbacks)
    return screen.getvalue().count("\r")


def main() -> None:
    """Measure by turns, and print."""
    arguments = make_parser(__doc__, steps=300, rounds=9).parse_args()
    model, batches = build_model()
    sides = {
        name: partial(run_epoch, model, batches, arguments.steps, is_drawn=is_drawn)
        for name, is_drawn in (("with", True), ("without", False))
    }
    for side in sides.values():
        side()  # traces the graph
    times = seconds_by_turns(sides, arguments.rounds)
    with_s, without_s = (statistics.median(times[name]) for name in sides)
    pairs = list(zip(times["with"], times["without"], strict=True))
    ratio = statistics.median(drawn / plain for drawn, plain in pairs)
    more_s = statistics.median(drawn - plain for drawn, plain in pairs)
    print(
        f"an epoch of {arguments.steps} steps of {1e3 * without_s / arguments.steps:.2f} ms: with "
        f"a bar {with_s:.3f} s, without {without_s:.3f} s, ratio {ratio:.3f}; "
        f"{1e6 * more_s / arguments.steps:.0f} microseconds a step, medians over pairs of rounds"
    )


if __name__ == "__main__":
    main()
