"""Classes of unequal size: what weights and margins do to a loss and to a model."""

import itertools
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from ser_aae.config import ModelConfig, TrainingConfig
from ser_aae.model import losses
from ser_aae.model.aae import MultitaskAAE

LOGITS = tf.constant([[2.0, 0.0], [0.0, 1.0], [3.0, -1.0]])
CONFIG = replace(ModelConfig(), filters=(4, 6), latent_channels=4, dense_units=(8, 8))
SGD = replace(TrainingConfig(), optimiser="sgd", learning_rate=0.05)
RARE = [0.1, 0.3, 0.3, 0.3]


def softmax(logits):
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


def make_batch(rows=8):
    segments = np.random.default_rng(1).normal(size=(rows, 32, 64, 1))
    labels = {"emotion": np.arange(rows) % 4, "gender": np.arange(rows) % 2}
    labels = {task: tf.constant(value, tf.int32) for task, value in labels.items()}
    return tf.constant(segments, tf.float32), labels


def make_model(training=SGD, shares=None):
    keras.utils.set_random_seed(1)
    model = MultitaskAAE(CONFIG, {"emotion": 4, "gender": 2}, (32, 64, 1))
    model.compile(training, shares)
    return model


def heads_after(weights, adjustment, shares):
    """Return the weights of the two classifiers after two steps."""
    training = replace(SGD, class_weights=weights, logit_adjustment=adjustment)
    model = make_model(training, shares)
    for _ in range(2):
        model.train_step(make_batch())
    return {
        task: np.concatenate([value.ravel() for value in model.classifiers[task].get_weights()])
        for task in ("emotion", "gender")
    }


def test_task_loss_gives_a_class_a_margin():
    labels = tf.constant([0, 1, 1])
    offsets = losses.Balance(tf.ones([2]), tf.constant([-1.5, 0.5]))
    found = float(losses.task_loss(labels, LOGITS, offsets))
    each = -np.log(softmax(LOGITS.numpy() + np.array([-1.5, 0.5]))[[0, 1, 2], [0, 1, 1]])
    assert found == pytest.approx(each.mean(), rel=1e-5)
    # nothing but the difference between the offsets counts
    moved = losses.Balance(tf.ones([2]), tf.constant([-1.0, 1.0]))
    assert float(losses.task_loss(labels, LOGITS, moved)) == pytest.approx(found, rel=1e-5)


def test_classes_are_balanced_by_weight_by_margin_both_or_neither():
    shares = [0.5, 0.25, 0.25]
    log = np.log(shares)
    for weights, adjustment, expected in (
        ("none", 0.0, ([1, 1, 1], 0 * log)),
        ("balanced", 0.0, ([2 / 3, 4 / 3, 4 / 3], 0 * log)),
        ("none", 1.0, ([1, 1, 1], log)),
        ("balanced", 2.0, ([2 / 3, 4 / 3, 4 / 3], 2 * log)),
    ):
        balance = losses.balance_classes(shares, weights, adjustment)
        for found, wanted in zip(balance, expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_the_best_constant_answer_to_an_adjusted_loss_counts_all_classes_alike():
    """Without the adjustment it is the share of the class, with a factor of 1 the same for all."""
    labels = tf.constant([0, 0, 0, 1])

    def best(adjustment, weights="none"):
        logits = tf.Variable([[0.0, 0.0]])
        balance = losses.balance_classes([0.75, 0.25], weights, adjustment)
        for _ in range(200):
            with tf.GradientTape() as tape:
                loss = losses.task_loss(labels, tf.repeat(logits, 4, axis=0), balance)
            logits.assign_sub(2.0 * tape.gradient(loss, logits))
        return softmax(logits.numpy())[0]

    np.testing.assert_allclose(best(0.0), [0.75, 0.25], atol=1e-4)
    np.testing.assert_allclose(best(1.0), [0.5, 0.5], atol=1e-4)
    np.testing.assert_allclose(best(0.0, "balanced"), [0.5, 0.5], atol=1e-4)
    # both favour the rare class
    np.testing.assert_allclose(best(1.0, "balanced"), [0.25, 0.75], atol=1e-4)


def test_both_ways_change_what_a_model_learns():
    ways = [
        heads_after(weights, adjustment, {"emotion": RARE})["emotion"]
        for weights in ("none", "balanced")
        for adjustment in (0.0, 1.0, 2.0)
    ]
    for first, second in itertools.combinations(ways, 2):
        assert not np.array_equal(first, second)


def test_a_task_without_shares_is_taken_as_it_comes_to_the_bit():
    """Stage 1 has none, and is shared by runs whatever they do about their classes."""
    neither = heads_after("none", 0.0, {"emotion": RARE})
    both = heads_after("balanced", 1.0, None)
    for task in ("emotion", "gender"):
        np.testing.assert_array_equal(both[task], neither[task])


def test_the_balance_of_the_classes_is_in_no_posterior():
    model = make_model()
    segments, _ = make_batch(4)
    before = model(segments)["emotion"].numpy()
    model.compile(replace(SGD, logit_adjustment=3.0), {"emotion": RARE})
    np.testing.assert_array_equal(model(segments)["emotion"].numpy(), before)
