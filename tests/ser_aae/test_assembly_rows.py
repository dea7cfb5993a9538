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
    assert (plain.unlabelled, plain.mixed) == ([], [])
    (train,), (rest,) = data.train, data.unlabelled
    assert data.mixed == [rest]
    assert len(rest.rows) == 4 * 4
    assert names(rest) == names(train)
    assert {rest.corpus.utterances[row].emotion for row in rest.rows} == {"fear"}
    assert set(rest.labels["emotion"][rest.rows]) == {UNLABELLED}
    assert (rest.labels["speaker"][rest.rows] >= 0).all()
    assert data.leakage["utterances"]["train"] == len(train.rows) + len(rest.rows)
    for part, before in (
        (train, plain.train[0]),
        (data.validation, plain.validation),
        (data.test, plain.test),
    ):
        np.testing.assert_array_equal(part.rows, before.rows)
        np.testing.assert_array_equal(part.labels["emotion"], before.labels["emotion"])


def test_it_is_mixed_in_before_the_auxiliary_corpora_and_takes_part(kfold_config, store):
    config = replace(kfold_config, auxiliary=("voices",), data=DataConfig(unlabelled_rest=True))
    data = assemble(config, store)
    assert [part.corpus.name for part in data.mixed] == ["tiny", "voices"]
    assert data.parts == [*data.train, *data.mixed, data.validation, data.test]
    assert data.auxiliary == data.mixed[1:]  # what stage 1 is trained on


@pytest.mark.parametrize(("kind", "mixed"), [("cnn", 0), ("cnn-mtl", 1), ("ae", 1), ("stl", 1)])
def test_only_a_model_of_labels_alone_leaves_it_out_and_says_so(kfold_config, store, kind, mixed):
    model = replace(kfold_config.model, kind=kind)
    data = assemble(
        replace(kfold_config, model=model, data=DataConfig(unlabelled_rest=True)), store
    )
    assert len(data.mixed) == mixed
    told = [line for line in data.warnings if "have no label and are left out" in line]
    assert len(told) == 1 - mixed
    assert told == [] or told[0].startswith("16 of ")


def test_a_rating_of_the_rest_is_no_label(kfold_config, store):
    config = replace(kfold_config, task="valence", data=DataConfig(unlabelled_rest=True))
    (rest,) = assemble(config, store).unlabelled
    assert {rest.corpus.utterances[row].emotion for row in rest.rows} == {"fear"}
    assert set(rest.labels["valence"][rest.rows]) == {UNLABELLED}
    everything = assemble(replace(config, classes="all", data=DataConfig()), store).train[0]
    assert (everything.labels["valence"][rest.rows] >= 0).all()


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
