"""A trained model rebuilt from Keras' own layers and operations.

The result loads wherever Keras is, without this package. Batch norm is folded into the convolution
before it: its factor is positive, so it commutes with the max-pool between them.
"""

from itertools import pairwise

import keras
import numpy as np
from keras import layers, ops

from ser_aae.batches.pipeline import Normalisation
from ser_aae.inference.signature import D_VECTOR, Signature
from ser_aae.model.aae import MultitaskAAE
from ser_aae.model.layers import PooledBatchNormalization, TimePooling

Norm = PooledBatchNormalization | layers.BatchNormalization


def build_segment_model(
    model: MultitaskAAE, normalisation: Normalisation, signature: Signature
) -> keras.Model:
    """Return a model of segments `(batch, segment_frames, bins)` in dB, not normalised.

    It gives `{task: (batch, classes)}` posteriors of each segment, of the signature's tasks, and of
    a model with a speaker classifier the `(batch, units)` d-vectors beside them, as `D_VECTOR`.
    """
    frames, bins = signature.segment_frames, signature.frontend.bins
    segments = keras.Input((frames, bins), name="segments")
    mean, deviation = (
        each.astype(np.float64) for each in (normalisation.mean, normalisation.deviation)
    )
    x = layers.Rescaling((1 / deviation).tolist(), (-mean / deviation).tolist())(segments)
    x = layers.Permute((2, 1))(x)
    (code,) = _rebuild(model.encoder, layers.Reshape((bins, frames, 1))(x))
    heads = {task: _rebuild(model.classifiers[task], code) for task in signature.classes}
    outputs = {task: layers.Softmax(name=task)(logits) for task, (logits, _) in heads.items()}
    if "speaker" in heads:
        outputs[D_VECTOR] = layers.Identity(name=D_VECTOR)(heads["speaker"][1])
    return keras.Model(segments, outputs, name="ser_aae")


def _rebuild(network: keras.Model, x: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Put the layers of a network, which is a chain, behind x with their weights.

    Returns:
        The outputs of the network, in its order; each is the output of one of the layers.
    """
    in_training = layers.Dropout | layers.GaussianNoise
    chain = [each for each in network.layers[1:] if not isinstance(each, in_training)]
    found = [each for each in chain if isinstance(each, layers.Conv2D | Norm)]
    # pairs that begin with a batch norm are never looked up
    norms = {first.name: second for first, second in pairwise(found)}
    made = {}
    for layer in chain:
        if isinstance(layer, layers.Conv2D):
            x = _fold_norm(layer, norms[layer.name], x)
        elif isinstance(layer, PooledBatchNormalization):
            x = layers.MaxPooling2D(layer.pool_size, name=layer.name)(x)
        elif isinstance(layer, TimePooling):
            x = _pool_time(layer, x)
        elif not isinstance(layer, layers.BatchNormalization):
            copy = type(layer).from_config(layer.get_config())
            x = copy(x)
            copy.set_weights(layer.get_weights())
        made[layer.name] = x
    return [made[name] for name in network.output_names]


def _fold_norm(convolution: layers.Conv2D, norm: Norm, x: keras.KerasTensor) -> keras.KerasTensor:
    """Return the output of a convolution whose weights hold its batch norm as well."""
    factor = 1.0 / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    offset = -norm.moving_mean.numpy() * factor
    if norm.beta is not None:
        offset = offset + norm.beta.numpy()
    copy = layers.Conv2D.from_config(convolution.get_config() | {"use_bias": True})
    y = copy(x)
    copy.set_weights([convolution.kernel.numpy() * factor, offset])
    return y


def _pool_time(pooling: TimePooling, x: keras.KerasTensor) -> keras.KerasTensor:
    """Return what `TimePooling` does to `(batch, frequency, time, channels)`."""
    _, frequency, time, channels = x.shape
    steps = layers.Permute((2, 1, 3))(x)
    steps = layers.Reshape((time, frequency * channels))(steps)
    if pooling.kind == "attention":
        score = layers.Dense(1, use_bias=False, name=pooling.name)
        weights = ops.softmax(score(steps), axis=1)
        score.set_weights(pooling.get_weights())
        return ops.sum(steps * weights, axis=1)
    mean = ops.mean(steps, axis=1, keepdims=True)
    variance = ops.mean(ops.square(steps - mean), axis=1)
    return ops.concatenate([ops.squeeze(mean, axis=1), ops.sqrt(variance + 1e-5)], axis=1)
