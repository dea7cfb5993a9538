"""Each equation of Sec. 3 against numbers computed by hand."""

import numpy as np
import pytest
import tensorflow as tf

from ser_aae.model import losses

LOGITS = tf.constant([[2.0, 0.0], [0.0, 1.0], [3.0, -1.0]])
EVEN = losses.Balance(tf.ones([2]), tf.zeros([2]))


def softmax(logits):
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


def test_reconstruction_mean_and_sum():
    segments = tf.ones([2, 3, 4, 1])
    decoded = tf.concat([tf.zeros([1, 3, 4, 1]), tf.fill([1, 3, 4, 1], 3.0)], axis=0)
    # squared distances 12 * 1 and 12 * 4, the mean over the batch is 30
    assert float(losses.reconstruction_loss(segments, decoded, "sum")) == pytest.approx(30.0)
    assert float(losses.reconstruction_loss(segments, decoded, "mean")) == pytest.approx(2.5)


def test_discriminator_is_binary_cross_entropy():
    prior, code = LOGITS[:2], LOGITS[1:]
    expected = -0.5 * (
        np.mean(np.log(softmax(prior.numpy())[:, 1])) + np.mean(np.log(softmax(code.numpy())[:, 0]))
    )
    assert float(losses.discriminator_loss(prior, code, 0.0)) == pytest.approx(expected, rel=1e-5)


def test_discriminator_that_guesses_has_log_two():
    zeros = tf.zeros([5, 2])
    assert float(losses.discriminator_loss(zeros, zeros, 0.0)) == pytest.approx(np.log(2))


def test_smoothing_punishes_certainty():
    sure_prior, sure_code = tf.constant([[-9.0, 9.0]]), tf.constant([[9.0, -9.0]])
    assert float(losses.discriminator_loss(sure_prior, sure_code, 0.0)) < 1e-6
    smoothed = float(losses.discriminator_loss(sure_prior, sure_code, 0.1))
    assert smoothed == pytest.approx(0.1 * 18, rel=1e-4)


def test_generator_kinds():
    posterior = softmax(LOGITS.numpy())
    saturating = float(losses.generator_loss(LOGITS, "saturating"))
    other = float(losses.generator_loss(LOGITS, "non-saturating"))
    assert saturating == pytest.approx(np.mean(np.log(posterior[:, 0])), rel=1e-5)
    assert other == pytest.approx(-np.mean(np.log(posterior[:, 1])), rel=1e-5)


@pytest.mark.parametrize("kind", ["saturating", "non-saturating"])
def test_generator_falls_as_the_discriminator_is_fooled(kind):
    caught, fooled = tf.constant([[4.0, -4.0]]), tf.constant([[-4.0, 4.0]])
    assert float(losses.generator_loss(fooled, kind)) < float(losses.generator_loss(caught, kind))


def test_non_saturating_has_a_gradient_where_the_saturating_has_none():
    def slope(kind):
        logits = tf.Variable([[20.0, -20.0]])
        with tf.GradientTape() as tape:
            loss = losses.generator_loss(logits, kind)
        return float(tf.reduce_max(tf.abs(tape.gradient(loss, logits))))

    assert slope("saturating") < 1e-6
    assert slope("non-saturating") > 0.9


def test_task_loss_leaves_unlabelled_rows_out():
    with_hidden = losses.task_loss(tf.constant([0, -1, 1]), LOGITS, EVEN)
    without = losses.task_loss(tf.constant([0, 1]), tf.gather(LOGITS, [0, 2]), EVEN)
    assert float(with_hidden) == float(without)


def test_task_loss_of_no_labels_is_zero_with_a_finite_gradient():
    logits = tf.Variable(LOGITS)
    with tf.GradientTape() as tape:
        loss = losses.task_loss(tf.constant([-1, -1, -1]), logits, EVEN)
    assert float(loss) == 0.0
    assert np.all(tape.gradient(loss, logits).numpy() == 0.0)


def test_task_loss_weighs_classes():
    labels = tf.constant([0, 1, 1])
    even = float(losses.task_loss(labels, LOGITS, EVEN))
    weights = losses.Balance(tf.constant([2.0, 0.5]), tf.zeros([2]))
    uneven = float(losses.task_loss(labels, LOGITS, weights))
    each = -np.log(softmax(LOGITS.numpy())[[0, 1, 2], [0, 1, 1]])
    assert even == pytest.approx(each.mean(), rel=1e-5)
    assert uneven == pytest.approx((2 * each[0] + 0.5 * each[1] + 0.5 * each[2]) / 3, rel=1e-5)


def test_classification_loss_is_equation_two():
    terms = {"emotion": tf.constant(2.0), "gender": tf.constant(1.0), "speaker": tf.constant(5.0)}
    total = float(losses.classification_loss(terms, "emotion", 0.6))
    assert total == pytest.approx(0.6 * 2 + 0.4 * 6)


def test_single_task_has_the_first_term_alone():
    total = float(losses.classification_loss({"emotion": tf.constant(2.0)}, "emotion", 0.7))
    assert total == pytest.approx(1.4)
