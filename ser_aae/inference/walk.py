"""One walk over a recording: every output of a network, over all that is said and at each step.

A recording under 40 s is treated as an utterance of a run is, with the same outputs. A longer
one is cut into blocks of 10 s (see `ser_aae.frontend.blocks`), of which only sums are kept. A
block whose loudest frame lies as far under that of the whole recording as silence does within
an utterance (`frontend.silence_db`) is taken for a pause. An output of the whole is the mean
over all segments that are not in pauses.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ser_aae.errors import UserError
from ser_aae.frontend.blocks import BLOCK_S, Block, file_blocks, sample_blocks
from ser_aae.frontend.segments import SegmentMeans, cut_segments
from ser_aae.frontend.silence import is_silent, loudest_db, speech_intervals
from ser_aae.frontend.spectrogram import log_spectrogram, shift_samples, window_samples
from ser_aae.inference.signature import WAVEFORM, Description

BATCH = 32
"""Segments that go through a network at once."""

D_VECTOR = "d_vector"
"""Output that is no task's posteriors but the last hidden layer of the speaker classifier."""

_LEAST_SPEECH = 0.1
"""A step with a smaller share of speech is silent."""

Outputs = Mapping[str, np.ndarray]

Forward = Callable[[np.ndarray], Outputs]
"""Segments `(n, frames, bins)` in dB, or a waveform `(1, samples)`, to `{output: (n, values)}`.

An output is the posteriors of a task, under its name, or `D_VECTOR`.
"""

Observer = Callable[[Block, float], None]
"""Gets each block when the network is through with it, and where the block ends in seconds."""


@dataclass(frozen=True, eq=False)
class Step:
    """A step of a recording: where it begins and ends, and what the segment around it gives.

    `outputs` are `{task: (classes,)}` of all tasks but the speaker; none in a pause.
    """

    start_s: float
    end_s: float
    outputs: Outputs


@dataclass(frozen=True, eq=False)
class Walk:
    """What a network gives of a recording.

    Attributes:
        duration_s: Length of the recording.
        speech_s: Of which no pause.
        segments: How many segments the means are taken over.
        means: Output to its mean `(values,)`; none where all is silence.
        steps: Steps of equal length; none where none were asked for.
    """

    duration_s: float
    speech_s: float
    segments: int
    means: Outputs
    steps: list[Step]


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
class _BlockSums:
    """What is kept of a block: the mean over its segments and its weight, its level, the steps.

    A step is where it begins and its outputs, none in a pause within the block.
    """

    end_s: float
    speech_s: float
    level_db: float
    segments: int
    weight: int
    means: Outputs
    steps: list[tuple[float, Outputs]]


class Walker:
    """A network that is led over recordings.

    Args:
        description: What the network takes.
        forward: The network itself.
    """

    def __init__(self, description: Description, forward: Forward) -> None:
        """Keep both."""
        self.description = description
        self.forward = forward

    def walk_file(
        self, path: Path | str, step_s: float | None = None, observe: Observer | None = None
    ) -> Walk:
        """Walk over a recording of any length, rate and container.

        Args:
            path: The recording, which is read once.
            step_s: Length of the steps, 0.1 to 10; none are made without.
            observe: Called after each block.

        Raises:
            UserError: The file cannot be read, or a step that cannot be.
        """
        rate_hz = self.description.frontend.sample_rate_hz
        return self._walk(file_blocks(Path(path), rate_hz), step_s, observe)

    def walk_samples(
        self, samples: np.ndarray, sample_rate_hz: float, step_s: float | None = None
    ) -> Walk:
        """Walk over samples in memory.

        Args:
            samples: `(samples,)` or `(samples, channels)`, floats in [-1, 1] or signed integers.
            sample_rate_hz: Their rate, any.
            step_s: Length of the steps, 0.1 to 10; none are made without.

        Raises:
            UserError: Samples or a step that cannot be.
        """
        rate_hz = self.description.frontend.sample_rate_hz
        return self._walk(sample_blocks(samples, sample_rate_hz, rate_hz), step_s)

    def _walk(
        self, blocks: Iterable[Block], step_s: float | None, observe: Observer | None = None
    ) -> Walk:
        if step_s is not None and not 0.1 <= step_s <= BLOCK_S:
            raise UserError(
                f"timeline: expected a step of 0.1 to {BLOCK_S:g} seconds, got {step_s:g}"
            )
        found = []
        for block in blocks:
            found.append(self._sum_block(block, step_s))
            if observe:
                observe(block, found[-1].end_s)
        least_db = max(each.level_db for each in found) - self.description.frontend.silence_db
        spoken = [each for each in found if each.segments and each.level_db > least_db]
        weight = sum(each.weight for each in spoken)
        names = spoken[0].means if spoken else ()
        duration_s = found[-1].end_s
        return Walk(
            duration_s=duration_s,
            speech_s=sum(each.speech_s for each in spoken),
            segments=sum(each.segments for each in spoken),
            means={
                name: sum(each.weight * each.means[name] for each in spoken) / weight
                for name in names
            },
            steps=[
                Step(
                    start_s,
                    min(start_s + (step_s or 0.0), duration_s),
                    outputs if each in spoken else {},
                )
                for each in found
                for start_s, outputs in each.steps
            ],
        )

    def _sum_block(self, block: Block, step_s: float | None) -> _BlockSums:
        """Run the network over a block."""
        config, about = self.description.frontend, self.description
        end_s = block.start_s + len(block.signal) / config.sample_rate_hz
        edges_s = _step_starts(block.start_s, end_s, step_s)
        if is_silent(block.signal):
            return _BlockSums(
                end_s, 0.0, -np.inf, 0, 0, {}, [(start_s, {}) for start_s in edges_s.tolist()]
            )
        intervals = speech_intervals(block.signal, config)
        samples = np.concatenate([block.signal[first:last] for first, last in intervals])
        # to half precision and back, as the shards of a run hold it
        spectrogram = log_spectrogram(samples, config).astype(np.float16).astype(np.float32)
        speech = _Speech(samples, spectrogram, intervals)
        starts = about.segment_starts(len(spectrogram))
        # a model of waveforms cuts its segments and takes their mean itself
        whole = about.input == WAVEFORM
        batches = [self.forward(block.signal[None])] if whole else self._batches(speech, starts)
        means = SegmentMeans(np.zeros(1, np.int64))
        for outputs in batches:
            means.add(np.zeros(len(next(iter(outputs.values()))), np.int64), outputs)
        relative = (edges_s - block.start_s) * config.sample_rate_hz
        steps = self._steps(speech, relative, (step_s or 0.0) * config.sample_rate_hz)
        return _BlockSums(
            end_s=end_s,
            speech_s=len(samples) / config.sample_rate_hz,
            level_db=loudest_db(block.signal, config),
            segments=len(starts),
            weight=about.weight(len(spectrogram)),
            means={name: values[0] for name, values in means.means().items()},
            steps=list(zip(edges_s.tolist(), steps, strict=True)),
        )

    def _steps(self, speech: _Speech, starts: np.ndarray, length: float) -> list[Outputs]:
        """Return the outputs of steps, each of the segment around it.

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
        tasks = [task for task in self.description.classes if task != "speaker"]
        batches = [
            {task: outputs[task] for task in tasks} for outputs in self._batches(speech, unique)
        ]
        found = {task: np.concatenate([batch[task] for batch in batches]) for task in tasks}
        return [
            {task: found[task][row] for task in tasks} if spoken else {}
            for row, spoken in zip(place, last - first >= _LEAST_SPEECH * length, strict=True)
        ]

    def _batches(self, speech: _Speech, starts: np.ndarray) -> Iterator[Outputs]:
        """Yield `{output: (segments, values)}` of the segments that begin at these frames."""
        about = self.description
        if about.input == WAVEFORM:
            shift = shift_samples(about.frontend)
            length = (about.segment_frames - 1) * shift + window_samples(about.frontend)
            for start in starts:
                yield self.forward(speech.samples[None, start * shift :][:, :length])
            return
        for part in np.split(starts, range(BATCH, len(starts), BATCH)):
            yield self.forward(
                cut_segments(speech.spectrogram, part, about.segment_frames, about.pad)
            )


def _step_starts(start_s: float, end_s: float, step_s: float | None) -> np.ndarray:
    """Return where the steps begin that begin in a block, counted from the recording's start."""
    if step_s is None:
        return np.zeros(0)
    # a step that begins where a block does is not lost to rounding
    first, last = (int(np.ceil(edge / step_s - 1e-9)) for edge in (start_s, end_s))
    return np.arange(first, last) * step_s
