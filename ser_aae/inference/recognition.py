"""What a model says of a recording, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Posteriors = Mapping[str, Mapping[str, float]]
"""Task to class to posterior."""


def best(posteriors: Posteriors) -> dict[str, str]:
    """Return the likeliest class of each task."""
    return {task: max(values, key=values.__getitem__) for task, values in posteriors.items()}


@dataclass(frozen=True)
class Moment:
    """A step of a timeline.

    Attributes:
        start_s: Where it begins in the recording.
        end_s: Where it ends.
        posteriors: Of the segment around it, of all tasks but the speaker; none in silence. A
            model of waveforms hears that segment as it hears a recording, from several starts.
    """

    start_s: float
    end_s: float
    posteriors: Posteriors

    @property
    def silent(self) -> bool:
        """Whether nothing is said in it."""
        return not self.posteriors

    @property
    def best(self) -> dict[str, str]:
        """The likeliest class of each task."""
        return best(self.posteriors)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {
            "start_s": self.start_s,
            "end_s": self.end_s,
            "silent": self.silent,
            "best": self.best,
            "posteriors": self.posteriors,
        }


@dataclass(frozen=True)
class Recognition:
    """What a model says of a recording.

    Attributes:
        duration_s: Length of the recording.
        speech_s: Of which speech, or whatever else is no pause.
        segments: How many segments the posteriors are the mean of.
        posteriors: Of every task, the primary one first; none where all is silence.
        timeline: Steps of equal length; empty where none was asked for.
        warnings: What whoever reads this has to know.
    """

    duration_s: float
    speech_s: float
    segments: int
    posteriors: Posteriors
    timeline: tuple[Moment, ...]
    warnings: tuple[str, ...]

    @property
    def silent(self) -> bool:
        """Whether nothing is said in it."""
        return not self.posteriors

    @property
    def best(self) -> dict[str, str]:
        """The likeliest class of each task."""
        return best(self.posteriors)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values, with the likeliest class of each task as `best`."""
        return {
            "duration_s": self.duration_s,
            "speech_s": self.speech_s,
            "segments": self.segments,
            "silent": self.silent,
            "best": self.best,
            "posteriors": self.posteriors,
            "timeline": [moment.to_dict() for moment in self.timeline],
            "warnings": list(self.warnings),
        }
