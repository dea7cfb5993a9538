"""Augmentation of segments in training: voice, tempo, level, and SpecAugment's masks."""

from collections.abc import Mapping
from importlib.util import find_spec

import numpy as np
import tensorflow as tf

from ser_aae.config import DataConfig, FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.frontend.spectrogram import band_frequencies_hz

_VOICES = 33
"""Steps between the lowest and the highest stretch of the frequency axis."""


class Augmentation:
    """Random changes of `(frames, bins)` dB segments, each off where its setting is 0.

    Args:
        frontend: Front end, which says where each band lies in Hz: voices are stretched in Hz.
        data: `warp_time`, `warp_frequency`, `gain_db`, `mask_bins`, `mask_frames`, `masks`.
        fill: `(bins,)` values that replace masked ones: the training part's mean.
    """

    def __init__(self, frontend: FrontEndConfig, data: DataConfig, fill: np.ndarray) -> None:
        for name, size in (("mask_bins", frontend.bins), ("mask_frames", data.segment_frames)):
            if getattr(data, name) >= size:
                raise UserError(
                    f"data.{name}: expected less than {size}, the size of a segment, received "
                    f"{getattr(data, name)}"
                )
        if data.masks_by_state and find_spec("tensorflow_io") is None:
            raise UserError(
                "data.masks: expected the package tensorflow-io, found none; "
                "pip install 'ser-aae[tfio]' installs it, data.masks=pipeline needs none"
            )
        self.data = data
        self.fill = tf.constant(fill)
        self.voices = tf.constant(_voice_table(frontend, data.warp_frequency))

    def __call__(self, segment: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Change tempo, voice and level of one segment and mask it; the seed decides how."""
        seeds = tf.random.experimental.stateless_split(seed, 3)
        if self.data.warp_time > 0:
            segment = self._warp_time(segment, seeds[0])
        if self.data.warp_frequency > 0:
            voice = tf.random.stateless_uniform([], seeds[1], 0, _VOICES, tf.int32)
            segment = _interpolate(segment, self.voices[voice], axis=1)
        if self.data.gain_db > 0:
            gain = self.data.gain_db
            segment += tf.random.stateless_uniform([], seeds[2], -gain, gain)
        if self.data.has_masks and not self.data.masks_by_state:
            # not one seed more of the split, so that the changes above stay those they were
            segment = self._mask(segment, tf.random.experimental.stateless_fold_in(seed, 1))
        return segment

    def mask_batch(
        self, segments: tf.Tensor, labels: Mapping[str, tf.Tensor]
    ) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
        """Mask each of `(batch, frames, bins)` by tensorflow_io, for `data.masks=tensorflow-io`.

        tensorflow_io masks with 0 and draws by TensorFlow's global seed, so segments are masked
        relative to the training mean and one after the other. It draws widths below `param`.
        """
        import tensorflow_io as tfio  # here, because few have it

        def mask(segment: tf.Tensor) -> tf.Tensor:
            if self.data.mask_bins > 0:
                segment = tfio.audio.freq_mask(segment, param=self.data.mask_bins + 1)
            if self.data.mask_frames > 0:
                segment = tfio.audio.time_mask(segment, param=self.data.mask_frames + 1)
            return segment

        masked = tf.map_fn(mask, segments - self.fill, parallel_iterations=1)
        return masked + self.fill, labels

    def _mask(self, segment: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Put the training mean into a band of frequencies and a stretch of time of a segment."""
        seeds = tf.random.experimental.stateless_split(seed, 2)
        frames, bins = segment.shape
        band = _draw_stretch(bins, self.data.mask_bins, seeds[0])
        stretch = _draw_stretch(frames, self.data.mask_frames, seeds[1])
        return tf.where(band[None, :] | stretch[:, None], self.fill, segment)

    def _warp_time(self, segment: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Play a segment faster or slower around its middle; its ends are mirrored where short."""
        frames, share = self.data.segment_frames, self.data.warp_time
        rate = tf.random.stateless_uniform([], seed, 1.0 - share, 1.0 + share)
        middle = (frames - 1) / 2
        position = middle + (tf.range(frames, dtype=tf.float32) - middle) * rate
        last = frames - 1
        return _interpolate(segment, last - tf.abs(last - tf.abs(position)), axis=0)


def _draw_stretch(size: int, longest: int, seed: tf.Tensor) -> tf.Tensor:
    """Draw up to `longest` neighbours among `size` in a row, `(size,)` bool."""
    seeds = tf.random.experimental.stateless_split(seed, 2)
    length = tf.random.stateless_uniform([], seeds[0], 0, longest + 1, tf.int32)
    first = tf.random.stateless_uniform([], seeds[1], 0, size - length + 1, tf.int32)
    place = tf.range(size)
    return (place >= first) & (place < first + length)


def _interpolate(segment: tf.Tensor, position: tf.Tensor, axis: int) -> tf.Tensor:
    """Read a segment at fractional positions along one axis, linearly between neighbours."""
    below = tf.floor(position)
    share = position - below
    last = tf.cast(tf.shape(segment)[axis] - 1, tf.int32)
    low = tf.cast(below, tf.int32)
    share = share[:, None] if axis == 0 else share[None, :]
    first = tf.gather(segment, low, axis=axis)
    second = tf.gather(segment, tf.minimum(low + 1, last), axis=axis)
    return first + share * (second - first)


def _voice_table(frontend: FrontEndConfig, share: float) -> np.ndarray:
    """Return `(voices, bins)` positions at which each stretched voice reads the bands.

    At frequency f the voice with factor r has the recording's level at f * r; beyond the highest
    band the highest is repeated.
    """
    centres_hz = band_frequencies_hz(frontend)
    factors = np.linspace(1.0 - share, 1.0 + share, _VOICES)
    bands = np.arange(len(centres_hz))
    table = [np.interp(centres_hz * factor, centres_hz, bands) for factor in factors]
    return np.array(table, np.float32)
