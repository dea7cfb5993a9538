"""Labels of the training rows: hiding a share, and the rows that a model learns from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ser_aae.config import RunConfig
from ser_aae.data.part import Part
from ser_aae.errors import UserError
from ser_aae.labels import UNLABELLED


def training_parts(labelled: Sequence[Part], config: RunConfig) -> tuple[list[Part], list[Part]]:
    """Hide labels; part the rows without one from the others, or leave them out.

    Rows without a label would only handicap a model of the primary task alone that reconstructs
    nothing: they would enter its normalisation and batch-norm statistics, and take the place of
    labels in each batch. Where rows with a label are drawn by themselves (`data.labelled_rows`),
    the others are parts of their own. Epochs have as many steps as if no label were hidden.

    Returns:
        Parts that an epoch visits, and the rows without a label that are apart from them.

    Raises:
        UserError: No row with a label is left where they are needed.
    """
    hidden = [_hide_labels(part, config) for part in labelled]
    alone = config.learns_from_labels_alone
    if not (alone or config.data.labelled_rows):
        return hidden, []
    kept = [part.labelled(config.task) for part in hidden]
    if not all(len(part.rows) for part in kept):
        why = (
            f"{config.model.kind} learns from labels alone"
            if alone
            else f"each batch is to have {config.data.labelled_rows} rows with one "
            "(data.labelled_rows)"
        )
        raise UserError(
            f"data.labelled_fraction: {config.data.labelled_fraction:g} leaves no training "
            f"utterance its label, and {why}; choose a larger share"
        )
    others = [] if alone else [part.unlabelled(config.task) for part in hidden]
    return kept, [part for part in others if len(part.rows)]


def _hide_labels(part: Part, config: RunConfig) -> Part:
    """Hide labels of the primary task: of a share of each class, then what a speaker has too many.

    Both are drawn by the run's seed (decisions T5).
    """
    fraction, number = config.data.labelled_fraction, config.data.labels_per_speaker
    labels = part.labels[config.task].copy()
    if fraction < 1:
        _hide_share(labels, part.rows, fraction, np.random.default_rng([config.seed, 5]))
    if number:
        draw = np.random.default_rng([config.seed, 6])
        speakers = np.array([utterance.speaker for utterance in part.utterances])
        for speaker in np.unique(speakers):
            _keep_number(labels, part.rows[speakers == speaker], number, draw)
    return replace(part, labels={**part.labels, config.task: labels})


def _hide_share(
    labels: np.ndarray, rows: np.ndarray, fraction: float, draw: np.random.Generator
) -> None:
    """Leave a share of the rows of each class their label."""
    for number in np.unique(labels[rows]):
        own = rows[labels[rows] == number]
        labels[draw.permutation(own)[round(fraction * len(own)) :]] = UNLABELLED


def _keep_number(
    labels: np.ndarray, rows: np.ndarray, number: int, draw: np.random.Generator
) -> None:
    """Leave so many rows their label, a row of each class in turn as long as it has any."""
    rows = draw.permutation(rows[labels[rows] != UNLABELLED])
    classes = labels[rows]
    turn = np.array([np.sum(classes[:place] == own) for place, own in enumerate(classes)])
    labels[rows[np.argsort(turn, kind="stable")][number:]] = UNLABELLED
