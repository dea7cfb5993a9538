"""Latent codes: their moments beside the prior, and a map of them in two dimensions."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from ser_aae.training.latent import latent_moments, map_latent

pytestmark = pytest.mark.usefixtures("one_thread")


def encoded(codes):
    """A model whose encoder returns its input, and batches of `(segments, labels)` for it."""
    calls = []

    def encoder(segments, training):
        calls.append(training)
        return segments

    batches = tf.data.Dataset.from_tensor_slices(np.asarray(codes, np.float32))
    dataset = batches.map(lambda code: (code, {"emotion": 0}))
    return SimpleNamespace(encoder=encoder), dataset, calls


def draw(distribution, **settings):
    return getattr(np.random.default_rng(2), distribution)(size=(4, 8, 4, 8, 30), **settings)


@pytest.mark.parametrize(
    ("codes", "mean", "variance", "kurtosis"),
    [
        (draw("normal"), 0.0, 1.0, 3.0),
        (draw("normal", loc=2.0, scale=0.5), 2.0, 0.25, 3.0),
        (draw("uniform", low=-1.0, high=1.0), 0.0, 1 / 3, 1.8),
        (draw("laplace"), 0.0, 2.0, 6.0),
    ],
    ids=["normal", "shifted", "uniform", "laplace"],
)
def test_moments_are_those_of_the_distribution(codes, mean, variance, kurtosis):
    model, dataset, _ = encoded(codes)
    found = latent_moments(model, dataset)
    assert found["mean"] == pytest.approx(mean, abs=0.03)
    assert found["variance"] == pytest.approx(variance, rel=0.05)
    assert found["kurtosis"] == pytest.approx(kurtosis, rel=0.08)
    assert all(type(value) is float for value in found.values())


def test_a_collapsed_code_has_no_kurtosis_and_no_nan():
    model, dataset, _ = encoded(np.full((2, 4, 3, 3, 2), 0.5))
    assert latent_moments(model, dataset) == {"mean": 0.5, "variance": 0.0, "kurtosis": 0.0}


def test_four_batches_are_looked_at_without_training():
    codes = np.zeros((6, 5, 2, 2, 2))
    codes[4:] = 100.0
    model, dataset, calls = encoded(codes)
    assert latent_moments(model, dataset)["mean"] == 0.0
    assert calls == [False] * 4


def test_moments_also_take_batches_with_rows():
    model, dataset, _ = encoded(draw("normal"))
    with_rows = dataset.map(lambda code, labels: (code, labels, tf.range(8)))
    assert latent_moments(model, with_rows) == latent_moments(model, dataset)


def groups(each, groups=3, width=60):
    draw = np.random.default_rng(1)
    centres = draw.normal(0, 20, (groups, width))
    return np.concatenate([draw.normal(centre, 1, (each, width)) for centre in centres])


@pytest.mark.parametrize("each", [3, 12])  # 9 points: principal components; 36: t-SNE
def test_what_lies_together_is_drawn_together(each):
    placed = map_latent(groups(each))
    assert placed.shape == (3 * each, 2)
    assert np.isfinite(placed).all()
    distances = np.linalg.norm(placed[:, None] - placed[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    np.testing.assert_array_equal(nearest // each, np.arange(3 * each) // each)


def test_the_same_codes_give_the_same_map():
    codes = np.random.default_rng(3).normal(0, 1, (11, 6))
    np.testing.assert_array_equal(map_latent(codes, 1), map_latent(codes, 1))


@pytest.mark.parametrize(("count", "width"), [(2, 5), (9, 1), (10, 2), (5, 3)])
def test_few_points_or_values_are_laid_out_too(count, width):
    codes = np.random.default_rng(3).normal(0, 1, (count, width))
    placed = map_latent(codes)
    assert placed.shape == (count, 2)
    assert np.isfinite(placed).all()
