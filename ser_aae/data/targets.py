"""Classes of the primary task, and the utterances that take part in it.

Emotions are the corpora's own labels. The levels of a dimension are those of Table 2, with
closed upper edges. Clusters in the valence-activation plane are found by K-means, once on the
ratings of the corpus, or on each training part (Sec. 5; decisions P9, P10): every utterance gets
the cluster of the nearest centroid. Gender and speaker are known of speech with any emotion or none
(Sec. 6.2): all of it takes part.
"""

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from ser_aae.config import RunConfig
from ser_aae.data.part import Pool
from ser_aae.errors import UserError
from ser_aae.labels import (
    CLUSTERS,
    FOUR,
    GENDERS,
    LEVELS,
    UNLABELLED,
    VOICE_TASKS,
    canonical_emotion,
    class_ids,
    fault_of_classes,
    list_some,
)
from ser_aae.store.corpus import StoredCorpus
from ser_aae.utterance import Utterance

IMPROVISED = "improvised"
"""Value of an utterance's `extra["elicitation"]`; other values are `scripted` and `natural`."""

_ROUNDING = 1e-6
"""Tolerance of an edge: averages of three raters are stored with four decimals."""


@dataclass(frozen=True)
class Target:
    """The classes of the primary task on a pool of utterances.

    Attributes:
        task: `config.task`.
        classes: Names of the classes, in the order of their numbers.
        numbers: `(utterances of the pool,)` int32, the class of each.
        centroids: `(clusters, 2)` valence and activation, in the order of the classes; `None`
            without clusters.
        corpus_centroids: Those of the whole corpus, by valence, which number the clusters.
    """

    task: str
    classes: tuple[str, ...]
    numbers: np.ndarray
    centroids: np.ndarray | None = None
    corpus_centroids: np.ndarray | None = None


def select_pool(config: RunConfig, corpora: Sequence[StoredCorpus]) -> Pool:
    """Return the utterances that the primary task is trained and scored on.

    Utterances of the classes asked for, `four` in the paper for dimensions too (Sec. 4.1);
    `all` with a dimension is every utterance that is rated, agreed on or not. Gender and speaker
    take every utterance of which they are known, whatever `classes` says.

    Raises:
        UserError: The corpora lack the classes, the ratings, the genders, or improvised utterances.
    """
    of_voices = config.task in VOICE_TASKS
    rated = config.task != "emotion" and not of_voices
    dimensions = (config.task,) if config.task in LEVELS else tuple(LEVELS)

    def is_rated(utterance: Utterance) -> bool:
        return all(getattr(utterance, name) is not None for name in dimensions)

    if of_voices or (rated and config.classes == "all"):
        kept = [np.ones(len(corpus.utterances), bool) for corpus in corpora]
    else:
        classes = choose_classes(config.classes, corpora)
        _refuse_idle_corpora(classes, corpora)
        kept = [np.array([u.emotion in classes for u in c.utterances], bool) for c in corpora]
    for corpus, mask in zip(corpora, kept, strict=True):
        if config.improvised_only:
            _narrow(mask, corpus, _is_improvised, "that are marked as improvised")
        if rated:
            _narrow(mask, corpus, is_rated, f"rated for {config.task}")
        if config.task == "gender":
            _narrow(mask, corpus, _has_gender, "of a known gender")
        if config.task == "speaker":
            _narrow(mask, corpus, _has_speaker, "of a known speaker")
    return Pool(tuple(corpora), tuple(np.flatnonzero(mask) for mask in kept))


def may_train_unlabelled(config: RunConfig, corpus: StoredCorpus) -> np.ndarray:
    """Return whether each utterance may train without a label, `(utterances,)` bool."""
    everything = not config.improvised_only
    return np.array([everything or _is_improvised(item) for item in corpus.utterances], bool)


def make_target(config: RunConfig, pool: Pool) -> Target:
    """Number the classes of the primary task.

    Clusters are those of the corpora on which models are trained, without the target of
    `cross-corpus`: ratings define the task, as the edges of levels do, and a cluster is the same in
    every fold.

    Raises:
        UserError: A class without an utterance, a single gender or speaker, or fewer points than
            clusters.
    """
    if config.task in CLUSTERS:
        trained = sum(map(len, pool.members[: len(config.emotional)]))
        fitted = _fit_centroids(config, _plane(pool)[:trained], "corpus")
        # by valence, so that a number means the same for every seed
        centroids = fitted[np.argsort(fitted[:, 0])]
        classes = tuple(f"cluster {number + 1}" for number in range(len(centroids)))
        numbers = _nearest(_plane(pool), centroids)
        return Target(config.task, classes, numbers, centroids, centroids)
    if config.task in LEVELS:
        classes = LEVELS[config.task]
        by_corpus = zip(pool.corpora, pool.members, strict=True)
        numbers = np.concatenate([_levels(corpus, config)[rows] for corpus, rows in by_corpus])
    elif config.task in VOICE_TASKS:
        found = [getattr(item, config.task) for item in pool.utterances]
        classes = GENDERS if config.task == "gender" else tuple(sorted(set(found)))
        _refuse_one_voice(config, found)
        numbers = np.array(class_ids(found, classes))
    else:
        classes = choose_classes(config.classes, pool.corpora)
        numbers = np.array(class_ids([item.emotion for item in pool.utterances], classes))
    return Target(config.task, classes, numbers.astype(np.int32))


def fit_to_training(config: RunConfig, pool: Pool, target: Target, train: Sequence[int]) -> Target:
    """Return the target of a fold: clusters of its training rows, if `data.clusters` asks for them.

    Each has the number of the corpus' cluster that it is matched to, so that the distances of all
    pairs together are least: folds are pooled by these numbers.

    Raises:
        UserError: Fewer points than clusters.
    """
    from scipy.optimize import linear_sum_assignment  # here, because most runs do not need it

    if target.corpus_centroids is None or config.data.clusters == "corpus":
        return target
    fitted = _fit_centroids(config, _plane(pool)[list(train)], "training part")
    distances = np.square(target.corpus_centroids[:, None] - fitted).sum(axis=2)
    _, matched = linear_sum_assignment(distances)
    centroids = fitted[matched]
    return replace(target, numbers=_nearest(_plane(pool), centroids), centroids=centroids)


def number_speakers(target: Target, pool: Pool, speakers: tuple[str, ...]) -> Target:
    """Return the target whose classes, where they are speakers, are all that a run trains on.

    Speakers of auxiliary corpora are classes as well: an utterance may be taken for one of theirs.
    """
    if target.task != "speaker":
        return target
    numbers = class_ids([item.speaker for item in pool.utterances], speakers)
    return replace(target, classes=speakers, numbers=np.array(numbers, np.int32))


def choose_classes(wanted: str, corpora: Sequence[StoredCorpus]) -> tuple[str, ...]:
    """Return the emotions that take part: `four`, `all`, or names with commas between.

    Of several corpora it is enough that one has a class. A word that none has is read by the table
    of synonyms.

    Raises:
        UserError: A class has no utterance in the corpora; those found are named.
    """
    found = Counter(item.emotion for corpus in corpora for item in corpus.utterances)
    found.pop("", None)
    if not found:
        named = ", ".join(corpus.name for corpus in corpora)
        raise UserError(
            f"{named}: expected utterances with an emotion, found none; it may be an --auxiliary "
            "corpus, or serve for --task gender or speaker"
        )
    there = _count_emotions(corpora)
    if wanted == "all":
        if len(found) < 2:
            raise UserError(f"classes: expected two emotions or more, found less: {there}")
        return tuple(sorted(found))
    words = FOUR if wanted == "four" else tuple(name.strip() for name in wanted.split(","))
    names = tuple(word if word in found else canonical_emotion(word) or word for word in words)
    if fault := _find_fault(names, found):
        raise UserError(
            f"classes: received {wanted!r}: {fault}; {there}; "
            "choose with --classes a,b,c or --classes all"
        )
    return names


def _find_fault(names: Sequence[str], found: Container[str]) -> str:
    """Return what is wrong with classes that were asked for, "" where nothing is."""
    if missing := [name for name in names if name and name not in found]:
        return f"no utterance of {', '.join(missing)}"
    return fault_of_classes(names)


def _count_emotions(corpora: Sequence[StoredCorpus]) -> str:
    """Return the emotions of each corpus with their counts, in words."""
    several = len(corpora) > 1
    told = []
    for corpus in corpora:
        counts = Counter(item.emotion for item in corpus.utterances if item.emotion)
        found = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items())) or "none"
        told.append(f"{corpus.name if several else 'the corpus'} has {found}")
    return "; ".join(told)


def _refuse_idle_corpora(classes: Sequence[str], corpora: Sequence[StoredCorpus]) -> None:
    """Refuse a corpus, of several, that has no utterance of any class."""
    for corpus in corpora:
        if not any(item.emotion in classes for item in corpus.utterances):
            raise UserError(
                f"classes: expected utterances of {list_some(classes)} in each corpus; "
                f"{_count_emotions(corpora)}; leave {corpus.name} out, or choose with --classes"
            )


def _narrow(
    mask: np.ndarray, corpus: StoredCorpus, condition: Callable[[Utterance], bool], what: str
) -> None:
    """Keep only the rows that meet a condition, in place; refuse to keep none."""
    mask &= [condition(item) for item in corpus.utterances]
    if not mask.any():
        raise UserError(
            f"{corpus.name}: expected utterances {what}, found none that take part; choose another "
            "corpus or task, or for a task of emotions other --classes"
        )


def _has_gender(utterance: Utterance) -> bool:
    return utterance.gender in GENDERS


def _has_speaker(utterance: Utterance) -> bool:
    return utterance.has_known_speaker


def _refuse_one_voice(config: RunConfig, found: Sequence[str]) -> None:
    """Refuse a task of voices on a corpus in which there is nothing to tell apart."""
    if len(set(found)) < 2:
        raise UserError(
            f"task: expected a corpus of two {config.task}s or more for {config.task}, found "
            f"{', '.join(set(found))} alone in {config.title}; choose another corpus or task"
        )


def _is_improvised(utterance: Utterance) -> bool:
    return utterance.extra.get("elicitation") == IMPROVISED


def _levels(corpus: StoredCorpus, config: RunConfig) -> np.ndarray:
    """Return the level of each rating: at most the low edge, at most the high edge, above."""
    if corpus.facts is None:
        raise UserError(
            f"{corpus.folder}: prepared by an earlier version, which did not write where the "
            f"levels of {corpus.name} end; run: ser-aae prepare --dataset "
            f"{config.advised_name(corpus.name)} --store {corpus.folder.parent}, which adds it and "
            "computes nothing anew"
        )
    low, high = corpus.facts.level_edges or config.data.level_edges
    ratings = [getattr(item, config.task) for item in corpus.utterances]
    values = np.array(ratings, dtype=np.float64)  # NaN where there is no rating
    levels = np.digitize(values, [low + _ROUNDING, high + _ROUNDING], right=True)
    return np.where(np.isnan(values), UNLABELLED, levels)


def _plane(pool: Pool) -> np.ndarray:
    """Return `(utterances of the pool, 2)` valence and activation."""
    return np.array([(item.valence, item.activation) for item in pool.utterances], np.float64)


def _nearest(plane: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Return the number of the centroid that each point is nearest to."""
    distances = np.square(plane[:, None] - centroids).sum(axis=2)
    return distances.argmin(axis=1).astype(np.int32)


def _fit_centroids(config: RunConfig, points: np.ndarray, where: str) -> np.ndarray:
    """Return the `(clusters, 2)` centroids of K-means on points of the plane."""
    from sklearn.cluster import KMeans  # here, because most runs do not need it

    count = CLUSTERS[config.task]
    if len(np.unique(points, axis=0)) < count:
        raise UserError(
            f"{config.task}: expected at least {count} different ratings of valence and "
            f"activation in the {where}, found {len(np.unique(points, axis=0))}"
        )
    # the protocol's seed, so that repetitions have the same labels; one thread, so to the bit
    with threadpool_limits(1):
        fitted = KMeans(count, n_init=10, random_state=config.protocol.seed).fit(points)
    return np.asarray(fitted.cluster_centers_)
