"""TFRecord schema: writing an utterance's spectrogram and reading it back."""

import numpy as np
import tensorflow as tf

_FEATURES = {
    "index": tf.io.FixedLenFeature([], tf.int64),
    "frames": tf.io.FixedLenFeature([], tf.int64),
    "spectrogram": tf.io.FixedLenFeature([], tf.string),
}


def serialise(index: int, spectrogram: np.ndarray) -> bytes:
    """Return one record: the row of the utterance in its manifest and its spectrogram.

    Rows count from 0; the spectrogram, `(frames, bins)` in dB, is stored as little-endian float16.
    Labels lie in `utterances.jsonl` instead, where no sound has to be read for them.
    """
    example = tf.train.Example()
    feature = example.features.feature
    feature["index"].int64_list.value.append(index)
    feature["frames"].int64_list.value.append(len(spectrogram))
    feature["spectrogram"].bytes_list.value.append(spectrogram.astype("<f2").tobytes())
    # without deterministic=True the order of the map, and so the checksum, differs by process
    return bytes(example.SerializeToString(deterministic=True))


def parse(record: tf.Tensor, bins: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return a record's row number, scalar int64, and spectrogram `(frames, bins)` float16."""
    row = tf.io.parse_single_example(record, _FEATURES)
    flat = tf.io.decode_raw(row["spectrogram"], tf.float16)
    return row["index"], tf.reshape(flat, [row["frames"], bins])
