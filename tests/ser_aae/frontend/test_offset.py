"""A constant offset, which is no sound: pauses, levels and spectrograms are those without it."""

from dataclasses import replace

import numpy as np
import pytest
from sounds import RATE_HZ, noise, tone

from ser_aae.config import FrontEndConfig
from ser_aae.frontend import signal_to_spectrogram
from ser_aae.frontend.offset import remove_offset
from ser_aae.frontend.silence import remove_silence, speech_intervals
from ser_aae.frontend.spectrogram import log_spectrogram

CONFIG = FrontEndConfig()
BEFORE = replace(CONFIG, remove_offset=False)


def speech():
    """Return a second of sound, of which the middle is a pause of faint noise."""
    pause = noise(0.4, level=1e-4)
    signal = np.concatenate([tone(300.0, 0.3, 0.1), pause, tone(500.0, 0.3, 0.1)])
    return (signal - signal.mean()).astype(np.float32)


@pytest.mark.parametrize("offset", [0.01, -0.01, 0.4])
def test_pauses_are_found_under_an_offset(offset):
    signal = speech()
    shifted = signal + np.float32(offset)
    wanted = speech_intervals(signal, CONFIG)
    assert len(wanted) == 2
    assert len(speech_intervals(shifted, BEFORE)) == 1
    found = speech_intervals(remove_offset(shifted, CONFIG), CONFIG)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("scale", ["mel", "linear"])
def test_the_spectrogram_is_that_without_it(scale):
    config = replace(CONFIG, scale=scale)
    wanted = signal_to_spectrogram(speech(), config)
    found = signal_to_spectrogram(speech() + np.float32(0.01), config)
    np.testing.assert_allclose(found, wanted, atol=0.05)


def test_before_the_setting_nothing_was_subtracted():
    shifted = speech() + np.float32(0.01)
    np.testing.assert_array_equal(
        signal_to_spectrogram(shifted, BEFORE),
        log_spectrogram(remove_silence(shifted, BEFORE), BEFORE),
    )
    assert remove_offset(shifted, BEFORE) is shifted


def test_a_front_end_of_before_keeps_its_name():
    assert BEFORE.digest() == "82606b2f"
    assert "remove_offset" not in BEFORE.identity()
    assert CONFIG.digest() != BEFORE.digest()


def test_samples_handed_in_stay_as_they_are():
    shifted = speech() + np.float32(0.01)
    kept = shifted.copy()
    assert abs(remove_offset(shifted, CONFIG).mean(dtype=np.float64)) < 1e-6
    np.testing.assert_array_equal(shifted, kept)
    assert len(shifted) == RATE_HZ
