"""The one path from a recording to a log spectrogram, for shards and for inference."""

from pathlib import Path

import numpy as np

from ser_aae.config import FrontEndConfig
from ser_aae.frontend.audio import read_audio
from ser_aae.frontend.silence import remove_silence
from ser_aae.frontend.spectrogram import log_spectrogram

__all__ = ["recording_to_spectrogram", "signal_to_spectrogram"]


def signal_to_spectrogram(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Return the log spectrogram of a mono signal, silence removed as the config says.

    Args:
        signal: `(samples,)` float32 in [-1, 1] at `config.sample_rate_hz`.
        config: The front end.

    Returns:
        `(frames, bins)` float32 in dB.
    """
    if config.remove_silence:
        signal = remove_silence(signal, config)
    return log_spectrogram(signal, config)


def recording_to_spectrogram(
    path: Path, config: FrontEndConfig, start_s: float = 0.0, end_s: float | None = None
) -> np.ndarray:
    """Read a recording, or the part of it from `start_s` to `end_s`, as a log spectrogram.

    Raises:
        UserError: The file cannot be read, is empty or holds samples that are no numbers.
    """
    return signal_to_spectrogram(read_audio(path, config.sample_rate_hz, start_s, end_s), config)
