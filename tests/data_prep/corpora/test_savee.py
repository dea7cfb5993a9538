"""SAVEE: two layouts, names that recur, and codes of one and two letters."""

from pathlib import Path

import pytest
from corpus_layouts import savee as layout
from corpus_layouts.sound import write_tone

from data_prep.corpora import find_adapter, savee


@pytest.mark.parametrize(
    ("path", "speaker", "emotion", "number"),
    [
        ("AudioData/DC/a01.wav", "DC", "a", "01"),
        ("AudioData/JE/sa15.wav", "JE", "sa", "15"),
        ("AudioData/JK/su03.wav", "JK", "su", "03"),
        ("ALL/KL_n30.wav", "KL", "n", "30"),
        ("DC_sa03.wav", "DC", "sa", "03"),
        ("audiodata/kl/H07.WAV", "KL", "h", "07"),
    ],
)
def test_paths_of_both_layouts_are_read(path, speaker, emotion, number):
    assert savee.parse_path(Path(path)) == savee.Recording(speaker, emotion, number)


@pytest.mark.parametrize("path", ["a01.wav", "AudioData/a01.wav", "DC/a1.wav", "DC/a001.wav",
                                  "XY_a01.wav", "DC/01.wav", "DC/DC-a01.wav"])  # fmt: skip
def test_other_paths_are_no_recordings(path):
    assert savee.parse_path(Path(path)) is None


def test_codes_of_two_letters_are_not_cut(corpus):
    emotions = {item.utterance_id: item.emotion for item in corpus.utterances}

    assert emotions == {
        "DC_a01": "anger",
        "DC_sa01": "sadness",  # not anger
        "JE_a01": "anger",
        "JE_su15": "surprise",
        "JK_d01": "disgust",
        "JK_f08": "fear",
        "KL_h12": "happiness",
        "KL_n30": "neutral",
    }


def test_one_name_of_two_speakers_is_two_recordings(corpus):
    paths = {item.utterance_id: item.path for item in corpus.utterances}

    assert paths["DC_a01"] == "AudioData/DC/a01.wav"
    assert paths["JE_a01"] == "AudioData/JE/a01.wav"
    assert {item.speaker for item in corpus.utterances} == {
        "savee:DC", "savee:JE", "savee:JK", "savee:KL",
    }  # fmt: skip


def test_recordings_carry_what_their_paths_say(by_id):
    sad = by_id["DC_sa01"]

    assert (sad.speaker, sad.gender, sad.language) == ("savee:DC", "M", "eng")
    assert (sad.emotion_raw, sad.session) == ("sa", "")
    assert sad.extra == {"sentence": "sa01"}
    assert by_id["DC_a01"].extra["sentence"] == by_id["JE_a01"].extra["sentence"]


def test_both_layouts_give_the_same_utterances(tmp_path, corpus):
    layout.write_flat(tmp_path / "mirror")

    flat = savee.read(tmp_path / "mirror" / "savee")

    assert [(item.utterance_id, item.speaker, item.emotion) for item in flat.utterances] == [
        (item.utterance_id, item.speaker, item.emotion) for item in corpus.utterances
    ]
    assert flat.dropped == ()


def test_both_layouts_beside_each_other_are_read_once(tmp_path):
    layout.write_flat(tmp_path)
    write_tone(tmp_path / "savee" / "AudioData" / "DC" / "a01.wav")

    corpus = savee.read(tmp_path / "savee")

    assert corpus.counts["utterances"] == len(layout.FILES)
    assert [(item.where, item.reason) for item in corpus.dropped] == [
        ("AudioData/DC/a01.wav", savee.EXCLUDED["duplicate"])
    ]


def test_what_is_left_out_is_listed(left_out):
    assert left_out == {
        ("AudioData/KL/DC_n01.wav", savee.EXCLUDED["folder"]),
        ("AudioData/KL/n1.wav", savee.EXCLUDED["name"]),
        ("AudioData/a02.wav", savee.EXCLUDED["name"]),
    }


def test_folder_of_the_corpus_may_be_nested(tmp_path):
    layout.write(tmp_path / "savee")

    assert find_adapter("SAVEE").read(tmp_path, allow_partial=True).counts["speakers"] == 4


@pytest.mark.parametrize("pattern", ["AudioData/{}/{}{:02d}.wav", "{}_{}{:02d}.wav"])
def test_complete_copy_is_accepted(tmp_path, pattern):
    for speaker in savee.SPEAKERS:
        for code in savee.EMOTION_CODES:
            for number in range(1, 31 if code == "n" else 16):
                path = tmp_path / "savee" / pattern.format(speaker, code, number)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()

    corpus = find_adapter("savee").read(tmp_path)

    assert corpus.counts == savee.EXPECTED
    assert corpus.dropped == ()
