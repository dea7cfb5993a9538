"""The latent space of a run: moments against N(0, I), and what is kept for pictures of it."""

import io
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ser_aae.data.part import Part
from ser_aae.data.targets import Target
from ser_aae.files.atomic import write_bytes
from ser_aae.frontend.spectrogram import band_frequencies_hz
from ser_aae.model.aae import MultitaskAAE
from ser_aae.results.folder import EXAMPLES
from ser_aae.training.divergence import refuse_diverged
from ser_aae.training.scoring import average_outputs

MOMENT_BATCHES = 4
"""Batches that the moments are measured on; each holds hundreds of thousands of values."""

_MAX_POINTS = 1000
_LEAST_TSNE = 10
_SEED = 0


def describe_latent(model: keras.Model, dataset: tf.data.Dataset) -> dict[str, float]:
    """Return how near z is to the prior, over the first batches of a data set.

    Returns:
        `mean`, `variance` and `kurtosis` of z, which are 0, 1 and 3 for the prior; `mmd`, see
        `distance_to_prior`, which is near 0 for it; and where the model has a discriminator
        `discriminator_accuracy`, with which it tells these codes, without noise, from the prior.

    Raises:
        DivergedError: A code is NaN or infinite.
    """
    codes = [
        model.encoder(segments, training=False).numpy()
        for segments, *_ in dataset.take(MOMENT_BATCHES)
    ]
    values = np.concatenate([code.ravel() for code in codes]).astype(np.float64)
    refuse_diverged({"code": values})
    vectors = np.concatenate([code.reshape(-1, code.shape[-1]) for code in codes])
    found = measure_moments(values) | {"mmd": distance_to_prior(vectors)}
    if "regularisation" in model.phases:
        found["discriminator_accuracy"] = _discriminator_accuracy(model, codes)
    return found


def measure_moments(values: np.ndarray) -> dict[str, float]:
    """Return mean, variance and kurtosis of values; the prior has 0, 1 and 3.

    A variance that falls to 0 or a kurtosis far from 3 says that the codes do not look like the
    prior, whatever the losses say.
    """
    mean, variance = values.mean(), values.var()
    fourth = np.mean((values - mean) ** 4)
    kurtosis = fourth / variance**2 if variance > 0 else 0.0
    return {"mean": float(mean), "variance": float(variance), "kurtosis": float(kurtosis)}


def distance_to_prior(vectors: np.ndarray) -> float:
    """Return the maximum mean discrepancy of codes and N(0, I), unbiased and squared.

    The kernel is a mean of Gaussians of several widths around the distance of two samples of the
    prior (Gretton et al., "A kernel two-sample test", 2012). Two samples of the prior have about 0,
    which may be a little below 0; the more, the farther apart.

    Args:
        vectors: `(n, channels)`, z at each place of its map.
    """
    from sklearn.metrics.pairwise import euclidean_distances  # loads slowly

    draw = np.random.default_rng(_SEED)
    count, channels = min(_MAX_POINTS, len(vectors)), vectors.shape[-1]
    chosen = vectors[draw.choice(len(vectors), count, replace=False)].astype(np.float64)
    prior = draw.normal(size=chosen.shape)

    def likeness(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        distances = euclidean_distances(first, second, squared=True) / (2.0 * channels)
        return np.mean([np.exp(-distances / width) for width in (0.25, 0.5, 1.0, 2.0)], axis=0)

    def mean_of_pairs(points: np.ndarray) -> float:
        same = likeness(points, points)
        return (same.sum() - np.trace(same)) / (count * (count - 1))

    if count < 2:
        return 0.0
    across = likeness(chosen, prior).mean()
    return float(mean_of_pairs(chosen) + mean_of_pairs(prior) - 2.0 * across)


def _discriminator_accuracy(model: MultitaskAAE, codes: list[np.ndarray]) -> float:
    """Return the share of codes and as many samples of the prior that D tells apart, noise-free."""
    draw = np.random.default_rng(_SEED)
    right = []
    for code in codes:
        prior = draw.normal(size=code.shape).astype(np.float32)
        for samples, truth in ((code, 0), (prior, 1)):
            logits = model.discriminator(samples, training=False).numpy()
            right.append(logits.argmax(axis=1) == truth)
    return float(np.concatenate(right).mean())


def write_examples(
    model: MultitaskAAE, dataset: tf.data.Dataset, part: Part, target: Target, folder: Path
) -> None:
    """Write `examples.npz` of validation data; test data are for scoring alone.

    `segment` and `reconstruction` are `(bins, frames)`, normalised (the second absent for a
    CNN); `band_hz` `(bins,)` says where the bins lie, and `segment_utterance`, `segment_class` and
    `segment_speaker` whose segment it is. `latent_2d` `(n, 2)` lays out each utterance's code
    averaged over time and segments, by `latent_projection`, with its `latent_class`,
    `latent_gender` and `latent_speaker` beside it. Where the classes
    are clusters, `plane` `(n, 2)` holds valence and activation of the part, `plane_class` the
    cluster of each and `centroids` `(clusters, 2)` where they lie (Fig. 2).
    """

    def encode(segments: tf.Tensor) -> dict[str, tf.Tensor]:
        code = tf.reduce_mean(model.encoder(segments, training=False), axis=2)
        return {"code": tf.reshape(code, [len(code), -1])}

    first = next(iter(dataset))[0][:1]
    codes = average_outputs(encode, dataset, part).means()["code"]
    utterances = part.utterances
    classes = [target.classes[number] for number in part.labels[target.task][part.rows]]
    places = np.arange(len(utterances))
    if len(places) > _MAX_POINTS:
        places = np.sort(np.random.default_rng(_SEED).choice(places, _MAX_POINTS, replace=False))
    arrays = {"segment": first.numpy()[0, :, :, 0]}
    if "reconstruction" in model.phases:
        arrays["reconstruction"] = model.reconstruct(first).numpy()[0, :, :, 0]
    arrays["band_hz"] = band_frequencies_hz(part.corpus.frontend)
    arrays["segment_utterance"] = np.array(utterances[0].utterance_id)
    arrays["segment_class"] = np.array(classes[0])
    arrays["segment_speaker"] = np.array(utterances[0].speaker)
    arrays["latent_2d"] = map_latent(codes[places])
    arrays["latent_projection"] = np.array(name_projection(len(places)))
    arrays["latent_class"] = np.array([classes[place] for place in places])
    arrays["latent_gender"] = np.array([utterances[place].gender for place in places])
    arrays["latent_speaker"] = np.array([utterances[place].speaker for place in places])
    if target.centroids is not None:
        ratings = [(item.valence, item.activation) for item in utterances]
        arrays["plane"] = np.array(ratings, np.float64)
        arrays["plane_class"] = np.array(classes)
        arrays["centroids"] = target.centroids
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_bytes(folder / EXAMPLES, content.getvalue())


def name_projection(count: int) -> str:
    """Return the projection by which `map_latent` lays out so many codes."""
    return "t-SNE" if count >= _LEAST_TSNE else "principal components"


def map_latent(codes: np.ndarray) -> np.ndarray:
    """Lay codes `(n, values)` out in two dimensions, `(n, 2)`, near ones near each other.

    Principal components first, t-SNE where there are enough points for it.
    """
    from sklearn.decomposition import PCA  # here, because scikit-learn loads slowly
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    count = len(codes)
    if count == 1:
        return np.zeros((1, 2))
    components = PCA(min(50, count, codes.shape[1]), random_state=_SEED).fit_transform(codes)
    if count < _LEAST_TSNE:
        return np.pad(components, ((0, 0), (0, max(0, 2 - components.shape[1]))))[:, :2]
    mapping = TSNE(perplexity=min(30, (count - 1) / 3), random_state=_SEED)
    with threadpool_limits(1):  # else t-SNE takes ten times as long on busy cores
        return np.asarray(mapping.fit_transform(components))
