"""Scores of a trained model: posteriors of segments, averaged per utterance (Sec. 4.2)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from ser_aae.batches.pipeline import Normalisation, evaluation_dataset
from ser_aae.config import RunConfig
from ser_aae.data.part import Part
from ser_aae.data.run_data import RunData
from ser_aae.frontend.segments import SegmentMeans
from ser_aae.labels import GENDERS, UNLABELLED
from ser_aae.model.aae import MultitaskAAE
from ser_aae.results.metrics import unweighted_accuracy, weighted_accuracy
from ser_aae.training.divergence import refuse_diverged


def average_outputs(
    forward: Callable[[tf.Tensor], Mapping[str, tf.Tensor]], dataset: tf.data.Dataset, part: Part
) -> SegmentMeans:
    """Average over each utterance what a function gives of segments: `{name: (batch, values)}`.

    The data set is what `evaluation_dataset` builds of the part.

    Raises:
        DivergedError: A value is NaN or infinite.
    """
    means = SegmentMeans(part.rows)
    for segments, _, rows in dataset:
        outputs = {name: values.numpy() for name, values in forward(segments).items()}
        refuse_diverged(outputs)
        means.add(rows.numpy(), outputs)
    return means


class Scorer:
    """Posteriors of a model for a part, whose data set is what `evaluation_dataset` builds.

    Those of `untrained` tasks are left out.
    """

    def __init__(
        self,
        model: keras.Model,
        dataset: tf.data.Dataset,
        part: Part,
        untrained: Collection[str] = (),
    ) -> None:
        """Compile the forward pass once; it is used after every epoch."""
        self.dataset = dataset
        self.part = part
        self._untrained = untrained
        # for a batch of any size, or the last one, which is smaller, would be traced again
        segments, *_ = dataset.element_spec
        self._forward = tf.function(
            lambda segments: model(segments, training=False), input_signature=[segments]
        )

    def posteriors(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return `{task: (utterances, classes)}` in the order of the part's rows.

        The second value counts the segments each posterior is the mean of, `(utterances,)`.
        """
        found = average_outputs(self._forward, self.dataset, self.part)
        means = {task: v for task, v in found.means().items() if task not in self._untrained}
        return means, found.counts


@dataclass(frozen=True)
class TrainedModel:
    """The compiled model of a run, with what it is trained on; `start` says what it starts from."""

    config: RunConfig
    folder: Path
    data: RunData
    model: MultitaskAAE
    normalisation: Normalisation
    start: Mapping[str, str] = field(default_factory=dict)

    def scorer(self, part: Part) -> Scorer:
        """Return what scores a part."""
        size = self.config.training.batch_size
        dataset = evaluation_dataset(part, self.normalisation, self.config.data, size)
        return Scorer(self.model, dataset, part, self.data.untrained)


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
        true, predicted = truth[known], values.argmax(axis=1)[known]
        if task == primary:
            names = [str(number) for number in range(values.shape[1])]
            answers = ([names[i] for i in true], [names[i] for i in predicted])
            scores["unweighted_accuracy"] = unweighted_accuracy(*answers, names)[0]
            scores["weighted_accuracy"] = weighted_accuracy(*answers)
        else:
            scores[f"{task}_accuracy"] = float(np.mean(predicted == true))
    return scores


def predictions_frame(
    posteriors: Mapping[str, np.ndarray],
    segments: np.ndarray,
    part: Part,
    classes: Sequence[str],
    primary: str,
) -> pd.DataFrame:
    """Return one row an utterance: who speaks, what it is, what the model says of it.

    Columns are those of `ser_aae.results`: posteriors as `p_<class>`, in class order.
    """
    rows = []
    genders = posteriors.get("gender")
    for place, (row, utterance) in enumerate(zip(part.rows, part.utterances, strict=True)):
        values = posteriors[primary][place]
        rows.append(
            {
                "utterance_id": utterance.utterance_id,
                "corpus": utterance.corpus,
                "speaker": utterance.speaker,
                "gender": utterance.gender,
                "truth": classes[part.labels[primary][row]],
                "predicted": classes[int(values.argmax())],
                **{f"p_{name}": float(p) for name, p in zip(classes, values, strict=True)},
                "segments": int(segments[place]),
                "gender_predicted": None if genders is None else GENDERS[genders[place].argmax()],
            }
        )
    return pd.DataFrame(rows)
