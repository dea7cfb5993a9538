"""Rows of a run beyond the labelled ones: drawn speakers, the unlabelled rest, hidden labels."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import sounds_of, speakers_of, write_corpus

from ser_aae.batches.pipeline import measure_normalisation
from ser_aae.config import DataConfig, ModelConfig, ProtocolConfig, TrainingConfig
from ser_aae.data.mixture import Share, mix_stage_two, steps_per_epoch
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.labels import AUXILIARY, UNLABELLED
from ser_aae.protocols.fold_lists import format_list, write_lists
from ser_aae.protocols.splits import make_split

WHOLE = DataConfig(segment_frames=64)
QUARTER = replace(WHOLE, labelled_fraction=0.25)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return a store: `tiny` with a fifth emotion and ratings, `voices` in two subsets."""
    place = tmp_path_factory.mktemp("store")
    utterances = [
        replace(item, emotion="fear" if item.utterance_id.endswith("1") else item.emotion)
        for item in speakers_of("tiny", each=4)
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
    plain = assemble(replace(kfold_config, data=DataConfig(unlabelled_rest=False)), store)
    data = assemble(replace(kfold_config, data=DataConfig()), store)
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
    config = replace(kfold_config, auxiliary=("voices",), data=DataConfig())
    data = assemble(config, store)
    assert [part.corpus.name for part in data.mixed] == ["tiny", "voices"]
    assert data.parts == [*data.train, *data.mixed, data.validation, data.test]
    assert data.auxiliary == data.mixed[1:]  # what stage 1 is trained on


def test_auxiliary_rows_that_classify_alone_are_told_from_the_others(kfold_config, store):
    config = replace(kfold_config, auxiliary=("voices",), data=DataConfig())
    plain = assemble(config, store)
    assert not any(AUXILIARY in part.labels for part in plain.parts)
    alone = replace(TrainingConfig(), auxiliary_phases="classification")
    data = assemble(replace(config, training=alone), store)
    for part in (*data.train, *data.mixed):
        expected = int(part.corpus.name == "voices")
        assert set(part.labels[AUXILIARY][part.rows]) == {expected}
    # stage 1 and evaluation have no such difference
    assert not any(
        AUXILIARY in each.labels for each in (*data.auxiliary, data.test, data.validation)
    )
    assert [len(part.rows) for part in data.parts] == [len(part.rows) for part in plain.parts]


@pytest.mark.parametrize(("kind", "mixed"), [("ae", False), ("stl", False), ("ae-mtl", True)])
def test_a_model_without_their_heads_has_no_such_rows(kfold_config, store, kind, mixed):
    config = replace(
        kfold_config,
        auxiliary=("voices",),
        data=DataConfig(),
        model=replace(kfold_config.model, kind=kind),
        training=replace(TrainingConfig(), auxiliary_phases="classification"),
    )
    data = assemble(config, store)
    assert ("voices" in [part.corpus.name for part in data.mixed]) == mixed
    assert [part.corpus.name for part in data.auxiliary] == ["voices"]  # what stage 1 has


@pytest.mark.parametrize(("kind", "mixed"), [("cnn", 0), ("cnn-mtl", 1), ("ae", 1), ("stl", 1)])
def test_a_model_that_learns_from_labels_alone_has_none(kfold_config, store, kind, mixed):
    model = replace(kfold_config.model, kind=kind)
    data = assemble(replace(kfold_config, model=model, data=DataConfig()), store)
    assert len(data.mixed) == mixed
    trained = sum(len(part.rows) for part in (*data.train, *data.mixed))
    assert data.leakage["utterances"]["train"] == trained
    assert not [line for line in data.warnings if "left out" in line]


def test_a_rating_of_the_rest_is_no_label(kfold_config, store):
    config = replace(kfold_config, task="valence", data=DataConfig())
    (rest,) = assemble(config, store).unlabelled
    assert {rest.corpus.utterances[row].emotion for row in rest.rows} == {"fear"}
    assert set(rest.labels["valence"][rest.rows]) == {UNLABELLED}
    everything = assemble(replace(config, classes="all", data=DataConfig()), store).train[0]
    assert (everything.labels["valence"][rest.rows] >= 0).all()


def test_where_all_classes_take_part_there_is_no_rest(kfold_config, store):
    every = assemble(replace(kfold_config, classes="all", data=DataConfig()), store)
    assert every.mixed == []


def test_speakers_who_are_tested_as_well_have_no_rest(kfold_config, store):
    """In a protocol whose parts share speakers nobody is trained on alone."""
    protocol = ProtocolConfig(name="10-fold")
    shared = assemble(replace(kfold_config, protocol=protocol, data=DataConfig()), store)
    assert not shared.leakage["speaker_independent"]
    assert shared.mixed == []


def with_fear():
    """Return utterances of which each speaker's second angry one is of fear."""
    return [
        replace(item, emotion="fear") if item.utterance_id.endswith("anger-1") else item
        for item in speakers_of("tiny")
    ]


def test_what_was_read_from_a_script_is_no_rest_of_what_was_improvised(kfold_config, tmp_path):
    told = [
        replace(item, extra={"elicitation": "improvised" if "-0" in item.utterance_id else "read"})
        for item in with_fear()
    ]
    told[0] = replace(told[0], emotion="fear")
    write_corpus(tmp_path, told, sounds_of(told, 32))
    config = replace(
        kfold_config, data=DataConfig(), protocol=replace(kfold_config.protocol, fold=1)
    )
    for improvised, kinds in ((False, {"improvised", "read"}), (True, {"improvised"})):
        data = assemble(replace(config, improvised_only=improvised), tmp_path)
        rest = [data.unlabelled[0].corpus.utterances[row] for row in data.unlabelled[0].rows]
        assert {item.emotion for item in rest} == {"fear"}
        assert {item.extra["elicitation"] for item in rest} == kinds


def test_a_file_that_is_evaluated_on_has_no_rest(kfold_config, tmp_path):
    """Another speaker may be heard in it: a dialogue, cut into stretches."""
    tested = next(item for item in speakers_of("tiny") if item.speaker == "tiny:00")
    spoken = with_fear()
    last = max(row for row, item in enumerate(spoken) if item.emotion == "fear")
    spoken[last] = replace(spoken[last], path=tested.path)
    write_corpus(tmp_path, spoken, sounds_of(spoken, 32))
    data = assemble(replace(kfold_config, data=DataConfig()), tmp_path)
    assert last not in data.unlabelled[0].rows
    assert len(data.unlabelled[0].rows) == 3


def test_published_lists_name_all_that_is_trained_on(kfold_config, store, tmp_path):
    plain = assemble(replace(kfold_config, data=DataConfig()), store)
    utterances = [
        item for item in plain.test.corpus.utterances if item.emotion in plain.target.classes
    ]
    split = make_split(utterances, kfold_config.protocol, 0)
    write_lists(tmp_path, [format_list(split, utterances)])
    listed = ProtocolConfig(name="folds", directory=str(tmp_path))
    data = assemble(replace(kfold_config, protocol=listed, data=DataConfig()), store)
    assert plain.mixed
    assert not data.mixed
    assert data.leakage["utterances"]["train"] == len(split.train)


def test_training_utterances_whose_label_is_not_used_are_counted(kfold_config, store):
    config = replace(kfold_config, data=DataConfig(labelled_fraction=0.5))
    data = assemble(config, store)
    (train,) = data.train
    labelled = int((train.labels["emotion"][train.rows] != UNLABELLED).sum())
    counts = data.leakage["utterances"]
    assert counts["unlabelled"] == counts["train"] - labelled > len(data.unlabelled[0].rows)
    # the same labels are used where the others are left out
    cnn = assemble(replace(config, model=replace(config.model, kind="cnn")), store)
    counts = cnn.leakage["utterances"]
    assert counts["train"] - counts["unlabelled"] == labelled == len(cnn.train[0].rows)


def test_the_rest_has_no_more_of_a_batch_than_of_the_training_segments(kfold_config, store):
    config = replace(kfold_config, data=DataConfig(segment_frames=64))
    data = assemble(config, store)
    (train,), (rest,) = data.train, data.unlabelled
    own, others = (part.epoch_segments(64) for part in (train, rest))
    assert 0 < others < own

    def rows(unlabelled, auxiliary=(), **settings):
        changed = replace(config, data=replace(config.data, **settings))
        found = replace(data, unlabelled=unlabelled, mixed_auxiliary=[*auxiliary])
        return [share.rows for share in mix_stage_two(changed, found)]

    mixed = 32 * others // (own + others)
    assert rows([rest]) == [32 - mixed, mixed]
    assert mixed < 16
    assert rows([replace(rest, rows=rest.rows[:1])]) == [31, 1]  # one row it has
    assert rows([rest], auxiliary_ratio=0.0) == [32]
    assert rows([rest], auxiliary_ratio=0.1) == [29, 3]
    assert rows([]) == [32]
    # an auxiliary corpus was asked for, and has what its setting says
    assert rows([rest], [rest]) == [16, 16]
    assert rows([], [rest], auxiliary_ratio=0.75) == [8, 24]


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


# labels that are hidden


@pytest.fixture
def train(kfold_config, tiny_store):
    """A function: kind of model, data (auxiliary tasks) -> what is trained on, and warnings."""

    def make(kind, data, tasks=("gender", "speaker")):
        model = ModelConfig(kind=kind, auxiliary_tasks=tasks)
        found = assemble(replace(kfold_config, model=model, data=data), tiny_store)
        (part,) = found.train
        # tiny parts have few utterances of each class, and say so
        return part, [text for text in found.warnings if "fewer than" not in text]

    return make


def labels_of(part):
    return part.labels["emotion"][part.rows]


def test_a_supervised_cnn_trains_on_labelled_rows_alone(train):
    (whole, nothing), (part, warnings) = train("cnn", WHOLE), train("cnn", QUARTER)
    assert len(whole.rows) == 32
    assert sorted(labels_of(part)) == [0, 0, 1, 1, 2, 2, 3, 3]
    np.testing.assert_array_equal(labels_of(part), whole.labels["emotion"][part.rows])
    assert nothing == []
    assert warnings == ["24 of 32 training utterances have no label and are left out"]


def test_nothing_of_the_rows_left_out_is_in_the_normalisation(train):
    part, _ = train("cnn", QUARTER)
    labelled = replace(part, epoch_rows=None)
    found, expected = measure_normalisation([part]), measure_normalisation([labelled])
    np.testing.assert_array_equal(found.mean, expected.mean)
    whole = measure_normalisation([train("cnn", WHOLE)[0]])
    assert not np.allclose(found.mean, whole.mean)


@pytest.mark.parametrize("kind", ["cnn", "cnn-mtl", "mtl"])
@pytest.mark.parametrize("fraction", [0.1, 0.25, 1.0])
def test_an_epoch_has_the_same_steps_at_every_share(train, kind, fraction):
    part, _ = train(kind, replace(WHOLE, labelled_fraction=fraction))
    steps = steps_per_epoch([Share([part], 4)], 64)
    assert steps == steps_per_epoch([Share([train("mtl", WHOLE)[0]], 4)], 64)
    assert steps > len(part.rows) / 4


@pytest.mark.parametrize("kind", ["cnn-mtl", "ae", "stl", "mtl"])
def test_a_model_that_learns_from_other_rows_keeps_them(train, kind):
    part, warnings = train(kind, QUARTER)
    assert len(part.rows) == 32
    assert (labels_of(part) == -1).sum() == 24
    assert part.epoch_rows is None
    assert warnings == []


def test_a_cnn_whose_other_tasks_were_taken_away_is_a_supervised_one(train):
    assert len(train("cnn-mtl", QUARTER, tasks=())[0].rows) == 8


def test_where_all_rows_are_labelled_nothing_changes(train):
    for kind in ("cnn", "mtl"):
        part, _ = train(kind, WHOLE)
        assert part.rows.tolist() == train("ae", WHOLE)[0].rows.tolist()
        assert part.epoch_rows is None


def test_a_share_that_leaves_no_label_is_refused_where_labels_are_all(train):
    none = replace(WHOLE, labelled_fraction=0.0)
    with pytest.raises(UserError, match=r"labelled_fraction: 0 leaves .* choose a larger share"):
        train("cnn", none)
    assert len(train("mtl", none)[0].rows) == 32


@pytest.mark.parametrize(("number", "of_a_class"), [(4, [1, 1, 1, 1]), (6, [1, 1, 2, 2])])
def test_a_speaker_keeps_a_number_of_labels_evenly_of_the_classes(train, number, of_a_class):
    part, _ = train("mtl", replace(WHOLE, labels_per_speaker=number))
    labels, speakers = labels_of(part), np.array([item.speaker for item in part.utterances])
    truth = labels_of(train("mtl", WHOLE)[0])
    for speaker in np.unique(speakers):
        own = labels[speakers == speaker]
        kept = own[own != UNLABELLED]
        assert sorted(np.bincount(kept, minlength=4)) == of_a_class
    assert ((labels == truth) | (labels == UNLABELLED)).all()
    assert len(part.rows) == 32
    assert len(train("cnn", replace(WHOLE, labels_per_speaker=number))[0].rows) < 32


def test_a_number_that_no_speaker_has_hides_nothing_and_fewer_than_classes_some(train):
    whole = labels_of(train("mtl", WHOLE)[0])
    np.testing.assert_array_equal(
        labels_of(train("mtl", replace(WHOLE, labels_per_speaker=99))[0]), whole
    )
    part, _ = train("mtl", replace(WHOLE, labels_per_speaker=3))
    speakers = np.array([item.speaker for item in part.utterances])
    for speaker in np.unique(speakers):
        own = labels_of(part)[speakers == speaker]
        assert len(set(own[own != UNLABELLED])) == (own != UNLABELLED).sum() == 3


def test_a_number_is_kept_of_what_the_share_leaves(train):
    half = replace(WHOLE, labelled_fraction=0.5)
    both = labels_of(train("mtl", replace(half, labels_per_speaker=2))[0])
    share = labels_of(train("mtl", half)[0])
    assert 0 < (both != UNLABELLED).sum() < (share != UNLABELLED).sum()
    assert (share[both != UNLABELLED] == both[both != UNLABELLED]).all()
