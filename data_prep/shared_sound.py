"""Finding stretches of one recording in several: cut differently, coded again.

No two samples need be equal, so digests find nothing. The search is by landmarks, after
A. L.-C. Wang, "An industrial-strength audio search algorithm", ISMIR 2003: here peaks of the
waveform and the distances between them. What the landmarks suggest is then compared sample by
sample. Speech that was resampled, or made louder, is not found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d

PEAK_DISTANCE_S = 0.02
"""A peak is the highest sample as far as this to both sides: about one a pitch period or two."""
AUDIBLE = 0.01
"""Lower samples (-40 dB of full scale) are background: neither peaks nor evidence."""
TOLERANCE = 2.0**-13
"""Four steps of 16-bit sound: a second coding moves URDU's samples by one."""
LEAST_OVERLAP_S = 0.5
BLOCK_S = 0.05
_LEAST_LANDMARKS = 3
_NEIGHBOURS = 8
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


@dataclass(frozen=True)
class Landmarks:
    """Places of a recording that are known again wherever it is cut.

    Attributes:
        keys: `(landmarks,)` uint64; equal where the same peaks follow each other.
        positions: `(landmarks,)` int64, where each begins, in samples.
    """

    keys: np.ndarray
    positions: np.ndarray


NO_LANDMARKS = Landmarks(np.empty(0, np.uint64), np.empty(0, np.int64))


def find_landmarks(samples: np.ndarray, rate_hz: int) -> Landmarks:
    """Return keys and positions of four peaks in a row, as their three distances tell them.

    Distances stay the same wherever a recording is cut. Four peaks at equal distances are
    left out: any two tones of one pitch have those.

    Args:
        samples: `(samples,)` in [-1, 1].
        rate_hz: Rate of the samples; recordings of two rates have no landmark in common.
    """
    reach = int(PEAK_DISTANCE_S * rate_hz)
    is_peak = (samples == maximum_filter1d(samples, 2 * reach + 1)) & (samples > AUDIBLE)
    peaks = np.flatnonzero(is_peak)
    if len(peaks) <= len(_MIX):
        return NO_LANDMARKS
    distances = np.lib.stride_tricks.sliding_window_view(np.diff(peaks), len(_MIX))
    uneven = np.ptp(distances, axis=1) > len(_MIX)
    keys = distances.astype(np.uint64) @ _MIX + np.uint64(rate_hz)
    return Landmarks(keys[uneven], peaks[: -len(_MIX)][uneven])


def suggest_overlaps(recordings: Sequence[Landmarks]) -> list[tuple[int, int, int]]:
    """Return pairs of recordings and the lag at which several landmarks agree.

    Returns:
        Rows of the first and the second, the first being the lower; and by how many samples
        the stretch lies later in the first.
    """
    keys = np.concatenate([NO_LANDMARKS.keys, *(item.keys for item in recordings)])
    positions = np.concatenate([NO_LANDMARKS.positions, *(item.positions for item in recordings)])
    rows = np.repeat(np.arange(len(recordings)), [len(item.keys) for item in recordings])
    order = np.argsort(keys, kind="stable")  # stable: rows ascend where keys are equal
    keys, positions, rows = keys[order], positions[order], rows[order]
    found = [np.empty((0, 3), np.int64)]
    for step in range(1, _NEIGHBOURS + 1):
        same = np.flatnonzero((keys[step:] == keys[:-step]) & (rows[step:] != rows[:-step]))
        lags = positions[same] - positions[same + step]
        found.append(np.stack([rows[same], rows[same + step], lags], axis=1))
    pairs, landmarks = np.unique(np.concatenate(found), axis=0, return_counts=True)
    return [tuple(pair) for pair in pairs[landmarks >= _LEAST_LANDMARKS].tolist()]


def seconds_alike(here: np.ndarray, there: np.ndarray, lag: int, rate_hz: int) -> float:
    """Return how much audible sound of two recordings is alike, in seconds.

    Args:
        here: Samples of the first, `(samples,)`.
        there: Samples of the second.
        lag: Number of samples by which the stretch lies later in the first.
        rate_hz: Rate of both.
    """
    here, there = here[max(lag, 0) :], there[max(-lag, 0) :]
    block = int(BLOCK_S * rate_hz)
    length = min(len(here), len(there)) // block * block
    here, there = here[:length].reshape(-1, block), there[:length].reshape(-1, block)
    alike = np.abs(here - there).max(axis=1) <= TOLERANCE
    audible = np.abs(here).max(axis=1) > AUDIBLE
    return float(np.count_nonzero(alike & audible)) * BLOCK_S
