"""The latent space of a run: its moments, its map, and what is kept for pictures of it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from ser_aae.batches.pipeline import evaluation_dataset, measure_normalisation
from ser_aae.config import DataConfig, ModelConfig
from ser_aae.data.targets import Target
from ser_aae.frontend.spectrogram import band_frequencies_hz
from ser_aae.labels import FOUR
from ser_aae.model.aae import MultitaskAAE
from ser_aae.results.folder import EXAMPLES
from ser_aae.training import latent
from ser_aae.training.divergence import DivergedError
from ser_aae.training.latent import (
    describe_latent,
    distance_to_prior,
    map_latent,
    measure_moments,
    name_projection,
    write_examples,
)

TARGET = Target("emotion", FOUR, [])
DATA = DataConfig(segment_frames=64, evaluation_shift_frames=32, pad="repeat")
SMALL = ModelConfig(filters=(4, 4), latent_channels=4, classifier_filters=4, dense_units=(8, 8))

pytestmark = pytest.mark.usefixtures("one_thread")


def encoded(codes):
    """A model whose encoder returns its input, and batches of `(segments, labels)` for it."""
    calls = []

    def encoder(segments, training):
        calls.append(training)
        return segments

    batches = tf.data.Dataset.from_tensor_slices(np.asarray(codes, np.float32))
    dataset = batches.map(lambda code: (code, {"emotion": 0}))
    return SimpleNamespace(encoder=encoder, phases=()), dataset, calls


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
    found = describe_latent(model, dataset)
    assert found["mean"] == pytest.approx(mean, abs=0.03)
    assert found["variance"] == pytest.approx(variance, rel=0.05)
    assert found["kurtosis"] == pytest.approx(kurtosis, rel=0.08)
    assert all(type(value) is float for value in found.values())


def test_a_collapsed_code_has_no_kurtosis_and_no_nan():
    assert measure_moments(np.full(60, 0.5)) == {"mean": 0.5, "variance": 0.0, "kurtosis": 0.0}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_code_that_is_no_number_ends_the_training(value):
    codes = np.zeros((2, 3), np.float32)
    codes[1, 2] = value
    model = SimpleNamespace(encoder=lambda x, training: tf.constant(codes), phases=())
    with pytest.raises(DivergedError, match=r"output code is (nan|inf); lower training"):
        describe_latent(model, tf.data.Dataset.from_tensors((tf.zeros(1), 0)))


def test_four_batches_are_looked_at_without_training():
    codes = np.zeros((6, 5, 2, 2, 2))
    codes[4:] = 100.0
    model, dataset, calls = encoded(codes)
    assert describe_latent(model, dataset)["mean"] == 0.0
    assert calls == [False] * 4


def test_moments_also_take_batches_with_rows():
    model, dataset, _ = encoded(draw("normal"))
    with_rows = dataset.map(lambda code, labels: (code, labels, tf.range(8)))
    assert describe_latent(model, with_rows) == describe_latent(model, dataset)


def normal(count, channels=8, seed=4, **settings):
    return np.random.default_rng(seed).normal(size=(count, channels), **settings)


def test_samples_of_the_prior_have_no_distance_from_it():
    assert abs(distance_to_prior(normal(4000))) < 2e-3
    assert abs(distance_to_prior(normal(4000, seed=5))) < 2e-3


@pytest.mark.parametrize(
    "far",
    [
        lambda near: near + 0.5,
        lambda near: 2.0 * near,
        np.abs,  # the same variance around 0, and never negative
        lambda near: np.sqrt(3.0) * np.sign(near) * np.abs(near) ** 2 / 3.0,
        lambda near: np.repeat(near[:, :1], near.shape[1], axis=1),  # channels that say the same
    ],
    ids=["shifted", "wide", "positive", "peaked", "dependent"],
)
def test_the_farther_codes_are_from_the_prior_the_more(far):
    near = normal(4000)
    whole = distance_to_prior(far(near))
    assert whole > 5e-3
    half = np.where(np.arange(len(near))[:, None] % 2, near, far(near))
    assert 2e-3 < distance_to_prior(half) < whole


@pytest.mark.parametrize(("offset", "told"), [(0.0, 0.5), (4.0, 1.0)])
def test_how_well_the_discriminator_tells_codes_without_noise(offset, told):
    model, dataset, _ = encoded(draw("normal") + offset)
    noisy = []

    def discriminator(codes, training):
        noisy.append(training)
        mean = tf.reduce_mean(codes, axis=[1, 2, 3])
        return tf.stack([mean - 2.0, tf.zeros_like(mean)], axis=1)

    model.phases, model.discriminator = ("regularisation",), discriminator
    found = describe_latent(model, dataset)
    assert found["discriminator_accuracy"] == told
    assert not any(noisy)


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
    np.testing.assert_array_equal(map_latent(codes), map_latent(codes))


@pytest.mark.parametrize(("count", "width"), [(2, 5), (9, 1), (10, 2), (5, 3)])
def test_few_points_or_values_are_laid_out_too(count, width):
    codes = np.random.default_rng(3).normal(0, 1, (count, width))
    placed = map_latent(codes)
    assert placed.shape == (count, 2)
    assert np.isfinite(placed).all()


def build_model(kind):
    tf.random.set_seed(1)
    config = replace(SMALL, kind=kind)
    return MultitaskAAE(config, {"emotion": 4, "gender": 2}, (32, 64, 1), seed=1)


@pytest.fixture(scope="module")
def model():
    return build_model("mtl")


@pytest.fixture(scope="module")
def part(tiny_part):
    return replace(tiny_part, rows=np.arange(8, 24))


@pytest.fixture(scope="module")
def dataset(part):
    return evaluation_dataset(part, measure_normalisation([part]), DATA, 16)


@pytest.fixture(scope="module")
def written(model, dataset, part, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_examples(model, dataset, part, TARGET, folder)
    with np.load(folder / EXAMPLES) as content:
        return dict(content)


def test_a_segment_and_its_reconstruction(model, dataset, written):
    (segments, *_), *_ = dataset
    np.testing.assert_array_equal(written["segment"], segments[0, :, :, 0])
    decoded = model.decoder(model.encoder(segments[:1], training=False), training=False)
    assert written["reconstruction"].shape == (32, 64)
    np.testing.assert_allclose(written["reconstruction"], decoded[0, :, :, 0], atol=1e-5)
    assert not np.allclose(written["reconstruction"], written["segment"], atol=1e-2)


def test_whose_segment_it_is_and_where_its_bins_lie(part, written):
    first = part.corpus.utterances[part.rows[0]]
    named = [str(written[f"segment_{name}"]) for name in ("utterance", "class", "speaker")]
    assert named == [first.utterance_id, first.emotion, first.speaker]
    np.testing.assert_array_equal(written["band_hz"], band_frequencies_hz(part.corpus.frontend))
    assert written["latent_projection"] == "t-SNE"  # of 16 utterances
    assert name_projection(9) == "principal components"


def test_one_point_an_utterance_with_what_is_known_of_it(part, written):
    utterances = [part.corpus.utterances[row] for row in part.rows]
    assert written["latent_2d"].shape == (16, 2)
    assert np.isfinite(written["latent_2d"]).all()
    assert written["latent_class"].tolist() == [item.emotion for item in utterances]
    assert written["latent_gender"].tolist() == [item.gender for item in utterances]
    assert written["latent_speaker"].tolist() == [item.speaker for item in utterances]


def test_a_point_is_the_code_averaged_over_time_and_segments(
    model, dataset, part, tmp_path, monkeypatch
):
    seen = {}

    def keep(points):
        seen["points"] = points
        return np.zeros((len(points), 2))

    monkeypatch.setattr(latent, "map_latent", keep)
    write_examples(model, dataset, part, TARGET, tmp_path)
    codes = {int(row): [] for row in part.rows}
    for segments, _, rows in dataset:
        for row, segment in zip(rows.numpy(), segments, strict=True):
            code = model.encoder(segment[None], training=False).numpy()[0]
            codes[int(row)].append(code.mean(axis=1).ravel())
    assert max(len(each) for each in codes.values()) > 1
    expected = [np.mean(codes[int(row)], axis=0) for row in part.rows]
    np.testing.assert_allclose(seen["points"], expected, atol=1e-4)


def test_many_utterances_are_thinned_out_alike_each_time(
    model, dataset, part, tmp_path, monkeypatch
):
    monkeypatch.setattr(latent, "_MAX_POINTS", 6)
    names = []
    for _ in range(2):
        write_examples(model, dataset, part, TARGET, tmp_path)
        with np.load(tmp_path / EXAMPLES) as content:
            assert len(content["latent_2d"]) == len(content["latent_class"]) == 6
            names.append(content["latent_speaker"].tolist() + content["latent_class"].tolist())
    assert names[0] == names[1]


def test_a_cnn_has_no_reconstruction(dataset, part, tmp_path):
    write_examples(build_model("cnn"), dataset, part, TARGET, tmp_path)
    with np.load(tmp_path / EXAMPLES) as content:
        assert "reconstruction" not in content
        assert content["segment"].shape == (32, 64)
        assert content["latent_2d"].shape == (16, 2)


def test_nothing_else_is_left_in_the_folder(model, dataset, part, tmp_path):
    write_examples(model, dataset, part, TARGET, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [EXAMPLES]


def test_clusters_are_kept_with_the_ratings_behind_them(model, dataset, part, tmp_path):
    write_examples(model, dataset, part, TARGET, tmp_path)
    with np.load(tmp_path / EXAMPLES) as content:
        assert not {"plane", "centroids"} & set(content)
    utterances = tuple(
        replace(item, valence=1.0 + row % 5, activation=5.0 - row % 4)
        for row, item in enumerate(part.corpus.utterances)
    )
    rated = replace(part, corpus=replace(part.corpus, utterances=utterances))
    rated.labels["clusters-3"] = np.arange(64, dtype=np.int32) % 3
    centroids = np.array([[1.5, 4.0], [3.0, 3.0], [4.5, 2.5]])
    target = Target("clusters-3", ("one", "two", "three"), [], centroids)
    write_examples(model, dataset, rated, target, tmp_path)
    with np.load(tmp_path / EXAMPLES) as content:
        np.testing.assert_array_equal(content["centroids"], centroids)
        assert content["plane"][0].tolist() == [1.0 + 8 % 5, 5.0 - 8 % 4]
        names = [target.classes[row % 3] for row in rated.rows]
        assert content["plane_class"].tolist() == content["latent_class"].tolist() == names
