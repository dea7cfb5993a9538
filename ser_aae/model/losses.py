"""Losses: one function per equation of Sec. 3; each returns a scalar."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from ser_aae.labels import AUXILIARY, UNLABELLED


class Balance(NamedTuple):
    """Treatment of classes of unequal size by a loss.

    Attributes:
        weights: `(classes,)` weight of a row by its class.
        offsets: `(classes,)` added to the logits in the loss and nowhere else.
    """

    weights: tf.Tensor
    offsets: tf.Tensor


def reconstruction_loss(segments: tf.Tensor, decoded: tf.Tensor, reduction: str) -> tf.Tensor:
    """Return eq. (3): the squared distance of segments `(batch, ...)` and their reconstruction.

    `reduction` is `"sum"` over a segment's elements, the literal squared norm, or `"mean"`,
    which keeps alpha comparable whatever the size of a segment. Mean over the batch, 0 for no row.
    """
    squared = tf.math.squared_difference(segments, tf.cast(decoded, segments.dtype))
    count = tf.cast(tf.size(squared), squared.dtype)
    mean = tf.math.divide_no_nan(tf.reduce_sum(squared), count)
    if reduction == "mean":
        return mean
    return mean * tf.cast(tf.reduce_prod(tf.shape(segments)[1:]), mean.dtype)


def select_rows(labels: Mapping[str, tf.Tensor], *tensors: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Return the rows of tensors `(batch, ...)` that take part in every phase.

    Rows of an auxiliary corpus are told from the others where they do not
    (`training.auxiliary_phases`); otherwise all rows take part.
    """
    if AUXILIARY not in labels:
        return tensors
    chosen = tf.equal(labels[AUXILIARY], 0)
    return tuple(tf.boolean_mask(tensor, chosen) for tensor in tensors)


def weight_of_rows(
    labels: Mapping[str, tf.Tensor], own: Mapping[str, tf.Tensor], replicas: int
) -> tf.Tensor:
    """Return the factor of a mean over a replica's own rows that take part in every phase.

    With it the mean over the replicas is that over all such rows of the batch.
    """
    if AUXILIARY not in labels:
        return tf.ones([])
    of_own, of_all = (
        tf.reduce_sum(1.0 - tf.cast(each[AUXILIARY], tf.float32)) for each in (own, labels)
    )
    return tf.math.divide_no_nan(replicas * of_own, of_all)


def discriminator_loss(
    prior_logits: tf.Tensor, code_logits: tf.Tensor, smoothing: float
) -> tf.Tensor:
    """Return eq. (4), negated to be minimised: tell samples of the prior (1) from codes (0).

    Args:
        prior_logits: `(batch, 2)` for samples of N(0, I).
        code_logits: `(batch, 2)` for E(x).
        smoothing: Moved from the true class to the other; keeps D from becoming certain.

    Returns:
        Mean cross-entropy over both halves: ln 2 = 0.693 is chance.
    """
    prior = _cross_entropy(prior_logits, 1, smoothing)
    code = _cross_entropy(code_logits, 0, smoothing)
    return 0.5 * (prior + code)


def generator_loss(code_logits: tf.Tensor, kind: str) -> tf.Tensor:
    """Return the first term of eq. (5): the encoder fools the discriminator.

    `"saturating"` is log(1 - D(E(x))) as written; `"non-saturating"` is -log D(E(x)), which has
    the same aim and a gradient where the discriminator is sure of itself.
    """
    log_posterior = tf.nn.log_softmax(code_logits)
    if kind == "saturating":
        return tf.reduce_mean(log_posterior[:, 0])
    return -tf.reduce_mean(log_posterior[:, 1])


def balance_classes(shares: Sequence[float], weights: str, adjustment: float) -> Balance:
    """Balance classes by their shares of the training part.

    Weights alone do little for a network that can get its whole training part right: it ends
    there whatever the weights are. An adjusted logit of a rare class has to be larger to be as
    likely, so that it gets a margin (Menon et al., "Long-tail learning via logit adjustment",
    2021: the logit-adjusted loss, there without weights). Either makes the best constant answer
    count all classes alike; both together favour rare classes where the network is unsure.

    Args:
        shares: Share of each class in the training part.
        weights: `"balanced"` weighs a class by the inverse of its share, `"none"` all alike.
        adjustment: Factor of the logarithm of the share that a class' logit gets.
    """
    share = tf.constant(shares, tf.float32)
    inverse = 1.0 / (share * len(shares))
    return Balance(
        weights=inverse if weights == "balanced" else tf.ones_like(share),
        offsets=adjustment * tf.math.log(share),
    )


def task_loss(labels: tf.Tensor, logits: tf.Tensor, balance: Balance) -> tf.Tensor:
    """Return L_E, L_G or L_S: cross-entropy over the labelled rows, 0 where there is none.

    Args:
        labels: `(batch,)` class numbers, `UNLABELLED` for a row that takes no part.
        logits: `(batch, classes)`.
        balance: Weights and offsets of the classes.
    """
    labelled = has_label(labels)
    safe = tf.where(labelled, labels, 0)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(safe, logits + balance.offsets)
    weights = tf.where(labelled, tf.gather(balance.weights, safe), 0.0)
    return tf.math.divide_no_nan(tf.reduce_sum(losses * weights), tf.reduce_sum(weights))


def task_accuracy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the share of labelled rows whose largest logit is the true class, 0 for no row."""
    predicted = tf.argmax(logits, axis=1, output_type=tf.int32)
    right = tf.cast(tf.equal(predicted, tf.cast(labels, tf.int32)), logits.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(right), count_labelled(labels))


def count_labelled(labels: tf.Tensor) -> tf.Tensor:
    """Return the number of rows with a label, a float."""
    return tf.reduce_sum(tf.cast(has_label(labels), tf.float32))


def has_label(labels: tf.Tensor) -> tf.Tensor:
    """Return whether each of `(batch,)` rows has a label, bool: the mask of its classifier."""
    return tf.not_equal(labels, UNLABELLED)


def classification_loss(losses: Mapping[str, tf.Tensor], primary: str, beta: float) -> tf.Tensor:
    """Return eq. (2): beta on the primary task, 1 - beta on the sum of the others.

    A single-task model has the first term alone (Sec. 5.1).
    """
    others = [loss for task, loss in losses.items() if task != primary]
    return beta * losses[primary] + (1.0 - beta) * tf.add_n([tf.zeros([]), *others])


def _cross_entropy(logits: tf.Tensor, truth: int, smoothing: float) -> tf.Tensor:
    log_posterior = tf.nn.log_softmax(logits)
    right, wrong = log_posterior[:, truth], log_posterior[:, 1 - truth]
    return -tf.reduce_mean((1.0 - smoothing) * right + smoothing * wrong)
