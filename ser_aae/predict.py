"""A trained model on new recordings: posteriors of the whole, and of every second.

    recogniser = Recogniser.load("runs/.../fold00-rep00")
    recognition = recogniser(samples, sample_rate_hz, timeline_seconds=1.0)

A recording under 40 s is treated as an utterance of a run is, with the same posteriors. A
longer one is cut into blocks of 10 s (see `ser_aae.frontend.blocks`), of which only sums are
kept. A block whose loudest frame lies as far under that of the whole recording as silence does
within an utterance (`frontend.silence_db`) is taken for a pause. The posterior of the whole is
the mean over all segments that are not in pauses.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ser_aae.description import WAVEFORM, Description, describe_run
from ser_aae.errors import UserError
from ser_aae.exported import load_exported
from ser_aae.frontend.blocks import BLOCK_S, Block, file_blocks, sample_blocks
from ser_aae.frontend.segments import cut_segments
from ser_aae.frontend.silence import is_silent, loudest_db, speech_intervals
from ser_aae.frontend.spectrogram import log_spectrogram, shift_samples, window_samples
from ser_aae.recognition import Moment, Posteriors, Recognition
from ser_aae.results.folder import CONFIG

BATCH = 32
"""Segments that go through a network at once."""

_LEAST_SPEECH = 0.1
"""A step of a timeline with a smaller share of speech is silent."""

Arrays = Mapping[str, np.ndarray]

Forward = Callable[[np.ndarray], Arrays]
"""Segments `(n, frames, bins)` in dB, or a waveform `(1, samples)`, to `{task: (n, classes)}`."""


@dataclass(frozen=True)
class _Speech:
    """A block without its pauses.

    Attributes:
        samples: What is left, `(samples,)`.
        spectrogram: Of that, `(frames, bins)` in dB.
        intervals: Where in the block it was, `(intervals, 2)` samples.
    """

    samples: np.ndarray
    spectrogram: np.ndarray
    intervals: np.ndarray


@dataclass(frozen=True, eq=False)
class _Heard:
    """What is kept of a block: the mean over its segments and its weight, its level, the steps.

    A step is where it begins and posteriors `(classes,)`, none in silence.
    """

    end_s: float
    speech_s: float
    level_db: float
    segments: int
    weight: int
    means: Arrays
    steps: list[tuple[float, Arrays]]


class Recogniser:
    """A trained model that is called with recordings.

    Args:
        description: What the model takes and gives.
        forward: The model itself.
    """

    def __init__(self, description: Description, forward: Forward) -> None:
        """Keep both; `load` is the way to get one."""
        self.description = description
        self._forward = forward

    @classmethod
    def load(cls, path: Path | str) -> "Recogniser":
        """Load a run's folder, or a file that `ser-aae export` wrote.

        Raises:
            UserError: Neither of the two, incomplete or damaged.
        """
        path = Path(path)
        if (path / CONFIG).is_file():
            return cls(describe_run(path), _load_run(path))
        return cls(*load_exported(path))

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
        rate_hz = self.description.frontend.sample_rate_hz
        return self._recognise(sample_blocks(samples, sample_rate_hz, rate_hz), timeline_seconds)

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
        rate_hz = self.description.frontend.sample_rate_hz
        return self._recognise(file_blocks(Path(path), rate_hz), timeline_seconds, show)

    def _recognise(
        self,
        blocks: Iterable[Block],
        step_s: float | None,
        show: Callable[[float], None] | None = None,
    ) -> Recognition:
        if step_s is not None and not 0.1 <= step_s <= BLOCK_S:
            raise UserError(
                f"timeline: expected a step of 0.1 to {BLOCK_S:g} seconds, got {step_s:g}"
            )
        heard = []
        for block in blocks:
            heard.append(self._hear(block, step_s))
            if show:
                show(heard[-1].end_s)
        least_db = max(each.level_db for each in heard) - self.description.frontend.silence_db
        spoken = [each for each in heard if each.segments and each.level_db > least_db]
        weight = sum(each.weight for each in spoken)
        tasks = self.description.classes if spoken else ()
        sums = {task: sum(each.weight * each.means[task] for each in spoken) for task in tasks}
        duration_s = heard[-1].end_s
        return Recognition(
            duration_s=duration_s,
            speech_s=sum(each.speech_s for each in spoken),
            segments=sum(each.segments for each in spoken),
            posteriors=self._name({task: sums[task] / weight for task in tasks}),
            timeline=tuple(
                Moment(start_s, min(start_s + (step_s or 0.0), duration_s), self._name(values))
                for each in heard
                for start_s, values in (each.steps if each in spoken else _silence(each.steps))
            ),
            warnings=self.description.warnings,
        )

    def _hear(self, block: Block, step_s: float | None) -> _Heard:
        """Run the network over a block."""
        config, about = self.description.frontend, self.description
        end_s = block.start_s + len(block.signal) / config.sample_rate_hz
        edges_s = _step_starts(block.start_s, end_s, step_s)
        if is_silent(block.signal):
            return _Heard(end_s, 0.0, -np.inf, 0, 0, {}, [(start_s, {}) for start_s in edges_s])
        intervals = speech_intervals(block.signal, config)
        samples = np.concatenate([block.signal[first:last] for first, last in intervals])
        # to half precision and back, as the shards of a run hold it
        spectrogram = log_spectrogram(samples, config).astype(np.float16).astype(np.float32)
        starts = about.segment_starts(len(spectrogram))
        speech = _Speech(samples, spectrogram, intervals)
        if about.input == WAVEFORM:
            found = self._forward(block.signal[None])
            means = {task: values[0] for task, values in found.items()}
        else:
            found = self._segments(speech, starts)
            means = {task: values.mean(axis=0, dtype=np.float64) for task, values in found.items()}
        relative = (edges_s - block.start_s) * config.sample_rate_hz
        steps = self._steps(speech, relative, (step_s or 0.0) * config.sample_rate_hz)
        return _Heard(
            end_s=end_s,
            speech_s=len(samples) / config.sample_rate_hz,
            level_db=loudest_db(block.signal, config),
            segments=len(starts),
            weight=about.weight(len(spectrogram)),
            means=means,
            steps=list(zip(edges_s.tolist(), steps, strict=True)),
        )

    def _steps(self, speech: _Speech, starts: np.ndarray, length: float) -> list[Arrays]:
        """Return the posteriors of steps of a timeline, each of the segment around it.

        Args:
            speech: The block they lie in.
            starts: `(steps,)` their first samples in the block.
            length: Of a step, in samples.
        """
        if not len(starts):
            return []
        # how much speech lies before each edge: it rises within the intervals and not between
        lengths = np.diff(speech.intervals, axis=1)[:, 0]
        before = np.stack([np.cumsum(lengths) - lengths, np.cumsum(lengths)], axis=1)
        first, last = (
            np.interp(edge, speech.intervals.ravel(), before.ravel())
            for edge in (starts, starts + length)
        )
        frames = self.description.segment_frames
        middle = (first + last) / 2 / shift_samples(self.description.frontend)
        latest = max(len(speech.spectrogram) - frames, 0)
        wanted = np.clip(np.round(middle - frames / 2).astype(np.int64), 0, latest)
        unique, place = np.unique(wanted, return_inverse=True)
        found = self._segments(speech, unique)
        tasks = [task for task in found if task != "speaker"]
        return [
            {task: found[task][row] for task in tasks} if spoken else {}
            for row, spoken in zip(place, last - first >= _LEAST_SPEECH * length, strict=True)
        ]

    def _segments(self, speech: _Speech, starts: np.ndarray) -> dict[str, np.ndarray]:
        """Return `{task: (segments, classes)}` of the segments that begin at these frames."""
        about = self.description
        if about.input == WAVEFORM:
            shift = shift_samples(about.frontend)
            length = (about.segment_frames - 1) * shift + window_samples(about.frontend)
            batches = [
                self._forward(speech.samples[None, start * shift :][:, :length]) for start in starts
            ]
        else:
            batches = [
                self._forward(
                    cut_segments(speech.spectrogram, part, about.segment_frames, about.pad)
                )
                for part in np.split(starts, range(BATCH, len(starts), BATCH))
            ]
        return {task: np.concatenate([batch[task] for batch in batches]) for task in about.classes}

    def _name(self, values: Arrays) -> Posteriors:
        """Put names to posteriors `{task: (classes,)}`, the primary task first."""
        return {
            task: dict(zip(names, values[task].tolist(), strict=True))
            for task, names in self.description.classes.items()
            if task in values
        }


def _silence(steps: Iterable[tuple[float, Arrays]]) -> list[tuple[float, Arrays]]:
    return [(start_s, {}) for start_s, _ in steps]


def _step_starts(start_s: float, end_s: float, step_s: float | None) -> np.ndarray:
    """Return where the steps begin that begin in a block, counted from the recording's start."""
    if step_s is None:
        return np.zeros(0)
    # a step that begins where a block does is not lost to rounding
    first, last = (int(np.ceil(edge / step_s - 1e-9)) for edge in (start_s, end_s))
    return np.arange(first, last) * step_s


def _load_run(run: Path) -> Forward:
    """Return the model of a run's folder as a function of segments in dB."""
    import tensorflow as tf  # here: exported models need none of it

    from ser_aae.pipeline import to_network
    from ser_aae.trained import load_trained

    model, normalisation = load_trained(run)
    bins = len(normalisation.mean)
    signature = [tf.TensorSpec([None, None, bins], tf.float32)]

    @tf.function(input_signature=signature)
    def forward(segments: tf.Tensor) -> dict[str, tf.Tensor]:
        frames = model.encoder.input_shape[2]
        normal = tf.ensure_shape(to_network(segments, normalisation), [None, bins, frames, 1])
        found: dict[str, tf.Tensor] = model(normal, training=False)
        return found

    return lambda segments: {task: value.numpy() for task, value in forward(segments).items()}
