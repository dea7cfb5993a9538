"""One path from a recording to a log spectrogram, for shards and for inference."""

import numpy as np

from ser_aae.config import FrontEndConfig
from ser_aae.frontend.offset import remove_offset
from ser_aae.frontend.silence import remove_silence
from ser_aae.frontend.spectrogram import log_spectrogram


def signal_to_spectrogram(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Return the log spectrogram of a mono signal, offset and silence removed as the config says.

    Args:
        signal: `(samples,)` float32 in [-1, 1] at `config.sample_rate_hz`.
        config: The front end.

    Returns:
        `(frames, bins)` float32 in dB.
    """
    return log_spectrogram(remove_silence(remove_offset(signal, config), config), config)
