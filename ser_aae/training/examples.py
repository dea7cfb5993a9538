"""What a run keeps for the report's pictures: a reconstruction and the latent space."""

import io
from pathlib import Path

import numpy as np
import tensorflow as tf

from ser_aae.data.part import Part
from ser_aae.data.targets import Target
from ser_aae.files.atomic import write_bytes
from ser_aae.frontend.segments import SegmentMeans
from ser_aae.model.aae import MultitaskAAE
from ser_aae.results.folder import EXAMPLES
from ser_aae.training.latent import map_latent

_POINTS = 1000


def draw_examples(
    model: MultitaskAAE,
    dataset: tf.data.Dataset,
    part: Part,
    target: Target,
    folder: Path,
    seed: int = 0,
) -> None:
    """Write `examples.npz` of validation data; test data are for scoring alone.

    `segment` and `reconstruction` are `(bins, frames)`, normalised (the second absent for a
    CNN); `latent_2d` `(n, 2)` lays out each utterance's code averaged over time and segments,
    with its `latent_class`, `latent_gender` and `latent_speaker` beside it. Where the classes
    are clusters, `plane` `(n, 2)` holds valence and activation of the part, `plane_class` the
    cluster of each and `centroids` `(clusters, 2)` where they lie (Fig. 2).
    """
    arrays: dict[str, np.ndarray] = {}
    codes = SegmentMeans(part.rows)
    for segments, _, rows in dataset:
        if not arrays:
            arrays = _reconstruction(model, segments[:1])
        code = tf.reduce_mean(model.encoder(segments, training=False), axis=2)
        codes.add(rows.numpy(), {"code": code.numpy().reshape(len(code), -1)})
    places = np.arange(len(part.rows))
    if len(places) > _POINTS:
        places = np.sort(np.random.default_rng(seed).choice(places, _POINTS, replace=False))
    chosen = part.rows[places]
    utterances = [part.corpus.utterances[row] for row in chosen]
    arrays["latent_2d"] = map_latent(codes.means()["code"][places], seed)
    arrays["latent_class"] = _class_names(part, target, chosen)
    arrays["latent_gender"] = np.array([item.gender for item in utterances])
    arrays["latent_speaker"] = np.array([item.speaker for item in utterances])
    if target.centroids is not None:
        ratings = [(item.valence, item.activation) for item in part.corpus.utterances]
        arrays["plane"] = np.array(ratings, np.float64)[part.rows]
        arrays["plane_class"] = _class_names(part, target, part.rows)
        arrays["centroids"] = target.centroids
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_bytes(folder / EXAMPLES, content.getvalue())


def _class_names(part: Part, target: Target, rows: np.ndarray) -> np.ndarray:
    return np.array([target.classes[number] for number in part.labels[target.task][rows]])


def _reconstruction(model: MultitaskAAE, segment: tf.Tensor) -> dict[str, np.ndarray]:
    arrays = {"segment": segment.numpy()[0, :, :, 0]}
    if "reconstruction" in model.phases:
        arrays["reconstruction"] = model.reconstruct(segment).numpy()[0, :, :, 0]
    return arrays
