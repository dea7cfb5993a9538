"""RAVDESS: names, what is left out, and the published files' containers."""

from collections import Counter

import numpy as np
import pytest
from corpus_layouts import ravdess as layout
from corpus_layouts.sound import write_tone

from data_prep.corpora import find_adapter, ravdess
from ser_aae.frontend.audio import read_audio


def test_name_has_seven_fields():
    name = ravdess.parse_name("03-01-06-02-01-02-12")

    assert name == ravdess.RecordingName("03", "01", "06", "02", "01", "02", "12")


@pytest.mark.parametrize("stem", ["03-01-06-01-02-01", "03-01-06-01-02-01-1", "notes", "",
                                  "03-01-06-01-02-01-12-01", "03_01_06_01_02_01_12"])  # fmt: skip
def test_other_names_are_no_recordings(stem):
    assert ravdess.parse_name(stem) is None


@pytest.mark.parametrize(("actor", "gender"), [("01", "M"), ("02", "F"), ("23", "M"), ("24", "F")])
def test_odd_actors_are_men(actor, gender):
    assert ravdess.parse_name(f"03-01-01-01-01-01-{actor}").gender == gender


def test_recordings_carry_the_fields_of_their_names(corpus, by_id):
    surprised = by_id["03-01-08-02-02-02-02"]

    assert len(by_id) == 4
    assert (surprised.speaker, surprised.gender) == ("ravdess:02", "F")
    assert (surprised.emotion, surprised.emotion_raw) == ("surprise", "08")
    assert surprised.extra == {"intensity": "02", "statement": "02", "repetition": "02"}
    assert by_id["03-01-02-01-01-01-01"].emotion == "calm"
    assert corpus.unknown_labels == ()


def test_what_is_left_out_is_listed(corpus):
    assert Counter(item.reason for item in corpus.dropped) == {
        "duplicate of a file of the same name": 1,
        ravdess.EXCLUDED["channel"]: 1,
        ravdess.EXCLUDED["modality"]: 1,
        ravdess.EXCLUDED["name"]: 1,
    }
    assert not any("._" in item.where for item in corpus.dropped)


def test_the_copy_that_lies_deeper_is_the_duplicate(corpus):
    duplicates = [item.where for item in corpus.dropped if item.reason.startswith("duplicate")]

    assert duplicates == ["audio_speech_actors_01-24/Actor_01/03-01-01-01-01-01-01.wav"]


def test_nested_root_is_read(tmp_path):
    folder = tmp_path / "ravdess" / "Audio_Speech_Actors_01-24" / "Actor_07"
    write_tone(folder / "03-01-03-01-01-01-07.wav")

    (utterance,) = ravdess.read(tmp_path / "ravdess").utterances

    assert utterance.path == "Audio_Speech_Actors_01-24/Actor_07/03-01-03-01-01-01-07.wav"
    assert utterance.utterance_id == "03-01-03-01-01-01-07"


def test_padding_and_trailing_chunks_are_no_sound(corpus):
    samples = read_audio(corpus.root / layout.PADDED, 16000)

    # 0.2 s of tone at half scale: a reader that trusts a 44-byte header finds silence first
    assert len(samples) == pytest.approx(3200, abs=2)
    assert np.abs(samples[200:-200]).max() == pytest.approx(0.5, abs=0.01)
    assert np.sqrt(np.mean(samples[:400] ** 2)) > 0.3


def test_stereo_is_averaged(corpus):
    samples = read_audio(corpus.root / layout.STEREO, 16000)

    assert np.abs(samples[200:-200]).max() == pytest.approx(0.375, abs=0.01)


def test_real_corpus_is_complete(real_corpora):
    corpus = find_adapter("ravdess").read(real_corpora)

    assert dict(corpus.counts) == ravdess.EXPECTED
    assert corpus.counts["utterances"] == 1440
    assert corpus.counts["speakers"] == 24
    assert corpus.counts["utterances of neutral"] == 96
    assert corpus.counts["utterances of calm"] == 192
    genders = Counter({item.speaker: item.gender for item in corpus.utterances}.values())
    assert genders == {"F": 12, "M": 12}
    intensities = {item.extra["intensity"] for item in corpus.utterances
                   if item.emotion == "neutral"}  # fmt: skip
    assert intensities == {"01"}
