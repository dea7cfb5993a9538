"""Sentences that are spoken in training and in the test part, as each kind of corpus names them."""

import pytest
from tiny import speak

from ser_aae.protocols.sentences import sentence_of, shared_sentences, warn_of_sentences


def said(corpus="demo", number=0, **extra):
    return speak("1", number, corpus, extra=extra)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (said("ravdess", statement="01"), said("ravdess", statement="01", repetition="02"), True),
        (said("ravdess", statement="01"), said("ravdess", statement="02"), False),
        (said("emodb", sentence="a01"), said("emodb", sentence="a01"), True),
        # another corpus' sentence of the same number
        (said("emodb", sentence="a01"), said("savee", sentence="a01"), False),
        # a text is itself in any corpus, however it is written
        (said("a", text="Kids are talking!"), said("b", text=" kids  are talking"), True),
        (said("a", text="Kids are talking", sentence="1"), said("a", text="Dogs"), False),
        (
            said("iemocap", dialog="Ses01F_script01_1", elicitation="scripted"),
            said("iemocap", dialog="Ses03M_script01_1b", elicitation="scripted"),
            True,
        ),
        (
            said("iemocap", dialog="Ses01F_script01_1", elicitation="scripted"),
            said("iemocap", dialog="Ses01F_script01_3", elicitation="scripted"),
            False,
        ),
        (said("msp", sentence="05", scenario="R"), said("msp", sentence="05", scenario="T"), True),
    ],
)
def test_two_utterances_say_the_same_or_not(one, other, same):
    assert (sentence_of(one) == sentence_of(other)) is same
    assert any(sentence_of(one))


@pytest.mark.parametrize(
    "utterance",
    [
        said(),
        said(text="  ...  "),
        said("iemocap", dialog="Ses01F_impro01", elicitation="improvised"),
        # a turn around the target sentence has its number, and says something else
        said("msp", sentence="05", scenario="S"),
        said("msp", sentence="05", scenario="P"),
    ],
)
def test_what_is_said_may_not_be_known(utterance):
    assert sentence_of(utterance) == ("", "")


def test_the_share_is_of_test_utterances_whose_sentence_is_known():
    train = [said(sentence="1"), said(sentence="2"), said()]
    test = [said(sentence="1"), said(sentence="1"), said(sentence="3"), said(sentence="4"), said()]
    assert shared_sentences(train, test) == 0.5
    assert shared_sentences(train, [said()]) is None
    assert shared_sentences([said()], test) == 0.0


@pytest.mark.parametrize("share", [None, 0.0])
def test_nothing_is_told_where_no_sentence_is_shared(share):
    assert warn_of_sentences({"shared_sentences": share}) == []
    assert warn_of_sentences({}) == []
