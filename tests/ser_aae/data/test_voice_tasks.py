"""Gender and speaker as primary tasks: who takes part, with which labels, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import sounds_of, speakers_of, write_corpus

from ser_aae.config import ModelConfig, ProtocolConfig
from ser_aae.config.build import build_config
from ser_aae.config.fields import with_settings
from ser_aae.data.mixture import labelled_rows, mix_stage_two
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.labels import GENDERS, list_some


@pytest.fixture
def gender(kfold_config):
    return with_settings(kfold_config, {"task": "gender", "model.kind": "stl"})


@pytest.fixture
def speaker(gender):
    return replace(gender, task="speaker", protocol=ProtocolConfig(name="10-fold"))


@pytest.fixture
def store(tmp_path):
    """A store: `tiny` has ten utterances or more of each speaker, some of no known emotion."""
    utterances = [
        replace(item, emotion="" if item.utterance_id.endswith("1") else "boredom")
        for item in speakers_of("tiny", each=3)
    ]
    for corpus in (utterances, speakers_of("voices", 6)):
        write_corpus(tmp_path, corpus, sounds_of(corpus, 32))
    return tmp_path


def labels_of(part, task):
    return part.labels[task][part.rows].tolist()


@pytest.mark.parametrize("classes", ["four", "all", "anger,neutral"])
def test_every_utterance_takes_part_whatever_its_emotion(gender, store, classes):
    data = assemble(replace(gender, classes=classes), store)
    parts = [*data.train, data.validation, data.test]
    assert sorted(np.concatenate([part.rows for part in parts])) == list(range(96))
    assert data.num_classes == {"gender": 2}
    assert data.target.classes == GENDERS
    for part in parts:
        found = [GENDERS.index(item.gender) for item in part.utterances]
        assert labels_of(part, "gender") == found
    assert data.unlabelled == []
    assert data.leakage["utterances"]["unlabelled"] == 0


@pytest.mark.parametrize("setting", [{"classes": "all"}, {"data.unlabelled_rest": False}])
def test_what_is_of_emotions_is_not_in_the_name(gender, kfold_config, setting):
    assert with_settings(gender, setting).digest() == gender.digest()
    assert with_settings(kfold_config, setting).digest() != kfold_config.digest()


def test_an_utterance_of_unknown_gender_takes_no_part(gender, tmp_path):
    utterances = [
        replace(item, gender="unknown") if item.speaker == "tiny:07" else item
        for item in speakers_of("tiny")
    ]
    write_corpus(tmp_path, utterances, sounds_of(utterances, 32))
    data = assemble(gender, tmp_path)
    parts = [*data.train, data.validation, data.test]
    assert sum(len(part.rows) for part in parts) == 56
    assert data.unlabelled == []


def test_an_utterance_of_an_unknown_speaker_takes_no_part(speaker, tmp_path):
    utterances = [
        replace(item, speaker="tiny:") if item.speaker == "tiny:07" else item
        for item in speakers_of("tiny", each=3)
    ]
    write_corpus(tmp_path, utterances, sounds_of(utterances, 32))
    data = assemble(speaker, tmp_path)
    assert data.target.classes == tuple(f"tiny:0{number}" for number in range(7))
    for part in (*data.train, data.validation, data.test):
        assert min(labels_of(part, "speaker")) == 0
        assert all(item.has_known_speaker for item in part.utterances)


@pytest.mark.parametrize(
    ("task", "keeps", "message"),
    [
        (
            "gender",
            lambda item: item.gender == "F",
            "two genders or more for gender, found F alone",
        ),
        ("speaker", lambda item: item.speaker == "tiny:00", "found tiny:00 alone in tiny"),
    ],
)
def test_where_there_is_nothing_to_tell_apart_it_is_refused(
    speaker, tmp_path, task, keeps, message
):
    utterances = [item for item in speakers_of("tiny", each=3) if keeps(item)]
    write_corpus(tmp_path, utterances, sounds_of(utterances, 32))
    with pytest.raises(UserError, match=message):
        assemble(replace(speaker, task=task), tmp_path)


def test_no_known_gender_is_refused(gender, tmp_path):
    utterances = [replace(item, gender="unknown") for item in speakers_of("tiny")]
    write_corpus(tmp_path, utterances, sounds_of(utterances, 32))
    with pytest.raises(UserError, match="tiny: expected utterances of a known gender"):
        assemble(gender, tmp_path)


@pytest.mark.parametrize("kind", ["stl", "ae", "cnn", "mtl", "cnn-mtl"])
@pytest.mark.parametrize("phases", ["all", "classification"])
def test_auxiliary_rows_have_labels_of_the_primary_task(gender, store, kind, phases):
    settings = {"model.kind": kind, "training.auxiliary_phases": phases}
    data = assemble(with_settings(gender, {**settings, "auxiliary": ("voices",)}), store)
    (mixed,) = data.mixed
    found = [GENDERS.index(item.gender) for item in mixed.utterances]
    assert labels_of(mixed, "gender") == found
    assert len(found) == 48
    assert list(data.num_classes) == ["gender", *(["speaker"] if kind.endswith("mtl") else [])]


@pytest.mark.parametrize("kind", ["stl", "cnn"])
def test_of_emotions_they_still_teach_a_single_task_nothing(kfold_config, store, kind):
    utterances = speakers_of("foreign", 8)
    write_corpus(store, utterances, sounds_of(utterances, 32))
    settings = {"model.kind": kind, "training.auxiliary_phases": "classification"}
    corpora = {"dataset": "foreign", "auxiliary": ("voices",)}
    assert assemble(with_settings(kfold_config, {**settings, **corpora}), store).mixed == []


@pytest.mark.parametrize(("wanted", "rows"), [(0, 16), (8, 16), (16, 16)])
def test_auxiliary_rows_count_as_rows_with_a_label_of_the_primary_task(gender, store, wanted, rows):
    settings = {"auxiliary": ("voices",), "data.labelled_rows": wanted}
    config = with_settings(gender, settings | {"training.batch_size": 16})
    mixture = mix_stage_two(config, assemble(config, store))
    assert sum(share.rows for share in mixture) == 16
    assert labelled_rows(mixture, "gender", config.data.segment_frames) == rows


def test_speakers_of_auxiliary_corpora_are_classes_too(speaker, store):
    alone = assemble(speaker, store)
    assert alone.target.classes == tuple(f"tiny:0{number}" for number in range(8))
    data = assemble(replace(speaker, auxiliary=("voices",)), store)
    assert data.target.classes == data.speakers
    assert data.num_classes == {"speaker": 14}
    for part in (*data.train, data.validation, data.test, *data.mixed):
        names = [data.target.classes[number] for number in labels_of(part, "speaker")]
        assert names == [item.speaker for item in part.utterances]
    assert len({item.speaker for item in data.test.utterances}) == 8


def test_a_few_speakers_are_named_where_all_have_few_utterances(speaker, tmp_path):
    utterances = speakers_of("tiny", 20, each=3)
    write_corpus(tmp_path, utterances, sounds_of(utterances, 32))
    found = assemble(speaker, tmp_path).warnings
    (few,) = (text for text in found if text.startswith("the test part has fewer"))
    assert few.count("tiny:") == 12
    assert few.endswith(" and 8 more")


@pytest.mark.parametrize(("count", "end"), [(1, "s0"), (12, "s11"), (13, "s11 and 1 more")])
def test_of_many_names_the_first_are_named(count, end):
    assert list_some([f"s{number}" for number in range(count)]).endswith(end)


@pytest.mark.parametrize("task", ["gender", "speaker"])
def test_a_share_of_its_labels_is_hidden(speaker, store, task):
    config = with_settings(speaker, {"task": task, "data.labelled_fraction": 0.5})
    data = assemble(config, store)
    hidden = [number for part in data.train for number in labels_of(part, task)].count(-1)
    total = sum(len(part.rows) for part in data.train)
    assert 0.4 * total < hidden < 0.6 * total
    assert -1 not in labels_of(data.validation, task)
    kept = assemble(with_settings(config, {"model.kind": "cnn"}), store).train
    assert sum(len(part.rows) for part in kept) == total - hidden


@pytest.mark.parametrize(
    "protocol", ["speaker-kfold", "loso", "loso-session", "cross-corpus", "folds"]
)
def test_speakers_are_identified_in_10_fold_alone(protocol):
    with pytest.raises(UserError, match=rf"got {protocol}, .*; add --protocol 10-fold"):
        build_config(assignments=["task=speaker", f"protocol.name={protocol}"])
    assert build_config(assignments=["task=gender", f"protocol.name={protocol}"]).task == "gender"


def test_a_model_that_learns_from_labels_alone_may_have_auxiliary_corpora():
    words = ["auxiliary=urdu", "model.kind=cnn"]
    assert build_config(assignments=["task=gender", *words]).auxiliary == ("urdu",)
    assert build_config(assignments=["task=speaker", "protocol.name=10-fold", *words]).auxiliary
    with pytest.raises(UserError, match="labels of valence alone"):
        build_config(assignments=["task=valence", *words])


def test_no_second_head_of_the_same_name(gender, tiny_store):
    model = ModelConfig(kind="mtl", auxiliary_tasks=("speaker", "gender"))
    assert assemble(replace(gender, model=model), tiny_store).num_classes == {
        "gender": 2,
        "speaker": 4,
    }
