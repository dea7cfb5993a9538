"""Windows cut in a graph: `ser_aae.frontend.segments.cut_segments` in Keras' own operations.

The pipeline and the exported model of waveforms share the cut. An exported graph knows no shape, so
that frames are counted by adding up ones.
"""

import keras
import numpy as np
from keras import ops

Tensor = keras.KerasTensor


def cut_windows(spectrogram: Tensor, starts: Tensor, segment_frames: int, pad: str) -> Tensor:
    """Return what `cut_segments` returns; `starts` are int32."""
    frames = count_elements(spectrogram[:, 0])
    wanted = ops.expand_dims(starts, 1) + np.arange(segment_frames, dtype=np.int32)
    if pad == "repeat":
        return ops.take(spectrogram, ops.mod(wanted, frames), axis=0)
    inside = ops.logical_and(wanted >= 0, wanted < frames)
    found = ops.take(spectrogram, ops.maximum(ops.minimum(wanted, frames - 1), 0), axis=0)
    return ops.where(ops.expand_dims(inside, 2), found, ops.min(spectrogram))


def count_elements(x: Tensor) -> Tensor:
    """Return how many elements `(n,)` has, scalar int32."""
    return ops.sum(ops.ones_like(x, dtype="int32"))
