"""Examples that a run keeps for pictures: segments, reconstructions and latent codes."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from ser_aae.batches.pipeline import evaluation_dataset, measure_normalisation
from ser_aae.config import DataConfig, ModelConfig
from ser_aae.data.targets import Target
from ser_aae.labels import FOUR
from ser_aae.model.aae import MultitaskAAE
from ser_aae.results.folder import EXAMPLES
from ser_aae.training import examples
from ser_aae.training.examples import draw_examples

TARGET = Target("emotion", FOUR, [])
DATA = DataConfig(segment_frames=64, evaluation_shift_frames=32, pad="repeat")
SMALL = ModelConfig(filters=(4, 4), latent_channels=4, classifier_filters=4, dense_units=(8, 8))


pytestmark = pytest.mark.usefixtures("one_thread")


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
    draw_examples(model, dataset, part, TARGET, folder)
    with np.load(folder / EXAMPLES) as content:
        return dict(content)


def test_a_segment_and_its_reconstruction(model, dataset, written):
    (segments, *_), *_ = dataset
    np.testing.assert_array_equal(written["segment"], segments[0, :, :, 0])
    decoded = model.decoder(model.encoder(segments[:1], training=False), training=False)
    assert written["reconstruction"].shape == (32, 64)
    np.testing.assert_allclose(written["reconstruction"], decoded[0, :, :, 0], atol=1e-5)
    assert not np.allclose(written["reconstruction"], written["segment"], atol=1e-2)


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

    def keep(points, seed):
        seen["points"], seen["seed"] = points, seed
        return np.zeros((len(points), 2))

    monkeypatch.setattr(examples, "map_latent", keep)
    draw_examples(model, dataset, part, TARGET, tmp_path, seed=5)
    codes = {int(row): [] for row in part.rows}
    for segments, _, rows in dataset:
        for row, segment in zip(rows.numpy(), segments, strict=True):
            code = model.encoder(segment[None], training=False).numpy()[0]
            codes[int(row)].append(code.mean(axis=1).ravel())
    assert max(len(each) for each in codes.values()) > 1
    expected = [np.mean(codes[int(row)], axis=0) for row in part.rows]
    np.testing.assert_allclose(seen["points"], expected, atol=1e-4)
    assert seen["seed"] == 5


def test_many_utterances_are_thinned_out_by_the_seed(model, dataset, part, tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "_POINTS", 6)
    names = []
    for seed in (0, 0, 1):
        draw_examples(model, dataset, part, TARGET, tmp_path, seed)
        with np.load(tmp_path / EXAMPLES) as content:
            assert len(content["latent_2d"]) == len(content["latent_class"]) == 6
            names.append(content["latent_speaker"].tolist() + content["latent_class"].tolist())
    assert names[0] == names[1] != names[2]


def test_a_cnn_has_no_reconstruction(dataset, part, tmp_path):
    draw_examples(build_model("cnn"), dataset, part, TARGET, tmp_path)
    with np.load(tmp_path / EXAMPLES) as content:
        assert "reconstruction" not in content
        assert content["segment"].shape == (32, 64)
        assert content["latent_2d"].shape == (16, 2)


def test_nothing_else_is_left_in_the_folder(model, dataset, part, tmp_path):
    draw_examples(model, dataset, part, TARGET, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [EXAMPLES]


def test_clusters_are_kept_with_the_ratings_behind_them(model, dataset, part, tmp_path):
    draw_examples(model, dataset, part, TARGET, tmp_path)
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
    draw_examples(model, dataset, rated, target, tmp_path)
    with np.load(tmp_path / EXAMPLES) as content:
        np.testing.assert_array_equal(content["centroids"], centroids)
        assert content["plane"][0].tolist() == [1.0 + 8 % 5, 5.0 - 8 % 4]
        names = [target.classes[row % 3] for row in rated.rows]
        assert content["plane_class"].tolist() == content["latent_class"].tolist() == names
