"""Scatters of latent codes."""

import numpy as np

from reports import scatter


def test_the_latent_space_is_drawn_once_for_each_labelling(
    tmp_path, figure_spy, pixels, check_nothing_is_cut_off
):
    points = np.random.default_rng(0).normal(size=(60, 2))
    labels = {
        "emotion": [f"e{row % 4}" for row in range(60)],
        "gender": ["F", "M"] * 30,
        "speaker": [f"s{row % 20}" for row in range(60)],
    }
    scatter.latent_space(points, labels, tmp_path / "l.png", projection="t-SNE")
    pixels(tmp_path / "l.png")
    assert figure_spy[0].get_suptitle() == "Latent codes of 60 validation utterances, by t-SNE"
    emotion, gender, speaker = figure_spy[0].axes
    assert len(emotion.get_legend().get_texts()) == 4
    assert len(gender.get_legend().get_texts()) == 2
    assert speaker.get_legend() is None
    assert speaker.get_title(loc="left") == "speaker (20, a colour each)"
    for axes in (emotion, gender, speaker):
        assert sum(len(group.get_offsets()) for group in axes.collections) == 60

    check_nothing_is_cut_off(figure_spy[0])


def test_clusters_lie_in_the_plane_with_their_centroids(
    tmp_path, figure_spy, pixels, check_nothing_is_cut_off
):
    plane = np.array([[1.5, 4.0], [1.5, 4.0], [3.0, 2.0], [4.5, 3.5]])
    names = ["cluster 1", "cluster 1", "cluster 2", "cluster 3"]
    centroids = np.array([[1.5, 4.0], [3.0, 2.0], [4.5, 3.5]])
    scatter.clusters(plane, names, centroids, tmp_path / "c.png")
    pixels(tmp_path / "c.png")
    (axes,) = figure_spy[0].axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "cluster 1", "cluster 2", "cluster 3", "centroid",
    ]  # fmt: skip
    # equal ratings are one marker
    assert [len(group.get_offsets()) for group in axes.collections] == [1, 1, 1]
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), centroids)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("valence", "activation")
    check_nothing_is_cut_off(figure_spy[0])
