"""TurEV-DB: names, a model's copies of recordings, and the real corpus."""

from collections import Counter

import pytest
from corpus_layouts.turev import ONLY_OUTPUT, OUTPUT

from data_prep.corpora import find_adapter, turev
from data_prep.corpus_check import check_corpus


@pytest.mark.parametrize(
    ("stem", "fields"),
    [
        ("1157_kz_acik", ("1157", "kz", "acik")),
        ("1234_KZ_Algi", ("1234", "kz", "algi")),
        ("7895_hl_ogul1", ("7895", "hl", "ogul")),
    ],
)
def test_name_has_actor_emotion_and_word(stem, fields):
    assert turev.parse_name(stem) == turev.RecordingName(*fields)


@pytest.mark.parametrize(
    "stem", ["1157_kz", "kz_acik_1157", "1157_kizgin_acik", "1157-kz-acik", "1157_kz_", "1157_kz_1"]
)
def test_other_names_are_no_recordings(stem):
    assert turev.parse_name(stem) is None


def test_recordings_carry_the_fields_of_their_names(corpus, by_id):
    calm = by_id["1234_sk_acik"]

    assert (calm.speaker, calm.gender, calm.language) == ("turev:1234", "unknown", "tur")
    assert (calm.emotion, calm.emotion_raw) == ("calm", "sk")
    emotions = {item.emotion for item in corpus.utterances}
    assert emotions == {"anger", "calm", "happiness", "sadness"}


def test_words_are_known_whatever_stands_behind_them(by_id):
    assert by_id["7895_hl_ogul1"].extra == {"sentence": "ogul"}
    assert by_id["1157_kz_acik"].extra == by_id["1157_hl_acik"].extra == {"sentence": "acik"}


def test_a_models_copies_are_no_recordings(by_id, left_out):
    assert by_id["1157_kz_acik"].path.startswith("Sound Source/")
    assert "1157_kz_beste" not in by_id
    assert left_out == {
        ("Sound Source/Sad/1157_kz_cay.wav", turev.EXCLUDED["folder"]),
        ("Sound Source/Sad/recording.wav", turev.EXCLUDED["name"]),
        (OUTPUT, turev.EXCLUDED["model"]),
        (ONLY_OUTPUT, turev.EXCLUDED["model"]),
    }


def test_real_corpus_is_complete(real_corpora):
    corpus = find_adapter("TurEV-DB").read(real_corpora)

    assert dict(corpus.counts) == turev.EXPECTED
    assert corpus.dropped == ()
    assert len({item.extra["sentence"] for item in corpus.utterances}) == 82
    each = Counter((item.speaker, item.emotion) for item in corpus.utterances)
    assert {emotion for actor, emotion in each if actor == "turev:1157"} == {"anger", "sadness"}
    assert each["turev:7895", "happiness"] == 29


def test_no_real_recording_stands_there_twice(real_corpora):
    report = check_corpus("turev", real_corpora)

    assert report["ok"]
    assert report["duplicates"] == report["overlaps"] == []
