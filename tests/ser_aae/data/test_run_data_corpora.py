"""Which classes take part, and cross-corpus runs: rows of several corpora."""

from dataclasses import replace

import numpy as np
import pytest

from ser_aae.config import ProtocolConfig
from ser_aae.data.run_data import assemble, needed_data_sets
from ser_aae.data.targets import choose_classes
from ser_aae.errors import UserError
from ser_aae.labels import FOUR
from ser_aae.protocols.leakage import VOICES
from ser_aae.store.corpus import load_corpus


@pytest.fixture
def config(kfold_config):
    return kfold_config


@pytest.fixture(scope="module")
def tiny(tiny_store, frontend):
    return load_corpus(tiny_store, "tiny", frontend)


def speakers(part):
    return {part.corpus.utterances[row].speaker for row in part.rows}


def emotions(part, rows=None):
    rows = part.rows if rows is None else rows
    return [part.corpus.utterances[row].emotion for row in rows]


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
        ("anger,joy", ["no utterance of joy", "anger (16)"]),
        ("joy,rage", ["no utterance of joy, rage"]),
        ("anger", ["fewer than two"]),
        ("anger,anger", ["fewer than two, or twice"]),
        ("anger,sadness,anger", ["twice"]),
        ("", ["--classes"]),
        ("Four", ["'Four'"]),
    ],
)
def test_classes_that_cannot_be(tiny, wanted, words):
    with pytest.raises(UserError) as caught:
        choose_classes(wanted, [tiny])
    for word in (*words, "--classes all", "sadness (16)"):
        assert word in str(caught.value)


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
    assert shared.warnings == [VOICES["validation-test"]]
    apart = assemble(cross(config, target_speakers="apart"), tiny_store)
    assert not speakers(apart.validation) & speakers(apart.test)
    assert apart.warnings == []


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
