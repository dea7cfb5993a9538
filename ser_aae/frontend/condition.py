"""Condition of a recording: what is odd about its sound, whatever a model says of it.

A model answers to any sound, and is as sure of a hum as of a voice. The limits below were chosen so
that they leave out nearly all of RAVDESS, URDU, TurEV-DB and BAVED, 400 recordings of each.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np

from ser_aae.frontend.channels import average_channels

CANCELLED = 0.2
"""Power of the mean of n channels, over what channels that have nothing in common leave of it.

Those leave 1/n of the channels' mean power. Two channels of equal power leave a tenth of it, and
are at this limit, where they correlate by -0.8.
"""

LOST_SHARE = 0.2
"""Share of a recording's power that lies in stretches which averaging loses."""

_STRETCH = 1 << 13
"""Samples of a stretch, half a second of speech."""

SHORT_S = 0.2
"""Length of a short syllable; the shortest utterance of the four corpora has 0.4 s."""

QUIET_DB = -60.0
"""Level of the loudest frame; RAVDESS' quietest recording has -55 dB."""

STEADY_DB = 2.0
"""Deviation of the frames' levels: 3.6 dB or more in all recordings of the four corpora.

White noise has 0.3 dB, pink noise 1, a hum 0; a second of a held vowel may lie under it too.
"""

CLIPPED_SHARE = 1e-3
"""Share of samples at full scale; one in twenty recordings of URDU has more, of the others none."""

OVER_FULL_SCALE = 2.0
"""Peak that neither resampling nor a lossy codec makes of sound within full scale."""

_FULL_SCALE = 0.999
_FRAME_S = 0.025
_RANGE_DB = 30.0
"""Frames further under the loudest one are a pause, whose level is of no matter."""

_SILENCE_DB = -100.0

_OF_LEVELS = {"silent", "quiet", "steady", "offset"}
"""Kinds of oddities that are found in the sound that is listened to."""


@dataclass(frozen=True)
class Condition:
    """Sums and extremes over a recording, or a block of it.

    Attributes:
        samples: Number of samples a channel.
        duration_s: Their length.
        channels: Number of channels.
        peak: Largest magnitude of a sample of any channel, 1 being full scale.
        at_full_scale: Number of samples at or over full scale, of all channels.
        power: Sum of the squares of all channels' samples, divided by the channels.
        lost_power: That of the stretches in which the channels cancel each other.
        total: Sum of the samples that are listened to.
        loudest_db: Level of their loudest frame, its offset left out.
        frames: Number of their frames that are no pause.
        levels: Sum of the levels of those frames, in dB.
        squared_levels: Sum of the squares of these levels.
    """

    samples: int
    duration_s: float
    channels: int
    peak: float
    at_full_scale: int
    power: float
    lost_power: float
    total: float
    loudest_db: float
    frames: int
    levels: float
    squared_levels: float

    @property
    def clipped(self) -> float:
        """The share of samples at full scale."""
        return self.at_full_scale / (self.samples * self.channels)

    @property
    def is_clipped(self) -> bool:
        """Whether more of them are there than in sound that fits."""
        return self.clipped > CLIPPED_SHARE


_EXTREMES = ("channels", "peak", "loudest_db")
"""Fields of a `Condition` that are not added up."""


def measure(samples: np.ndarray, mono: np.ndarray, rate_hz: float) -> Condition:
    """Return the condition of samples.

    Args:
        samples: `(samples, channels)` float32, as they are in the recording.
        mono: `(samples,)` float32 that are listened to: a channel, or the mean of all.
        rate_hz: The rate of both.
    """
    magnitude = np.abs(samples)
    loudest_db, spoken = _spoken_levels(mono, rate_hz)
    power, lost = _measure_power(samples)
    return Condition(
        samples=len(samples),
        duration_s=len(samples) / rate_hz,
        channels=samples.shape[1],
        peak=float(magnitude.max(initial=0.0)),
        at_full_scale=int((magnitude >= _FULL_SCALE).sum()),
        power=power,
        lost_power=lost,
        total=float(mono.sum(dtype=np.float64)),
        loudest_db=loudest_db,
        frames=len(spoken),
        levels=float(spoken.sum()),
        squared_levels=float(np.square(spoken).sum()),
    )


def join(conditions: Iterable[Condition]) -> Condition:
    """Return the condition of a recording from those of its blocks, one or more."""
    parts = list(conditions)
    return Condition(
        **{
            item.name: (max if item.name in _EXTREMES else sum)(
                getattr(part, item.name) for part in parts
            )
            for item in fields(Condition)
        }
    )


def is_cancelled(samples: np.ndarray) -> bool:
    """Return whether the channels of `(samples, channels)` cancel each other when averaged."""
    return samples.shape[1] > 1 and _is_lost(*_measure_power(samples))


def describe(
    condition: Condition, *, is_mixed: bool = True, keeps_offset: bool = False
) -> dict[str, str]:
    """Return what is odd about a recording: a word for each kind, and a sentence.

    Args:
        condition: Its condition.
        is_mixed: Whether the mean of its channels is listened to.
        keeps_offset: Whether the front end does not remove a constant offset.
    """
    found = dict((*_describe_samples(condition), *_describe_levels(condition)))
    passed_over = set() if keeps_offset else {"offset"}
    if not is_mixed:
        passed_over.add("cancelled")
    elif "cancelled" in found:
        passed_over |= _OF_LEVELS  # of what cancelling has left
    return {kind: sentence for kind, sentence in found.items() if kind not in passed_over}


def _describe_samples(condition: Condition) -> Iterator[tuple[str, str]]:
    """Yield what is odd about channels, length and extremes of a recording."""
    if _is_lost(condition.power, condition.lost_power):
        yield (
            "cancelled",
            f"its {condition.channels} channels cancel each other when they are averaged; take "
            "one of them alone: predict --channel left, or channel in a table",
        )
    if condition.duration_s < SHORT_S:
        yield "short", f"{condition.duration_s:.3g} s, less than a syllable takes"
    if condition.peak > OVER_FULL_SCALE:
        yield (
            "over",
            f"samples of up to {condition.peak:.3g} times full scale; if they are integers, divide "
            "them by the full scale of their type",
        )
    elif condition.is_clipped:
        yield "clipped", f"clipped: {100 * condition.clipped:.2g} % of its samples at full scale"


def _describe_levels(condition: Condition) -> Iterator[tuple[str, str]]:
    """Yield what is odd about the levels of a recording's frames, and their offset."""
    loudest_db, offset = condition.loudest_db, condition.total / condition.samples
    if loudest_db <= _SILENCE_DB:
        yield "silent", "digital silence"
        return
    if loudest_db < QUIET_DB:
        yield "quiet", f"hardly any sound: its loudest moment has {loudest_db:.0f} dB of full scale"
    # clipping brings all to one level, speech too
    is_judged = condition.duration_s >= SHORT_S and not condition.is_clipped
    if is_judged and (deviation := _deviation(condition)) < STEADY_DB:
        yield (
            "steady",
            f"no speech: its level stays within {deviation:.1f} dB, as noise or a hum does",
        )
    offset_db = 20 * np.log10(max(abs(offset), 1e-10))
    if loudest_db >= QUIET_DB and offset_db > loudest_db - _RANGE_DB:
        yield (
            "offset",
            f"a constant offset of {offset:.2g}, which this model takes for sound; remove it",
        )


def _spoken_levels(mono: np.ndarray, rate_hz: float) -> tuple[float, np.ndarray]:
    """Return the level of the loudest frame, and those of all that are no pause, in dB."""
    length = min(max(round(_FRAME_S * rate_hz), 1), len(mono))
    frames = mono[: len(mono) // length * length].reshape(-1, length)
    # of each frame its own mean is left out, so that neither offset nor drift is a level
    power = np.square(frames - frames.mean(axis=1, keepdims=True)).mean(axis=1, dtype=np.float64)
    decibel = np.maximum(10 * np.log10(np.maximum(power, 1e-10)), _SILENCE_DB)
    loudest_db = float(decibel.max())
    return loudest_db, decibel[decibel > max(loudest_db - _RANGE_DB, _SILENCE_DB)]


def _deviation(condition: Condition) -> float:
    """Return the standard deviation of the levels of what is no pause."""
    if not condition.frames:
        return 0.0
    mean = condition.levels / condition.frames
    return float(np.sqrt(max(condition.squared_levels / condition.frames - mean**2, 0.0)))


def _measure_power(samples: np.ndarray) -> tuple[float, float]:
    """Return the power of `(samples, channels)`, and that of the stretches that averaging loses.

    Both are sums of squares, divided by the channels; each channel's offset is left out.
    """
    channels = samples.shape[1]
    if not samples.size:
        return 0.0, 0.0
    centred = samples - samples.mean(axis=0, keepdims=True)
    begins = np.arange(0, len(centred), _STRETCH)
    squares = np.square(centred).sum(axis=1, dtype=np.float64) / channels
    power = np.add.reduceat(squares, begins)
    mixed = np.add.reduceat(np.square(average_channels(centred), dtype=np.float64), begins)
    is_lost = (channels * mixed < CANCELLED * power) & (channels > 1)
    return float(power.sum()), float(power[is_lost].sum())


def _is_lost(power: float, lost: float) -> bool:
    """Return whether the mean of channels lacks a good part of what the channels have."""
    return lost > LOST_SHARE * power
