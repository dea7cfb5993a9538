"""Classes in words for people."""

from ser_aae.inference.wording import names_for_people


def test_genders_are_words_and_speakers_are_without_their_corpus():
    classes = {
        "gender": ("F", "M"),
        "emotion": ("anger", "F"),
        "speaker": ("csv-calls-1a2b3c:anna", "demo:x", "other:x", "speaker 4"),
    }
    assert names_for_people(classes) == {
        "gender": {"F": "female", "M": "male"},
        "speaker": {"csv-calls-1a2b3c:anna": "anna"},
    }
