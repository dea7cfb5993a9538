"""Some rows of a stored corpus with their class numbers: what flows through the pipeline."""

from dataclasses import dataclass, replace

import numpy as np

from ser_aae.frontend.segments import num_segments
from ser_aae.labels import UNLABELLED
from ser_aae.store import StoredCorpus


@dataclass(frozen=True)
class Part:
    """Some rows of a stored corpus, with the class numbers they are trained or scored on.

    Attributes:
        corpus: The corpus.
        rows: `(n,)` int64, rows of the corpus that belong to this part, ascending.
        labels: Task to `(utterances of the corpus,)` int32 class numbers, `UNLABELLED` = -1.
        epoch_rows: Rows whose segments an epoch is as long as, where it is not as long as the
            part itself.
    """

    corpus: StoredCorpus
    rows: np.ndarray
    labels: dict[str, np.ndarray]
    epoch_rows: np.ndarray | None = None

    def num_segments(self, segment_frames: int, shift_frames: int, fewest: int = 1) -> int:
        """Return how many windows the part's utterances have, each at least `fewest`."""
        frames = self.corpus.num_frames[self.rows]
        return int(num_segments(frames, segment_frames, shift_frames, fewest).sum())

    def epoch_segments(self, segment_frames: int) -> int:
        """Return how many windows an epoch takes of the part, some of them again if need be."""
        whole = self if self.epoch_rows is None else replace(self, rows=self.epoch_rows)
        return whole.num_segments(segment_frames, segment_frames)

    def labelled(self, task: str) -> "Part":
        """Return the rows that have a label of a task, in epochs as long as before."""
        has_label = self.labels[task][self.rows] != UNLABELLED
        if has_label.all():
            return self
        whole = self.rows if self.epoch_rows is None else self.epoch_rows
        return replace(self, rows=self.rows[has_label], epoch_rows=whole)
