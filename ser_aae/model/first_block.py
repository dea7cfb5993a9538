"""The trunk's first block in training, without a pass over its map for batch norm's statistics.

The map of the first convolution is the largest of the model, 128 x 256 with every filter, and each
pass over it costs as much as the convolution itself. Its mean and variance need none: the map is
linear in the patches of the input, so that with the patches' mean m and covariance S, a filter
k has mean m' k and variance k' S k. Both are taken from the data, one channel, and their gradient
goes to the kernel alone.
"""

import keras
import numpy as np
import tensorflow as tf


class TrainingTrunk:
    """Trunk in training: the same layers, the same variables, the same code but for rounding.

    Args:
        trunk: A network whose first layers are a convolution and a `PooledBatchNormalization`. The
            latter's pool divides the segments' frequency and time, which the settings see to.
    """

    def __init__(self, trunk: keras.Model) -> None:
        self._trunk = trunk
        _, self._convolution, self._norm = trunk.layers[:3]
        self._rest = keras.Model(self._norm.output, trunk.output)

    def __call__(self, segments: tf.Tensor) -> tf.Tensor:
        """Return the code of segments `(batch, frequency, time, 1)`, in training."""
        if self._norm.synchronized:  # the statistics of all replicas are wanted, of their maps
            return self._trunk(segments, training=True)
        size = self._convolution.kernel_size[0]
        moments = patch_moments(segments, size, self._norm.pool_size)
        statistics = filter_moments(self._convolution.kernel, *moments)
        maps = self._convolution(segments)
        return self._rest(self._norm(maps, training=True, moments=statistics), training=True)


def patch_moments(
    segments: tf.Tensor, size: int, pool: tuple[int, int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return mean and covariance of the patches that a convolution with zero padding sees.

    The moments of all patches are read off those of larger ones, each of which holds the patches of
    a whole pool: an eighth as many, with a pool of 2 x 4.

    Args:
        segments: `(batch, frequency, time, 1)`; `pool` divides frequency and time.
        size: Edge of a patch, odd.
        pool: `(frequency, time)` of the pool.

    Returns:
        `(size * size,)` and `(size * size, size * size)`, over all positions of all segments.
    """
    large = _large_patches(segments, size, pool)
    count = tf.cast(tf.shape(large)[0], segments.dtype)
    mean = tf.reduce_sum(large, axis=0) / count
    squares = tf.matmul(large, large, transpose_a=True) / count
    members = tf.constant(_members(size, pool), segments.dtype)
    phases = members.shape[1]
    mean = tf.einsum("api,a->i", members, mean) / phases
    squares = tf.einsum("api,ab,bpj->ij", members, squares, members) / phases
    return mean, squares - mean[:, None] * mean


def filter_moments(
    kernel: tf.Tensor, mean: tf.Tensor, covariance: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return mean and variance of each filter's map, `(filters,)`, from the patches' moments."""
    taps = tf.reshape(kernel, [mean.shape[0], -1])
    variance = tf.reduce_sum(taps * tf.matmul(covariance, taps), axis=0)
    return tf.linalg.matvec(taps, mean, transpose_a=True), tf.maximum(variance, 0.0)


def _large_patches(segments: tf.Tensor, size: int, pool: tuple[int, int]) -> tf.Tensor:
    """Return what each pool's outputs depend on, `(pools, values)`; built of pool-sized blocks."""
    (rows, columns), (down, right) = pool, _blocks(size, pool)
    _, frequency, time, _ = segments.shape
    high, wide = frequency // rows + down - 1, time // columns + right - 1
    half = size // 2
    margins = [(half, high * rows - frequency - half), (half, wide * columns - time - half)]
    blocks = tf.reshape(
        tf.pad(segments[..., 0], [(0, 0), *margins]), [-1, high, rows, wide, columns]
    )
    blocks = tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4]), [-1, high, wide, rows * columns])
    shifted = [
        blocks[:, i : i + frequency // rows, j : j + time // columns]
        for i in range(down)
        for j in range(right)
    ]
    return tf.reshape(tf.concat(shifted, axis=-1), [-1, down * right * rows * columns])


def _members(size: int, pool: tuple[int, int]) -> np.ndarray:
    """Return which value of a large patch is which of each small one: `(values, phases, taps)`."""
    (rows, columns), (down, right) = pool, _blocks(size, pool)
    members = np.zeros((down, right, rows, columns, rows, columns, size, size))
    for row, column, tap, other in np.ndindex(rows, columns, size, size):
        block, inner = divmod(row + tap, rows)
        beside, inside = divmod(column + other, columns)
        members[block, beside, inner, inside, row, column, tap, other] = 1.0
    return members.reshape(down * right * rows * columns, rows * columns, size * size)


def _blocks(size: int, pool: tuple[int, int]) -> tuple[int, int]:
    """Return how many blocks of a pool's size, down and right, hold the patches of one pool."""
    down, right = (-(-(edge + size - 1) // edge) for edge in pool)
    return down, right
