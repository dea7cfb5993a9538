"""Mixture of a batch: how many of its rows are drawn of which parts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ser_aae.config import RunConfig
from ser_aae.data.part import Part
from ser_aae.data.run_data import RunData


@dataclass(frozen=True)
class Share:
    """Share of each batch that is drawn of some parts.

    Attributes:
        parts: Parts, which come as often as they have utterances.
        rows: Rows of each batch, at least one.
        is_even: Whether each part has as many rows of a batch as another, or one more.
    """

    parts: Sequence[Part]
    rows: int
    is_even: bool = False

    def draws(self) -> list[tuple[Sequence[Part], int]]:
        """Return the parts that are drawn from together, with their rows of each batch."""
        if not self.is_even:
            return [(self.parts, self.rows)]
        least, more = divmod(self.rows, len(self.parts))
        return [([part], least + (place < more)) for place, part in enumerate(self.parts)]


Mixture = Sequence[Share]
"""Shares of a batch, in the order of its rows; an epoch visits the parts of the first one."""


def steps_per_epoch(mixture: Mixture, segment_frames: int) -> int:
    """Return the steps in which each segment of the first share is seen once.

    The segments of a part that asks for longer epochs (`Part.epoch_rows`) come again. Where parts
    are drawn evenly, those of a small part come again, and some of a large one do not come.
    """
    first = mixture[0]
    segments = sum(part.epoch_segments(segment_frames) for part in first.parts)
    return max(1, math.ceil(segments / first.rows))


def share_out(
    primary: Sequence[Part],
    others: Sequence[Part],
    ratio: float,
    batch_size: int,
    is_even: bool = False,
) -> Mixture:
    """Return the mixture in which a share of a batch is of other parts, if there are any.

    At least one row is a primary one, or with `is_even` one of each primary part.
    """
    least = len(primary) if is_even else 1
    rows = max(least, batch_size - round(batch_size * ratio)) if others else batch_size
    mixed = [Share(others, batch_size - rows)] if rows < batch_size else []
    return [Share(primary, rows, is_even), *mixed]


def mix_stage_two(config: RunConfig, data: RunData) -> Mixture:
    """Return the mixture of a run's batches in stage 2.

    With `data.labelled_rows` each batch has that many rows with a label of the primary task, and
    rows without one beside them, so that all kinds of model, with however few labels and many
    auxiliary speakers, make the same updates on the same number of labels. Otherwise rows come as
    they are in the training part.
    """
    size, is_even = config.training.batch_size, config.data.corpus_balance == "even"
    if not config.data.labelled_rows:
        return share_out(data.train, data.mixed, _mixed_share(config, data), size, is_even)
    rows = config.data.labelled_rows
    own, auxiliary = _share_others(config, data, size - rows)
    shares = [
        Share(data.train, rows, is_even),
        Share(data.unlabelled, own),
        Share(data.mixed_auxiliary, auxiliary),
    ]
    return [share for share in shares if share.rows]


def labelled_rows(mixture: Mixture, task: str, segment_frames: int) -> float:
    """Return how many rows of a batch have a label of a task, on average."""
    total = 0.0
    for share in mixture:
        for parts, rows in share.draws():
            segments, labelled = (
                _count_segments(each, segment_frames)
                for each in (parts, [part.labelled(task) for part in parts])
            )
            total += rows * labelled / segments
    return total


def _share_others(config: RunConfig, data: RunData, room: int) -> tuple[int, int]:
    """Return how many rows without a label are of the emotional corpora, and of the auxiliary ones.

    A row of the emotional corpora comes no more often than one with a label, since a few utterances
    would else fill half of every batch. What they leave is filled up by the auxiliary corpora,
    where there are any.
    """
    ratio, length = config.data.auxiliary_ratio, config.data.segment_frames
    auxiliary = min(room, max(1, round(room * ratio))) if data.mixed_auxiliary and ratio else 0
    if not (data.unlabelled and room):
        return 0, room if auxiliary else 0
    labelled, others = (_count_segments(parts, length) for parts in (data.train, data.unlabelled))
    most = max(1, config.data.labelled_rows * others // labelled)
    own = min(most, room - auxiliary)
    return own, room - own if auxiliary else 0


def _mixed_share(config: RunConfig, data: RunData) -> float:
    """Return the share of a batch that is not of the training parts.

    The share is `data.auxiliary_ratio`. Without auxiliary corpora it is at most the unlabelled
    parts' share of the training segments, since a few utterances would else fill half of every
    batch, and at least one row.
    """
    ratio, size = config.data.auxiliary_ratio, config.training.batch_size
    if data.mixed_auxiliary:
        return ratio
    if not data.unlabelled:
        return 0.0
    visits, others = (
        sum(part.epoch_segments(config.data.segment_frames) for part in parts)
        for parts in (data.train, data.unlabelled)
    )
    return min(ratio, max(1, size * others // (visits + others)) / size)


def _count_segments(parts: Sequence[Part], segment_frames: int) -> int:
    return sum(part.num_segments(segment_frames, segment_frames) for part in parts)
