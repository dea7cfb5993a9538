"""Tones and noise, float32 between -1 and 1, for tests of whatever listens to them."""

import numpy as np

RATE_HZ = 16000


def tone(frequency_hz, seconds=1.0, amplitude=0.5, rate_hz=RATE_HZ):
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def noise(seconds=1.0, seed=0, level=0.1, rate_hz=RATE_HZ):
    """Return white noise of a standard deviation of `level`."""
    samples = round(seconds * rate_hz)
    return np.random.default_rng(seed).normal(0, level, samples).astype(np.float32)


def frequency_of(samples, rate_hz=RATE_HZ):
    """Return the frequency of the strongest part in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * rate_hz / len(samples)
