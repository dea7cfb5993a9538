"""Augmentation of a segment: what is drawn, within which bounds, and what stays."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from installed import needs_tensorflow_io
from tiny import UNCHANGED as OFF

from ser_aae.batches.augmentation import Augmentation
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.frontend.spectrogram import band_frequencies_hz

FRAMES, BINS = OFF.segment_frames, 32
WARPS = [{"warp_time": 0.3}, {"warp_frequency": 0.3}]
CHANGES = [*WARPS, {"gain_db": 6.0}]
SEEDS = [(0, 1), (5, 9), (123, 456), (7, 0)]


@pytest.fixture(scope="module")
def segment():
    return np.random.default_rng(4).normal(-40, 10, (FRAMES, BINS)).astype(np.float32)


def augmentation(frontend, fill=None, **changes):
    mean = np.zeros(frontend.bins, np.float32) if fill is None else fill
    return Augmentation(frontend, replace(OFF, **changes), mean)


def apply(change, segment, seed):
    return change(tf.constant(segment), tf.constant(seed)).numpy()


def test_all_off_leaves_a_segment_as_it_is(frontend, segment):
    change = augmentation(frontend)
    np.testing.assert_array_equal(apply(change, segment, SEEDS[0]), segment)


@pytest.mark.parametrize("settings", CHANGES)
def test_each_setting_changes_a_segment(frontend, segment, settings):
    change = augmentation(frontend, **settings)
    for seed in SEEDS:
        found = apply(change, segment, seed)
        assert found.shape == segment.shape
        assert np.isfinite(found).all()
        assert not np.allclose(found, segment, atol=1e-3)


@pytest.mark.parametrize("settings", CHANGES)
def test_the_same_seed_gives_the_same_change_and_another_another(frontend, segment, settings):
    first, again = (augmentation(frontend, **settings) for _ in range(2))
    np.testing.assert_array_equal(apply(first, segment, (1, 2)), apply(again, segment, (1, 2)))
    found = [apply(first, segment, seed).tobytes() for seed in SEEDS]
    assert len(set(found)) == len(SEEDS)


@pytest.mark.parametrize("settings", [*WARPS, {"warp_time": 0.5}, {"warp_frequency": 0.5}])
def test_a_warp_stays_within_the_values_of_the_segment(frontend, segment, settings):
    change = augmentation(frontend, **settings)
    for seed in range(40):
        found = apply(change, segment, (seed, 1))
        assert found.min() >= segment.min() - 1e-4
        assert found.max() <= segment.max() + 1e-4


def test_a_tempo_change_leaves_the_spectrum_and_the_middle(frontend):
    # the same spectrum in every frame: time may be stretched, nothing may move in frequency
    steady = np.tile(np.arange(BINS, dtype=np.float32), (FRAMES, 1))
    change = augmentation(frontend, warp_time=0.3)
    np.testing.assert_allclose(apply(change, steady, (1, 2)), steady, atol=1e-4)
    ramp = np.tile(np.arange(FRAMES, dtype=np.float32)[:, None], (1, BINS))
    rates = []
    for seed in range(40):
        found = apply(change, ramp, (seed, 3))[:, 0]
        assert found[31:33].mean() == pytest.approx(31.5, abs=1e-3)
        rates.append(found[33] - found[32])
    assert 0.7 <= min(rates) < 0.8
    assert 1.2 < max(rates) <= 1.3


def test_what_a_faster_tempo_leaves_over_is_mirrored(frontend):
    ramp = np.tile(np.arange(FRAMES, dtype=np.float32)[:, None], (1, BINS))
    change = augmentation(frontend, warp_time=0.5)
    folded = 0
    for seed in range(20):
        found = apply(change, ramp, (seed, 3))[:, 0]
        assert 0 <= found.min() <= found.max() <= FRAMES - 1
        rate = found[33] - found[32]
        if rate > 1.1:
            folded += 1
            assert found[-1] == pytest.approx(2 * 63 - (31.5 + 31.5 * rate), abs=1e-2)
    assert folded > 3


@pytest.mark.parametrize("scale", ["linear", "mel"])
def test_a_voice_factor_moves_a_peak_in_hz_by_that_factor(scale):
    frontend = FrontEndConfig(scale=scale)
    centres_hz = band_frequencies_hz(frontend)
    share = 0.2
    change = augmentation(frontend, warp_frequency=share)
    peak_hz = 2500.0
    # a hump 400 Hz wide, the same in each frame
    hump = np.exp(-0.5 * ((centres_hz - peak_hz) / 400) ** 2).astype(np.float32)
    ratios = set()
    for seed in range(60):
        found = apply(change, np.tile(hump, (FRAMES, 1)), (seed, 0))
        np.testing.assert_allclose(found, np.tile(found[0], (FRAMES, 1)))
        place_hz = centres_hz[found[0].argmax()]
        factor = peak_hz / place_hz
        # within half a band, which is 60 Hz (linear) to 75 Hz (mel) wide there
        nearest = 0.8 + 0.0125 * round((factor - 0.8) / 0.0125)
        assert place_hz == pytest.approx(peak_hz / nearest, abs=75)
        ratios.add(round(factor, 2))
    assert min(ratios) == pytest.approx(1 - share, abs=0.03)
    assert max(ratios) == pytest.approx(1 + share, abs=0.03)
    assert len(ratios) > 8


def test_the_middle_voice_is_the_recording_itself(frontend):
    voices = augmentation(frontend, warp_frequency=0.25).voices.numpy()
    np.testing.assert_allclose(voices[16], np.arange(BINS), atol=1e-5)
    centres_hz = band_frequencies_hz(frontend)
    # factor 1.25 reads at band b what lies at 1.25 times its frequency
    expected = np.interp(centres_hz * 1.25, centres_hz, np.arange(BINS))
    np.testing.assert_allclose(voices[-1], expected, atol=1e-5)
    assert voices.min() >= 0
    assert voices.max() == BINS - 1


def test_a_level_change_is_one_number_within_its_bounds(frontend, segment):
    change = augmentation(frontend, gain_db=6.0)
    gains = []
    for seed in range(60):
        difference = apply(change, segment, (seed, 8)) - segment
        assert np.ptp(difference) < 1e-3
        gains.append(difference.mean())
    assert -6 <= min(gains) < -4
    assert 4 < max(gains) <= 6


def test_tempo_voice_and_level_are_drawn_apart(frontend):
    flat = np.zeros((FRAMES, BINS), np.float32)
    alone = apply(augmentation(frontend, gain_db=6.0), flat, (3, 4))
    together = apply(
        augmentation(frontend, gain_db=6.0, warp_time=0.2, warp_frequency=0.2), flat, (3, 4)
    )
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.fixture(
    params=["pipeline", pytest.param("tensorflow-io", marks=needs_tensorflow_io)],
)
def masked(request, frontend, fill, global_seed):
    """A function: where a batch was changed, `(batch, frames, bins)`, and the batch."""

    def change(batch, **settings):
        masks = augmentation(frontend, fill, masks=request.param, **settings)
        seeds = tf.range(2 * len(batch))
        found = tf.map_fn(
            lambda row: masks(*row),
            (tf.constant(batch), tf.reshape(seeds, [-1, 2])),
            fn_output_signature=tf.float32,
        )
        if request.param == "tensorflow-io":
            np.testing.assert_array_equal(found, batch)
            labels = {"emotion": tf.range(len(batch))}
            found, same_labels = masks.mask_batch(found, labels)
            np.testing.assert_array_equal(same_labels["emotion"], np.arange(len(batch)))
        return np.abs(found.numpy() - batch) > 1e-2, found.numpy()

    return change


@pytest.fixture(scope="module")
def batch():
    # far from the fill, so that every masked value is seen
    return np.random.default_rng(6).normal(50, 5, (48, FRAMES, BINS)).astype(np.float32)


@pytest.fixture(scope="module")
def fill():
    return np.linspace(-60, -30, BINS).astype(np.float32)


def test_a_frequency_mask_fills_a_band_with_the_training_mean(masked, batch, fill):
    where, found = masked(batch, mask_bins=8)
    np.testing.assert_allclose(found[where], np.broadcast_to(fill, where.shape)[where], atol=1e-3)
    np.testing.assert_allclose(found[~where], batch[~where], atol=1e-3)
    assert (where == where[:, :1]).all(), "a band is masked over all of its frames"
    widths = where[:, 0].sum(axis=1)
    assert 4 < widths.max() <= 8
    assert len(set(widths)) > 3, "each segment has a mask of its own"
    assert (np.abs(np.diff(where[:, 0].astype(int), axis=1)).sum(axis=1) <= 2).all()


def test_a_time_mask_fills_a_stretch_with_the_training_mean(masked, batch, fill):
    where, found = masked(batch, mask_frames=20)
    np.testing.assert_allclose(found[where], np.broadcast_to(fill, where.shape)[where], atol=1e-3)
    assert (where == where[:, :, :1]).all(), "a frame is masked in all of its bands"
    lengths = where[:, :, 0].sum(axis=1)
    assert 10 < lengths.max() <= 20
    assert len(set(lengths)) > 5
    assert (np.abs(np.diff(where[:, :, 0].astype(int), axis=1)).sum(axis=1) <= 2).all()


def test_both_masks_together_make_a_cross(masked, batch):
    where, _ = masked(batch, mask_bins=8, mask_frames=20)
    bands, stretches = where.all(axis=1).sum(axis=1), where.all(axis=2).sum(axis=1)
    assert bands.max() > 2
    assert stretches.max() > 5
    expected = where.all(axis=1)[:, None, :] | where.all(axis=2)[:, :, None]
    np.testing.assert_array_equal(where, expected)


def test_masks_have_every_length_and_every_place(frontend, fill):
    change = augmentation(frontend, fill, mask_bins=3)
    flat = tf.zeros((FRAMES, BINS))
    seeds = tf.reshape(tf.range(4000), [-1, 2])
    found = tf.map_fn(lambda seed: change(flat, seed)[0], seeds, fn_output_signature=tf.float32)
    where = found.numpy() != 0
    np.testing.assert_allclose(np.bincount(where.sum(axis=1)) / len(where), 1 / 4, atol=0.04)
    # within the mask of one band each band is as likely as another, the outermost included
    single = np.bincount(where[where.sum(axis=1) == 1].argmax(axis=1), minlength=BINS)
    assert single.min() > 0
    assert single[[0, -1]].mean() > single.mean() / 2


def test_the_seed_decides_the_masks_of_the_pipeline_and_nothing_else_does(frontend, batch, fill):
    def draw(seed, global_seed):
        tf.random.set_seed(global_seed)
        change = augmentation(frontend, fill, mask_bins=8, mask_frames=20)
        return apply(change, batch[0], seed)

    np.testing.assert_array_equal(draw((1, 2), 3), draw((1, 2), 4))
    assert len({draw(seed, 3).tobytes() for seed in SEEDS}) == len(SEEDS)


def test_a_mask_leaves_the_other_changes_as_they_are(frontend, segment, fill):
    others = {"gain_db": 6.0, "warp_time": 0.2, "warp_frequency": 0.2}
    alone = apply(augmentation(frontend, fill, **others), segment, (5, 9))
    both = apply(augmentation(frontend, fill, mask_bins=8, **others), segment, (5, 9))
    masked = (both == fill) & (alone != fill)
    np.testing.assert_array_equal(both[~masked], alone[~masked])


@needs_tensorflow_io
def test_masks_of_tensorflow_io_follow_the_global_seed(frontend, batch, fill):
    def draw(seed):
        tf.random.set_seed(seed)
        change = augmentation(frontend, fill, mask_bins=8, masks="tensorflow-io")
        return change.mask_batch(tf.constant(batch), {})[0].numpy()

    np.testing.assert_array_equal(draw(3), draw(3))
    assert not np.array_equal(draw(3), draw(4))


def test_without_tensorflow_io_its_masks_name_what_to_install(frontend, monkeypatch):
    from ser_aae.batches import augmentation as module

    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"data\.masks: .*tensorflow-io.*'ser-aae\[tfio\]'"):
        augmentation(frontend, mask_bins=8, masks="tensorflow-io")
    # nothing is masked, so nothing is missing
    augmentation(frontend, masks="tensorflow-io")
