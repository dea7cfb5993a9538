"""Removal of silent pauses by energy (Sec. 4.2; decisions F2)."""

import numpy as np

from ser_aae.config import FrontEndConfig


def remove_silence(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Join the parts of a signal that are not silent.

    Silent is what lies `config.silence_db` under the loudest frame. A signal with no
    loudest frame at all (digital silence) is kept whole, see `is_silent`.

    Args:
        signal: `(samples,)` float32.
        config: Threshold, window and shift.

    Returns:
        `(kept samples,)` float32, never empty where `signal` is not.
    """
    return np.concatenate([signal[start:end] for start, end in speech_intervals(signal, config)])


def speech_intervals(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Return where a signal is not silent, `(intervals, 2)` int64: first sample, one past the last.

    All of it where it is digital silence, and where the config keeps pauses.
    """
    if not config.remove_silence or is_silent(signal):
        return np.array([[0, len(signal)]], np.int64)
    import librosa  # here, because importing it takes longer than most commands run

    length, shift = _frame_samples(config)
    found: np.ndarray = librosa.effects.split(
        signal, top_db=config.silence_db, frame_length=length, hop_length=shift
    )
    return found.astype(np.int64)


def loudest_db(signal: np.ndarray, config: FrontEndConfig) -> float:
    """Return the level of the loudest frame, in dB of full scale, the one silence is measured by.

    At least -100, the level of digital silence.
    """
    import librosa  # here, because importing it takes longer than most commands run

    length, shift = _frame_samples(config)
    level = librosa.feature.rms(y=signal, frame_length=length, hop_length=shift).max()
    return float(20 * np.log10(max(level, 1e-5)))


def is_silent(signal: np.ndarray) -> bool:
    """Return whether a signal never leaves digital silence (under -100 dB of full scale)."""
    return float(np.max(np.abs(signal))) < 1e-5


def _frame_samples(config: FrontEndConfig) -> tuple[int, int]:
    """Return length and shift of the frames whose energy is looked at."""
    per_ms = config.sample_rate_hz / 1000
    return round(config.window_ms * per_ms), round(config.shift_ms * per_ms)
