"""Cutting utterances into windows of a fixed number of frames (decisions F6)."""

import numpy as np


def num_segments(num_frames: int, segment_frames: int, shift_frames: int, fewest: int = 1) -> int:
    """Return how many windows an utterance has: enough to cover its last frame, or `fewest`."""
    rest = max(num_frames - segment_frames, 0)
    return max(1 + -(-rest // shift_frames), fewest)


def segment_starts(
    num_frames: int, segment_frames: int, shift_frames: int, fewest: int = 1
) -> np.ndarray:
    """Return the first frame of each window, `(num_segments,)` int64.

    Windows tile the utterance. Where that takes fewer than `fewest`, they begin evenly spread
    round the utterance, whose first frame follows its last: the pad policy has to be `"repeat"`.
    """
    tiles = num_segments(num_frames, segment_frames, shift_frames)
    if tiles < fewest:
        return np.arange(fewest, dtype=np.int64) * num_frames // fewest
    return np.arange(tiles, dtype=np.int64) * shift_frames


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
