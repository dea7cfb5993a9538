"""Cost of a training step, in series and jointly, and its share of this machine's arithmetic.

    python benchmarks/train_step.py --filters 16,32

Prints the seconds of a step of the whole three-phase model for both values of `training.update`
(median over rounds), segments a second, the arithmetic of its convolutions and dense layers in
GFLOP, and the share of the rate that a float32 matrix product reaches in the same rounds, all
taking turns. Then where the time of the joint step goes: its networks, each with its gradient,
and the encoder's first block piece by piece, whose element-wise passes over a 128 x 256 map cost
time and count as no arithmetic here.
"""

import os
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace

from measuring import make_parser, seconds_by_turns

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from ser_aae.config import ModelConfig, TrainingConfig
from ser_aae.model.aae import MultitaskAAE
from ser_aae.model.first_block import TrainingTrunk, filter_moments, patch_moments
from ser_aae.model.layers import channel_moments
from ser_aae.model.optimisers import build_optimiser, trainable

SHAPE = (128, 256, 1)
TASKS = {"emotion": 4, "gender": 2, "speaker": 16}
MATRIX = 2048
UPDATES = ("serial", "joint")


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


def step_flop(model: MultitaskAAE, update: str) -> float:
    """Return the arithmetic of one segment in one step, all phases.

    A gradient costs a layer's forward work once for its weights and once for its input; the
    first layer on data has no gradient of its input.
    """
    encoder = forward_flop(model.encoder)
    passes = len(model.phases) if update == "serial" else 1
    total = passes * (3 * sum(encoder) - encoder[0])
    if "reconstruction" in model.phases:
        total += 3 * sum(forward_flop(model.decoder))
    if "regularisation" in model.phases:
        first, *rest = forward_flop(model.discriminator)
        # prior and code for D's update, then through D to the code for the encoder's
        total += 2 * (2 * first + 3 * sum(rest)) + 2 * (first + sum(rest))
    return total + sum(3 * sum(forward_flop(head)) for head in model.classifiers.values())


def medians(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Call the functions in turns and return each one's median seconds."""
    for function in functions.values():
        function()
        function()
    return {
        name: statistics.median(values)
        for name, values in seconds_by_turns(functions, rounds).items()
    }


def build_step(
    filters: tuple[int, ...], batch_size: int, update: str, precision: str = "float32"
) -> tuple[MultitaskAAE, Callable[[], object]]:
    """Return the model and a call that runs one step of it on a batch in memory."""
    keras.utils.set_random_seed(1)
    config = replace(ModelConfig(), filters=filters)
    model = MultitaskAAE(config, TASKS, SHAPE, precision=precision)
    model.compile(replace(TrainingConfig(), update=update))
    segments, labels = batch_of(batch_size)
    return model, tf.function(lambda: model.train_step((segments, labels)))


def batch_of(size: int) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Return random segments and a label of each task for each of them."""
    labels = {task: tf.range(size) % count for task, count in TASKS.items()}
    return tf.random.normal((size, *SHAPE)), labels


def networks(model: MultitaskAAE, batch_size: int) -> dict[str, Callable[[], object]]:
    """Return what the joint step of a model runs, piece by piece, each with its gradient."""
    segments, labels = batch_of(batch_size)
    encode = TrainingTrunk(model.encoder)
    code = tf.random.normal((batch_size, *model.encoder.output_shape[1:]))
    moved = [model.encoder, model.decoder, *model.classifiers.values()]
    slopes = [tf.random.normal(each.shape) for each in trainable(moved)]
    optimiser = build_optimiser(TrainingConfig(), "all", moved, model.config.alpha)

    def with_gradient(network: keras.Model, value: tf.Tensor, loss: Callable) -> Callable:
        def compute() -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(value)
                found = loss(value)
            of = trainable([network]) if value is segments else [value, *trainable([network])]
            return tape.gradient(found, of)

        return tf.function(compute)

    heads = keras.Model(
        model.classifiers["emotion"].inputs,
        [head(model.classifiers["emotion"].inputs) for head in model.classifiers.values()],
    )
    return {
        "encoder": with_gradient(
            model.encoder, segments, lambda x: tf.reduce_sum(encode(x) * code)
        ),
        "decoder": with_gradient(
            model.decoder, code, lambda z: model.reconstruction(segments, z, labels)
        ),
        "discriminator": with_gradient(model.discriminator, code, model.regularisation),
        "classifiers": with_gradient(heads, code, lambda z: model.classification(z, labels)),
        "optimisers": tf.function(lambda: optimiser.apply(slopes, trainable(moved))),
        "averages": tf.function(model.follow_averages),
    }


def first_block(filters: int, batch_size: int) -> dict[str, Callable[[], object]]:
    """Return the pieces of the encoder's first block, each with its gradient."""
    segments = tf.random.normal((batch_size, *SHAPE))
    kernel = tf.random.normal((5, 5, 1, filters))
    full = tf.random.normal((batch_size, 128, 256, filters))
    pooled = tf.random.normal((batch_size, 64, 64, filters))

    def gradient_of(function: Callable, value: tf.Tensor, upstream: tf.Tensor | None) -> Callable:
        def compute() -> tf.Tensor:
            with tf.GradientTape() as tape:
                tape.watch(value)
                found = function(value)
            return tape.gradient(found, value, output_gradients=upstream)

        return tf.function(compute)

    return {
        "first block: convolution": gradient_of(
            lambda weights: tf.nn.conv2d(segments, weights, 1, "SAME"), kernel, full
        ),
        "first block: statistics of the input": gradient_of(
            lambda weights: tf.reduce_sum(
                tf.multiply(*filter_moments(weights, *patch_moments(segments, 5, (2, 4))))
            ),
            kernel,
            None,
        ),
        "instead of a pass over the map": gradient_of(
            lambda maps: tf.reduce_sum(tf.multiply(*channel_moments(maps))), full, None
        ),
        "first block: max-pool": gradient_of(
            lambda maps: tf.nn.max_pool2d(maps, (2, 4), (2, 4), "VALID"), full, pooled
        ),
    }


def main() -> None:
    """Measure and print."""
    parser = make_parser(__doc__, batch_size=32, rounds=10)
    parser.add_argument("--filters", default="16,32", help="of the first two convolutions")
    arguments = parser.parse_args()
    filters = tuple(int(text) for text in arguments.filters.split(","))
    batch = arguments.batch_size
    steps = {update: build_step(filters, batch, update) for update in UPDATES}
    matrix = tf.random.normal((MATRIX, MATRIX))
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    pieces = networks(steps["joint"][0], batch) | first_block(filters[0], batch)
    calls = {update: call for update, (_, call) in steps.items()}
    times = medians(calls | {"product": product} | pieces, arguments.rounds)
    gemm = 2 * MATRIX**3 / times["product"] / 1e9
    print(f"filters {arguments.filters}, batch {batch}, {' '.join(map(str, SHAPE))} segments")
    print(f"float32 matrix product  {gemm:8.1f} GFLOP/s")
    for update, (model, _) in steps.items():
        gflop, seconds = batch * step_flop(model, update) / 1e9, times[update]
        print(
            f"{update:8}{seconds:8.3f} s a step{batch / seconds:8.1f} segments/s"
            f"{gflop:8.1f} GFLOP   "
            f"{gflop / seconds / gemm:.2f} of the matrix product's rate"
        )
    print(f"joint is {times['serial'] / times['joint']:.2f} times as fast; where its time goes:")
    for name in pieces:
        share = 100 * times[name] / times["joint"]
        print(f"  {name:38}{times[name]:8.4f} s {share:5.0f} % of the step")


if __name__ == "__main__":
    main()
