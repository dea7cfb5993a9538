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
