"""Recognition of a recording: posteriors of the whole and of each step, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Posteriors = Mapping[str, Mapping[str, float]]
"""Task to class to posterior."""


class _Stretch:
    """A stretch of a recording, which has posteriors unless it is silent."""

    posteriors: Posteriors

    @property
    def silent(self) -> bool:
        """Return whether nothing is said in it."""
        return not self.posteriors

    @property
    def best(self) -> dict[str, str]:
        """The likeliest class of each task."""
        return {
            task: max(values, key=values.__getitem__) for task, values in self.posteriors.items()
        }

    def _plain_posteriors(self) -> dict[str, Any]:
        return {"silent": self.silent, "best": self.best, "posteriors": self.posteriors}


@dataclass(frozen=True)
class Moment(_Stretch):
    """A step of a timeline.

    Attributes:
        posteriors: Posteriors of the segment around it, of all tasks but the speaker, unless that
            is the primary one; none in silence. A model of waveforms takes that segment as it takes
            a recording, from several starts.
    """

    start_s: float
    end_s: float
    posteriors: Posteriors

    def to_dict(self) -> dict[str, Any]:
        """Return the step as plain values, with the likeliest class of each task as `best`."""
        return {"start_s": self.start_s, "end_s": self.end_s, **self._plain_posteriors()}


@dataclass(frozen=True)
class Recognition(_Stretch):
    """A model's answer to a recording.

    Attributes:
        speech_s: Length of the speech in it, or of whatever else is no pause.
        segments: Number of segments that the posteriors are the mean of.
        posteriors: Posteriors of every task, the primary one first; none where all is silence.
        timeline: Steps of equal length; empty where none was asked for.
        warnings: Limits of the model that readers of a posterior have to know.
        oddities: Sentences on what is odd about the sound of this recording, or its header.
        d_vector: Mean of the d-vectors `(units,)` of all segments, where the model gives them.
    """

    duration_s: float
    speech_s: float
    segments: int
    posteriors: Posteriors
    timeline: tuple[Moment, ...]
    warnings: tuple[str, ...]
    oddities: tuple[str, ...] = ()
    d_vector: np.ndarray | None = field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the d-vector as plain values; the likeliest classes are `best`."""
        return {
            "duration_s": self.duration_s,
            "speech_s": self.speech_s,
            "segments": self.segments,
            **self._plain_posteriors(),
            "timeline": [moment.to_dict() for moment in self.timeline],
            "warnings": list(self.warnings),
            "oddities": list(self.oddities),
        }
