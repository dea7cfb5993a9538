"""URDU: names without padding, contradictions, and the real corpus."""

from collections import Counter, defaultdict

import pytest

from data_prep.corpora import find_adapter, urdu
from data_prep.corpus_check import check_corpus


@pytest.mark.parametrize(
    ("stem", "speaker", "clip", "emotion"),
    [
        ("SM1_F10_A010", "SM1", 10, "A"),
        ("SM1_F01_A12", "SM1", 1, "A"),  # as in the corpus' README
        ("SF04_F3_H0100", "SF4", 3, "H"),
        ("sm27_f1_n01", "SM27", 1, "N"),
    ],
)
def test_numbers_are_read_whatever_their_padding(stem, speaker, clip, emotion):
    assert urdu.parse_name(stem) == urdu.ClipName(speaker[1], speaker, clip, emotion)


@pytest.mark.parametrize("stem", ["recording", "SX1_F1_A01", "SM_F1_A01", "SM1_F1_A", "SM1-F1-A01"])
def test_other_names_are_no_clips(stem):
    assert urdu.parse_name(stem) is None


def test_clips_carry_the_fields_of_their_names(corpus, by_id):
    padded = by_id["SF04_F01_S12"]

    assert len(by_id) == 6
    assert (padded.speaker, padded.gender, padded.language) == ("urdu:SF4", "F", "urd")
    assert (padded.emotion, padded.emotion_raw) == ("sadness", "S")
    assert {item.speaker for item in corpus.utterances} == {
        "urdu:SM1", "urdu:SF1", "urdu:SF4", "urdu:SM27"
    }  # fmt: skip


def test_contradictions_and_foreign_files_are_listed(left_out):
    assert left_out == {
        ("Sad/SM5_F1_N07.wav", urdu.EXCLUDED["folder"]),
        ("Sad/recording.wav", urdu.EXCLUDED["name"]),
    }


def test_clips_that_share_sound_name_each_other(corpus):
    partners = {
        item.utterance_id: item.extra.get("shares_sound_with") for item in corpus.utterances
    }

    assert partners["SF1_F4_H04"] == "SF4_F3_H019 SF4_F4_H020"
    assert partners["SF4_F3_H019"] == "SF1_F4_H04"
    assert partners["SM1_F1_A01"] is None


def test_real_corpus_is_complete(real_corpora):
    corpus = find_adapter("urdu").read(real_corpora)

    assert dict(corpus.counts) == urdu.EXPECTED
    assert (corpus.counts["utterances"], corpus.counts["speakers"]) == (400, 29)
    assert corpus.dropped == ()
    genders = Counter({item.speaker: item.gender for item in corpus.utterances}.values())
    assert genders == {"M": 18, "F": 11}


def test_no_real_speaker_has_all_emotions(real_corpora):
    emotions = defaultdict(set)
    for item in find_adapter("urdu").read(real_corpora).utterances:
        emotions[item.speaker].add(item.emotion)

    assert max(map(len, emotions.values())) == 3


def test_real_clips_that_share_sound_are_those_that_verify_finds(real_corpora):
    found = {
        tuple(row["utterances"]): row for row in check_corpus("urdu", real_corpora)["overlaps"]
    }

    assert set(urdu.SHARED_SOUND) == found.keys()
    across = [pair for pair, row in found.items() if len(row["speakers"]) > 1]
    assert across == [("SF1_F4_H04", "SF4_F3_H019"), ("SF1_F4_H04", "SF4_F4_H020")]
    partners = {
        item.utterance_id: item.extra["shares_sound_with"].split()
        for item in find_adapter("urdu").read(real_corpora).utterances
        if item.extra
    }
    assert {
        tuple(sorted((clip, other))) for clip, others in partners.items() for other in others
    } == set(urdu.SHARED_SOUND)
