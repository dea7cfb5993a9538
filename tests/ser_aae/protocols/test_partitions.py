"""The protocol `partitions`: a corpus' own partitions, in the words of several corpora."""

import pytest

from ser_aae.config import ProtocolConfig
from ser_aae.config.build import build_config
from ser_aae.errors import UserError
from ser_aae.protocols.splits import make_split, num_folds
from ser_aae.utterance import Utterance


def utterance(number, split, speaker=None, emotion="anger"):
    name = f"{number:03d}"
    voice = name if speaker is None else speaker
    extra = {"split": split} if split else {}
    return Utterance("x", name, f"{name}.wav", f"x:{voice}", "F", emotion, emotion, extra=extra)


def corpus(*splits, **keywords):
    return [utterance(number, split, **keywords) for number, split in enumerate(splits)]


@pytest.mark.parametrize(
    ("splits", "tested"),
    [
        (("Train", "Development", "Test1", "Test2", "Train"), "test1"),
        (("Train", "Validation", "Test1", "Test2", "Train"), "Test1"),
        (("train", "dev", "test", "other", "train"), "test"),
    ],
)
def test_partitions_are_taken_in_the_words_of_the_corpus(splits, tested):
    protocol = ProtocolConfig(name="partitions", test_partition=tested)
    split = make_split(corpus(*splits), protocol, seed=0)

    assert (split.train, split.validation, split.test) == ((0, 4), (1,), (2,))
    assert (split.folds, split.speaker_independent) == (1, True)


def test_another_test_partition_can_be_named():
    utterances = corpus("Train", "Development", "Test1", "Test2")
    split = make_split(utterances, ProtocolConfig("partitions", test_partition="Test2"), 0)

    assert split.test == (3,)


@pytest.mark.parametrize(
    ("splits", "absent", "there"),
    [
        (("Train", "Test1"), "validation", r"test1 \(1\), train \(1\)"),
        (("train", "dev", "test"), "test1", r"test \(1\), train \(1\), validation \(1\)"),
        (("", "", ""), "train, validation, test1", "none"),
    ],
)
def test_partitions_that_are_not_there_are_told(splits, absent, there):
    with pytest.raises(UserError, match=f"found none of {absent}; there are: {there}; name"):
        num_folds(corpus(*splits), ProtocolConfig(name="partitions"))


def test_partitions_that_share_a_speaker_are_not_called_independent():
    utterances = [*corpus("Train", "Development", "Test1"), utterance(3, "Test1", speaker="000")]

    assert not make_split(utterances, ProtocolConfig(name="partitions"), 0).speaker_independent


def test_nobody_is_shared_where_nobody_is_known():
    utterances = corpus("Train", "Development", "Test1", "Train", speaker="")

    assert make_split(utterances, ProtocolConfig(name="partitions"), 0).speaker_independent


def test_the_setting_names_no_run_of_another_protocol():
    plain = build_config("default", None, [], ["dataset=demo"])
    other = build_config("default", None, [], ["dataset=demo", "protocol.test_partition=test2"])
    own = [
        build_config("default", None, [], ["dataset=demo", "protocol.name=partitions", *more])
        for more in ([], ["protocol.test_partition=test2"])
    ]

    assert plain.digest() == other.digest()
    assert own[0].digest() != own[1].digest()
