"""Keras layers of our own: batch norm around a max-pool, and pooling over time."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ser_aae")
class PooledBatchNormalization(keras.layers.Layer):
    """Batch normalisation before a max-pool, computed with an eighth of the element-wise work.

    The paper's block is convolution, batch norm, ReLU, max-pool (Sec. 4.3). Without a scale,
    batch norm and ReLU are rising functions of each element, and a rising function may be
    applied after a maximum as well as before it. So the statistics are taken over the whole
    map, before the pool, and applied to the pooled map: the same function, while only the
    statistics and the pool touch the map at full resolution. (A scale is not needed: the
    next convolution follows a ReLU and can take any positive factor itself.)

    Args:
        pool_size: `(frequency, time)` of the max-pool.
        momentum: Share of the moving mean and variance that a step keeps.
        epsilon: Added to the variance.

    Shapes:
        in `(batch, frequency, time, channels)`, out the same with frequency and time divided
        by `pool_size`. A mask `(batch,)` bool takes the statistics of the rows that are true
        alone; where none is, the moving ones stay as they are. All arithmetic but the maximum is
        float32, whatever the precision of the map; the result has the layer's.
    """

    def __init__(
        self,
        pool_size: tuple[int, int],
        momentum: float = 0.9,
        epsilon: float = 1e-3,
        **kwargs: Any,
    ) -> None:
        # in bfloat16 a map comes as it is, and the moments that are given keep their precision
        super().__init__(autocast=False, **kwargs)
        self.pool_size = tuple(pool_size)
        self.momentum = momentum
        self.epsilon = epsilon
        self.synchronized = False  # Keras' word for statistics over all replicas' shares

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the offset and the moving statistics, one value a channel."""
        shape = (input_shape[-1],)
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros", autocast=False)
        self.moving_mean, self.moving_variance = (
            self.add_weight(
                name=f"moving_{name}",
                shape=shape,
                initializer=first,
                trainable=False,
                autocast=False,
            )
            for name, first in (("mean", "zeros"), ("variance", "ones"))
        )

    def call(
        self,
        inputs: tf.Tensor,
        training: bool = False,
        mask: tf.Tensor | None = None,
        moments: tuple[tf.Tensor, tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """Normalise with the batch's statistics in training, with the moving ones otherwise.

        Whoever has the mean and variance of the batch's map already gives them as `moments`.
        """
        if training:
            if moments is not None:
                mean, variance = moments
            elif self.synchronized:
                mean, variance = shared_channel_moments(inputs)
            else:
                mean, variance = channel_moments(inputs, mask)
            self._follow(self.moving_mean, mean, mask)
            self._follow(self.moving_variance, variance, mask)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        pooled = tf.nn.max_pool2d(inputs, self.pool_size, self.pool_size, "VALID")
        factor = tf.math.rsqrt(variance + self.epsilon)
        found = tf.cast(pooled, factor.dtype) * factor + (self.beta - mean * factor)
        return tf.cast(found, self.compute_dtype)

    def compute_mask(self, inputs: tf.Tensor, previous_mask: tf.Tensor | None) -> None:
        """Hand no mask on: the layers behind treat each row by itself."""

    def _follow(self, moving: keras.Variable, value: tf.Tensor, mask: tf.Tensor | None) -> None:
        moved = moving * self.momentum + tf.stop_gradient(value) * (1.0 - self.momentum)
        if mask is not None:
            moved = tf.where(tf.reduce_any(mask), moved, moving)
        moving.assign(moved)

    def get_config(self) -> dict[str, Any]:
        """Return the settings that make the layer again."""
        own = {name: getattr(self, name) for name in ("pool_size", "momentum", "epsilon")}
        return {**super().get_config(), **own}


def channel_moments(
    inputs: tf.Tensor, mask: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return mean and variance per channel of `(batch, frequency, time, channels)`, in float32.

    Args:
        inputs: The map.
        mask: `(batch,)` bool, the rows that count; all without one. Where none counts, both
            moments are 0.
    """
    inputs = tf.cast(inputs, tf.float32)
    batch, frequency, time, _ = tf.unstack(tf.shape(inputs))
    if mask is None:
        return _moments(inputs, tf.cast(batch * frequency * time, inputs.dtype))
    rows = tf.cast(mask, inputs.dtype)
    count = tf.reduce_sum(rows) * tf.cast(frequency * time, inputs.dtype)
    return _moments(inputs * rows[:, None, None, None], tf.maximum(count, 1.0))


@tf.custom_gradient
def _moments(inputs: tf.Tensor, count: tf.Tensor) -> tuple[tuple[tf.Tensor, tf.Tensor], Any]:
    """Return sum and sum of squares over `count`, as mean and variance.

    The function is `tf.nn.moments`, whose gradient takes five passes over the map where two
    do: the sum of squares is the diagonal of a matrix product, and the gradient of both
    moments together is one line in x.
    """
    flat = tf.reshape(inputs, [-1, inputs.shape[-1]])
    mean = tf.reduce_sum(flat, axis=0) / count
    squares = tf.linalg.diag_part(tf.matmul(flat, flat, transpose_a=True)) / count
    variance = tf.maximum(squares - tf.square(mean), 0.0)

    def gradient(of_mean: tf.Tensor, of_variance: tf.Tensor) -> tuple[tf.Tensor, None]:
        slope = 2.0 * of_variance / count
        return inputs * slope + (of_mean / count - slope * mean), None

    return (mean, variance), gradient


def shared_channel_moments(inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return mean and variance per channel over the shares of all replicas together."""
    inputs = tf.cast(inputs, tf.float32)
    count = tf.cast(tf.size(inputs) / inputs.shape[-1], inputs.dtype)
    sums = [count, tf.reduce_sum(inputs, [0, 1, 2]), tf.reduce_sum(tf.square(inputs), [0, 1, 2])]
    context = tf.distribute.get_replica_context()
    count, total, squares = context.all_reduce(tf.distribute.ReduceOp.SUM, sums)
    mean = total / count
    return mean, tf.maximum(squares / count - tf.square(mean), 0.0)


@keras.saving.register_keras_serializable("ser_aae")
class TimePooling(keras.layers.Layer):
    """Pooling of a map over time, which keeps frequency and channel.

    Dense layers on the flattened map learn where in the window something is said; on small
    corpora pooling over time is worth more than any other choice (decisions M4a).

    Args:
        kind: `"mean-std"` (mean and standard deviation) or `"attention"` (mean weighted by a
            learned softmax over time).

    Shapes:
        in `(batch, frequency, time, channels)`, out `(batch, n)` with n = frequency * channels,
        twice that for `"mean-std"`.
    """

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if kind not in ("mean-std", "attention"):
            raise ValueError(f"TimePooling: expected 'mean-std' or 'attention', received {kind!r}")
        self.kind = kind

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the scoring vector of the attention."""
        if self.kind == "attention":
            width = int(input_shape[1] or 0) * int(input_shape[3] or 0)
            self.score = self.add_weight(name="score", shape=(width, 1), initializer="zeros")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Pool over the third axis."""
        _, frequency, time, channels = inputs.shape
        steps = tf.transpose(inputs, [0, 2, 1, 3])
        steps = tf.reshape(steps, [-1, time, frequency * channels])
        if self.kind == "attention":
            weights = tf.nn.softmax(steps @ self.score, axis=1)
            return tf.reduce_sum(steps * weights, axis=1)
        mean, variance = tf.nn.moments(steps, axes=[1])
        return tf.concat([mean, tf.sqrt(variance + 1e-5)], axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return the settings that make the layer again."""
        return {**super().get_config(), "kind": self.kind}
