"""Parts of a run: who is in them, under which labels, and what is told of them."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tiny import sound_of, sounds_of, speakers_of, write_corpus

from ser_aae.config import DataConfig, ModelConfig, ProtocolConfig
from ser_aae.data.run_data import assemble, needed_data_sets
from ser_aae.data.targets import choose_classes
from ser_aae.errors import UserError
from ser_aae.labels import FOUR, GENDERS
from ser_aae.protocols.fold_lists import format_list, write_lists
from ser_aae.protocols.leakage import VOICES
from ser_aae.protocols.splits import make_split
from ser_aae.store.corpus import is_prepared, load_corpus
from ser_aae.store.sounds import SOUNDS


@pytest.fixture
def config(kfold_config):
    return kfold_config


@pytest.fixture(scope="module")
def tiny(tiny_store, frontend):
    return load_corpus(tiny_store, "tiny", frontend)


@pytest.fixture
def store_with(tmp_path, frontend):
    """A function: utterances -> a store that holds them, corpus by corpus."""

    def make(*corpora):
        for utterances in corpora:
            write_corpus(tmp_path, utterances, sounds_of(utterances, frontend.bins))
        return tmp_path

    return make


def speakers(part):
    return {part.corpus.utterances[row].speaker for row in part.rows}


def emotions(part, rows=None):
    rows = part.rows if rows is None else rows
    return [part.corpus.utterances[row].emotion for row in rows]


def test_the_parts_hold_every_utterance_once_and_share_no_speaker(config, tiny_store):
    data = assemble(config, tiny_store)
    parts = [*data.train, data.validation, data.test]
    assert len(data.train) == 1
    assert sorted(np.concatenate([part.rows for part in parts])) == list(range(64))
    assert [sorted(speakers(part)) for part in parts] == [
        ["tiny:04", "tiny:05", "tiny:06", "tiny:07"],
        ["tiny:02", "tiny:03"],
        ["tiny:00", "tiny:01"],
    ]
    assert all((np.diff(part.rows) > 0).all() for part in parts)


@pytest.mark.parametrize(
    "protocol",
    [
        ProtocolConfig(name="speaker-kfold", folds=4, fold=2),
        ProtocolConfig(name="speaker-kfold", folds=3),
        ProtocolConfig(name="loso", fold=1),
        ProtocolConfig(name="loso-session", fold=3),
    ],
)
def test_the_protocol_decides_who_is_tested(config, tiny_store, protocol):
    usual = assemble(config, tiny_store)
    data = assemble(replace(config, protocol=protocol), tiny_store)
    assert speakers(data.test) != speakers(usual.test)
    assert not speakers(data.test) & (speakers(data.train[0]) | speakers(data.validation))


def test_the_protocol_has_a_seed_of_its_own(config, tiny_store, store_with):
    store = store_with(speakers_of("many", speakers=2, each=6))
    ten = replace(config, dataset="many", protocol=ProtocolConfig(name="10-fold"))
    rows = assemble(ten, store).test.rows
    # repetitions count the run's seed up and must test the same utterances
    np.testing.assert_array_equal(assemble(replace(ten, seed=7), store).test.rows, rows)
    other = replace(ten, protocol=replace(ten.protocol, seed=7))
    assert not np.array_equal(assemble(other, store).test.rows, rows)


def test_labels_number_the_classes(config, tiny_store):
    data = assemble(config, tiny_store)
    assert data.target.classes == FOUR
    for part in (*data.train, data.validation, data.test):
        assert set(part.labels) == {"emotion", "gender", "speaker"}
        assert {values.dtype for values in part.labels.values()} == {np.dtype(np.int32)}
        assert {len(values) for values in part.labels.values()} == {64}
        found = part.labels["emotion"][part.rows]
        assert [FOUR[number] for number in found] == emotions(part)
        genders = [part.corpus.utterances[row].gender for row in part.rows]
        assert [GENDERS[number] for number in part.labels["gender"][part.rows]] == genders


def test_the_speaker_task_knows_the_training_speakers_alone(config, tiny_store):
    data = assemble(replace(config, auxiliary=("voices",)), tiny_store)
    known = sorted(speakers(data.train[0]) | speakers(data.auxiliary[0]))
    assert len(known) == 4 + 6
    for part in (data.train[0], data.auxiliary[0]):
        found = part.labels["speaker"][part.rows]
        names = [part.corpus.utterances[row].speaker for row in part.rows]
        assert [known[number] for number in found] == names
    for part in (data.validation, data.test):
        assert set(part.labels["speaker"][part.rows]) == {-1}


def test_auxiliary_corpora_have_no_emotion_even_where_they_have_one(config, tiny_store):
    data = assemble(replace(config, auxiliary=("voices",)), tiny_store)
    (part,) = data.auxiliary
    assert set(emotions(part)) == set(FOUR)
    assert set(part.labels["emotion"]) == {-1}
    assert part.corpus.name == "voices"
    np.testing.assert_array_equal(part.rows, np.arange(48))
    assert set(part.labels["gender"]) == {0, 1}
    assert assemble(config, tiny_store).auxiliary == []


def test_several_auxiliary_corpora(config, tiny_store):
    data = assemble(replace(config, auxiliary=("voices", "foreign")), tiny_store)
    assert [part.corpus.name for part in data.auxiliary] == ["voices", "foreign"]
    assert data.num_classes["speaker"] == 4 + 6 + 4
    assert data.leakage["utterances"]["auxiliary"] == 48 + 32


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({}, ["emotion", "gender", "speaker"]),
        ({"auxiliary_tasks": ("speaker",)}, ["emotion", "speaker"]),
        ({"auxiliary_tasks": ("speaker", "gender")}, ["emotion", "speaker", "gender"]),
        ({"auxiliary_tasks": ()}, ["emotion"]),
        ({"kind": "stl"}, ["emotion"]),
        ({"kind": "ae"}, ["emotion"]),
        ({"kind": "ae-mtl"}, ["emotion", "gender", "speaker"]),
        ({"kind": "cnn-mtl", "auxiliary_tasks": ("gender",)}, ["emotion", "gender"]),
        ({"kind": "cnn"}, ["emotion"]),
    ],
)
def test_the_kind_of_model_decides_the_tasks(config, tiny_store, model, expected):
    wanted = replace(config, model=ModelConfig(**model), auxiliary=("voices",))
    counts = assemble(wanted, tiny_store).num_classes
    assert list(counts) == expected
    sizes = {"emotion": 4, "gender": 2, "speaker": 10}
    assert counts == {task: sizes[task] for task in expected}


@pytest.mark.parametrize(("fraction", "kept"), [(1.0, 8), (0.5, 4), (0.25, 2), (0.1, 1), (0.0, 0)])
def test_a_share_of_the_training_labels_is_hidden_in_each_class(config, tiny_store, fraction, kept):
    data = assemble(replace(config, data=DataConfig(labelled_fraction=fraction)), tiny_store)
    (train,) = data.train
    assert len(train.rows) == 32
    labels = train.labels["emotion"][train.rows]
    counts = Counter(labels[labels >= 0].tolist())
    assert [counts[number] for number in range(4)] == [kept] * 4
    right = [FOUR.index(name) for name in emotions(train)]
    assert all(label in (-1, truth) for label, truth in zip(labels, right, strict=True))
    # nothing else is hidden: not the other tasks, not validation, not test
    assert (train.labels["speaker"][train.rows] >= 0).all()
    for part in (data.validation, data.test):
        assert (part.labels["emotion"][part.rows] >= 0).all()


def test_which_labels_are_hidden_follows_the_seed(config, tiny_store):
    half = replace(config, data=DataConfig(labelled_fraction=0.5))

    def hidden(seed):
        return assemble(replace(half, seed=seed), tiny_store).train[0].labels["emotion"].tobytes()

    assert hidden(0) == hidden(0)
    assert len({hidden(seed) for seed in range(4)}) == 4


@pytest.mark.parametrize("auxiliary", ["tiny", "TINY"])
def test_the_dataset_itself_is_no_auxiliary_corpus(config, tiny_store, auxiliary):
    with pytest.raises(UserError, match="leakage: the auxiliary corpus tiny"):
        assemble(replace(config, auxiliary=(auxiliary,)), tiny_store)


def test_an_auxiliary_corpus_with_a_tested_speaker_is_refused(config, store_with):
    same = [replace(item, speaker="tiny:00") for item in speakers_of("voices", speakers=1)]
    store = store_with(speakers_of("tiny"), same)
    wanted = replace(config, auxiliary=("voices",))
    with pytest.raises(UserError, match=r"leakage: .*share speakers: tiny:00"):
        assemble(wanted, store)
    # where that speaker is trained on, the corpus may serve
    later = replace(wanted, protocol=replace(config.protocol, fold=2))
    assert assemble(later, store).num_classes["speaker"] == 4


def test_sessions_that_share_a_speaker_are_refused(config, store_with):
    last = speakers_of("tiny")[-1]
    guest = replace(last, utterance_id="guest", path="guest.wav", session="Session1")
    wanted = replace(config, protocol=ProtocolConfig(name="loso-session"))
    with pytest.raises(UserError, match="train and test share speakers: tiny:07"):
        assemble(wanted, store_with([*speakers_of("tiny"), guest]))


def test_the_guard_s_findings_are_kept(config, tiny_store):
    leakage = assemble(replace(config, auxiliary=("voices",)), tiny_store).leakage
    assert leakage["speaker_independent"] is True
    assert leakage["folds"] == 4
    assert leakage["utterances"] == {
        "train": 32,
        "validation": 16,
        "test": 16,
        "unused": 0,
        "auxiliary": 48,
        "unlabelled": 0,
    }
    assert leakage["speaker_names"]["test"] == ["tiny:00", "tiny:01"]


def test_a_corpus_that_is_not_prepared(config, tiny_store):
    with pytest.raises(UserError, match="ser-aae prepare --dataset iemocap"):
        assemble(replace(config, dataset="iemocap"), tiny_store)
    with pytest.raises(UserError, match="ser-aae prepare --dataset librispeech"):
        assemble(replace(config, auxiliary=("librispeech",)), tiny_store)
    with pytest.raises(UserError, match="expected a prepared corpus"):
        assemble(replace(config, frontend=replace(config.frontend, bins=64)), tiny_store)


def test_digests_name_every_corpus_that_was_read(config, tiny_store, tiny, frontend):
    data = assemble(replace(config, auxiliary=("voices",)), tiny_store)
    voices = load_corpus(tiny_store, "voices", frontend)
    assert data.digests == {"tiny": tiny.digest, "voices": voices.digest}


def told(data):
    """Return the warnings but for those of few utterances, of which a tiny corpus has many."""
    return [text for text in data.warnings if "part has fewer than 5 utterances of" not in text]


def test_warnings(config, tiny_store, store_with):
    assert told(assemble(config, tiny_store)) == []
    utterances = [
        item
        for item in speakers_of("partial", speakers=8)
        if item.speaker not in ("partial:00", "partial:01") or item.emotion in FOUR[:2]
    ]
    store = store_with(utterances, speakers_of("many", speakers=2, each=6))
    partial = assemble(replace(config, dataset="partial"), store)
    assert told(partial) == ["the test part has no utterance of neutral, sadness"]
    ten = replace(config, dataset="many", protocol=ProtocolConfig(name="10-fold"))
    assert assemble(ten, store).warnings[-1] == "speaker-dependent: test speakers were trained on"


def test_other_emotions_take_no_part_and_an_unknown_gender_is_no_label(config, store_with):
    utterances = [
        replace(item, emotion="boredom") if item.utterance_id.endswith("anger-0") else item
        for item in speakers_of("odd")
    ]
    utterances[-1] = replace(utterances[-1], gender="unknown")
    data = assemble(replace(config, dataset="odd"), store_with(utterances))
    parts = [*data.train, data.validation, data.test]
    assert sum(len(part.rows) for part in parts) == 64 - 8
    assert "boredom" not in {name for part in parts for name in emotions(part)}
    genders = data.train[0].labels["gender"][data.train[0].rows]
    assert data.train[0].rows[-1] == 63
    assert genders[-1] == -1
    assert (genders[:-1] >= 0).all()


# classes


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("four", FOUR),
        ("all", FOUR),
        ("sadness,anger", ("sadness", "anger")),
        (" neutral , happiness,anger", ("neutral", "happiness", "anger")),
    ],
)
def test_classes_by_name(config, tiny_store, wanted, expected):
    data = assemble(replace(config, classes=wanted), tiny_store)
    assert data.target.classes == expected
    assert data.num_classes["emotion"] == len(expected)
    for part in (*data.train, data.validation, data.test):
        assert set(emotions(part)) == set(expected)
        found = part.labels["emotion"][part.rows]
        assert [expected[number] for number in found] == emotions(part)
        others = np.setdiff1d(np.arange(64), np.flatnonzero(part.labels["emotion"] >= 0))
        assert not set(emotions(part, others)) & set(expected)


def test_all_takes_every_emotion_of_the_corpus_in_order(tiny):
    odd = replace(tiny.utterances[0], emotion="boredom")
    bare = replace(tiny.utterances[1], emotion="")
    corpus = replace(tiny, utterances=(odd, bare, *tiny.utterances[2:]))
    assert choose_classes("all", [corpus]) == (
        "anger",
        "boredom",
        "happiness",
        "neutral",
        "sadness",
    )
    assert choose_classes("four", [corpus]) == FOUR


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("anger,awe", ["no utterance of awe", "anger (16)"]),
        ("awe,boredom", ["no utterance of awe, boredom"]),
        ("joie,gioia", ["happiness is there more than once, a synonym counted"]),
        ("anger", ["expected two or more"]),
        ("anger,anger", ["anger is there more than once"]),
        ("anger,sadness,anger", ["anger is there more than once"]),
        ("", ["a name is empty", "--classes"]),
        ("anger,,sadness", ["a name is empty"]),
        ("anger,sadness,", ["a name is empty"]),
        ("Four", ["'Four'"]),
    ],
)
def test_classes_that_cannot_be(tiny, wanted, words):
    with pytest.raises(UserError) as caught:
        choose_classes(wanted, [tiny])
    for word in (*words, "--classes all", "sadness (16)"):
        assert word in str(caught.value)


def test_a_word_is_a_class_of_its_own_where_a_corpus_of_before_has_it(tiny):
    assert choose_classes("colère,joie", [tiny]) == ("anger", "happiness")
    odd = replace(tiny.utterances[0], emotion="colère")
    before = replace(tiny, utterances=(odd, *tiny.utterances[1:]))
    assert choose_classes("colère,joie", [before]) == ("colère", "happiness")


@pytest.mark.parametrize("wanted", ["four", "all", "anger,sadness"])
def test_a_corpus_without_emotions(tiny, wanted):
    bare = [replace(item, emotion="") for item in tiny.utterances]
    with pytest.raises(UserError, match="none"):
        choose_classes(wanted, [replace(tiny, utterances=tuple(bare))])


def test_classes_may_come_from_either_of_two_corpora(tiny):
    halves = [
        replace(tiny, utterances=tuple(u for u in tiny.utterances if u.emotion in names))
        for names in (FOUR[:2], FOUR[2:])
    ]
    assert choose_classes("four", halves) == FOUR
    with pytest.raises(UserError, match="no utterance of neutral, sadness"):
        choose_classes("four", halves[:1])


# several emotional corpora


def cross(config, **changes):
    protocol = ProtocolConfig(name="cross-corpus", target="foreign", **changes)
    return replace(config, protocol=protocol)


def test_the_target_is_no_auxiliary_corpus(config, tiny_store):
    with pytest.raises(UserError, match="leakage: the auxiliary corpus foreign"):
        assemble(replace(cross(config), auxiliary=("foreign",)), tiny_store)


def test_cross_corpus_trains_on_one_and_tests_on_the_other(config, tiny_store):
    data = assemble(cross(config, selection_fraction=0.25), tiny_store)
    assert [part.corpus.name for part in data.train] == ["tiny"]
    assert data.validation.corpus.name == data.test.corpus.name == "foreign"
    np.testing.assert_array_equal(data.train[0].rows, np.arange(64))
    assert len(data.validation.rows) == 8
    assert sorted([*data.validation.rows, *data.test.rows]) == list(range(32))
    assert set(data.digests) == {"tiny", "foreign"}
    assert set(data.test.labels["speaker"][data.test.rows]) == {-1}
    assert data.num_classes["speaker"] == 8
    found = data.test.labels["emotion"][data.test.rows]
    assert [FOUR[number] for number in found] == emotions(data.test)


def test_cross_corpus_with_some_classes_maps_rows_back(config, tiny_store):
    """Rows of the split count chosen utterances; those of a part count the whole corpus."""
    data = assemble(replace(cross(config), classes="sadness,neutral"), tiny_store)
    parts = [*data.train, data.validation, data.test]
    assert [len(part.rows) for part in data.train] == [32]
    for part in parts:
        assert set(emotions(part)) == {"sadness", "neutral"}
        found = part.labels["emotion"][part.rows]
        assert [("sadness", "neutral")[number] for number in found] == emotions(part)


def test_cross_corpus_speakers_apart_or_shared(config, tiny_store):
    shared = assemble(cross(config), tiny_store)
    assert speakers(shared.validation) == speakers(shared.test)
    assert not speakers(shared.train[0]) & speakers(shared.test)
    assert VOICES["validation-test"] in told(shared)
    apart = assemble(cross(config, target_speakers="apart"), tiny_store)
    assert not speakers(apart.validation) & speakers(apart.test)
    assert VOICES["validation-test"] not in told(apart)


@pytest.mark.parametrize("target", ["tiny", "Tiny"])
def test_cross_corpus_onto_itself_is_refused(config, tiny_store, target):
    onto = replace(config, protocol=ProtocolConfig(name="cross-corpus", target=target))
    with pytest.raises(UserError, match="cross-corpus: expected"):
        assemble(onto, tiny_store)


def test_cross_corpus_needs_a_target(config):
    bare = replace(config, protocol=ProtocolConfig(name="cross-corpus"))
    with pytest.raises(UserError, match=r"protocol\.target=NAME"):
        needed_data_sets(bare)


def test_a_config_needs_data_sets_in_three_roles(config):
    assert needed_data_sets(config) == (("tiny",), (), ())
    onto = ProtocolConfig(name="cross-corpus", target="MSP-IMPROV")
    whole = replace(config, protocol=onto, auxiliary=("voices", "others"), verification="read")
    # in the words of the config, which say where a corpus of one's own lies
    assert needed_data_sets(whole) == (("tiny", "MSP-IMPROV"), ("voices", "others"), ("read",))
    # a target that the protocol does not use is not read
    unused = ProtocolConfig(name="loso", target="foreign")
    assert needed_data_sets(replace(config, protocol=unused)).emotional == ("tiny",)


def test_the_target_may_be_spelt_like_any_data_set(config, tiny_store):
    onto = ProtocolConfig(name="cross-corpus", target="Foreign")
    data = assemble(replace(config, protocol=onto), tiny_store)
    assert data.test.corpus.name == "foreign"


# warnings


@pytest.fixture
def shared_sound(store_with):
    """Return a store in which two speakers share sound, and two utterances of one do."""
    partners = {"00-anger-0": "02-anger-0", "00-anger-1": "00-neutral-0"}
    utterances = [
        replace(item, extra={"shares_sound_with": partners[item.utterance_id]})
        if item.utterance_id in partners
        else item
        for item in speakers_of("tiny")
    ]
    return store_with(utterances)


def protocol(config, **settings):
    return replace(config, protocol=ProtocolConfig(**settings))


def test_shared_sound_across_parts_is_counted_and_told(config, shared_sound):
    data = assemble(config, shared_sound)
    assert data.leakage["shared_sound"] == 1
    (warning,) = told(data)
    assert warning == "pairs of utterances that share sound and lie in different parts: 1"


def test_shared_sound_within_a_part_is_no_matter(config, shared_sound):
    # the last four speakers are tested and validate: all that shares sound trains
    data = assemble(replace(config, protocol=replace(config.protocol, fold=2)), shared_sound)
    assert data.leakage["shared_sound"] == 0
    assert told(data) == []


def test_lists_that_share_speakers_are_called_speaker_dependent(config, shared_sound, tmp_path):
    data = assemble(config, shared_sound)
    utterances = list(data.test.corpus.utterances)
    split = make_split(utterances, config.protocol, 0)
    moved = replace(
        split, train=(*split.train, split.test[0]), test=split.test[1:], speaker_independent=False
    )
    write_lists(tmp_path / "lists", [format_list(moved, utterances)])
    listed = protocol(config, name="folds", directory=str(tmp_path / "lists"))
    found = assemble(listed, shared_sound)
    assert "speaker-dependent: test speakers were trained on" in found.warnings
    assert found.leakage["shared_speakers"]["train-test"] == ["tiny:00"]
    assert len(found.leakage["lists"]) == 16


def test_a_class_that_is_tested_and_not_trained_is_refused_with_the_counts(config, store_with):
    # as URDU's anger, which a few speakers have
    utterances = [
        item
        for item in speakers_of("urdu", each=6)
        if item.emotion != "anger" or item.speaker in ("urdu:00", "urdu:01", "urdu:02")
    ]
    store = store_with(utterances)
    config = replace(config, dataset="urdu")
    message = (
        r"speaker-kfold, fold 0: expected training utterances of each class that is tested, "
        r"received none of anger \(train 0, validation 6, test 12\); choose another protocol.seed"
    )
    with pytest.raises(UserError, match=f"{message}.*--classes"):
        assemble(config, store)
    stratified = ProtocolConfig(folds=4)
    for fold in range(4):
        data = assemble(replace(config, protocol=replace(stratified, fold=fold)), store)
        assert "anger" in emotions(data.train[0])


def test_few_utterances_of_a_class_are_told_with_their_number(config, store_with):
    utterances = [
        item
        for item in speakers_of("tiny", each=6)
        if item.emotion != "anger"
        or item.speaker not in ("tiny:00", "tiny:02")
        or item.utterance_id.endswith("-0")
    ]
    utterances = [u for u in utterances if u.emotion != "anger" or u.speaker != "tiny:03"]
    data = assemble(config, store_with(utterances))
    assert data.warnings == ["the validation part has fewer than 5 utterances of anger (1)"]


def test_parts_of_one_gender_are_told(config, store_with):
    men_first = [
        replace(item, gender="M" if item.speaker < "tiny:04" else "F")
        for item in speakers_of("tiny", each=3)
    ]
    store = store_with(men_first)
    data = assemble(config, store)
    assert data.warnings == [
        "only women speak in: train",
        "only men speak in: validation, test",
    ]
    drawn = replace(config, protocol=ProtocolConfig(folds=4))
    assert assemble(drawn, store).warnings == []
    one = replace(config, protocol=ProtocolConfig(name="loso"))  # one speaker has one gender
    assert not any(text.endswith("test") for text in told(assemble(one, store)))


def test_genders_that_are_not_known_are_not_judged(config, store_with):
    unknown = [
        replace(item, gender="unknown" if item.speaker in ("tiny:00", "tiny:04") else "M")
        for item in speakers_of("tiny", each=3)
    ]
    assert assemble(config, store_with(unknown)).warnings == ["only men speak in: validation"]


def test_sentences_that_are_trained_and_tested_are_a_number_and_a_warning(config, store_with):
    said = [
        replace(item, extra={"sentence": "01" if item.speaker > "tiny:00" else "02"})
        for item in speakers_of("tiny", each=3)
    ]
    data = assemble(config, store_with(said))
    assert data.leakage["shared_sentences"] == 0.5
    assert data.warnings == [
        "the test part says sentences that are trained on: 50% of its utterances whose sentence is "
        "known"
    ]


def test_the_classes_of_a_task_are_drawn_evenly(config, store_with):
    """Levels of valence, not the emotions, are in each part of a run of valence."""
    rated = [
        replace(item, valence=1.0 if item.speaker < "tiny:04" else 4.5, activation=3.0)
        for item in speakers_of("tiny", each=3)
    ]
    store = store_with(rated)
    drawn = replace(config, task="valence", protocol=ProtocolConfig(folds=4))
    for fold in range(4):
        data = assemble(replace(drawn, protocol=replace(drawn.protocol, fold=fold)), store)
        for part in (data.validation, data.test):
            assert len({speaker < "tiny:04" for speaker in speakers(part)}) == 2


# recordings known by their sound


def with_sounds(utterances, sounds, **changes):
    """Give some utterances the sound of a name, by their ids, and change what else is given."""
    return [
        replace(item, sound=sound_of(sounds[item.utterance_id]), **changes)
        if item.utterance_id in sounds
        else item
        for item in utterances
    ]


def test_two_corpora_of_the_same_recordings_are_refused_with_both_names(config, store_with):
    sounds = {"00-anger-0": "x"}
    renamed = [
        replace(item, utterance_id=f"other-{item.utterance_id}", speaker=f"calls:a{item.speaker}")
        for item in speakers_of("calls", 3)
    ]
    renamed[5] = replace(renamed[5], sound=sound_of("x"))
    store = store_with(with_sounds(speakers_of("tiny"), sounds), renamed)
    with pytest.raises(UserError, match=r"calls and tiny hold the same recording: .*\(test\)"):
        assemble(replace(config, auxiliary=("calls",)), store)
    onto = ProtocolConfig(name="cross-corpus", target="calls")
    with pytest.raises(UserError, match="calls and tiny hold the same recording"):
        assemble(replace(config, protocol=onto), store)
    assert assemble(config, store).leakage["known_by_sound"] is True


def test_copies_of_one_speaker_stay_together_and_the_fold_is_the_one_it_was(config, store_with):
    sounds = {"04-anger-0": "x", "04-anger-1": "x"}
    data = assemble(config, store_with(with_sounds(speakers_of("tiny"), sounds)))
    assert data.leakage["copies"] == {"together": 1, "separated": 0, "contradicting": 0}
    assert len(data.train[0].rows) == 32
    told_last = "copies of a recording in the same part, which stay: 1 (tiny 04-anger-1)"
    assert data.warnings[-1] == told_last


def test_copies_in_two_parts_are_one_that_stays(config, store_with):
    sounds = {"00-anger-0": "x", "00-anger-5": "x"}
    store = store_with(with_sounds(speakers_of("tiny", 3, each=10), sounds))
    names = []
    for fold in range(10):
        data = assemble(protocol(config, name="10-fold", fold=fold), store)
        parts = [*data.train, data.validation, data.test]
        found = [{u.utterance_id for u in part.utterances} & set(sounds) for part in parts]
        assert "00-anger-0" in set().union(*found)
        assert len([each for each in found if each]) == 1
        names.append(data.leakage["copies"]["separated"])
    assert set(names) == {0, 1}


def test_copies_that_name_two_speakers_are_left_out_and_told(config, store_with):
    sounds = {"04-anger-0": "x", "05-fear-0": "y", "02-anger-0": "x"}
    voices = with_sounds(speakers_of("voices", 3), {"00-anger-0": "z", "01-anger-0": "z"})
    store = store_with(with_sounds(speakers_of("tiny"), sounds), voices)
    data = assemble(replace(config, auxiliary=("voices",)), store)
    assert data.leakage["copies"]["contradicting"] == 4
    used = {u.utterance_id for part in data.parts for u in part.utterances if u.corpus == "tiny"}
    assert not used & {"04-anger-0", "02-anger-0"}
    assert [len(part.rows) for part in data.auxiliary] == [22]
    assert data.leakage["utterances"]["auxiliary"] == 22
    assert data.warnings[-1].startswith("copies that differ in speaker, gender, emotion or")
    assert ", left out: 4 (tiny 02-anger-0, tiny 04-anger-0, voices" in data.warnings[-1]


def test_a_copy_of_another_class_takes_no_part_without_a_label_either(config, store_with):
    utterances = with_sounds(speakers_of("tiny"), {"04-anger-0": "x"})
    utterances.append(replace(utterances[-1], utterance_id="99", path="99.wav", emotion="fear",
                              speaker="tiny:04", sound=sound_of("x")))  # fmt: skip
    data = assemble(config, store_with(utterances))
    assert data.leakage["copies"]["contradicting"] == 2
    assert not data.unlabelled


def test_a_store_without_digests_is_told_apart_and_not_trusted(config, store_with, frontend):
    store = store_with(speakers_of("tiny"))
    folder = load_corpus(store, "tiny", frontend).folder
    (folder / SOUNDS).unlink()
    assert not is_prepared(store, "tiny", frontend)
    corpus = load_corpus(store, "tiny", frontend)
    assert not corpus.has_sounds
    with pytest.raises(UserError) as caught:
        assemble(config, store)
    message = str(caught.value)
    assert "prepared by an earlier version, which kept no digests of its sound" in message
    assert f"run: ser-aae prepare --dataset tiny --store {store}" in message


# partitions, and speakers whom nobody knows


@pytest.fixture
def partitioned(store_with):
    """A store: four speakers train, one of them unknown, two validate, and two are tested on."""
    splits = {**dict.fromkeys(range(4), "Train"), 4: "Development", 5: "Development", 6: "Test1"}
    utterances = []
    for item in speakers_of("podcast"):
        number = int(item.speaker[-2:])
        is_left_over = number == 7  # another test set
        speaker = "podcast:" if number == 3 else item.speaker
        split = "Test2" if is_left_over else splits[number]
        utterances.append(replace(item, speaker=speaker, extra={"split": split}))
    odd = [replace(item, emotion="boredom") for item in utterances if item.utterance_id[-1] == "1"]
    kept = [item for item in utterances if item.utterance_id[-1] == "0"]
    return store_with([*kept, *odd])


def test_a_corpus_own_partitions_part_it(config, partitioned):
    data = assemble(protocol(replace(config, dataset="podcast"), name="partitions"), partitioned)

    assert speakers(data.train[0]) == {"podcast:00", "podcast:01", "podcast:02", "podcast:"}
    assert speakers(data.validation) == {"podcast:04", "podcast:05"}
    assert speakers(data.test) == {"podcast:06"}


def test_who_is_not_known_trains_no_speaker_and_is_told(config, partitioned):
    data = assemble(protocol(replace(config, dataset="podcast"), name="partitions"), partitioned)
    train = data.train[0]
    unknown = [not item.has_known_speaker for item in train.utterances]

    assert data.speakers == ("podcast:00", "podcast:01", "podcast:02")
    assert data.num_classes["speaker"] == 3
    assert ((train.labels["speaker"][train.rows] == -1) == unknown).all()
    assert data.leakage["speakers"]["train"] == 3
    (told,) = (line for line in data.warnings if "speaker is not known" in line)
    assert re.search(r": train 4 of \d+; they train no speaker", told)


def test_the_rest_that_trains_is_of_the_training_partition(config, partitioned):
    data = assemble(protocol(replace(config, dataset="podcast"), name="partitions"), partitioned)

    assert {name for part in data.unlabelled for name in speakers(part)} == {
        "podcast:00", "podcast:01", "podcast:02"
    }  # fmt: skip


def test_a_speaker_task_without_a_known_speaker_is_refused(config, store_with):
    store = store_with(
        [
            replace(item, speaker="x:", extra={"split": split})
            for item in speakers_of("x", speakers=3)
            for split in [("train", "dev", "test1")[int(item.utterance_id[:2])]]
        ]
    )
    with pytest.raises(UserError, match="expected a training utterance whose speaker is known"):
        assemble(protocol(replace(config, dataset="x"), name="partitions"), store)
