"""Segments a second that the input pipeline gives, beside those that a training step takes.

    python benchmarks/pipeline.py --dataset ravdess --data-root data --store store

Prepares the corpus if the store lacks it, then reads training batches of one fold as training
does: windows, changed voices and tempo, normalisation. The first epoch reads the shards; later
ones come from memory where the corpus fits (`data.cache_mb`). An empty step takes the batches, so
that nothing but the pipeline is measured; it and a training step take turns in one run. The ratio
says how much faster a step could be before it waited for the pipeline of this processor.
"""

import os
import statistics
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from measuring import make_parser, seconds_by_turns

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from train_step import build_step

from data_prep.build import prepare
from ser_aae.batches.pipeline import measure_normalisation, training_dataset
from ser_aae.config import RunConfig
from ser_aae.data.mixture import Share, steps_per_epoch
from ser_aae.data.run_data import assemble


def batches_of(config: RunConfig, store: Path) -> tuple[Iterator, int]:
    """Return an endless iterator over training batches and the steps of an epoch."""
    data = assemble(config, store)
    mixture = [Share(data.train, config.training.batch_size)]
    steps = steps_per_epoch(mixture, config.data.segment_frames)
    stream = training_dataset(
        mixture, steps, measure_normalisation(data.train), config.data, seed=1
    )
    return iter(stream), steps


def read_epoch(batches: Iterator, steps: int) -> None:
    """Take an epoch's batches."""
    for _ in range(steps):
        next(batches)


def main() -> None:
    """Measure and print."""
    places = {"data_root": Path("data"), "store": Path("store")}
    parser = make_parser(
        __doc__, dataset="ravdess", **places, classes="four", rounds=5, update="joint"
    )
    arguments = parser.parse_args()
    tf.random.set_seed(1)
    config = replace(RunConfig(), dataset=arguments.dataset, classes=arguments.classes)
    prepare(arguments.dataset, arguments.data_root, arguments.store, config.frontend)
    _, step = build_step(config.model.filters, config.training.batch_size, arguments.update)
    step()
    size = config.training.batch_size
    for name, cache_mb in (("from memory", config.data.cache_mb), ("from shards", 0)):
        changed = replace(config, data=replace(config.data, cache_mb=cache_mb))
        batches, steps = batches_of(changed, arguments.store)
        read_epoch(batches, steps)
        sides = {"epoch": partial(read_epoch, batches, steps), "step": step}
        times = seconds_by_turns(sides, arguments.rounds)
        batch_s = statistics.median(times["epoch"]) / steps
        step_s = statistics.median(times["step"])
        print(
            f"{name}: {size / batch_s:.0f} segments/s for an empty step; a training step "
            f"({arguments.update}) takes {size / step_s:.0f} segments/s; ratio "
            f"{step_s / batch_s:.1f}"
        )


if __name__ == "__main__":
    main()
