"""Synthetic corpora: layout, determinism, and that emotions can be heard in them."""

import hashlib
from collections import Counter

import numpy as np
import pytest
import soundfile

from data_prep import synthetic
from data_prep.corpora import find_adapter
from data_prep.synthetic import demo as demo_layout
from data_prep.synthetic import list_layouts, synthesise
from data_prep.synthetic.speech import (
    SAMPLE_RATE_HZ,
    VOWELS_HZ,
    glottal_source,
    synthesise_utterance,
    vocal_tract,
)
from data_prep.synthetic.voice import STYLES, draw_voices
from ser_aae.errors import UserError


def contents(folder):
    """Return the checksum of each file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def speak(voice, emotion, seed=0):
    return synthesise_utterance(voice, STYLES[emotion], 2.0, np.random.default_rng(seed))


def test_layouts_are_found():
    assert {"demo", "librispeech"} <= set(list_layouts())
    assert "voice" not in list_layouts()


def test_demo_is_a_corpus_of_four_emotions(demo_root):
    corpus = find_adapter("demo").read(demo_root)

    assert corpus.counts == {"utterances": 80, "speakers": 2} | {
        f"utterances of {emotion}": 20 for emotion in sorted(STYLES)
    }
    assert {(item.speaker, item.gender, item.session) for item in corpus.utterances} == {
        ("demo:s1f", "F", "s1"), ("demo:s1m", "M", "s1"),
    }  # fmt: skip
    assert all(item.activation is not None and item.valence is not None
               for item in corpus.utterances)  # fmt: skip
    assert corpus.unknown_labels == ()


def test_demo_sound_is_16_bit_at_16_khz_of_one_to_three_seconds(demo_root):
    corpus = find_adapter("demo").read(demo_root)
    headers = [soundfile.info(item.audio_path(corpus.root)) for item in corpus.utterances]

    assert {(item.samplerate, item.channels, item.subtype) for item in headers} == {
        (16000, 1, "PCM_16")
    }
    assert min(item.duration for item in headers) >= 1.0
    assert max(item.duration for item in headers) <= 3.0


def test_default_demo_has_four_women_and_four_men_in_four_sessions(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_layout, "UTTERANCES_PER_EMOTION", 1)
    synthesise("demo", tmp_path)

    utterances = find_adapter("demo").read(tmp_path).utterances

    speakers = {(item.session, item.gender) for item in utterances}
    assert speakers == {(f"s{k}", gender) for k in range(1, 5) for gender in "FM"}
    assert len({item.speaker for item in utterances}) == 8


def test_librispeech_has_the_real_layout(tmp_path):
    folder = synthesise("librispeech", tmp_path, speakers=3)
    corpus = find_adapter("librispeech").read(tmp_path, allow_partial=True)

    assert folder == tmp_path / "librispeech"
    assert corpus.counts["speakers of train-clean-360"] == 3
    assert corpus.counts["utterances"] == 30
    assert "| |Voice|Two" in (folder / "SPEAKERS.TXT").read_text()
    assert Counter(item.gender for item in corpus.utterances) == {"F": 20, "M": 10}
    first = corpus.utterances[0].audio_path(corpus.root)
    assert (first.suffix, soundfile.info(first).format) == (".flac", "FLAC")
    assert {path.name for path in tmp_path.iterdir()} == {"librispeech"}


@pytest.mark.parametrize("dataset", ["demo", "librispeech"])
def test_one_seed_gives_the_same_bytes_and_another_does_not(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(demo_layout, "UTTERANCES_PER_EMOTION", 2)
    first, again, other = (
        contents(synthesise(dataset, tmp_path / folder, speakers=2, seed=seed))
        for folder, seed in (("a", 3), ("b", 3), ("c", 4))
    )

    assert first == again
    assert first.keys() == other.keys()
    assert not set(first.values()) & set(other.values())


def test_more_speakers_leave_the_first_ones_as_they_are():
    assert draw_voices(6, seed=1)[:4] == draw_voices(4, seed=1)
    assert draw_voices(2, seed=1) != draw_voices(2, seed=2)


def test_a_folder_made_here_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_layout, "UTTERANCES_PER_EMOTION", 1)
    synthesise("demo", tmp_path, speakers=4)

    synthesise("demo", tmp_path, speakers=2)

    assert find_adapter("demo").read(tmp_path).counts["speakers"] == 2
    assert {path.name for path in tmp_path.iterdir()} == {"demo"}


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "librispeech").mkdir()
    (tmp_path / "librispeech" / "SPEAKERS.TXT").write_text("the real one")

    with pytest.raises(UserError, match="not made by this program"):
        synthesise("librispeech", tmp_path)

    assert (tmp_path / "librispeech" / "SPEAKERS.TXT").read_text() == "the real one"


def test_an_empty_folder_may_be_filled(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_layout, "UTTERANCES_PER_EMOTION", 1)
    (tmp_path / "demo").mkdir()

    synthesise("demo", tmp_path, speakers=2)

    assert find_adapter("demo").is_found(tmp_path)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError("No space left on device"), UserError),
        (soundfile.LibsndfileError(2), UserError),
    ],
)
def test_an_interrupted_synthesis_leaves_what_was_there(tmp_path, monkeypatch, error, raised):
    monkeypatch.setattr(demo_layout, "UTTERANCES_PER_EMOTION", 1)
    before = contents(synthesise("demo", tmp_path, speakers=2))
    written = []

    def stop_at_the_third(path, *_):
        if len(written) == 2:
            raise error
        written.append(path)

    monkeypatch.setattr(demo_layout, "write_utterance", stop_at_the_third)
    with pytest.raises(raised):
        synthesise("demo", tmp_path, speakers=4)

    assert contents(tmp_path / "demo") == before
    assert {path.name for path in tmp_path.iterdir()} == {"demo"}


@pytest.mark.parametrize(("dataset", "speakers", "message"), [
    ("ravdess", None, "expected one of demo"), ("voice", None, "expected one of"),
    ("demo", 1, "at least 2 speakers"),
])  # fmt: skip
def test_what_cannot_be_made_is_refused(dataset, speakers, message, tmp_path):
    with pytest.raises(UserError, match=message):
        synthesise(dataset, tmp_path, speakers)

    assert not any(tmp_path.iterdir())


def test_source_has_the_pitch_it_was_given():
    generator = np.random.default_rng(0)
    source = glottal_source(np.full(SAMPLE_RATE_HZ, 125.0), STYLES["neutral"], generator)

    spectrum = np.abs(np.fft.rfft(source * np.hanning(len(source))))
    assert np.argmax(spectrum[20:]) + 20 == pytest.approx(125, abs=2)


@pytest.mark.parametrize("vowel", VOWELS_HZ)
def test_vocal_tract_resonates_at_the_formants(vowel):
    from scipy.signal import sosfreqz

    frequencies_hz, response = sosfreqz(vocal_tract(VOWELS_HZ[vowel], 1.1), 4096, fs=16000)
    magnitude = np.abs(response)
    peaks = frequencies_hz[1:-1][
        (magnitude[1:-1] > magnitude[:-2]) & (magnitude[1:-1] > magnitude[2:])
    ]

    assert abs(response[0]) == pytest.approx(1.0)
    for formant_hz in VOWELS_HZ[vowel][:3]:
        assert np.min(np.abs(peaks - 1.1 * formant_hz)) < 60


def test_emotions_differ_in_level_for_every_voice():
    for voice in draw_voices(6, seed=0):
        level = {
            emotion: np.mean([np.std(speak(voice, emotion, seed)) for seed in range(4)])
            for emotion in STYLES
        }
        assert level["anger"] > level["neutral"] > level["sadness"]


def test_women_have_higher_voices():
    voices = draw_voices(20, seed=5)
    women = [voice.pitch_hz for voice in voices if voice.gender == "F"]
    men = [voice.pitch_hz for voice in voices if voice.gender == "M"]

    assert len(women) == len(men) == 10
    assert min(women) > max(men)


def test_sound_is_in_range_and_finite():
    for emotion in STYLES:
        samples = speak(draw_voices(1, seed=0)[0], emotion)
        assert samples.dtype == np.float32
        assert len(samples) == 32000
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() < 1.0


def test_marker_says_how_the_folder_was_made(demo_root):
    text = (demo_root / "demo" / synthetic.MARKER).read_text()

    assert text == '{"dataset": "demo", "speakers": 2, "seed": 0}\n'
