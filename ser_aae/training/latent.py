"""What the latent code looks like: moments against N(0, I), and a map in two dimensions."""

import keras
import numpy as np
import tensorflow as tf

_BATCHES = 4
"""Batches that the moments are measured on; each holds hundreds of thousands of values."""


def latent_moments(model: keras.Model, dataset: tf.data.Dataset) -> dict[str, float]:
    """Return mean, variance and kurtosis of z over the first batches of a data set.

    The prior has 0, 1 and 3. A variance that falls to 0 or a kurtosis far from 3 says that
    the codes do not look like the prior, whatever the losses say.
    """
    codes = [
        model.encoder(segments, training=False).numpy().ravel()
        for segments, *_ in dataset.take(_BATCHES)
    ]
    values = np.concatenate(codes).astype(np.float64)
    mean, variance = values.mean(), values.var()
    fourth = np.mean((values - mean) ** 4)
    kurtosis = fourth / variance**2 if variance > 0 else 0.0
    return {"mean": float(mean), "variance": float(variance), "kurtosis": float(kurtosis)}


def map_latent(codes: np.ndarray, seed: int = 0) -> np.ndarray:
    """Lay codes `(n, values)` out in two dimensions, `(n, 2)`, near ones near each other.

    Principal components first, t-SNE where there are enough points for it.
    """
    from sklearn.decomposition import PCA  # here, because scikit-learn loads slowly
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    count = len(codes)
    if count == 1:
        return np.zeros((1, 2))
    components = PCA(min(50, count, codes.shape[1]), random_state=seed).fit_transform(codes)
    if count < 10:
        return np.pad(components, ((0, 0), (0, max(0, 2 - components.shape[1]))))[:, :2]
    mapping = TSNE(perplexity=min(30, (count - 1) / 3), random_state=seed)
    with threadpool_limits(1):  # on busy cores its threads wait for each other, ten times as long
        return np.asarray(mapping.fit_transform(components))
