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
    if is_silent(signal):
        return signal
    import librosa  # here, because importing it takes longer than most commands run

    intervals = librosa.effects.split(
        signal,
        top_db=config.silence_db,
        frame_length=round(config.window_ms * config.sample_rate_hz / 1000),
        hop_length=round(config.shift_ms * config.sample_rate_hz / 1000),
    )
    return np.concatenate([signal[start:end] for start, end in intervals])


def is_silent(signal: np.ndarray) -> bool:
    """Return whether a signal never leaves digital silence (under -100 dB of full scale)."""
    return float(np.max(np.abs(signal))) < 1e-5
