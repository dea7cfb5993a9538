"""Condition of a recording: each thing that is odd is told, and nothing of ordinary speech."""

import numpy as np
import pytest
from sounds import RATE_HZ, noise, tone

from ser_aae.frontend import blocks
from ser_aae.frontend.blocks import sample_blocks
from ser_aae.frontend.condition import describe, is_cancelled, join, measure


def syllables(seconds=2.0, level=0.2):
    """Return something whose level rises and falls as that of speech does."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    shape = np.square(np.sin(2 * np.pi * 2 * time_s))
    return (level * shape * tone(220.0, seconds, 1.0)).astype(np.float32)


def kinds(samples, rate_hz=RATE_HZ, **more):
    samples = np.asarray(samples, np.float32)
    columns = samples[:, None] if samples.ndim == 1 else samples
    return set(describe(measure(columns, columns.mean(axis=1), rate_hz), **more))


def antiphase(signal):
    return np.stack([signal, -signal], axis=1)


def clipped(signal):
    return np.clip(20 * signal, -1, 1)


HUM = tone(50.0, 2.0, 0.1) + tone(150.0, 2.0, 0.03)


@pytest.mark.parametrize(
    ("samples", "wanted"),
    [
        (syllables(), set()),
        (np.concatenate([noise(1.0, level=1e-4), syllables()]), set()),
        (np.zeros(RATE_HZ), {"silent"}),
        (np.full(RATE_HZ, 0.2), {"silent"}),
        (syllables(level=5e-4), {"quiet"}),
        (clipped(syllables()), {"clipped"}),
        (clipped(100 * syllables()), {"clipped"}),
        (40000 * syllables(), {"over"}),
        (syllables(0.1), {"short"}),
        (syllables()[:1], {"short", "silent"}),
        (noise(2.0), {"steady"}),
        (np.concatenate([np.zeros(RATE_HZ), noise(1.0)]), {"steady"}),
        (HUM, {"steady"}),
        (HUM + 0.3, {"steady"}),
        (antiphase(syllables()), {"cancelled"}),
        (antiphase(syllables()) + np.float32([0.01, 0.02]), {"cancelled"}),
        (antiphase(syllables()) + noise(2.0, level=1e-4)[: len(syllables()), None], {"cancelled"}),
    ],
)
def test_what_is_odd_is_told(samples, wanted):
    assert kinds(samples) == wanted


@pytest.mark.parametrize("rate_hz", [8000, 44100])
def test_it_is_the_same_at_any_rate(rate_hz):
    assert kinds(noise(2.0, rate_hz=rate_hz), rate_hz) == {"steady"}
    assert kinds(tone(50.0, 2.0, 0.1, rate_hz), rate_hz) == {"steady"}


@pytest.mark.parametrize(
    ("left", "right", "wanted"),
    [
        (1.0, 1.0, False),
        (1.0, -1.0, True),
        (1.0, -0.8, True),
        (1.0, 0.0, False),
        (1.0, -0.1, False),
    ],
)
def test_channels_that_cancel_each_other_are_noticed(left, right, wanted):
    signal = syllables()
    pair = np.stack([left * signal, right * signal], axis=1)
    assert is_cancelled(pair) is wanted
    assert ("cancelled" in kinds(pair)) is wanted
    assert "cancelled" not in kinds(pair, is_mixed=False)


@pytest.mark.parametrize(("share", "wanted"), [(0.5, True), (0.1, False)])
def test_channels_that_cancel_each_other_for_a_time_are_noticed(share, wanted):
    signal = np.tile(syllables(), 3)
    pair = np.stack([signal, signal], axis=1)
    pair[: round(share * len(signal)), 1] *= -1
    assert is_cancelled(pair) is wanted
    assert ("cancelled" in kinds(pair)) is wanted


def test_channels_that_have_nothing_in_common_are_no_antiphase():
    for number in (2, 6, 16):
        many = np.stack([noise(1.0, seed) for seed in range(number)], axis=1)
        assert not is_cancelled(many)
    # nor is one speaker among many channels without sound
    assert not is_cancelled(np.pad(syllables()[:, None], ((0, 0), (0, 7))))
    assert not is_cancelled(syllables()[:, None])
    assert not is_cancelled(np.zeros((RATE_HZ, 2), np.float32))


def test_an_offset_is_told_where_the_front_end_keeps_it():
    shifted = syllables() + np.float32(0.01)
    assert kinds(shifted) == set()
    assert kinds(shifted, keeps_offset=True) == {"offset"}
    assert kinds(syllables() + np.float32(1e-4), keeps_offset=True) == set()


@pytest.mark.parametrize(
    "samples",
    [noise(6.0), clipped(syllables(6.0)), antiphase(syllables(6.0)), syllables(6.0), HUM],
)
def test_blocks_are_judged_together(samples, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_S", 1.0)
    monkeypatch.setattr(blocks, "WHOLE_S", 1.5)
    found = [block.condition for block in sample_blocks(samples, RATE_HZ, RATE_HZ)]
    assert len(found) > 1
    assert set(describe(join(found))) == kinds(samples)


def test_sentences_have_the_figures():
    pair = antiphase(syllables())
    said = describe(measure(pair, pair.mean(axis=1), RATE_HZ))["cancelled"]
    assert said.startswith("its 2 channels cancel each other")
    loud = (40000 * syllables())[:, None]
    assert "up to 8e+03 times full scale" in describe(measure(loud, loud[:, 0], RATE_HZ))["over"]
