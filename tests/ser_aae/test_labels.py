"""Labels: emotions, genders and levels of dimensions."""

import pytest

from ser_aae.labels import (
    EMOTION_SYNONYMS,
    FOUR,
    GENDERS,
    UNLABELLED,
    canonical_emotion,
    class_ids,
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
