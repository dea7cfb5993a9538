"""The first block's statistics from its input's patches, against those of its map."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ser_aae.config import ModelConfig
from ser_aae.model.first_block import TrainingTrunk, filter_moments, patch_moments
from ser_aae.model.layers import channel_moments
from ser_aae.model.networks import build_cnn_trunk, build_encoder


def draw(*shape, seed=0):
    numbers = np.random.default_rng(seed).normal(0.5, 1.5, shape)
    return tf.constant(numbers.astype(np.float32))


@pytest.mark.parametrize(
    ("size", "pool"), [(5, (2, 4)), (3, (2, 2)), (5, (1, 1)), (1, (4, 2)), (7, (2, 3))]
)
def test_moments_are_those_of_the_map(size, pool):
    segments, kernel = draw(3, 8, 12, 1), draw(size, size, 1, 6, seed=1)
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        wanted = channel_moments(tf.nn.conv2d(segments, kernel, 1, "SAME"))
        loss = tf.reduce_sum(tf.sin(wanted[0]) * tf.sqrt(wanted[1]))
    slope = tape.gradient(loss, kernel)
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        found = filter_moments(kernel, *patch_moments(segments, size, pool))
        loss = tf.reduce_sum(tf.sin(found[0]) * tf.sqrt(found[1]))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tape.gradient(loss, kernel), slope, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("build", [build_encoder, build_cnn_trunk])
@pytest.mark.parametrize("synchronized", [True, False])
def test_code_gradient_and_moving_statistics_are_the_trunks(build, synchronized):
    keras.utils.set_random_seed(2)
    shape = (16, 32, 1)
    trunk = build(ModelConfig(), shape)
    trunk.layers[2].synchronized = synchronized
    first = [weight.numpy() for weight in trunk.weights]
    segments, outcomes = draw(4, *shape), []
    for run in (lambda x: trunk(x, training=True), TrainingTrunk(trunk)):
        trunk.set_weights(first)
        with tf.GradientTape() as tape:
            code = run(segments)
            loss = tf.reduce_sum(tf.square(code + 1.0))
        slopes = tape.gradient(loss, trunk.trainable_variables)
        moved = [weight.numpy() for weight in trunk.non_trainable_variables]
        outcomes.append([code.numpy(), *[each.numpy() for each in slopes], *moved])
    for found, wanted in zip(*outcomes, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3 * np.abs(wanted).max())


def test_the_trunk_in_training_keeps_no_map_for_its_statistics():
    trunk = build_encoder(ModelConfig(), (16, 32, 1))
    norm = trunk.layers[2]
    seen = []
    norm.call = lambda maps, training, moments=None: seen.append(moments) or maps[:, ::2, ::4]
    TrainingTrunk(trunk)(draw(2, 16, 32, 1))
    assert seen[0] is not None
