"""Segments a second out of the input pipeline, beside what a training step takes.

    python benchmarks/pipeline.py --dataset ravdess --data-root data --store store

Prepares the corpus if the store lacks it, then reads training batches of one fold as training
does: windows, changed voices and tempo, normalisation. The first epoch reads the shards; later
ones come from memory where the corpus fits (`data.cache_mb`). Pipeline and training step are
measured in turns in one run.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from train_step import build_step, seconds_of

from data_prep.build import prepare
from ser_aae.batches.pipeline import measure_normalisation, steps_per_epoch, training_dataset
from ser_aae.config import RunConfig
from ser_aae.data.run_data import assemble


def batches_of(config: RunConfig, store: Path) -> tuple[Iterator, int]:
    """Return an endless iterator over training batches and the steps of an epoch."""
    data = assemble(config, store)
    size = config.training.batch_size
    stream = training_dataset(
        data.train, [], measure_normalisation(data.train), config.data, size, seed=1
    )
    return iter(stream), steps_per_epoch(data.train, config.data, size, mixed=False)


def seconds_of_epoch(batches: Iterator, steps: int) -> float:
    """Return the time in which an epoch's batches come out."""
    start = time.perf_counter()
    for _ in range(steps):
        next(batches)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", default="ravdess")
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--store", type=Path, default=Path("store"))
    parser.add_argument("--classes", default="four")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    tf.random.set_seed(1)
    config = replace(RunConfig(), dataset=arguments.dataset, classes=arguments.classes)
    prepare(arguments.dataset, arguments.data_root, arguments.store, config.frontend)
    _, step = build_step(config.model.filters, config.training.batch_size)
    step()
    results = {}
    for name, cache_mb in (("from memory", config.data.cache_mb), ("from shards", 0)):
        changed = replace(config, data=replace(config.data, cache_mb=cache_mb))
        batches, steps = batches_of(changed, arguments.store)
        seconds_of_epoch(batches, steps)
        pairs = [
            (seconds_of_epoch(batches, steps) / steps, seconds_of(step))
            for _ in range(arguments.rounds)
        ]
        results[name] = [statistics.median(values) for values in zip(*pairs, strict=True)]
    size = config.training.batch_size
    for name, (batch_s, step_s) in results.items():
        print(
            f"{name}: {size / batch_s:.0f} segments/s; a training step takes "
            f"{size / step_s:.0f} segments/s; ratio {step_s / batch_s:.1f}"
        )


if __name__ == "__main__":
    main()
