"""Pools and parts of a run.

A `Pool` joins utterances of several corpora; splits and labels are in its rows. A `Part`, which
flows through the pipeline, is some rows of one corpus with their class numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ser_aae.frontend.segments import num_segments
from ser_aae.labels import UNLABELLED
from ser_aae.store.corpus import JoinedCorpus, StoredCorpus
from ser_aae.utterance import Utterance


@dataclass(frozen=True)
class Part:
    """Some rows of a stored corpus, with the class numbers they are trained or scored on.

    Attributes:
        corpus: The corpus; several as one where a part that is scored is of several.
        rows: `(n,)` int64, rows of the corpus that belong to this part, ascending.
        labels: Task to `(utterances of the corpus,)` int32 class numbers, `UNLABELLED` = -1.
        epoch_rows: Rows that an epoch is as long as, where these are not the part's own.
    """

    corpus: StoredCorpus | JoinedCorpus
    rows: np.ndarray
    labels: dict[str, np.ndarray]
    epoch_rows: np.ndarray | None = None

    @property
    def utterances(self) -> list[Utterance]:
        """The utterances of the part, in the order of its rows."""
        return [self.corpus.utterances[row] for row in self.rows]

    def num_segments(self, segment_frames: int, shift_frames: int, fewest: int = 1) -> int:
        """Return how many windows the part's utterances have, each at least `fewest`."""
        frames = self.corpus.num_frames[self.rows]
        return int(num_segments(frames, segment_frames, shift_frames, fewest).sum())

    def epoch_segments(self, segment_frames: int) -> int:
        """Return how many windows an epoch takes of the part, some of them again if it must."""
        whole = self if self.epoch_rows is None else replace(self, rows=self.epoch_rows)
        return whole.num_segments(segment_frames, segment_frames)

    def marked(self, name: str, number: int) -> "Part":
        """Return the part with one number for all of its rows, beside its labels."""
        numbers = np.full(len(self.corpus.utterances), number, np.int32)
        return replace(self, labels={**self.labels, name: numbers})

    def labelled(self, task: str) -> "Part":
        """Return the rows that have a label of a task, in epochs as long as before."""
        has_label = self.labels[task][self.rows] != UNLABELLED
        if has_label.all():
            return self
        whole = self.rows if self.epoch_rows is None else self.epoch_rows
        return replace(self, rows=self.rows[has_label], epoch_rows=whole)

    def unlabelled(self, task: str) -> "Part":
        """Return the rows that have no label of a task."""
        return replace(self, rows=self.rows[self.labels[task][self.rows] == UNLABELLED])


@dataclass(frozen=True)
class Pool:
    """Utterances of some corpora, corpus after corpus; a place in this order is a row of the pool.

    Attributes:
        corpora: Corpora of the utterances.
        members: For each corpus its rows that are in the pool, `(n,)` int64, ascending.
    """

    corpora: tuple[StoredCorpus, ...]
    members: tuple[np.ndarray, ...]

    @cached_property
    def utterances(self) -> tuple[Utterance, ...]:
        """The utterances, by their row."""
        return tuple(
            corpus.utterances[row]
            for corpus, members in zip(self.corpora, self.members, strict=True)
            for row in members
        )

    def parts(
        self, labels: Mapping[str, np.ndarray], rows: Sequence[int] | None = None
    ) -> list[Part]:
        """Return a part for each corpus that has any of some rows of the pool, `None` for all.

        `labels` is task to `(utterances of the pool,)` class numbers; rows ascend.
        """
        is_wanted = np.zeros(len(self.utterances), bool)
        is_wanted[slice(None) if rows is None else np.array(rows, np.int64)] = True
        parts, first = [], 0
        for corpus, members in zip(self.corpora, self.members, strict=True):
            own = slice(first, first + len(members))
            first = own.stop
            spread = {
                task: _spread(values[own], members, len(corpus.utterances))
                for task, values in labels.items()
            }
            parts.append(Part(corpus, members[is_wanted[own]], spread))
        return [part for part in parts if len(part.rows)]

    def part(self, labels: Mapping[str, np.ndarray], rows: Sequence[int]) -> Part:
        """Return some rows of the pool as one part, whatever corpora they are of; see `parts`."""
        parts = self.parts(labels, rows)
        if len(parts) == 1:
            return parts[0]
        sizes = [len(part.corpus.utterances) for part in parts]
        firsts = np.cumsum([0, *sizes[:-1]])
        return Part(
            JoinedCorpus(tuple(source for part in parts for source in part.corpus.sources)),
            np.concatenate([part.rows + first for part, first in zip(parts, firsts, strict=True)]),
            {task: np.concatenate([part.labels[task] for part in parts]) for task in labels},
        )


def _spread(numbers: np.ndarray, members: np.ndarray, size: int) -> np.ndarray:
    """Return class numbers of all utterances of a corpus, of which only members have a label."""
    spread = np.full(size, UNLABELLED, np.int32)
    spread[members] = numbers
    return spread
