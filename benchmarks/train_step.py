"""What a training step costs, and how much of this machine's arithmetic it uses.

    python benchmarks/train_step.py --filters 16,32

Prints the seconds of a step of the whole three-phase model (median over rounds), segments a
second, the arithmetic of its convolutions and dense layers in GFLOP, and the share of the rate
that a float32 matrix product reaches in the same rounds, the two taking turns. Then where the
rest goes: the encoder's first block piece by piece, whose element-wise passes over a
128 x 256 map cost time and count as no arithmetic here.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from ser_aae.config import ModelConfig, TrainingConfig
from ser_aae.model.aae import MultitaskAAE
from ser_aae.model.layers import channel_moments

SHAPE = (128, 256, 1)
TASKS = {"emotion": 4, "gender": 2, "speaker": 16}
MATRIX = 2048


def forward_flop(network: keras.Model) -> list[float]:
    """Return the multiplications and additions of each layer for one input, forward."""
    counts = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            positions = np.prod(layer.input.shape[1:3])
        elif isinstance(layer, keras.layers.Conv2D):
            positions = np.prod(layer.output.shape[1:3])
        elif isinstance(layer, keras.layers.Dense):
            positions = 1
        else:
            continue
        counts.append(2.0 * float(positions) * float(np.prod(layer.kernel.shape)))
    return counts


def step_flop(model: MultitaskAAE) -> float:
    """Return the arithmetic of one segment in one step, all phases.

    A gradient costs a layer's forward work once for its weights and once for its input; the
    first layer on data has no gradient of its input.
    """
    encoder = forward_flop(model.encoder)
    total = len(model.phases) * (3 * sum(encoder) - encoder[0])
    if "reconstruction" in model.phases:
        total += 3 * sum(forward_flop(model.decoder))
    if "regularisation" in model.phases:
        first, *rest = forward_flop(model.discriminator)
        # prior and code for D's update, then through D to the code for the encoder's
        total += 2 * (2 * first + 3 * sum(rest)) + 2 * (first + sum(rest))
    return total + sum(3 * sum(forward_flop(head)) for head in model.classifiers.values())


def seconds_of(function: Callable[[], object]) -> float:
    """Return the time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def medians(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Call the functions in turns and return each one's median seconds."""
    for function in functions.values():
        function()
        function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].append(seconds_of(function))
    return {name: statistics.median(values) for name, values in times.items()}


def build_step(filters: tuple[int, ...], batch_size: int) -> tuple[MultitaskAAE, Callable]:
    """Return the model and a call that runs one step of it on a batch in memory."""
    keras.utils.set_random_seed(1)
    model = MultitaskAAE(replace(ModelConfig(), filters=filters), TASKS, SHAPE)
    model.compile(TrainingConfig())
    segments = tf.random.normal((batch_size, *SHAPE))
    labels = {task: tf.range(batch_size) % count for task, count in TASKS.items()}
    return model, tf.function(lambda: model.train_step((segments, labels)))


def first_block(filters: int, batch_size: int) -> dict[str, Callable[[], object]]:
    """Return the pieces of the encoder's first block, each with its gradient."""
    segments = tf.random.normal((batch_size, *SHAPE))
    kernel = tf.random.normal((5, 5, 1, filters))
    full = tf.random.normal((batch_size, 128, 256, filters))
    pooled = tf.random.normal((batch_size, 64, 64, filters))

    def convolution() -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            found = tf.nn.conv2d(segments, kernel, 1, "SAME")
        return tape.gradient(found, kernel, output_gradients=full)

    def statistics_() -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(full)
            mean, variance = channel_moments(full)
            total = tf.reduce_sum(mean * variance)
        return tape.gradient(total, full)

    def pool() -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(full)
            found = tf.nn.max_pool2d(full, (2, 4), (2, 4), "VALID")
        return tape.gradient(found, full, output_gradients=pooled)

    return {
        "convolution": tf.function(convolution),
        "batch-norm statistics": tf.function(statistics_),
        "max-pool": tf.function(pool),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--filters", default="16,32", help="of the first two convolutions")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    filters = tuple(int(text) for text in arguments.filters.split(","))
    batch = arguments.batch_size
    model, step = build_step(filters, batch)
    matrix = tf.random.normal((MATRIX, MATRIX))
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    pieces = first_block(filters[0], batch)
    times = medians({"step": step, "product": product, **pieces}, arguments.rounds)
    gflop = batch * step_flop(model) / 1e9
    gemm = 2 * MATRIX**3 / times["product"] / 1e9
    rate = gflop / times["step"]
    print(f"filters {arguments.filters}, batch {batch}, {' '.join(map(str, SHAPE))} segments")
    print(
        f"step                    {times['step']:8.3f} s   {batch / times['step']:.1f} segments/s"
    )
    print(f"arithmetic of a step    {gflop:8.1f} GFLOP   {rate:.1f} GFLOP/s")
    print(f"float32 matrix product  {gemm:8.1f} GFLOP/s   the step reaches {rate / gemm:.2f} of it")
    print("first block of the encoder, with gradient, three times a step:")
    for name in pieces:
        share = len(model.phases) * times[name] / times["step"]
        print(f"  {name:22}{times[name]:8.4f} s   {100 * share:.0f} % of the step")


if __name__ == "__main__":
    main()
