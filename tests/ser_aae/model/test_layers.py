"""Batch norm around the pool equals the textbook order; pooling over time forgets where."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ser_aae.model.layers import PooledBatchNormalization, TimePooling, channel_moments

MAPS = np.random.default_rng(3).normal(2.0, 3.0, (4, 8, 16, 5)).astype(np.float32)


def textbook(maps, pool):
    """Batch norm without scale, ReLU, then max-pool, as Sec. 4.3 orders them."""
    norm = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3, scale=False)
    x = tf.nn.relu(norm(maps, training=True))
    return tf.nn.max_pool2d(x, pool, pool, "VALID"), norm


def test_same_as_norm_then_relu_then_pool():
    layer = PooledBatchNormalization((2, 4), momentum=0.9)
    found = tf.nn.relu(layer(tf.constant(MAPS), training=True))
    expected, norm = textbook(tf.constant(MAPS), (2, 4))
    assert found.shape == (4, 4, 4, 5)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean, norm.moving_mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, norm.moving_variance, rtol=1e-4)


def test_same_gradient_as_the_textbook_order():
    layer = PooledBatchNormalization((2, 4))
    maps = tf.constant(MAPS)
    weights = tf.random.stateless_normal([4, 4, 4, 5], [1, 2])
    slopes = []
    for function in (
        lambda: tf.nn.relu(layer(maps, training=True)),
        lambda: textbook(maps, (2, 4))[0],
    ):
        with tf.GradientTape() as tape:
            tape.watch(maps)
            loss = tf.reduce_sum(function() * weights)
        slopes.append(tape.gradient(loss, maps).numpy())
    np.testing.assert_allclose(slopes[0], slopes[1], atol=2e-5)


def test_moving_statistics_are_used_outside_training():
    layer = PooledBatchNormalization((2, 2))
    layer.build((None, 8, 16, 5))
    layer.moving_mean.assign([1.0] * 5)
    layer.moving_variance.assign([4.0] * 5)
    found = layer(tf.constant(MAPS), training=False)
    pooled = tf.nn.max_pool2d(MAPS, 2, 2, "VALID").numpy()
    np.testing.assert_allclose(found, (pooled - 1.0) / np.sqrt(4.0 + 1e-3), rtol=1e-4, atol=1e-4)
    assert np.all(layer.moving_mean.numpy() == 1.0)


def test_momentum_changes_how_fast_statistics_follow():
    means = []
    for momentum in (0.9, 0.5):
        layer = PooledBatchNormalization((2, 2), momentum=momentum)
        layer(tf.constant(MAPS), training=True)
        means.append(layer.moving_mean.numpy())
    np.testing.assert_allclose(means[1], means[0] * 5, rtol=1e-4)


def test_channel_moments_are_numpys():
    mean, variance = channel_moments(tf.constant(MAPS))
    np.testing.assert_allclose(mean, MAPS.mean(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(variance, MAPS.var(axis=(0, 1, 2)), rtol=1e-4)


def test_masked_statistics_are_those_of_the_rows_alone():
    mask = tf.constant([True, False, True, False])
    rows = MAPS[[0, 2]]
    mean, variance = channel_moments(tf.constant(MAPS), mask)
    np.testing.assert_allclose(mean, rows.mean(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(variance, rows.var(axis=(0, 1, 2)), rtol=1e-4)


def test_masked_batch_norm_is_that_of_the_rows_with_its_gradient():
    mask = tf.constant([True, False, True, True])
    gradients, outputs, statistics = [], [], []
    for maps, given in ((MAPS, mask), (MAPS[[0, 2, 3]], None)):
        layer, inputs = PooledBatchNormalization((2, 4)), tf.constant(maps)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = layer(inputs, training=True, mask=given)
            kept = output if given is None else tf.boolean_mask(output, mask)
            loss = tf.reduce_sum(tf.sin(kept))
        slopes = tape.gradient(loss, inputs)
        gradients.append(slopes if given is None else tf.boolean_mask(slopes, mask))
        outputs.append(kept)
        statistics.append(layer.moving_variance.numpy())
        if given is not None:
            assert not np.any(slopes[1])
    for first, second in (gradients, outputs, statistics):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-5)


def test_where_no_row_counts_the_moving_statistics_stay():
    layer = PooledBatchNormalization((2, 4))
    layer(tf.constant(MAPS), training=True)
    before = layer.moving_mean.numpy()
    output = layer(tf.constant(MAPS), training=True, mask=tf.zeros([4], tf.bool))
    np.testing.assert_array_equal(before, layer.moving_mean.numpy())
    assert np.all(np.isfinite(output))


def test_variance_of_a_constant_is_not_negative():
    _, variance = channel_moments(tf.fill([2, 4, 4, 3], 1234.5))
    assert np.all(variance.numpy() >= 0.0)


@pytest.mark.parametrize("kind", ["mean-std", "attention"])
def test_time_pooling_forgets_where(kind):
    layer = TimePooling(kind)
    once = layer(tf.constant(MAPS))
    layer_rolled = layer(tf.roll(tf.constant(MAPS), 5, axis=2))
    np.testing.assert_allclose(once, layer_rolled, atol=1e-4)
    width = 8 * 5
    assert once.shape == (4, 2 * width if kind == "mean-std" else width)


def test_mean_std_is_numpys():
    found = TimePooling("mean-std")(tf.constant(MAPS)).numpy()
    np.testing.assert_allclose(found[:, :40], MAPS.mean(axis=2).reshape(4, 40), atol=1e-5)
    np.testing.assert_allclose(found[:, 40:], MAPS.std(axis=2).reshape(4, 40), atol=1e-4)


def test_attention_learns_to_look_somewhere():
    layer = TimePooling("attention")
    plain = layer(tf.constant(MAPS)).numpy()
    np.testing.assert_allclose(plain, MAPS.mean(axis=2).reshape(4, 40), atol=1e-5)
    layer.score.assign(tf.ones([40, 1]))
    assert np.abs(layer(tf.constant(MAPS)).numpy() - plain).max() > 0.1


def test_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match="expected 'mean-std' or 'attention', received 'max'"):
        TimePooling("max")


@pytest.mark.parametrize("layer", [PooledBatchNormalization((2, 4), 0.7), TimePooling("attention")])
def test_layers_come_back_from_their_config(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
