"""Utterances as windows of a fixed number of frames, and their means (decisions F6).

`ser_aae.batches.windows` is the cut in a graph.
"""

from collections.abc import Mapping

import numpy as np


def num_segments(
    num_frames: int | np.ndarray, segment_frames: int, shift_frames: int, fewest: int = 1
) -> np.ndarray:
    """Return how many windows utterances have: enough to cover the last frame, or `fewest`.

    The answer is `(utterances,)` or a scalar, as `num_frames` is.
    """
    rest = np.maximum(np.asarray(num_frames, np.int64) - segment_frames, 0)
    return np.maximum(1 + -(-rest // shift_frames), fewest)


def segment_starts(
    num_frames: int, segment_frames: int, shift_frames: int, fewest: int = 1
) -> np.ndarray:
    """Return the first frame of each window of an utterance, `(num_segments,)` int64.

    Windows tile the utterance. Where fewer than `fewest` would do, windows begin evenly spread
    round the utterance, whose first frame follows its last: the pad policy has to be `"repeat"`.
    """
    return all_segment_starts(np.array([num_frames]), segment_frames, shift_frames, fewest)[0]


def all_segment_starts(
    num_frames: np.ndarray, segment_frames: int, shift_frames: int, fewest: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return the `segment_starts` of many utterances one after the other, `(windows,)` int64.

    The second value is where those of each utterance end, `(utterances,)` int64.
    """
    tiles = num_segments(num_frames, segment_frames, shift_frames)
    counts = np.maximum(tiles, fewest)
    ends = np.cumsum(counts)
    number = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
    spread = number * np.repeat(num_frames, counts) // fewest
    return np.where(np.repeat(tiles < fewest, counts), spread, number * shift_frames), ends


def cut_segments(
    spectrogram: np.ndarray, starts: np.ndarray, segment_frames: int, pad: str
) -> np.ndarray:
    """Cut windows out of a spectrogram.

    Args:
        spectrogram: `(frames, bins)`.
        starts: `(segments,)` first frames; before 0 and past the end lies padding.
        segment_frames: Length of a window.
        pad: `"repeat"` goes round and round the utterance, `"floor"` gives its lowest value.

    Returns:
        `(segments, segment_frames, bins)`.
    """
    frames = len(spectrogram)
    wanted = starts[:, None] + np.arange(segment_frames)
    if pad == "repeat":
        return spectrogram[wanted % frames]
    inside = (wanted >= 0) & (wanted < frames)
    found = spectrogram[np.clip(wanted, 0, frames - 1)]
    return np.where(inside[..., None], found, spectrogram.min())


class SegmentMeans:
    """Means over the segments of each utterance, of every output of a network.

    Sums are of 64 bits, in the order in which the segments come.

    Args:
        rows: `(utterances,)` the utterances' numbers, ascending.

    Attributes:
        counts: `(utterances,)` int64 segments so far.
    """

    def __init__(self, rows: np.ndarray) -> None:
        self.counts = np.zeros(len(rows), np.int64)
        self._rows = rows
        self._sums: dict[str, np.ndarray] = {}

    def add(self, rows: np.ndarray, outputs: Mapping[str, np.ndarray]) -> None:
        """Add segments.

        Args:
            rows: `(segments,)` the utterance of each.
            outputs: Name to `(segments, values)`.
        """
        # ascending rows, so a row's place is where it would be inserted
        places = np.searchsorted(self._rows, rows)
        np.add.at(self.counts, places, 1)
        for name, values in outputs.items():
            if name not in self._sums:
                self._sums[name] = np.zeros((len(self._rows), values.shape[1]))
            np.add.at(self._sums[name], places, values)

    def means(self) -> dict[str, np.ndarray]:
        """Return name to `(utterances, values)` float64, in the order of the rows."""
        return {name: sums / self.counts[:, None] for name, sums in self._sums.items()}
