"""The front end as a graph: offset, pauses, spectrogram and segments in Keras' own operations.

It does to a signal of any length what `ser_aae.frontend` and the pipeline do, step by step.
The Fourier transform is a product with a matrix, because not every format has a transform.
A graph does not know its shapes, so positions are counted by adding up ones.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from ser_aae.batches.windows import Tensor, count_elements, cut_windows
from ser_aae.config import FrontEndConfig
from ser_aae.frontend.spectrogram import band_weights, hamming_window, shift_samples, window_samples
from ser_aae.inference.signature import Signature

Where = Callable[[Tensor], Tensor]
"""From `(n,)` truth values to the positions of the true ones."""


class LiteWhere(layers.Layer):
    """Positions of the true ones of `(n,)`, in operations that LiteRT has.

    Keras' own operation unpacks 64-bit integers, which LiteRT cannot.
    """

    def call(self, mask: tf.Tensor) -> tf.Tensor:
        """Return `(true ones,)` int32."""
        return tf.cast(tf.reshape(tf.where(mask), [-1]), tf.int32)

    def compute_output_spec(self, mask: Tensor) -> Tensor:
        """Return an unknown number of positions."""
        return keras.KerasTensor((None,), "int32")


def build_waveform_model(
    segment_model: keras.Model, signature: Signature, for_litert: bool = False
) -> keras.Model:
    """Return a model of one recording `(1, samples)` at the front end's rate.

    It gives the outputs of `build_segment_model`, `{output: (1, values)}`, the mean over the
    segments of the recording. With `for_litert` it has no operation that LiteRT lacks.
    """

    def where(mask: Tensor) -> Tensor:
        return LiteWhere()(mask) if for_litert else ops.nonzero(mask)[0]

    waveform = keras.Input((None,), name="waveform")
    signal = ops.reshape(waveform, (-1,))
    if signature.frontend.remove_offset:
        signal = signal - ops.mean(signal)
    if signature.frontend.remove_silence:
        signal = _drop_pauses(signal, signature.frontend, where)
    segments = _segments(_spectrogram(signal, signature.frontend, where), signature, where)
    found = segment_model(segments)
    means = {name: ops.mean(values, axis=0, keepdims=True) for name, values in found.items()}
    return keras.Model(waveform, means, name="ser_aae_waveform")


def _drop_pauses(signal: Tensor, config: FrontEndConfig, where: Where) -> Tensor:
    """Return the samples of frames that are not `silence_db` under the loudest, as librosa does.

    Frame t lies around sample t * shift and decides for the `shift` samples from there on.
    """
    length, shift = window_samples(config), shift_samples(config)
    around = ops.pad(signal, ((length // 2, length // 2),))
    frames = ops.extract_sequences(around, length, shift)
    decibel = _decibel(ops.mean(ops.square(frames), axis=1))
    loud = decibel > ops.max(decibel) - config.silence_db
    # as many hops as there are frames; the padding beyond the end is not kept
    spare = shift if length % 2 == 0 else shift - 1
    hops = ops.extract_sequences(ops.pad(signal, ((0, spare),)), shift, shift)
    inside = ops.extract_sequences(ops.pad(ops.ones_like(signal), ((0, spare),)), shift, shift)
    kept = ops.logical_and(ops.expand_dims(loud, 1), inside > 0.5)
    return ops.take(ops.reshape(hops, (-1,)), where(ops.reshape(kept, (-1,))), axis=0)


def _spectrogram(signal: Tensor, config: FrontEndConfig, where: Where) -> Tensor:
    """Return `(frames, bins)` in dB, as `log_spectrogram` does."""
    length, shift = window_samples(config), shift_samples(config)
    padded = ops.extract_sequences(ops.pad(signal, ((0, length),)), length, shift)
    # whole windows only, at least one
    last = _positions(padded[:, 0]) * shift + length
    whole = ops.logical_or(last <= count_elements(signal), last <= length)
    frames = ops.take(padded, where(whole), axis=0)
    fourier, bands = _matrices(config)
    parts = _product(fourier, "fourier", frames)
    decibel = _decibel(_product(bands, "bands", ops.square(parts)))
    return ops.maximum(decibel, ops.max(decibel) - config.floor_db)


def _segments(spectrogram: Tensor, signature: Signature, where: Where) -> Tensor:
    """Return `(segments, segment_frames, bins)`, as `segment_starts` cuts the spectrogram."""
    length, shift = signature.segment_frames, signature.shift_frames
    fewest = signature.fewest_segments
    frames = count_elements(spectrogram[:, 0])
    # a multiple of the shift is a start unless the segment before it reaches the end
    positions = _positions(spectrogram[:, 0])
    candidates = ops.reshape(ops.extract_sequences(positions, 1, shift), (-1,))
    needed = ops.logical_or(candidates < 1, candidates + (length - shift) < frames)
    # not every format has branches: both tiles and starts spread round are computed, and one of
    # the two is masked out
    few = ops.sum(ops.cast(needed, "int32")) < fewest
    spread = frames * np.arange(fewest, dtype=np.int32) // fewest
    candidates = ops.concatenate([candidates, spread])
    chosen = ops.concatenate(
        [ops.logical_and(needed, ops.logical_not(few)), ops.logical_and(spread >= 0, few)]
    )
    starts = ops.take(candidates, where(chosen), axis=0)
    return cut_windows(spectrogram, starts, length, signature.pad)


def _matrices(config: FrontEndConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return window and transform `(window, 2 * fft bins)`, and bands of both halves' squares."""
    length = window_samples(config)
    sample, fft_bin = np.arange(length)[:, None], np.arange(config.fft_size // 2 + 1)
    angle = 2 * np.pi / config.fft_size * (sample * fft_bin % config.fft_size)
    both = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    weights = band_weights(config)
    return hamming_window(length)[:, None] * both, np.concatenate([weights, weights])


def _product(matrix: np.ndarray, name: str, x: Tensor) -> Tensor:
    """Return x times a matrix, which is kept as a layer's weight."""
    layer = layers.Dense(matrix.shape[1], use_bias=False, trainable=False, name=name)
    y = layer(x)
    layer.set_weights([matrix.astype(np.float32)])
    return y


def _decibel(power: Tensor) -> Tensor:
    """Return 10 log10 of power, -100 at least."""
    # the floor is set after the logarithm: 1e-10 itself would be 0 in half precision
    return ops.maximum(ops.log(power) * float(10.0 / np.log(10.0)), -100.0)


def _positions(x: Tensor) -> Tensor:
    """Return 0, 1, 2, ... for each element of `(n,)`, int32."""
    return ops.cumsum(ops.ones_like(x, dtype="int32")) - 1
