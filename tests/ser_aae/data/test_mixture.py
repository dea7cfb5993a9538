"""Mixtures of a batch in which rows with a label are drawn by themselves."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from tiny import UNCHANGED

from ser_aae.batches.pipeline import training_dataset
from ser_aae.config import ModelConfig
from ser_aae.data.mixture import labelled_rows, mix_stage_two, steps_per_epoch
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError

ROWS = 8
DATA = replace(UNCHANGED, labelled_rows=ROWS, auxiliary_ratio=0.5)
LENGTH = DATA.segment_frames


@pytest.fixture
def mix(kfold_config, tiny_store):
    """A function: kind, auxiliary corpora, settings of the data -> config, data and mixture."""

    def make(kind="mtl", auxiliary=(), size=16, **settings):
        config = replace(
            kfold_config,
            auxiliary=auxiliary,
            data=replace(DATA, **settings),
            model=ModelConfig(kind=kind),
            training=replace(kfold_config.training, batch_size=size),
        )
        data = assemble(config, tiny_store)
        return config, data, mix_stage_two(config, data)

    return make


def rows_of(mixture):
    return [share.rows for share in mixture]


def batches_of(mixture, steps, normalisation, seed=3):
    """Return the labels of so many batches."""
    tf.random.set_seed(1)
    # labels alone: the spectrograms say nothing of where they come from
    stream = training_dataset(mixture, steps, normalisation, DATA, seed)
    return [{k: v.numpy() for k, v in labels.items()} for _, labels in stream.take(steps)]


@pytest.mark.parametrize(
    ("kind", "auxiliary"), [("cnn", ()), ("stl", ()), ("mtl", ()), ("mtl", ("voices",))]
)
@pytest.mark.parametrize("fraction", [0.1, 0.25, 1.0])
def test_every_kind_makes_the_same_updates_on_as_many_labels_at_every_share(
    mix, as_they_are, kind, auxiliary, fraction
):
    _, data, mixture = mix(kind, auxiliary, labelled_fraction=fraction)
    steps = steps_per_epoch(mixture, LENGTH)
    assert steps == steps_per_epoch(mix("mtl")[2], LENGTH)
    assert labelled_rows(mixture, "emotion", LENGTH) == ROWS
    others = sum(rows_of(mixture)[1:])
    for labels in batches_of(mixture, steps, as_they_are):
        assert (labels["emotion"][:ROWS] >= 0).all()
        assert (labels["emotion"][ROWS:] == -1).all()
        assert len(labels["emotion"]) == ROWS + others
    assert (others > 0) == bool(kind != "cnn" and (auxiliary or fraction < 1))
    hidden = sum(len(part.rows) for part in data.unlabelled)
    assert (hidden > 0) == (kind != "cnn" and fraction < 1)


def test_without_the_setting_few_labels_are_few_rows_of_a_batch(mix):
    _, _, mixture = mix("mtl", labelled_rows=0, labelled_fraction=0.25)
    assert rows_of(mixture) == [16]
    assert 2 < labelled_rows(mixture, "emotion", LENGTH) < 6
    _, _, mixture = mix("cnn", labelled_rows=0, labelled_fraction=0.25)
    assert labelled_rows(mixture, "emotion", LENGTH) == 16


def test_each_labelled_segment_comes_once_before_any_comes_again(mix, as_they_are):
    _, data, mixture = mix(labelled_fraction=0.5)
    (part,) = data.train
    part = part.marked("row", 0)
    part.labels["row"][:] = np.arange(len(part.corpus.utterances))
    other = [each.marked("row", -1) for each in data.unlabelled]
    mixture = [replace(mixture[0], parts=[part]), replace(mixture[1], parts=other)]
    steps = steps_per_epoch(mixture, LENGTH)
    rows = np.concatenate([y["row"][:ROWS] for y in batches_of(mixture, steps, as_they_are)])
    segments = -(-part.corpus.num_frames[part.rows] // LENGTH)
    expected = Counter(dict(zip(part.rows.tolist(), segments.tolist(), strict=True)))
    once = sum(expected.values())
    passes = len(rows) // once
    assert passes > 1
    for each in np.split(rows[: passes * once], passes):
        assert Counter(each.tolist()) == expected


def test_fewer_labelled_utterances_than_rows_of_a_batch_come_again_in_it(mix, as_they_are):
    _, data, mixture = mix(labelled_fraction=0.1, size=64, labelled_rows=32)
    segments = sum(part.num_segments(LENGTH, LENGTH) for part in data.train)
    assert segments < 32
    (labels,) = batches_of(mixture, 1, as_they_are)
    assert (labels["emotion"][:32] >= 0).all()


def test_unlabelled_rows_come_no_more_often_than_labelled_ones_and_auxiliary_ones_fill_up(mix):
    assert rows_of(mix()[2]) == [8]
    assert rows_of(mix(auxiliary=("voices",))[2]) == [8, 8]
    # three times as many as there are labelled ones: as many as there is room for
    assert rows_of(mix(labelled_fraction=0.25)[2]) == [8, 8]
    (_, few) = rows_of(mix(labelled_fraction=0.75)[2])
    assert few in (2, 3)
    # half of the room is for the auxiliary corpora, and what hidden labels leave of the rest
    assert rows_of(mix(auxiliary=("voices",), labelled_fraction=0.25)[2]) == [8, 4, 4]
    own, auxiliary = rows_of(mix(auxiliary=("voices",), labelled_fraction=0.75)[2])[1:]
    assert (own, auxiliary) == (few, 8 - few)
    shares = mix(auxiliary=("voices",), labelled_fraction=0.25, auxiliary_ratio=0.25)[2]
    assert rows_of(shares) == [8, 6, 2]
    assert rows_of(mix(auxiliary=("voices",), auxiliary_ratio=0.0)[2]) == [8]
    assert rows_of(mix(auxiliary=("voices",), size=8)[2]) == [8]


def test_auxiliary_rows_are_the_last_of_a_batch(mix):
    _, data, mixture = mix(auxiliary=("voices",), labelled_fraction=0.25)
    assert [share.parts for share in mixture] == [data.train, data.unlabelled, data.mixed_auxiliary]


def test_no_label_at_all_is_refused(mix):
    with pytest.raises(UserError, match=r"leaves no training utterance its label, and each batch"):
        mix("mtl", labelled_fraction=0.0)


def test_hidden_labels_are_counted_and_left_out_of_no_part(mix):
    _, data, _ = mix(labelled_fraction=0.5)
    _, before, _ = mix(labelled_fraction=0.5, labelled_rows=0)
    assert data.leakage["utterances"] == before.leakage["utterances"]
    assert data.warnings == before.warnings
    (train,), (hidden,), (whole,) = data.train, data.unlabelled, before.train
    np.testing.assert_array_equal(np.union1d(train.rows, hidden.rows), whole.rows)
    assert not set(train.rows) & set(hidden.rows)
