"""Splits of every protocol: who is tested, who validates, and which cannot be."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import corpus_of, speak

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.protocols.leakage import check_leakage
from ser_aae.protocols.splits import make_split, num_folds
from ser_aae.utterance import Utterance

RAVDESS = Path(__file__).parents[3] / "../shared/corpora/ravdess"


def dyads(sessions=5, each=4):
    """Two speakers a session, as IEMOCAP has them."""
    return [
        speak(f"{number}{letter}", index, session=f"Session{number}")
        for number in range(1, sessions + 1)
        for letter in "FM"
        for index in range(each)
    ]


def protocol(name, **more):
    return ProtocolConfig(name=name, **more)


def speakers_of(rows, utterances):
    return {utterances[row].speaker for row in rows}


def all_folds(utterances, config, seed=0):
    total = num_folds(utterances, config)
    return [make_split(utterances, replace(config, fold=fold), seed) for fold in range(total)]


@pytest.mark.parametrize(
    ("config", "utterances"),
    [
        (protocol("speaker-kfold"), corpus_of(24)),
        (protocol("speaker-kfold", folds=5), corpus_of(13)),
        (protocol("speaker-kfold", folds=5, draw="sorted"), corpus_of(13)),
        (protocol("loso"), corpus_of(7)),
        (protocol("loso"), dyads()),
        (protocol("loso-session"), dyads(6)),
        (protocol("10-fold"), corpus_of(5, each=23)),
    ],
)
def test_every_fold_tests_every_utterance_once_and_shares_nothing(config, utterances):
    folds = all_folds(utterances, config)
    assert Counter(row for split in folds for row in split.test) == Counter(range(len(utterances)))
    for split in folds:
        rows = [*split.train, *split.validation, *split.test]
        assert sorted(rows) == list(range(len(utterances)))
        assert split.folds == len(folds)
        parts = [speakers_of(part, utterances) for part in (split.train, split.validation)]
        apart = not any(part & speakers_of(split.test, utterances) for part in parts)
        assert apart == split.speaker_independent == (config.name != "10-fold")


def test_sorted_groups_are_consecutive_in_natural_order_and_validation_is_the_next():
    utterances = corpus_of(24)
    folds = all_folds(utterances, protocol("speaker-kfold", draw="sorted"))
    for number, split in enumerate(folds):
        group = {f"demo:{name}" for name in range(4 * number + 1, 4 * number + 5)}
        assert speakers_of(split.test, utterances) == group
        assert split.validation == folds[(number + 1) % 6].test


@pytest.mark.parametrize("draw", ["stratified", "sorted"])
def test_groups_are_as_equal_as_can_be(draw):
    utterances = corpus_of(14)
    folds = all_folds(utterances, protocol("speaker-kfold", folds=4, draw=draw))
    assert [len(speakers_of(split.test, utterances)) for split in folds] == [4, 4, 3, 3]


def women_before_men(each=3):
    """Four women and four men whose names part them when they are sorted."""
    return [
        replace(speak(f"{who}{name}", number), gender=gender)
        for who, gender in (("woman", "F"), ("man", "M"))
        for name in range(1, 5)
        for number in range(each)
    ]


def genders_of(rows, utterances):
    return Counter(
        gender for _, gender in {(utterances[r].speaker, utterances[r].gender) for r in rows}
    )


def test_sorted_names_train_on_women_alone_and_drawn_speakers_on_both():
    utterances = women_before_men()
    first = make_split(utterances, protocol("speaker-kfold", folds=4, draw="sorted"), 0)
    assert (genders_of(first.train, utterances), genders_of(first.test, utterances)) == (
        {"F": 4},
        {"M": 2},
    )
    for seed in range(3):
        for split in all_folds(utterances, protocol("speaker-kfold", folds=4), seed):
            assert genders_of(split.train, utterances) == {"F": 2, "M": 2}
            assert genders_of(split.validation, utterances) == {"F": 1, "M": 1}
            assert genders_of(split.test, utterances) == {"F": 1, "M": 1}


def test_the_seed_draws_the_groups_and_the_order_of_the_utterances_does_not():
    utterances = women_before_men()
    config = protocol("speaker-kfold", folds=4)
    folds = [make_split(utterances, config, seed).test for seed in range(5)]
    assert folds[0] == make_split(utterances, config, 0).test
    assert len(set(folds)) > 1
    turned = utterances[::-1]
    assert speakers_of(make_split(turned, config, 1).test, turned) == speakers_of(
        folds[1], utterances
    )


def test_groups_are_even_in_the_classes_that_are_given():
    utterances = corpus_of(8)  # of one emotion
    classes = [int(item.speaker[-1]) // 5 for item in utterances]
    for split in [
        make_split(utterances, protocol("speaker-kfold", folds=4, fold=fold), 0, classes)
        for fold in range(4)
    ]:
        for part in (split.validation, split.test):
            assert Counter(classes[row] for row in part) == {0: 3, 1: 3}


@pytest.mark.parametrize("seed", range(3))
def test_selection_speakers_of_a_target_are_drawn_from_women_and_men(seed):
    source = corpus_of(3, corpus="a")
    everyone = [*source, *women_before_men()]
    config = protocol("cross-corpus", target="demo", target_speakers="apart")
    split = make_split(everyone, config, seed)
    assert genders_of(split.validation, everyone) == {"F": 1, "M": 1}
    assert genders_of(split.test, everyone) == {"F": 3, "M": 3}


def test_real_ravdess_has_six_sorted_groups_of_two_women_and_two_men():
    if not RAVDESS.is_dir():
        pytest.skip(f"no RAVDESS at {RAVDESS}")
    utterances = [
        Utterance("ravdess", path.stem, path.name, f"ravdess:{path.stem[-2:]}", "unknown")
        for path in sorted(RAVDESS.glob("Actor_*/*.wav"))
    ]
    folds = all_folds(utterances, protocol("speaker-kfold", draw="sorted"))
    actors = [
        sorted(int(name[-2:]) for name in speakers_of(split.test, utterances)) for split in folds
    ]
    assert actors == [list(range(first, first + 4)) for first in range(1, 25, 4)]
    assert [len(split.train) for split in folds] == [960] * 6


def test_loso_validates_on_the_session_partner_and_trains_on_other_sessions():
    utterances = dyads()
    split = make_split(utterances, protocol("loso", fold=3), 0)
    assert speakers_of(split.test, utterances) == {"demo:2M"}
    assert speakers_of(split.validation, utterances) == {"demo:2F"}
    assert {utterances[row].session for row in split.train} == {
        f"Session{number}" for number in (1, 3, 4, 5)
    }


def test_loso_without_sessions_validates_on_the_next_speaker():
    utterances = corpus_of(11)
    split = make_split(utterances, protocol("loso", fold=10), 0)
    assert speakers_of(split.test, utterances) == {"demo:11"}
    assert speakers_of(split.validation, utterances) == {"demo:1"}


def test_loso_session_validates_on_the_next_session():
    utterances = dyads(6)
    split = make_split(utterances, protocol("loso-session", fold=5), 0)
    assert speakers_of(split.test, utterances) == {"demo:6F", "demo:6M"}
    assert speakers_of(split.validation, utterances) == {"demo:1F", "demo:1M"}


def test_ten_folds_have_all_speakers_in_every_part_and_equal_sizes():
    utterances = corpus_of(4, each=37)
    everyone = speakers_of(range(len(utterances)), utterances)
    sizes = []
    for split in all_folds(utterances, protocol("10-fold")):
        for part in (split.train, split.validation, split.test):
            assert speakers_of(part, utterances) == everyone
        sizes.append(len(split.test))
    assert set(sizes) <= {14, 15}


def test_the_seed_draws_the_ten_folds():
    utterances = corpus_of(3, each=20)
    config = protocol("10-fold")
    first = make_split(utterances, config, 1)
    assert first == make_split(utterances, config, 1)
    assert first != make_split(utterances, config, 2)


@pytest.mark.parametrize(
    ("config", "utterances", "message"),
    [
        (protocol("speaker-kfold", fold=6), corpus_of(24), "expected 0 to 5"),
        (protocol("loso", fold=5), corpus_of(5), "expected 0 to 4"),
        (protocol("speaker-kfold", folds=6), corpus_of(5), "at least 6 speakers, received 5"),
        (protocol("speaker-kfold", folds=2), corpus_of(5), "expected at least 3"),
        (protocol("loso"), corpus_of(2), "at least 3 speakers"),
        (
            protocol("loso"),
            [replace(item, speaker="a:") for item in corpus_of(2)],
            r"received 1 \(a:unknown\)",
        ),
        (protocol("loso-session"), corpus_of(9), "use loso or speaker-kfold"),
        (protocol("loso-session"), dyads(2), "at least 3 sessions"),
        (protocol("10-fold"), corpus_of(9, each=9), "at least 10 utterances"),
        (protocol("10-fold"), [], "no utterance"),
        (protocol("speaker-kfold"), [], "received 0"),
        (protocol("cross-corpus", target="b"), corpus_of(3), "a target corpus"),
    ],
)
def test_what_does_not_fit_is_refused(config, utterances, message):
    with pytest.raises(UserError, match=message):
        make_split(utterances, config, 0)


def test_loso_refuses_one_session_for_everybody_and_a_speaker_alone():
    together = [replace(item, session="one") for item in corpus_of(4)]
    alone = [replace(item, session=item.speaker) for item in corpus_of(4)]
    for utterances in (together, alone):
        with pytest.raises(UserError, match="use speaker-kfold"):
            make_split(utterances, protocol("loso"), 0)


def test_sessions_that_share_a_speaker_are_refused():
    guest = speak("1F", 99, session="Session3")
    with pytest.raises(UserError, match="share speakers: demo:1F"):
        make_split([*dyads(), guest], protocol("loso-session"), 0)


@pytest.mark.parametrize("target_speakers", ["shared", "apart"])
def test_cross_corpus_trains_on_all_of_the_source(target_speakers):
    source, target = corpus_of(6, corpus="a"), corpus_of(10, each=10, corpus="b")
    config = protocol("cross-corpus", target="b", target_speakers=target_speakers)
    split = make_split([*source, *target], config, 3)
    assert split.train == tuple(range(18))
    assert (len(split.validation), len(split.test)) == (30, 70)
    assert sorted((*split.validation, *split.test)) == list(range(18, 118))
    everyone = [*source, *target]
    selected, tested = (speakers_of(part, everyone) for part in (split.validation, split.test))
    if target_speakers == "apart":
        assert not selected & tested
        assert split.speaker_independent
    else:
        assert len(selected) == len(tested) == 10
        assert not split.speaker_independent
    assert split != make_split([*source, *target], config, 4)


def test_cross_corpus_keeps_the_share_with_few_utterances_a_speaker():
    target = corpus_of(50, each=1, corpus="b")
    config = protocol("cross-corpus", target="b")
    split = make_split([*corpus_of(3, corpus="a"), *target], config, 0)
    assert (len(split.validation), len(split.test)) == (15, 35)


@pytest.mark.parametrize("target", ["demo", "c"])
def test_cross_corpus_refuses_the_source_as_target(target):
    with pytest.raises(UserError, match="a target corpus and of others, received"):
        make_split(corpus_of(4), protocol("cross-corpus", target=target), 0)


def test_num_folds_follows_the_corpus():
    assert num_folds(dyads(), protocol("loso")) == 10
    assert num_folds(dyads(), protocol("loso-session")) == 5
    assert num_folds(corpus_of(24), protocol("speaker-kfold")) == 6
    assert num_folds(corpus_of(2, each=10), protocol("10-fold")) == 10


@pytest.mark.parametrize("name", ["speaker-kfold", "loso", "loso-session"])
def test_only_drawn_protocols_depend_on_the_seed(name):
    utterances = dyads(6)
    config = protocol(name, draw="sorted")
    assert make_split(utterances, config, 0) == make_split(utterances, config, 1)


def test_each_part_is_in_ascending_order():
    utterances = corpus_of(6, each=20)
    for config in (protocol("10-fold"), protocol("speaker-kfold")):
        split = make_split(utterances, config, 5)
        for part in (split.train, split.validation, split.test):
            assert list(part) == sorted(part)
            assert all(type(row) is int for row in part)


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.95])
def test_the_share_of_the_target_that_selects_can_be_chosen(fraction):
    source, target = corpus_of(3, corpus="a"), corpus_of(20, each=10, corpus="b")
    for speakers in ("shared", "apart"):
        config = protocol(
            "cross-corpus", target="b", target_speakers=speakers, selection_fraction=fraction
        )
        split = make_split([*source, *target], config, 0)
        assert len(split.validation) == round(200 * fraction)


def test_one_target_speaker_cannot_be_parted():
    config = protocol("cross-corpus", target="b", target_speakers="apart")
    with pytest.raises(UserError, match="at least 2 speakers, received 1"):
        make_split([*corpus_of(3, corpus="a"), *corpus_of(1, corpus="b")], config, 0)


# on the speakers, sessions and counts of IEMOCAP, without its sound

IEMOCAP = ((528, 557), (481, 542), (522, 629), (528, 503), (590, 651))
"""Utterances of the four classes in each session, women's and men's."""


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
