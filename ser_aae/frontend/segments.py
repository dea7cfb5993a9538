"""Cutting utterances into windows of a fixed number of frames (decisions F6)."""

import numpy as np


def num_segments(num_frames: int, segment_frames: int, shift_frames: int) -> int:
    """Return how many windows tile an utterance: enough to cover its last frame, at least one."""
    rest = max(num_frames - segment_frames, 0)
    return 1 + -(-rest // shift_frames)


def segment_starts(num_frames: int, segment_frames: int, shift_frames: int) -> np.ndarray:
    """Return the first frame of each window, `(num_segments,)` int64."""
    count = num_segments(num_frames, segment_frames, shift_frames)
    return np.arange(count, dtype=np.int64) * shift_frames


def cut_segments(
    spectrogram: np.ndarray, starts: np.ndarray, segment_frames: int, pad: str
) -> np.ndarray:
    """Cut windows out of a spectrogram; `ser_aae.pipeline.cut_segments` without TensorFlow.

    Args:
        spectrogram: `(frames, bins)`.
        starts: `(segments,)` first frames.
        segment_frames: Length of a window.
        pad: What lies past the end: `"repeat"` is the utterance again, `"floor"` its lowest value.

    Returns:
        `(segments, segment_frames, bins)`.
    """
    wanted = starts[:, None] + np.arange(segment_frames)
    if pad == "repeat":
        return spectrogram[wanted % len(spectrogram)]
    found = spectrogram[np.minimum(wanted, len(spectrogram) - 1)]
    return np.where((wanted < len(spectrogram))[..., None], found, spectrogram.min())
