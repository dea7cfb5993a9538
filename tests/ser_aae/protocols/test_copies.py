"""Copies of one recording within a corpus: which stay, which are left out, and what is told."""

from dataclasses import replace

import pytest
from tiny import corpus_of, sound_of, speak

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.protocols.copies import judge_copies, leave_out_copies
from ser_aae.protocols.leakage import Split, check_leakage
from ser_aae.protocols.splits import make_split
from ser_aae.utterance import Sound, contradict, group_copies

SPLIT = Split((0, 1), (2,), (3,), speaker_independent=False)


def heard(speaker, number, name, **more):
    return speak(speaker, number, sound=sound_of(name), **more)


def test_copies_that_agree_and_lie_in_one_part_stay():
    utterances = [heard(1, 1, "a"), heard(1, 0, "a"), heard(2, 0, "b"), heard(3, 0, "c")]
    assert leave_out_copies(SPLIT, utterances) == SPLIT
    copies = judge_copies({"train": utterances[:2]}, [utterances])
    assert copies.counts() == {"together": 1, "separated": 0, "contradicting": 0}
    assert copies.warnings() == ["copies of a recording in the same part, which stay: 1 (demo 1-1)"]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 1, 2), (3, 2, 1, 0)])
def test_of_copies_in_several_parts_the_first_by_its_id_stays(order):
    utterances = [heard(1, 0, "a"), heard(2, 0, "b"), heard(1, 1, "a"), heard(1, 2, "a")]
    placed = [utterances[number] for number in order]
    found = leave_out_copies(SPLIT, placed)
    left = [placed[row].utterance_id for part in ("train", "validation", "test")
            for row in getattr(found, part)]  # fmt: skip
    assert sorted(left) == ["1-0", "2-0"]


@pytest.mark.parametrize(
    "other",
    [
        {"speaker": "demo:2"},
        {"gender": "M"},
        {"emotion": "anger"},
        {"activation": 2.0},
        {"valence": 2.0},
    ],
)
def test_copies_that_contradict_each_other_are_left_out_in_one_part_too(other):
    utterances = [heard(1, 0, "a"), replace(heard(1, 1, "a"), **other)]
    utterances += [heard(3, 0, "b"), heard(4, 0, "c")]
    assert contradict(utterances[:2])
    assert leave_out_copies(SPLIT, utterances).train == ()
    copies = judge_copies({"train": utterances[:2]}, [utterances])
    assert copies.contradicting == (("demo", "1-0"), ("demo", "1-1"))


def test_a_copy_contradicts_also_where_it_takes_no_part():
    one, other = heard(1, 0, "a", emotion="anger"), heard(1, 1, "a", emotion="fear")
    copies = judge_copies({"train": [one]}, [[one, other]])
    assert copies.contradicting == (("demo", "1-0"),)
    assert not judge_copies({"train": [one]}, [[one]]).left_out


def test_silence_unknown_sound_and_other_corpora_are_no_copies():
    silent = replace(heard(1, 0, "a"), sound=Sound("", "a"))
    unknown = speak(2, 0)
    assert not group_copies([silent, replace(silent, utterance_id="b"), unknown, unknown])
    assert not group_copies([heard(1, 0, "a"), replace(heard(1, 0, "a"), corpus="other")])


def test_every_protocol_cuts_its_folds_without_copies_across_parts():
    utterances = corpus_of(3, each=10)
    twice = replace(utterances[0], sound=sound_of("a"))
    utterances = [twice, *utterances[1:], replace(twice, utterance_id="1-x", path="x.wav")]
    kept = []
    for fold in range(10):
        split = make_split(utterances, ProtocolConfig("10-fold", fold=fold), 0)
        check_leakage(split, utterances)
        kept.append(30 in (*split.train, *split.validation, *split.test))
    assert not all(kept)  # it is left out wherever another part has the first
    assert any(kept)


def test_a_part_of_contradicting_copies_alone_is_refused_as_empty():
    utterances = [heard(1, 0, "b"), heard(1, 1, "c"), heard(2, 0, "a"), heard(3, 0, "a")]
    split = leave_out_copies(SPLIT, utterances)
    with pytest.raises(UserError, match="the validation part is empty"):
        check_leakage(split, utterances)
