"""Synthetic voices, and the effect of an emotion on them.

The directions (anger and happiness raise the pitch, its range, level and tempo and flatten
the spectrum, sadness does the opposite) are those of K. R. Scherer, "Vocal communication of
emotion: A review of research paradigms", Speech Communication 40 (2003). The sizes are
made up, so that a classifier can learn them across voices without being always right.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Voice:
    """A speaker.

    Attributes:
        gender: `"F"` or `"M"`.
        pitch_hz: Median fundamental frequency.
        tract_scale: Factor on all formants, from the length of the vocal tract.
        level_db: Loudness against other speakers.
        tempo: Factor on the syllable rate.
    """

    gender: str
    pitch_hz: float
    tract_scale: float
    level_db: float
    tempo: float


@dataclass(frozen=True)
class Style:
    """The effect of an emotion on a voice.

    Attributes:
        pitch_factor: Factor on the median fundamental frequency.
        range_semitones: Standard deviation of the syllables' pitch.
        level_db: Change of the level.
        syllables_per_s: Tempo.
        tilt_hz: Corner of the low-pass on the glottal source; low sounds soft.
        breath: Share of noise in the source.
        pause_share: Chance of a pause after a syllable.
        activation: Mean rating, 1 to 5.
        valence: Mean rating, 1 to 5.
    """

    pitch_factor: float
    range_semitones: float
    level_db: float
    syllables_per_s: float
    tilt_hz: float
    breath: float
    pause_share: float
    activation: float
    valence: float


STYLES = {
    "anger": Style(1.25, 3.5, 7.0, 5.6, 2600.0, 0.02, 0.06, 4.0, 1.8),
    "happiness": Style(1.30, 5.0, 3.5, 5.0, 1700.0, 0.03, 0.10, 3.7, 4.1),
    "neutral": Style(1.00, 2.0, 0.0, 4.4, 1000.0, 0.03, 0.14, 2.7, 3.0),
    "sadness": Style(0.92, 1.0, -6.0, 3.2, 500.0, 0.10, 0.26, 2.1, 2.0),
}
"""Emotion to its style, in the order in which utterances are drawn."""


def draw_voice(gender: str, generator: np.random.Generator) -> Voice:
    """Return a voice in the range of women or of men."""
    low_hz, high_hz = (175.0, 230.0) if gender == "F" else (92.0, 140.0)
    scale = 1.16 if gender == "F" else 1.0
    return Voice(
        gender=gender,
        pitch_hz=generator.uniform(low_hz, high_hz),
        tract_scale=scale * generator.uniform(0.94, 1.06),
        level_db=generator.uniform(-2.0, 2.0),
        tempo=generator.uniform(0.9, 1.1),
    )


def draw_voices(count: int, seed: int) -> list[Voice]:
    """Return voices, women and men in turn; voice i is the same whatever `count` is."""
    return [draw_voice("FM"[i % 2], np.random.default_rng([seed, i])) for i in range(count)]
