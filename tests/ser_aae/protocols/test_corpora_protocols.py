"""Protocols on several corpora: each left out in turn, speakers of all in groups, who validates."""

from collections import Counter
from dataclasses import replace

import pytest
from tiny import sound_of, speak, speakers_of

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.protocols.draw import Draw
from ser_aae.protocols.leakage import check_leakage
from ser_aae.protocols.splits import cut_split, make_split, num_folds

LEAVE_OUT = ProtocolConfig(name="leave-one-corpus-out")
CORPORA = ("large", "small", "tiny")


@pytest.fixture(scope="module")
def utterances():
    """Three corpora of 12, 6 and 4 speakers, each with as many women as men."""
    sizes = zip(CORPORA, (12, 6, 4), strict=True)
    return [item for name, size in sizes for item in speakers_of(name, size)]


def corpora_of(rows, utterances):
    return {utterances[row].corpus for row in rows}


@pytest.mark.parametrize("fold", range(3))
@pytest.mark.parametrize("draw", ["stratified", "sorted"])
def test_each_corpus_is_tested_whole_in_its_turn(utterances, fold, draw):
    split = make_split(utterances, replace(LEAVE_OUT, fold=fold, draw=draw), 0)
    tested = CORPORA[fold]
    assert [utterances[row].corpus for row in split.test] == [tested] * len(split.test)
    assert len(split.test) == sum(item.corpus == tested for item in utterances)
    assert split.folds == 3
    assert split.speaker_independent
    rows = sorted((*split.train, *split.validation, *split.test))
    assert rows == list(range(len(utterances)))


@pytest.mark.parametrize("seed", range(3))
def test_a_woman_and_a_man_of_each_other_corpus_validate(utterances, seed):
    split = make_split(utterances, LEAVE_OUT, seed)
    voices = {
        (utterances[row].corpus, utterances[row].gender, utterances[row].speaker)
        for row in split.validation
    }
    assert Counter(voice[:2] for voice in voices) == {
        (corpus, gender): 1 for corpus in CORPORA[1:] for gender in "FM"
    }
    assert corpora_of(split.train, utterances) == set(CORPORA[1:])


def test_one_corpus_cannot_be_left_out():
    with pytest.raises(UserError, match="leave-one-corpus-out: expected two corpora or more"):
        num_folds(speakers_of("large"), LEAVE_OUT)


def test_whoever_speaks_in_the_tested_corpus_takes_part_nowhere_else(utterances):
    both = replace(utterances[0], speaker="everywhere:ann")
    again = replace(speak("x", 1, "tiny"), speaker="everywhere:ann", emotion="anger")
    joined = [both, *utterances[1:], again]
    split = make_split(joined, LEAVE_OUT, 0)
    assert len(joined) - 1 not in {*split.train, *split.validation}


def test_groups_of_speakers_are_alike_in_corpora(utterances):
    protocol = ProtocolConfig(name="speaker-kfold", folds=3)
    for fold in range(3):
        split = make_split(utterances, replace(protocol, fold=fold), 0)
        voices = {utterances[row].speaker.split(":")[0]: set() for row in split.test}
        for row in split.test:
            voices[utterances[row].corpus].add(utterances[row].speaker)
        counts = {corpus: len(names) for corpus, names in voices.items()}
        assert counts["large"] == 4
        assert counts["small"] == 2
        assert counts["tiny"] in (1, 2)


def test_one_corpus_alone_is_drawn_as_ever():
    alone = speakers_of("large", 4, each=1)
    units = Draw(0, [item.emotion for item in alone]).units(alone)
    assert units[0] == (alone[0].speaker, alone[0].gender, alone[0].emotion)


def test_sessions_of_two_corpora_that_are_called_alike_are_two(utterances):
    sessions = {(item.corpus, item.session) for item in utterances}
    assert num_folds(utterances, ProtocolConfig(name="loso-session")) == len(sessions)
    split = make_split(utterances, ProtocolConfig(name="loso"), 0)
    assert corpora_of(split.validation, utterances) == corpora_of(split.test, utterances)


def test_several_sources_train_for_one_target(utterances):
    split = make_split(utterances, ProtocolConfig(name="cross-corpus", target="small"), 0)
    assert corpora_of(split.train, utterances) == {"large", "tiny"}
    assert corpora_of((*split.validation, *split.test), utterances) == {"small"}


def test_a_corpus_that_states_no_partition_is_not_passed_over(utterances):
    names = ("train", "validation", "test1")
    stated = [
        replace(item, extra={"split": names[row % 3]}) if item.corpus == "large" else item
        for row, item in enumerate(utterances)
    ]
    with pytest.raises(UserError, match="found none in small, tiny"):
        num_folds(stated, ProtocolConfig(name="partitions"))


def test_a_recording_of_two_joined_corpora_is_refused(utterances):
    known = [replace(item, sound=sound_of(f"{row}")) for row, item in enumerate(utterances)]
    known[-1] = replace(known[-1], sound=known[0].sound)
    with pytest.raises(UserError, match="large and tiny hold the same recording"):
        check_leakage(cut_split(known, LEAVE_OUT, 0), known)
