"""The primary tasks: levels of a dimension, clusters, and who takes part."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans

from data_prep.corpora import known_facts
from ser_aae.config import RunConfig
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.data.targets import fit_to_training, make_target, select_pool
from ser_aae.errors import UserError
from ser_aae.labels import FOUR, UNLABELLED
from ser_aae.store.corpus import StoredCorpus
from ser_aae.utterance import Utterance


def corpus_of(ratings, name="iemocap", emotions=None, **fields):
    """Return a corpus of the given `(valence, activation)`, a speaker each two utterances."""
    emotions = emotions or [FOUR[row % 4] for row in range(len(ratings))]
    utterances = tuple(
        Utterance(
            corpus=name,
            utterance_id=f"u{row:03d}",
            path=f"u{row:03d}.wav",
            speaker=f"{name}:{row // 2}",
            gender="F",
            emotion=emotion,
            emotion_raw=emotion,
            valence=valence,
            activation=activation,
            **fields,
        )
        for row, ((valence, activation), emotion) in enumerate(zip(ratings, emotions, strict=True))
    )
    frames = np.full(len(utterances), 100)
    return StoredCorpus(
        name,
        None,
        None,
        utterances,
        frames,
        (),
        "digest",
        facts=known_facts().get(name, CorpusFacts()),
    )


def test_levels_are_refused_where_a_store_of_before_does_not_say_their_edges():
    corpus = replace(
        corpus_of([(1.0, 2.0), (3.0, 4.0)] * 2), facts=None, folder=Path("store/iemocap-0")
    )
    with pytest.raises(UserError, match=r"prepared by an earlier version.*run: ser-aae prepare"):
        target_of(RunConfig(dataset="iemocap", task="valence"), corpus)
    assert len(target_of(RunConfig(dataset="iemocap"), corpus).numbers) == 4


def rows_of(config, corpus):
    """Return the rows of a corpus that take part."""
    (members,) = select_pool(config, [corpus]).members
    return members.tolist()


def target_of(config, *corpora, train=None):
    pool = select_pool(config, corpora)
    rows = range(len(pool.utterances)) if train is None else train
    return fit_to_training(config, pool, make_target(config, pool), rows)


def fitted_on_training(config):
    return replace(config, data=replace(config.data, clusters="training"))


def labels_of(config, corpus):
    """Return the class of each utterance of a corpus, as a part has them."""
    (part,) = select_pool(config, [corpus]).parts({"it": target_of(config, corpus).numbers})
    return part.labels["it"].tolist()


EDGES = [1.0, 2.0, 2.0001, 2.5, 2.5001, 3.0, 3.5, 3.5001, 5.0, 5.5, 0.5]


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("iemocap", [0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 0]),
        ("msp", [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 0]),
        ("mine", [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 0]),
    ],
)
@pytest.mark.parametrize("task", ["activation", "valence"])
def test_levels_are_those_of_table_2_with_closed_upper_edges(task, name, levels):
    other = [3.0] * len(EDGES)
    ratings = list(
        zip(EDGES, other, strict=True) if task == "valence" else zip(other, EDGES, strict=True)
    )
    target = target_of(RunConfig(task=task), corpus_of(ratings, name))
    assert target.numbers.tolist() == levels
    assert target.task == task
    assert target.classes[1] == {"activation": "medium", "valence": "neutral"}[task]


def test_edges_can_be_set_for_corpora_that_table_2_does_not_name():
    config = RunConfig(task="valence")
    wide = replace(config, data=replace(config.data, level_edges=(1.5, 4.5)))
    ratings = [(1.4, 3.0), (2.0, 3.0), (4.0, 3.0), (4.6, 3.0)]
    assert labels_of(config, corpus_of(ratings, "mine")) == [0, 0, 2, 2]
    assert labels_of(wide, corpus_of(ratings, "mine")) == [0, 1, 1, 2]
    # but a published corpus keeps the published ones
    assert labels_of(wide, corpus_of(ratings, "msp")) == [0, 0, 2, 2]


def test_an_average_of_three_raters_is_not_pushed_over_an_edge_by_its_decimals():
    ratings = [(3.5000004, 3.0), (2.0000009, 3.0), (3.0, 3.0), (3.0, 3.0)]
    assert labels_of(RunConfig(task="valence"), corpus_of(ratings))[:2] == [1, 0]


def test_who_is_not_rated_takes_no_part_in_a_dimension():
    corpus = corpus_of([(1.0, None), (None, 1.0), (2.0, 5.0), (4.0, 3.0)] * 2)
    rows = {
        task: rows_of(RunConfig(task=task), corpus)
        for task in ("emotion", "activation", "valence", "clusters-3")
    }
    assert rows["emotion"] == list(range(8))
    assert rows["activation"] == [1, 2, 3, 5, 6, 7]
    assert rows["valence"] == [0, 2, 3, 4, 6, 7]
    assert rows["clusters-3"] == [2, 3, 6, 7]
    assert labels_of(RunConfig(task="valence"), corpus)[1] == UNLABELLED


def test_a_dimension_is_of_the_four_classes_unless_all_are_asked_for():
    emotions = [*FOUR, "frustration", ""]
    corpus = corpus_of([(3.0, 3.0)] * 6, emotions=emotions)
    four = RunConfig(task="valence")
    assert rows_of(four, corpus) == [0, 1, 2, 3]
    # a turn the raters did not agree on has ratings nevertheless
    assert rows_of(replace(four, classes="all"), corpus) == list(range(6))
    assert rows_of(replace(four, task="emotion", classes="all"), corpus) == [0, 1, 2, 3, 4]
    assert labels_of(four, corpus) == [1, 1, 1, 1, UNLABELLED, UNLABELLED]


def test_only_what_was_improvised():
    improvised = corpus_of([(3.0, 3.0)] * 4, extra={"elicitation": "improvised"}).utterances
    scripted = corpus_of([(3.0, 3.0)] * 4, extra={"elicitation": "scripted"}).utterances
    corpus = replace(corpus_of([(3.0, 3.0)] * 8), utterances=(*scripted, *improvised))
    config = RunConfig()
    assert len(rows_of(config, corpus)) == 8
    config = replace(config, improvised_only=True)
    assert rows_of(config, corpus) == [4, 5, 6, 7]
    with pytest.raises(
        UserError, match="iemocap: expected utterances that are marked as improvised"
    ):
        select_pool(config, [replace(corpus, utterances=scripted)])


@pytest.mark.parametrize("classes", ["four", "all", "anger,sadness"])
def test_a_corpus_without_emotions_is_told_what_it_may_serve_for(classes):
    corpus = corpus_of([(None, None)] * 4, "baved")
    bare = tuple(replace(item, emotion="") for item in corpus.utterances)
    with pytest.raises(UserError, match="baved: expected utterances with an emotion, found none; "):
        select_pool(RunConfig(classes=classes), [replace(corpus, utterances=bare)])


def test_a_corpus_without_ratings_is_refused():
    corpus = corpus_of([(None, None)] * 4, "ravdess")
    with pytest.raises(UserError, match="ravdess: expected utterances rated for activation"):
        select_pool(RunConfig(task="activation"), [corpus])


def cloud(seed=0, each=30):
    """Return ratings around three places of the plane, in turns."""
    places = np.array([[4.2, 3.6], [1.8, 3.7], [2.8, 2.0]])
    draw = np.random.default_rng(seed)
    return np.clip(places[np.arange(3 * each) % 3] + draw.normal(0, 0.2, (3 * each, 2)), 1, 5)


def test_clusters_can_be_found_on_the_training_part_alone():
    ratings = cloud()
    train = np.arange(60)
    config = fitted_on_training(RunConfig(task="clusters-3"))
    target = target_of(config, corpus_of(ratings.tolist()), train=train)
    moved = ratings.copy()
    moved[60:] = [5.0, 1.0]
    other = target_of(config, corpus_of(moved.tolist()), train=train)
    np.testing.assert_allclose(
        sorted(target.centroids.tolist()), sorted(other.centroids.tolist()), atol=1e-9
    )
    whole = target_of(config, corpus_of(moved.tolist()))
    assert not np.allclose(whole.centroids, target.centroids)


def test_clusters_of_the_corpus_are_the_same_in_every_fold():
    ratings = np.random.default_rng(2).uniform(1, 5, (100, 2)).tolist()
    config, corpus = RunConfig(task="clusters-5"), corpus_of(ratings)
    folds = [np.setdiff1d(np.arange(100), np.arange(first, first + 20)) for first in (0, 40, 80)]
    whole = target_of(config, corpus)
    for train in folds:
        target = target_of(config, corpus, train=train)
        np.testing.assert_array_equal(target.centroids, whole.centroids)
        np.testing.assert_array_equal(target.numbers, whole.numbers)
    # fitted a fold, they are not even of the same utterances
    drifting = [target_of(fitted_on_training(config), corpus, train=train) for train in folds]
    assert any((target.numbers != whole.numbers).any() for target in drifting)


def test_clusters_of_a_training_part_are_numbered_as_the_nearest_of_the_corpus():
    # the mean valence of the second is 2.9, less than the third's; without some of it 3.2, and more
    places = np.array([[1.0, 3.0], [2.6, 1.2], [3.2, 1.2], [3.05, 4.8], [3.05, 4.8]])
    ratings = np.repeat(places, 10, axis=0)
    config, corpus = RunConfig(task="clusters-3"), corpus_of(ratings.tolist())
    train = np.setdiff1d(np.arange(50), np.arange(10, 20))
    whole = target_of(config, corpus)
    target = target_of(fitted_on_training(config), corpus, train=train)
    assert whole.centroids[1, 1] < 2 < whole.centroids[2, 1]
    assert target.centroids[1, 0] > target.centroids[2, 0]  # by valence they would change places
    np.testing.assert_array_equal(target.numbers, whole.numbers)
    np.testing.assert_array_equal(target.corpus_centroids, whole.centroids)


def test_clusters_of_a_cross_corpus_run_are_those_of_the_corpus_that_trains():
    config = RunConfig(task="clusters-3")
    source, other = corpus_of(cloud(1).tolist()), corpus_of(cloud(2).tolist(), "msp")
    alone, both = target_of(config, source), target_of(config, source, other)
    np.testing.assert_array_equal(alone.centroids, both.centroids)
    assert len(both.numbers) == 180


def test_clusters_agree_with_scikit_learn_and_are_sorted_by_valence():
    ratings = cloud(1)
    target = target_of(RunConfig(task="clusters-3"), corpus_of(ratings.tolist()))
    fitted = KMeans(3, n_init=20, random_state=9).fit(ratings)
    order = np.argsort(fitted.cluster_centers_[:, 0])
    np.testing.assert_allclose(target.centroids, fitted.cluster_centers_[order], atol=1e-6)
    np.testing.assert_array_equal(order[target.numbers], fitted.labels_)
    assert target.classes == ("cluster 1", "cluster 2", "cluster 3")
    assert target.numbers.dtype == np.int32


def test_five_clusters_and_the_seed_of_the_protocol():
    ratings = np.random.default_rng(3).uniform(1, 5, (200, 2)).tolist()
    config = RunConfig(task="clusters-5")
    first = target_of(config, corpus_of(ratings))
    assert first.centroids.shape == (5, 2)
    # repetitions count the run's seed up and must be scored on the same labels
    again = target_of(replace(config, seed=4), corpus_of(ratings))
    np.testing.assert_array_equal(first.centroids, again.centroids)
    other = replace(config, protocol=replace(config.protocol, seed=4))
    assert not np.array_equal(target_of(other, corpus_of(ratings)).centroids, first.centroids)


def test_too_few_different_ratings_are_refused():
    corpus = corpus_of([(1.0, 1.0), (5.0, 5.0)] * 4)
    with pytest.raises(UserError, match=r"at least 3 different ratings .* corpus, found 2"):
        target_of(RunConfig(task="clusters-3"), corpus)
    corpus = corpus_of([(1.0, 1.0), (5.0, 5.0)] * 4 + [(1.0, 5.0)] * 2)
    config = fitted_on_training(RunConfig(task="clusters-3"))
    with pytest.raises(UserError, match=r"at least 3 different ratings .* training part, found 2"):
        target_of(config, corpus, train=range(8))
