"""TESS: spellings of one name, copies of the tree, and odd rates."""

import numpy as np
import pytest
from corpus_layouts import tess as layout
from corpus_layouts.sound import write_tone

from data_prep.corpora import tess
from ser_aae.frontend.audio import read_audio


@pytest.mark.parametrize(
    ("stem", "speaker", "word", "emotion"),
    [
        ("OAF_back_angry", "OAF", "back", "angry"),
        ("OA_bite_neutral", "OAF", "bite", "neutral"),
        ("YAF_third_ps", "YAF", "third", "ps"),
        ("yaf_Dog_SAD", "YAF", "dog", "sad"),
    ],
)
def test_names_are_read_whatever_their_spelling(stem, speaker, word, emotion):
    assert tess.parse_name(stem) == tess.RecordingName(speaker, word, emotion)


@pytest.mark.parametrize("stem", ["OAF_back", "back_angry", "OAFF_back_angry", "OAF_back_angry_2",
                                  "DC_back_angry", "OAF-back-angry", ""])  # fmt: skip
def test_other_names_are_no_recordings(stem):
    assert tess.parse_name(stem) is None


def test_emotion_is_that_of_the_name_not_of_the_folder(by_id):
    emotions = {key: item.emotion for key, item in by_id.items()}

    assert emotions == {
        "OAF_back_angry": "anger",
        "OAF_back_ps": "surprise",
        "OAF_bite_neutral": "neutral",
        "OAF_chain_disgust": "disgust",
        "OAF_food_fear": "fear",
        "YAF_back_happy": "happiness",
        "YAF_back_ps": "surprise",
        "YAF_dog_sad": "sadness",
    }


def test_recordings_carry_the_fields_of_their_names(by_id):
    surprise = by_id["YAF_back_ps"]

    assert (surprise.speaker, surprise.gender, surprise.language) == ("tess:YAF", "F", "eng")
    assert (surprise.emotion_raw, surprise.session) == ("ps", "")
    assert surprise.extra == {"sentence": "back", "age": "26"}
    assert by_id["OAF_back_ps"].extra == {"sentence": "back", "age": "64"}


def test_name_without_its_f_is_the_older_speaker_s(corpus, by_id):
    assert by_id["OAF_bite_neutral"].path == layout.MISSPELT
    assert corpus.counts["speakers"] == 2


def test_both_spellings_of_one_name_are_one_recording(tmp_path):
    for stem in ("OA_bite_neutral", "OAF_bite_neutral"):
        write_tone(tmp_path / "OAF_neutral" / f"{stem}.wav")

    corpus = tess.read(tmp_path)

    assert [item.utterance_id for item in corpus.utterances] == ["OAF_bite_neutral"]
    assert [(item.where, item.reason) for item in corpus.dropped] == [
        ("OAF_neutral/OA_bite_neutral.wav", tess.EXCLUDED["duplicate"])
    ]


def test_what_is_left_out_is_listed(left_out):
    assert left_out == {
        (layout.COPY, tess.EXCLUDED["duplicate"]),
        ("YAF_sad/YAF_sad.wav", tess.EXCLUDED["name"]),
        ("YAF_sad/KAF_dog_sad.wav", tess.EXCLUDED["name"]),
    }


def test_doubled_tree_counts_once(tmp_path):
    for tree in ("", "copy"):
        for emotion in tess.EMOTION_CODES:
            write_tone(tmp_path / tree / f"OAF_{emotion}" / f"OAF_back_{emotion}.wav")

    corpus = tess.read(tmp_path)

    assert corpus.counts["utterances"] == 7
    assert not any(item.path.startswith("copy") for item in corpus.utterances)
    assert len(corpus.dropped) == 7


@pytest.mark.parametrize("file", ["OAF_angry/OAF_back_angry.wav", layout.ODD_RATE])
def test_rate_is_that_of_each_header(corpus, file):
    samples = read_audio(corpus.root / file, 16000)
    spectrum = np.abs(np.fft.rfft(samples))

    # 0.2 s of 440 Hz, whatever the rate of the file
    assert len(samples) == pytest.approx(3200, abs=2)
    assert np.argmax(spectrum) * 16000 / len(samples) == pytest.approx(440, abs=5)


def test_stereo_is_averaged(corpus):
    samples = read_audio(corpus.root / layout.STEREO, 16000)

    assert np.abs(samples[200:-200]).max() == pytest.approx(0.375, abs=0.01)
