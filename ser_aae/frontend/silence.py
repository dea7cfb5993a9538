"""Removal of silent pauses by energy (Sec. 4.2; decisions F2)."""

import numpy as np

from ser_aae.config import FrontEndConfig
from ser_aae.frontend.spectrogram import shift_samples, window_samples


def remove_silence(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Join the parts of a signal that are not silent.

    A frame is silent that lies `config.silence_db` under the loudest one. A signal with no
    loudest frame at all (digital silence, see `is_silent`) is kept whole, and so is every signal
    where the config keeps pauses.

    Returns:
        `(kept samples,)` float32, never empty where the signal, `(samples,)`, is not.
    """
    return np.concatenate([signal[start:end] for start, end in speech_intervals(signal, config)])


def speech_intervals(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Return where a signal is not silent, `(intervals, 2)` int64: first sample, one past the last.

    One interval is the whole signal where `remove_silence` keeps it whole.
    """
    if not config.remove_silence or is_silent(signal):
        return np.array([[0, len(signal)]], np.int64)
    import librosa  # here, because importing it takes longer than most commands run

    length, shift = window_samples(config), shift_samples(config)
    found: np.ndarray = librosa.effects.split(
        signal, top_db=config.silence_db, frame_length=length, hop_length=shift
    )
    return found.astype(np.int64)


def loudest_db(signal: np.ndarray, config: FrontEndConfig) -> float:
    """Return the level of the loudest frame in dB of full scale, which silence is measured by.

    It is -100 at least, the level of digital silence.
    """
    import librosa  # here, because importing it takes longer than most commands run

    length, shift = window_samples(config), shift_samples(config)
    level = librosa.feature.rms(y=signal, frame_length=length, hop_length=shift).max()
    return float(20 * np.log10(max(level, 1e-5)))


def is_silent(signal: np.ndarray) -> bool:
    """Return whether a signal never leaves digital silence (under -100 dB of full scale)."""
    return bool(max(signal.max(), -signal.min()) < 1e-5)
