"""Labels of the training rows: hiding a share, and the rows that a model learns from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ser_aae.config import RunConfig
from ser_aae.data.part import Part
from ser_aae.errors import UserError
from ser_aae.labels import UNLABELLED


def training_parts(labelled: Sequence[Part], config: RunConfig) -> list[Part]:
    """Hide labels, and leave out rows without one where the model learns nothing from them.

    Rows without a label would only handicap a model of the primary task alone that reconstructs
    nothing: they would enter its normalisation and batch-norm statistics, and take the place of
    labels in each batch. Its epochs have as many steps as if no label were hidden.

    Raises:
        UserError: No row is left.
    """
    hidden = [_hide_labels(part, config) for part in labelled]
    if not config.learns_from_labels_alone:
        return hidden
    kept = [part.labelled(config.task) for part in hidden]
    if not all(len(part.rows) for part in kept):
        raise UserError(
            f"data.labelled_fraction: {config.data.labelled_fraction:g} leaves no training "
            f"utterance its label, and {config.model.kind} learns from labels alone; choose a "
            "larger share"
        )
    return kept


def mixed_share(
    config: RunConfig,
    labelled: Sequence[Part],
    unlabelled: Sequence[Part],
    auxiliary: Sequence[Part],
) -> float:
    """Return the share of a batch of stage 2 that is not of the labelled parts.

    The share is `data.auxiliary_ratio`. Without auxiliary corpora it is at most the unlabelled
    parts' share of the training segments, since a few utterances would else fill half of every
    batch, and at least one row.
    """
    ratio, size = config.data.auxiliary_ratio, config.training.batch_size
    if auxiliary:
        return ratio
    if not unlabelled:
        return 0.0
    visits, others = (
        sum(part.epoch_segments(config.data.segment_frames) for part in parts)
        for parts in (labelled, unlabelled)
    )
    return min(ratio, max(1, size * others // (visits + others)) / size)


def _hide_labels(part: Part, config: RunConfig) -> Part:
    """Keep the label of a share of the training utterances of each class (decisions T5)."""
    fraction = config.data.labelled_fraction
    if fraction >= 1:
        return part
    labels = part.labels[config.task].copy()
    draw = np.random.default_rng([config.seed, 5])
    for number in np.unique(labels[part.rows]):
        rows = part.rows[labels[part.rows] == number]
        hidden = draw.permutation(rows)[round(fraction * len(rows)) :]
        labels[hidden] = UNLABELLED
    return replace(part, labels={**part.labels, config.task: labels})
