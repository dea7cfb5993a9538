"""A trained model on new recordings: posteriors of the whole, and of every second.

    recogniser = Recogniser.load("runs/.../fold00-rep00")
    recognition = recogniser(samples, sample_rate_hz, timeline_seconds=1.0)

`ser_aae.inference.walk` says how a recording is gone through, and what is a pause.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ser_aae.inference.exported_model import load_exported
from ser_aae.inference.recognition import Moment, Posteriors, Recognition
from ser_aae.inference.signature import Description, describe_run
from ser_aae.inference.walk import Outputs, Walk, Walker
from ser_aae.results.folder import CONFIG


class Recogniser:
    """A trained model that is called with recordings.

    Args:
        walker: The model as it is led over a recording.
    """

    def __init__(self, walker: Walker) -> None:
        """Keep it; `load` is the way to get one."""
        self.walker = walker

    @property
    def description(self) -> Description:
        """What the model takes and gives."""
        return self.walker.description

    @classmethod
    def load(cls, path: Path | str) -> "Recogniser":
        """Load a run's folder, or a file that `ser-aae export` wrote.

        Raises:
            UserError: Neither of the two, incomplete or damaged.
        """
        path = Path(path)
        if (path / CONFIG).is_file():
            description = describe_run(path)
            from ser_aae.inference.run_model import (
                RunModel,  # here: exported models need no TensorFlow
            )

            return cls(Walker(description, RunModel(path)))
        return cls(Walker(*load_exported(path)))

    def __call__(
        self, samples: np.ndarray, sample_rate_hz: float, timeline_seconds: float | None = None
    ) -> Recognition:
        """Recognise samples in memory.

        Args:
            samples: `(samples,)` or `(samples, channels)`, floats in [-1, 1] or signed integers.
            sample_rate_hz: Their rate, any.
            timeline_seconds: Step of the timeline, 0.1 to 10; none is made without.

        Raises:
            UserError: Samples or a step that cannot be.
        """
        return self.recognise_walk(
            self.walker.walk_samples(samples, sample_rate_hz, timeline_seconds)
        )

    def recognise_file(
        self,
        path: Path | str,
        timeline_seconds: float | None = None,
        show: Callable[[float], None] | None = None,
    ) -> Recognition:
        """Recognise a recording of any length, rate and container.

        Args:
            path: The recording.
            timeline_seconds: Step of the timeline, 0.1 to 10; none is made without.
            show: Called with the seconds recognised so far, after each block.

        Raises:
            UserError: The file cannot be read, or a step that cannot be.
        """
        observe = None if show is None else lambda _, end_s: show(end_s)
        return self.recognise_walk(self.walker.walk_file(path, timeline_seconds, observe))

    def recognise_walk(self, walk: Walk) -> Recognition:
        """Return what the model says of a recording that its `walker` has gone through."""
        return Recognition(
            duration_s=walk.duration_s,
            speech_s=walk.speech_s,
            segments=walk.segments,
            posteriors=self._name(walk.means),
            timeline=tuple(
                Moment(step.start_s, step.end_s, self._name(step.outputs)) for step in walk.steps
            ),
            warnings=self.description.warnings,
        )

    def _name(self, values: Outputs) -> Posteriors:
        """Put names to posteriors `{task: (classes,)}`, the primary task first."""
        return {
            task: dict(zip(names, values[task].tolist(), strict=True))
            for task, names in self.description.classes.items()
            if task in values
        }
