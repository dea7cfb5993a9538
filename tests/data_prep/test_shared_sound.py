"""Stretches of one recording: where they are found, and where there is none."""

import itertools

import numpy as np
import pytest
from corpus_layouts.sound import tone
from sounds import RATE_HZ, noise

from data_prep.shared_sound import (
    LEAST_OVERLAP_S,
    NO_LANDMARKS,
    find_landmarks,
    seconds_alike,
    suggest_overlaps,
)


def coded_again(samples):
    """Return the samples a step of 16-bit sound higher or lower, none as it was."""
    return samples + np.random.default_rng(9).choice([-1, 1], len(samples)) / 2**15


def overlaps(*recordings, rates=None):
    """Return pairs of recordings to the seconds they share, as far as these count."""
    rates = rates or [RATE_HZ] * len(recordings)
    marks = [find_landmarks(item, rate) for item, rate in zip(recordings, rates, strict=True)]
    seconds = {}
    for first, second, lag in suggest_overlaps(marks):
        found = seconds_alike(recordings[first], recordings[second], lag, RATE_HZ)
        seconds[first, second] = max(seconds.get((first, second), 0.0), found)
    return {pair: found for pair, found in seconds.items() if found >= LEAST_OVERLAP_S}


def test_a_stretch_cut_differently_is_found_though_no_sample_is_equal():
    recording = noise(4.0)
    first = np.concatenate([recording[:40000], noise(0.5, seed=5)])
    second = np.concatenate([noise(0.3, seed=6), coded_again(recording)[16000:48000]])

    found = overlaps(first, second, noise(2.0, seed=7))

    assert found == {(0, 1): pytest.approx(1.5, abs=0.1)}


def test_the_lag_says_where_the_stretch_lies():
    recording = noise(2.0)
    later = np.concatenate([noise(0.25, seed=1), recording])

    for pair, expected in (((later, recording), 4000), ((recording, later), -4000)):
        suggested = suggest_overlaps([find_landmarks(item, RATE_HZ) for item in pair])
        assert (0, 1, expected) in suggested
        assert seconds_alike(*pair, expected, RATE_HZ) == pytest.approx(2.0, abs=0.1)
        assert seconds_alike(*pair, expected + 1, RATE_HZ) == 0.0


@pytest.mark.parametrize(
    "other",
    [
        noise(4.0, seed=1),
        noise(4.0)[:32000] / 2,
        np.concatenate([noise(2.0, seed=2), noise(4.0)[:4800]]),
        noise(4.0) * 0.01,
        np.zeros(0),
        np.zeros(RATE_HZ),
    ],
    ids=["another", "a softer one", "too short a stretch", "an inaudible one", "none", "silence"],
)
def test_what_is_no_overlap(other):
    assert overlaps(noise(4.0), other) == {}


def test_recordings_of_two_rates_have_nothing_in_common():
    assert overlaps(noise(4.0), noise(4.0), rates=[16000, 44100]) == {}


def test_tones_of_one_pitch_are_not_cut_from_one_recording():
    assert overlaps(tone(seconds=1.0), tone(seconds=1.5)) == {}


def test_what_is_alike_but_inaudible_does_not_count():
    quiet = np.concatenate([noise(1.0), np.zeros(RATE_HZ)])

    assert seconds_alike(quiet, quiet, 0, RATE_HZ) == pytest.approx(1.0)


def test_many_copies_of_a_stretch_are_all_found():
    recording = noise(3.0)
    clips = [recording[1600 * i : 24000 + 1600 * i] for i in range(4)]

    assert overlaps(*clips).keys() == set(itertools.combinations(range(4), 2))


def test_too_few_peaks_are_no_landmark():
    assert find_landmarks(noise(0.05), RATE_HZ) is NO_LANDMARKS
    assert suggest_overlaps([]) == suggest_overlaps([NO_LANDMARKS] * 2) == []


def test_landmarks_stay_the_same_wherever_a_recording_is_cut():
    whole, part = (find_landmarks(noise(2.0)[cut:], RATE_HZ) for cut in (0, 3000))

    later = part.positions > RATE_HZ // 2
    assert later.sum() > 10
    known = set(zip(whole.keys.tolist(), (whole.positions - 3000).tolist(), strict=True))
    assert set(zip(part.keys[later].tolist(), part.positions[later].tolist(), strict=True)) <= known
