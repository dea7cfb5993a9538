"""The protocols on the speakers, sessions and counts of IEMOCAP, without its sound."""

from collections import Counter
from dataclasses import replace

import pytest

from ser_aae.config import ProtocolConfig
from ser_aae.protocols.leakage import check_leakage
from ser_aae.protocols.splits import make_split, num_folds
from ser_aae.utterance import Utterance


def protocol(name, **more):
    return ProtocolConfig(name=name, **more)


def speakers_of(rows, utterances):
    return {utterances[row].speaker for row in rows}


def all_folds(utterances, config, seed=0):
    total = num_folds(utterances, config)
    return [make_split(utterances, replace(config, fold=fold), seed) for fold in range(total)]


# utterances of the four classes in each session of IEMOCAP, women's and men's
IEMOCAP = ((528, 557), (481, 542), (522, 629), (528, 503), (590, 651))


@pytest.fixture(scope="module")
def iemocap():
    return [
        Utterance(
            corpus="iemocap",
            utterance_id=f"Ses0{session}_{letter}{index:03d}",
            path=f"Session{session}/{letter}{index:03d}.wav",
            speaker=f"iemocap:{session}{letter}",
            gender=letter,
            session=f"Session{session}",
        )
        for session, counts in enumerate(IEMOCAP, start=1)
        for letter, count in zip("FM", counts, strict=True)
        for index in range(count)
    ]


def test_leave_one_session_out_has_the_sizes_of_the_literature(iemocap):
    folds = all_folds(iemocap, protocol("loso-session"))
    assert [len(split.test) for split in folds] == [1085, 1023, 1151, 1031, 1241]
    assert [len(split.validation) for split in folds] == [1023, 1151, 1031, 1241, 1085]


def test_leave_one_speaker_out_trains_on_eight_speakers_of_ten(iemocap):
    folds = all_folds(iemocap, protocol("loso"))
    assert [len(split.test) for split in folds] == [count for pair in IEMOCAP for count in pair]
    for split in folds:
        assert len(speakers_of(split.train, iemocap)) == 8
        tested, partner = (
            speakers_of(part, iemocap).pop() for part in (split.test, split.validation)
        )
        assert tested[:-1] == partner[:-1]
        assert {tested[-1], partner[-1]} == {"F", "M"}


def test_the_ten_folds_of_5531_utterances_are_equal(iemocap):
    folds = all_folds(iemocap, protocol("10-fold"))
    assert {len(split.test) for split in folds} == {553, 554}
    assert {len(speakers_of(split.test, iemocap)) for split in folds} == {10}


def test_the_order_of_the_utterances_does_not_change_who_is_tested(iemocap):
    config = protocol("speaker-kfold", folds=5, fold=2)
    forwards, backwards = make_split(iemocap, config, 0), make_split(iemocap[::-1], config, 0)
    assert speakers_of(forwards.test, iemocap) == speakers_of(backwards.test, iemocap[::-1])


def test_ten_folds_keep_the_share_of_each_speaker(iemocap):
    whole = Counter(item.speaker for item in iemocap)
    for split in all_folds(iemocap, protocol("10-fold")):
        part = Counter(iemocap[row].speaker for row in split.test)
        assert all(abs(part[name] - count / 10) < 1 for name, count in whole.items())


def test_women_and_men_are_tested_by_turns(iemocap):
    genders = [
        {iemocap[row].gender for row in split.test}
        for split in all_folds(iemocap, protocol("loso"))
    ]
    assert genders == [{"F"}, {"M"}] * 5


@pytest.mark.parametrize("name", ["loso", "loso-session", "speaker-kfold", "10-fold"])
def test_the_check_of_every_fold_is_clean(iemocap, name):
    for split in all_folds(iemocap, protocol(name, folds=5)):
        found = check_leakage(split, iemocap)
        assert sum(found["utterances"].values()) == 5531
        assert found["speaker_independent"] == (name != "10-fold")
        assert any(found["shared_speakers"].values()) == (name == "10-fold")
