"""A trained model on new recordings: posteriors of the whole, and of every second.

    recogniser = Recogniser.load("runs/.../fold00-rep00")
    recognition = recogniser(samples, sample_rate_hz, timeline_seconds=1.0)

A recording under 40 s is treated as an utterance of a run is, with the same outputs. A longer
one is cut into blocks of 10 s (see `ser_aae.frontend.blocks`), of which only sums are kept. A
block whose loudest frame lies `frontend.silence_db` under that of the whole recording is taken
for a pause. An output of the whole is the mean over all segments that are not in pauses.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ser_aae.errors import UserError
from ser_aae.frontend.audio import describe_header
from ser_aae.frontend.blocks import BLOCK_S, Block, file_blocks, sample_blocks
from ser_aae.frontend.channels import Channel
from ser_aae.frontend.condition import Condition, describe, join
from ser_aae.frontend.offset import remove_offset
from ser_aae.frontend.segments import SegmentMeans, cut_segments, num_segments, segment_starts
from ser_aae.frontend.silence import is_silent, loudest_db, speech_intervals
from ser_aae.frontend.spectrogram import (
    band_weights,
    log_spectrogram,
    shift_samples,
    unpack_bands,
    window_samples,
)
from ser_aae.inference.exported_model import load_exported, remarks_on_file
from ser_aae.inference.recognition import Moment, Posteriors, Recognition
from ser_aae.inference.signature import (
    D_VECTOR,
    WAVEFORM,
    Forward,
    Outputs,
    Signature,
    read_signature,
)
from ser_aae.results.folder import CONFIG
from ser_aae.results.model_files import remarks_on

BATCH = 32
"""Segments that go through a network at once."""

NO_DIRECTION = (
    "the d-vector of this recording is all zeros: it has no direction, and no cosine with a voice"
)

Observer = Callable[[Block, float], None]
"""Receives each block after the network has had it, and the second in which the block ends."""


@dataclass(frozen=True)
class _Speech:
    """A block without its pauses.

    Attributes:
        samples: Samples that are left, `(samples,)`.
        spectrogram: Spectrogram of those, `(frames, bins)` in dB.
        intervals: Their places in the block, `(intervals, 2)` samples.
    """

    samples: np.ndarray
    spectrogram: np.ndarray
    intervals: np.ndarray


@dataclass(frozen=True, eq=False)
class _BlockSums:
    """A block that the network has had; without segments it is silent.

    Attributes:
        end_s: Its end in the recording.
        steps: Start and posteriors of each step; no posteriors in a pause within the block.
        speech_s: Length of what is no pause in it.
        level_db: Level of its loudest frame.
        weight: Its weight in the whole: the number of segments that would tile it.
    """

    end_s: float
    steps: list[tuple[float, Posteriors]]
    speech_s: float = 0.0
    level_db: float = -np.inf
    segments: int = 0
    weight: int = 0
    means: Outputs = field(default_factory=dict)


def check_step(step_s: float) -> None:
    """Refuse a step of the timeline that is too short or too long.

    Raises:
        UserError: It is.
    """
    if not 0.1 <= step_s <= BLOCK_S:
        raise UserError(f"expected a step of 0.1 to {BLOCK_S:g} seconds, got {step_s:g}")


@dataclass(eq=False)
class Recogniser:
    """A trained model that is called with recordings; `load` is the way to get one.

    Attributes:
        remarks: Sentences on the model's file that whoever runs it should read.
    """

    signature: Signature
    forward: Forward
    remarks: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path | str, trust: bool = False) -> "Recogniser":
        """Load a run's folder, or a file that `ser-aae export` wrote.

        Without `trust` a SavedModel is refused, see `load_exported`.

        Raises:
            UserError: Neither of the two, incomplete, damaged, changed, or a SavedModel.
        """
        path = Path(path)
        if not (path / CONFIG).is_file():
            return cls(*load_exported(path, trust), remarks_on_file(path))
        signature = read_signature(path)
        from ser_aae.inference.run_model import RunModel  # exported models need no TensorFlow

        return cls(signature, RunModel(path), remarks_on(path))

    def __call__(
        self,
        samples: np.ndarray,
        sample_rate_hz: float,
        timeline_seconds: float | None = None,
        channel: Channel = None,
    ) -> Recognition:
        """Recognise samples in memory.

        Args:
            samples: `(samples,)` or `(samples, channels)`, floats in [-1, 1] or signed integers.
            sample_rate_hz: Their rate, any.
            timeline_seconds: Step of the timeline, 0.1 to 10; none is made without.
            channel: The channel to listen to, from 1 on; the mean of all is listened to without.

        Raises:
            UserError: Samples, a step or a channel that cannot be.
        """
        rate_hz = self.signature.frontend.sample_rate_hz
        blocks = sample_blocks(samples, sample_rate_hz, rate_hz, channel)
        return self._recognise(blocks, timeline_seconds, channel=channel)

    def recognise_file(
        self,
        path: Path | str,
        timeline_seconds: float | None = None,
        observe: Observer | None = None,
        channel: Channel = None,
    ) -> Recognition:
        """Recognise a recording of any length, rate and container, which is read once.

        Timeline and channel are those of `__call__`; `observe` is called after each block. What the
        header says wrongly is an oddity too.

        Raises:
            UserError: The file cannot be read, or a step or a channel that cannot be.
        """
        blocks = file_blocks(Path(path), self.signature.frontend.sample_rate_hz, channel)
        recognition = self._recognise(blocks, timeline_seconds, observe, channel)
        remark = describe_header(Path(path))
        return replace(recognition, oddities=(*recognition.oddities, *filter(None, [remark])))

    @cached_property
    def _bands(self) -> np.ndarray:
        """Weights of the bands, `(FFT bins, bins)`; a file that has them needs no librosa."""
        about = self.signature
        if about.bands:
            return unpack_bands(about.bands, about.frontend)
        return band_weights(about.frontend)

    def _recognise(
        self,
        blocks: Iterable[Block],
        step_s: float | None,
        observe: Observer | None = None,
        channel: Channel = None,
    ) -> Recognition:
        if step_s is not None:
            check_step(step_s)
        found, conditions = [], []
        for block in blocks:
            conditions.append(block.condition)
            found.append(self._sum_block(block, step_s))
            if observe:
                observe(block, found[-1].end_s)
        least_db = max(each.level_db for each in found) - self.signature.frontend.silence_db
        spoken = [each for each in found if each.level_db > least_db]
        weight = sum(each.weight for each in spoken)
        means = {
            name: sum(each.weight * each.means[name] for each in spoken) / weight
            for name in (spoken[0].means if spoken else ())
        }
        duration_s, d_vector = found[-1].end_s, means.get(D_VECTOR)
        no_direction = d_vector is not None and not d_vector.any()
        return Recognition(
            duration_s=duration_s,
            speech_s=sum(each.speech_s for each in spoken),
            segments=sum(each.segments for each in spoken),
            posteriors=self._name_classes(means),
            timeline=_join_moments(found, spoken, step_s or 0.0),
            warnings=self.signature.warnings + (NO_DIRECTION,) * no_direction,
            oddities=self._find_oddities(conditions, channel),
            d_vector=d_vector,
        )

    def _find_oddities(self, conditions: Sequence[Condition], channel: Channel) -> tuple[str, ...]:
        """Return what is odd about the blocks of a recording, a sentence for each kind."""
        found = describe(
            join(conditions),
            is_mixed=channel is None,
            keeps_offset=not self.signature.frontend.remove_offset,
        )
        found.pop("silent", None)  # which a recognition says by itself
        return tuple(found.values())

    def _name_classes(self, outputs: Outputs) -> Posteriors:
        """Put names to posteriors `{task: (classes,)}`, the primary task first."""
        return {
            task: dict(zip(names, outputs[task].tolist(), strict=True))
            for task, names in self.signature.classes.items()
            if task in outputs
        }

    def _sum_block(self, block: Block, step_s: float | None) -> _BlockSums:
        about, config = self.signature, self.signature.frontend
        end_s = block.start_s + len(block.signal) / config.sample_rate_hz
        edges_s = _step_starts(block.start_s, end_s, step_s)
        signal = remove_offset(block.signal, config)
        if is_silent(signal):
            return _BlockSums(end_s, [(start_s, {}) for start_s in edges_s.tolist()])
        intervals = speech_intervals(signal, config)
        samples = np.concatenate([signal[first:last] for first, last in intervals])
        # to half precision and back, as the shards of a run hold it
        spectrogram = log_spectrogram(samples, config, self._bands)
        spectrogram = spectrogram.astype(np.float16).astype(np.float32)
        speech = _Speech(samples, spectrogram, intervals)
        frames, length, shift = len(spectrogram), about.segment_frames, about.shift_frames
        starts = segment_starts(frames, length, shift, about.fewest_segments)
        # a model of waveforms removes the offset, cuts its segments and takes their mean itself
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
            level_db=loudest_db(signal, config),
            segments=len(starts),
            # a block of a few frames has more segments than would tile it
            weight=int(num_segments(frames, length, shift)),
            means={name: values[0] for name, values in means.means().items()},
            steps=list(zip(edges_s.tolist(), steps, strict=True)),
        )

    def _steps(self, speech: _Speech, starts: np.ndarray, length: float) -> list[Posteriors]:
        """Return the posteriors of steps, each of the segment around it.

        Those of the speaker, who does not change every second, are there as primary task alone.
        The steps begin at `starts`, `(steps,)` samples of the block, and have `length` samples.
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
        frames = self.signature.segment_frames
        middle = (first + last) / 2 / shift_samples(self.signature.frontend)
        latest = max(len(speech.spectrogram) - frames, 0)
        wanted = np.clip(np.round(middle - frames / 2).astype(np.int64), 0, latest)
        unique, place = np.unique(wanted, return_inverse=True)
        primary = self.signature.primary
        tasks = [task for task in self.signature.classes if task in (primary, "gender")]
        batches = list(self._batches(speech, unique))
        found = {task: np.concatenate([batch[task] for batch in batches]) for task in tasks}
        spoken = last - first >= 0.1 * length  # with a smaller share of speech a step is silent
        return [
            self._name_classes({task: found[task][row] for task in tasks}) if is_spoken else {}
            for row, is_spoken in zip(place, spoken, strict=True)
        ]

    def _batches(self, speech: _Speech, starts: np.ndarray) -> Iterator[Outputs]:
        """Yield `{output: (segments, values)}` of the segments that begin at these frames."""
        about = self.signature
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


def _join_moments(
    blocks: Sequence[_BlockSums], spoken: Sequence[_BlockSums], step_s: float
) -> tuple[Moment, ...]:
    """Return the moments of all blocks, without an answer in those where nobody speaks."""
    end_s = blocks[-1].end_s
    return tuple(
        Moment(start_s, min(start_s + step_s, end_s), said if block in spoken else {})
        for block in blocks
        for start_s, said in block.steps
    )


def _step_starts(start_s: float, end_s: float, step_s: float | None) -> np.ndarray:
    """Return the starts of the steps that begin in a block, in seconds of the recording."""
    if step_s is None:
        return np.zeros(0)
    # a step that begins where a block does is not lost to rounding
    first, last = (int(np.ceil(edge / step_s - 1e-9)) for edge in (start_s, end_s))
    return np.arange(first, last) * step_s
