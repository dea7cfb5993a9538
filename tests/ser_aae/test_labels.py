"""Labels: emotions, genders and levels of dimensions."""

import unicodedata

import pytest

from ser_aae.labels import (
    EMOTION_SYNONYMS,
    FOUR,
    FURTHER_SYNONYMS,
    GENDERS,
    NO_LABEL,
    UNLABELLED,
    canonical_emotion,
    class_ids,
    earlier_emotion,
    is_known_emotion,
)


def test_the_four_classes_are_the_papers_in_a_fixed_order():
    assert FOUR == ("anger", "happiness", "neutral", "sadness")
    assert GENDERS == ("F", "M")


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("Angry", "anger"),
        (" ang\t", "anger"),
        ("WUT", "anger"),
        ("ÄRGER", "anger"),
        ("A\u0308rger", "anger"),
        ("hap", "happiness"),
        ("Freude", "happiness"),
        ("Neutral State", "neutral"),
        ("伤心", "sadness"),
        ("sadness", "sadness"),
        ("pleasant surprise", "surprise"),
    ],
)
def test_words_of_many_corpora_are_one_emotion(raw, canonical):
    assert canonical_emotion(raw) == canonical


@pytest.mark.parametrize("language", range(7))
@pytest.mark.parametrize(
    ("emotion", "words"),
    [
        ("anger", "colère enfado rabbia raiva öfke gniew злость"),
        ("happiness", "joie alegría gioia felicidade mutluluk radość радость"),
        ("neutral", "neutre neutro neutrale neutra nötr neutralny нейтральный"),
        ("sadness", "tristesse tristeza tristezza triste üzgün smutek грусть"),
        ("fear", "peur miedo paura medo korku strach страх"),
    ],
)
def test_words_of_seven_languages_are_known(emotion, words, language):
    word = words.split()[language]

    assert canonical_emotion(word) == canonical_emotion(word.upper()) == emotion
    assert canonical_emotion(unicodedata.normalize("NFD", word)) == emotion


@pytest.mark.parametrize(
    ("word", "emotion"),
    [("COLERE", "anger"), ("Kizgin", "anger"), ("zlosc", "anger"), ("удивленный", "surprise")],
)
def test_accents_may_be_left_out(word, emotion):
    assert canonical_emotion(word) == emotion


@pytest.mark.parametrize("word", [*NO_LABEL, "NaN", " N/A ", "None"])
def test_words_for_no_label_are_no_emotion(word):
    assert canonical_emotion(word) == ""


def test_every_further_word_is_of_one_emotion_and_is_found():
    assert FURTHER_SYNONYMS.keys() <= EMOTION_SYNONYMS.keys()
    pairs = [(word, name) for name, words in FURTHER_SYNONYMS.items() for word in words]
    assert len({word for word, _ in pairs}) == len(pairs)
    assert all(canonical_emotion(word) == name for word, name in pairs)


def test_a_label_has_an_earlier_emotion_unless_it_is_a_code():
    assert earlier_emotion("anger", "Colère") == "colère"
    assert earlier_emotion("", "NaN") == "nan"
    assert earlier_emotion("anger", "Wut") == "anger"
    assert earlier_emotion("fear", "A") == "fear"


def test_an_unknown_word_stays_its_own_class():
    assert canonical_emotion(" Wistful ") == "wistful"
    assert not is_known_emotion("wistful")
    assert canonical_emotion("") == ""


def test_no_word_stands_for_two_emotions():
    words = [word for name, others in EMOTION_SYNONYMS.items() for word in (name, *others)]
    assert len(words) == len(set(words))
    assert words == [word.casefold() for word in words]


def test_one_letter_codes_are_left_to_the_adapters():
    assert canonical_emotion("A") == "a"
    assert not any(len(word) == 1 for words in EMOTION_SYNONYMS.values() for word in words)


def test_canonical_names_are_known_and_the_four_are_among_them():
    assert all(is_known_emotion(name) for name in FOUR)
    assert all(canonical_emotion(name) == name for name in EMOTION_SYNONYMS)
    assert not is_known_emotion("angry")


def test_class_numbers_follow_the_order_of_the_classes():
    assert class_ids(["sadness", "anger", "boredom", ""], FOUR) == [3, 0, UNLABELLED, UNLABELLED]
    assert class_ids([], FOUR) == []
    assert UNLABELLED == -1
