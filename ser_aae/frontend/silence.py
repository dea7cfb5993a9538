"""Removal of silent pauses (Sec. 4.2; decisions F2), by energy or by a trained detector.

Levels and intervals are, to the bit, those of `librosa.feature.rms` and `librosa.effects.split`.
They are computed here for the start of an exported model: librosa's cheapest function on frames
imports `librosa.util`, which links numba kernels and takes longer than all else of such a start.
"""

import numpy as np

from ser_aae.config import FrontEndConfig
from ser_aae.frontend.silero import silero_intervals
from ser_aae.frontend.spectrogram import shift_samples, window_samples


def remove_silence(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Join the parts of a signal that are not silent.

    By energy a frame is silent that lies `config.silence_db` under the loudest one; by `silero`
    what the detector takes for no speech (`ser_aae.frontend.silero`). A signal with no loudest
    frame at all (digital silence, see `is_silent`) or without speech is kept whole, and so is every
    signal where the config keeps pauses.

    Returns:
        `(kept samples,)` float32, never empty where the signal, `(samples,)`, is not.
    """
    return np.concatenate([signal[start:end] for start, end in speech_intervals(signal, config)])


def speech_intervals(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Return where a signal is not silent, `(intervals, 2)` int64: first sample, one past the last.

    One interval is the whole signal where `remove_silence` keeps it whole.
    """
    whole = np.array([[0, len(signal)]], np.int64)
    if not config.remove_silence or is_silent(signal):
        return whole
    if config.speech_detector == "silero":
        found = silero_intervals(signal)
        return found if len(found) else whole
    return _energetic_intervals(signal, config)


def _energetic_intervals(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Return where a signal is not far under its loudest frame, as `speech_intervals` does."""
    amplitude = _frame_amplitudes(signal, config)
    loudest = amplitude.max() ** 2
    decibel = 10.0 * np.log10(np.maximum(1e-10, np.square(amplitude)))
    decibel -= 10.0 * np.log10(np.maximum(1e-10, loudest))
    # frames alternate between pause and speech where the flag differs from the one before
    is_speech = np.concatenate([[False], decibel > -config.silence_db, [False]])
    edges = np.flatnonzero(is_speech[1:] != is_speech[:-1]) * shift_samples(config)
    return np.minimum(edges, len(signal)).reshape(-1, 2).astype(np.int64)


def loudest_db(signal: np.ndarray, config: FrontEndConfig) -> float:
    """Return the level of the loudest frame in dB of full scale, which silence is measured by.

    It is -100 at least, the level of digital silence.
    """
    return float(20 * np.log10(max(_frame_amplitudes(signal, config).max(), 1e-5)))


def is_silent(signal: np.ndarray) -> bool:
    """Return whether a signal never leaves digital silence (under -100 dB of full scale)."""
    return bool(max(signal.max(), -signal.min()) < 1e-5)


def _frame_amplitudes(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Return the root mean square of each frame, `(frames,)`; frame t lies around t * shift."""
    length, shift = window_samples(config), shift_samples(config)
    around = np.pad(signal, length // 2)
    frames = np.lib.stride_tricks.sliding_window_view(around, length)[::shift]
    return np.sqrt(np.mean(np.square(frames, dtype=np.float32), axis=1))
