"""Some rows of a stored corpus with their class numbers: what flows through the pipeline."""

from dataclasses import dataclass

import numpy as np

from ser_aae.frontend.segments import num_segments
from ser_aae.store import StoredCorpus


@dataclass(frozen=True)
class Part:
    """Some rows of a stored corpus, with the class numbers they are trained or scored on.

    Attributes:
        corpus: The corpus.
        rows: `(n,)` int64, rows of the corpus that belong to this part, ascending.
        labels: Task to `(utterances of the corpus,)` int32 class numbers, `UNLABELLED` = -1.
    """

    corpus: StoredCorpus
    rows: np.ndarray
    labels: dict[str, np.ndarray]

    def num_segments(self, segment_frames: int, shift_frames: int) -> int:
        """Return how many windows tile the part."""
        frames = self.corpus.num_frames[self.rows]
        return sum(num_segments(int(n), segment_frames, shift_frames) for n in frames)
