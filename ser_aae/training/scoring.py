"""Scoring a trained model: posteriors of segments, averaged per utterance (Sec. 4.2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from ser_aae.data.part import Part
from ser_aae.frontend.segments import SegmentMeans
from ser_aae.labels import GENDERS, UNLABELLED
from ser_aae.results.metrics import unweighted_accuracy, weighted_accuracy


class Scorer:
    """Posteriors of a model for the utterances of a part.

    Args:
        model: Called with segments it gives `{task: (batch, classes)}`.
        dataset: What `evaluation_dataset` builds of the part.
        part: The part itself.
    """

    def __init__(self, model: keras.Model, dataset: tf.data.Dataset, part: Part) -> None:
        """Compile the forward pass once; it is used after every epoch."""
        self.dataset = dataset
        self.part = part
        # for a batch of any size, or the last one, which is smaller, would be traced again
        segments, *_ = dataset.element_spec
        self._forward = tf.function(
            lambda segments: model(segments, training=False), input_signature=[segments]
        )

    def posteriors(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return `{task: (utterances, classes)}` in the order of the part's rows.

        The second value counts the segments each posterior is the mean of, `(utterances,)`.
        """
        means = SegmentMeans(self.part.rows)
        for segments, _, rows in self.dataset:
            found = self._forward(segments)
            means.add(rows.numpy(), {task: value.numpy() for task, value in found.items()})
        return means.means(), means.counts


def score_tasks(posteriors: Mapping[str, np.ndarray], part: Part, primary: str) -> dict[str, float]:
    """Return WA and UA of the primary task and the accuracy of the others, over utterances.

    A task none of the utterances has a label for is left out.
    """
    scores: dict[str, float] = {}
    for task, values in posteriors.items():
        truth = part.labels[task][part.rows]
        known = truth != UNLABELLED
        if not known.any():
            continue
        said = values.argmax(axis=1)[known]
        if task == primary:
            names = [str(number) for number in range(values.shape[1])]
            true, guess = [names[i] for i in truth[known]], [names[i] for i in said]
            scores["unweighted_accuracy"] = unweighted_accuracy(true, guess, names)[0]
            scores["weighted_accuracy"] = weighted_accuracy(true, guess)
        else:
            scores[f"{task}_accuracy"] = float(np.mean(said == truth[known]))
    return scores


def predictions_frame(
    posteriors: Mapping[str, np.ndarray],
    segments: np.ndarray,
    part: Part,
    classes: Sequence[str],
    primary: str,
) -> pd.DataFrame:
    """Return one row an utterance: who, what it is, what the model says of it.

    Columns are those of `ser_aae.results`: posteriors as `p_<class>`, in class order.
    """
    rows: list[dict[str, Any]] = []
    truth = part.labels[primary][part.rows]
    genders = posteriors.get("gender")
    for place, row in enumerate(part.rows):
        utterance = part.corpus.utterances[row]
        values = posteriors[primary][place]
        said = None if genders is None else GENDERS[int(genders[place].argmax())]
        rows.append(
            {
                "utterance_id": utterance.utterance_id,
                "corpus": utterance.corpus,
                "speaker": utterance.speaker,
                "gender": utterance.gender,
                "truth": classes[truth[place]],
                "predicted": classes[int(values.argmax())],
                **{f"p_{name}": float(p) for name, p in zip(classes, values, strict=True)},
                "segments": int(segments[place]),
                "gender_predicted": said,
            }
        )
    return pd.DataFrame(rows)
