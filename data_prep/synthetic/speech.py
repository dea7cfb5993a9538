"""Speech-like sound from a glottal source and a vocal-tract filter.

The source-filter model of G. Fant, Acoustic Theory of Speech Production (1960): pulses with
jitter and shimmer, or noise, through five resonances that stand for a vowel.
"""

from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import lfilter, sosfilt

from data_prep.synthetic.voice import Style, Voice

SAMPLE_RATE_HZ = 16000

VOWELS_HZ = {
    "a": (750.0, 1200.0, 2500.0, 3500.0, 4500.0),
    "e": (480.0, 1900.0, 2550.0, 3500.0, 4500.0),
    "i": (290.0, 2250.0, 2950.0, 3600.0, 4500.0),
    "o": (460.0, 850.0, 2450.0, 3400.0, 4500.0),
    "u": (310.0, 750.0, 2300.0, 3300.0, 4500.0),
}
"""Formants of a man's vowels."""

_BANDWIDTHS_HZ = (70.0, 90.0, 130.0, 200.0, 280.0)


def synthesise_utterance(
    voice: Voice, style: Style, duration_s: float, generator: np.random.Generator
) -> np.ndarray:
    """Return an utterance of about the given length.

    Syllables of a noisy consonant and a vowel, pauses between some of them, and a faint
    noise floor under all.

    Returns:
        `(samples,)` float32 in [-1, 1] at `SAMPLE_RATE_HZ`.
    """
    target = round(duration_s * SAMPLE_RATE_HZ)
    # an utterance departs from its style, or the classes would be too easy to tell apart
    median_hz = voice.pitch_hz * style.pitch_factor * 2 ** generator.normal(0.0, 0.06)
    rate = style.syllables_per_s * voice.tempo * generator.uniform(0.88, 1.12)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < target:
        progress = sum(map(len, parts)) / target
        semitones = generator.normal(0.0, style.range_semitones) - 2.0 * progress
        length_s = generator.uniform(0.8, 1.25) / rate
        parts.append(_consonant(length_s * 0.25, generator))
        parts.append(
            _vowel(voice, style, median_hz * 2 ** (semitones / 12), length_s * 0.75, generator)
        )
        if generator.random() < style.pause_share:
            parts.append(np.zeros(round(generator.uniform(0.08, 0.3) * SAMPLE_RATE_HZ)))
    level_db = -26.0 + voice.level_db + style.level_db + generator.normal(0.0, 1.5)
    signal = np.concatenate(parts)[:target]
    signal *= 10 ** (level_db / 20) / np.sqrt(np.mean(signal**2))
    signal += generator.normal(0.0, 10 ** (-70 / 20), target)
    return np.clip(signal, -0.99, 0.99).astype(np.float32)


def glottal_source(
    pitch_hz: np.ndarray, style: Style, generator: np.random.Generator
) -> np.ndarray:
    """Return the source of a vowel, `(samples,)`, for a pitch contour in Hz a sample.

    Each period is open for 60 % of its length and closes faster than it opens, as in A. E.
    Rosenberg, JASA 49 (1971); periods differ in length by 1 % and in strength by 5 %.
    """
    period = np.floor(np.cumsum(pitch_hz) / SAMPLE_RATE_HZ).astype(int)
    jitter = generator.normal(1.0, 0.01, period[-1] + 1)
    shimmer = generator.normal(1.0, 0.05, period[-1] + 2)
    cycles = np.cumsum(pitch_hz * jitter[period]) / SAMPLE_RATE_HZ
    index = np.minimum(np.floor(cycles).astype(int), len(shimmer) - 1)
    phase = np.minimum((cycles % 1.0) / 0.6, 1.0)
    flow = shimmer[index] * (0.5 - 0.5 * np.cos(2 * np.pi * phase**1.5))
    noise = generator.normal(0.0, style.breath, len(pitch_hz))
    # the derivative stands for radiation at the lips, the low-pass for how hard the folds close
    derivative = np.diff(flow, prepend=0.0) * SAMPLE_RATE_HZ / 1000.0
    decay = np.exp(-2 * np.pi * style.tilt_hz / SAMPLE_RATE_HZ)
    return lfilter([1.0 - decay], [1.0, -decay], derivative + noise)


def vocal_tract(formants_hz: tuple[float, ...], scale: float) -> np.ndarray:
    """Return the resonances as second-order sections, `(formants, 6)`, each of gain 1 at 0 Hz."""
    sections = []
    for formant_hz, bandwidth_hz in zip(formants_hz, _BANDWIDTHS_HZ, strict=True):
        radius = np.exp(-np.pi * bandwidth_hz / SAMPLE_RATE_HZ)
        angle = 2 * np.pi * formant_hz * scale / SAMPLE_RATE_HZ
        feedback = [1.0, -2 * radius * np.cos(angle), radius**2]
        sections.append([sum(feedback), 0.0, 0.0, *feedback])
    return np.array(sections)


def write_utterance(
    path: Path, voice: Voice, style: Style, duration_s: float, generator: np.random.Generator
) -> int:
    """Write an utterance of about the given length, and return the number of its samples.

    The file is 16-bit PCM at `SAMPLE_RATE_HZ`, as WAV or FLAC by the path's suffix.
    """
    signal = synthesise_utterance(voice, style, duration_s, generator)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, signal, SAMPLE_RATE_HZ, subtype="PCM_16")
    return len(signal)


def _vowel(
    voice: Voice, style: Style, pitch_hz: float, length_s: float, generator: np.random.Generator
) -> np.ndarray:
    """Return a vowel whose pitch falls or rises a little, faded in and out."""
    samples = max(round(length_s * SAMPLE_RATE_HZ), 160)
    bend = generator.normal(0.0, style.range_semitones / 2)
    contour = pitch_hz * 2 ** (np.linspace(0.5, -0.5, samples) * bend / 12)
    vowel = list(VOWELS_HZ)[generator.integers(len(VOWELS_HZ))]
    tract = vocal_tract(VOWELS_HZ[vowel], voice.tract_scale)
    sound = sosfilt(tract, glottal_source(contour, style, generator))
    return sound * np.sin(np.linspace(0.0, np.pi, samples)) ** 0.5


def _consonant(length_s: float, generator: np.random.Generator) -> np.ndarray:
    """Return a short hiss, differentiated so that its energy lies high."""
    samples = max(round(length_s * SAMPLE_RATE_HZ), 80)
    hiss = np.diff(generator.normal(0.0, 0.02, samples), prepend=0.0)
    return hiss * np.hanning(samples)
