"""Which rows a run is made of beyond the labelled ones: drawn speakers, the unlabelled rest."""

from dataclasses import replace

import numpy as np
import pytest

from ser_aae.assembly import assemble
from ser_aae.config import DataConfig
from ser_aae.errors import UserError
from ser_aae.labels import UNLABELLED


@pytest.fixture(scope="module")
def store(tmp_path_factory, speakers_of, sounds_of, write_corpus):
    """Return a store: `tiny` with a fifth emotion and ratings, `voices` in two subsets."""
    place = tmp_path_factory.mktemp("store")
    utterances = [
        replace(item, emotion="fear" if item.utterance_id.endswith("1") else item.emotion)
        for item in speakers_of("tiny", each=3)
    ]
    rated = [
        replace(item, valence=1.0 + row % 9 / 2, activation=1.0 + row % 5)
        for row, item in enumerate(utterances)
    ]
    voices = [
        replace(item, emotion="", extra={"subset": "clean" if row < 32 else "other"})
        for row, item in enumerate(speakers_of("voices", speakers=6))
    ]
    for corpus in (rated, voices):
        write_corpus(place, corpus, sounds_of(corpus, 32))
    return place


def names(part):
    return {part.corpus.utterances[row].speaker for row in part.rows}


def test_auxiliary_speakers_are_drawn_from_a_subset(kfold_config, store):
    config = replace(kfold_config, auxiliary=("voices",))
    (whole,) = assemble(config, store).auxiliary
    assert len(names(whole)) == 6
    clean = replace(config, data=DataConfig(auxiliary_subset="clean"))
    (part,) = assemble(clean, store).auxiliary
    assert names(part) == {f"voices:{number:02d}" for number in range(4)}
    few = replace(config, data=DataConfig(auxiliary_speakers=2))
    data = assemble(few, store)
    assert len(names(data.auxiliary[0])) == 2
    # who is not drawn is no class of the speaker task either
    assert data.num_classes["speaker"] == 4 + 2
    assert data.leakage["speakers"]["auxiliary"] == 2
    # repetitions have the same speakers; another seed of the protocol has others
    assert names(assemble(replace(few, seed=5), store).auxiliary[0]) == names(data.auxiliary[0])
    drawn = {
        frozenset(names(assemble(other, store).auxiliary[0]))
        for seed in range(6)
        for other in [replace(few, protocol=replace(few.protocol, seed=seed))]
    }
    assert len(drawn) > 1


def test_the_unlabelled_rest_of_the_training_speakers(kfold_config, store):
    plain = assemble(kfold_config, store)
    data = assemble(replace(kfold_config, data=DataConfig(unlabelled_rest=True)), store)
    (train,), (before,) = data.train, plain.train
    added = np.setdiff1d(train.rows, before.rows)
    assert len(added) == 4 * 4
    assert names(train) == names(before)
    assert {train.corpus.utterances[row].emotion for row in added} == {"fear"}
    assert set(train.labels["emotion"][added]) == {UNLABELLED}
    assert (train.labels["speaker"][added] >= 0).all()
    np.testing.assert_array_equal(train.labels["emotion"], before.labels["emotion"])
    assert data.leakage["utterances"]["train"] == len(train.rows)
    for part in ("validation", "test"):
        np.testing.assert_array_equal(getattr(data, part).rows, getattr(plain, part).rows)


def test_a_rating_of_the_rest_is_no_label(kfold_config, store):
    config = replace(kfold_config, task="valence", data=DataConfig(unlabelled_rest=True))
    data = assemble(config, store)
    (train,) = data.train
    rest = [row for row in train.rows if train.corpus.utterances[row].emotion == "fear"]
    assert rest
    assert set(train.labels["valence"][rest]) == {UNLABELLED}
    everything = assemble(replace(config, classes="all", data=DataConfig()), store).train[0]
    assert (everything.labels["valence"][rest] >= 0).all()


def test_without_a_rest_the_setting_is_refused(kfold_config, tiny_store):
    rest = replace(kfold_config, data=DataConfig(unlabelled_rest=True))
    with pytest.raises(UserError, match="unlabelled_rest: expected utterances of other classes"):
        assemble(rest, tiny_store)


@pytest.mark.parametrize("task", ["activation", "clusters-3"])
def test_the_primary_task_names_the_labels_and_the_head(kfold_config, store, task):
    data = assemble(replace(kfold_config, task=task), store)
    assert list(data.num_classes) == [task, "gender", "speaker"]
    assert data.num_classes[task] == len(data.target.classes) == 3
    for part in (*data.train, data.validation, data.test):
        assert set(part.labels) == {task, "gender", "speaker"}
        assert set(part.labels[task][part.rows]) <= {0, 1, 2}
    assert (data.target.centroids is None) == (task == "activation")


def test_some_labels_of_any_task_are_hidden(kfold_config, store):
    config = replace(kfold_config, task="activation")
    half = assemble(replace(config, data=DataConfig(labelled_fraction=0.5)), store)
    labels = half.train[0].labels["activation"][half.train[0].rows]
    assert 0.4 < np.mean(labels == UNLABELLED) < 0.6
