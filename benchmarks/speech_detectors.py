"""Speech as the energy rule and Silero VAD find it, in the quiet and in noise, and their cost.

    python benchmarks/speech_detectors.py --data-root ../shared/corpora --dataset ravdess --files 60

White noise is added at some ratios to the power of what the energy rule keeps in the quiet; what it
keeps there is also what both are held against in noise: `found` is the share of it that is still
kept, `pauses` the share of its pauses that is still removed. At last, noises without a voice.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from measuring import make_parser

from data_prep.corpora import find_adapter
from ser_aae.config import FrontEndConfig
from ser_aae.frontend.audio import read_audio
from ser_aae.frontend.offset import remove_offset
from ser_aae.frontend.silence import speech_intervals
from ser_aae.frontend.silero import SPEECH, find_probabilities
from ser_aae.results.text import align

ENERGY = FrontEndConfig()
DETECTORS = {name: replace(ENERGY, speech_detector=name) for name in ("energy", "silero")}
RATIOS_DB = (None, 20, 10, 0)
"""Ratios of speech to noise; the first without noise."""


def mark_speech(signal: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Return which samples a detector keeps, `(samples,)` bool."""
    marked = np.zeros(len(signal), bool)
    for start, end in speech_intervals(signal, config):
        marked[start:end] = True
    return marked


def add_noise(
    signal: np.ndarray, speech: np.ndarray, ratio_db: float | None, random: np.random.Generator
) -> np.ndarray:
    """Return a signal with white noise, at a ratio to the mean power of the marked samples."""
    if ratio_db is None:
        return signal
    power = np.square(signal[speech]).mean() / 10 ** (ratio_db / 10)
    return (signal + random.normal(0, np.sqrt(power), len(signal))).astype(np.float32)


def compare(signals: list[np.ndarray]) -> Iterator[list[str]]:
    """Yield a row for each ratio and detector: kept, found, pauses, and ms a second of sound."""
    for ratio_db in RATIOS_DB:
        for name, config in DETECTORS.items():
            random = np.random.default_rng(0)
            kept, found, removed, spent = [], [], [], 0.0
            for signal in signals:
                speech = mark_speech(signal, ENERGY)
                noisy = add_noise(signal, speech, ratio_db, random)
                begun = time.process_time()
                marked = mark_speech(noisy, config)
                spent += time.process_time() - begun
                kept.append(marked.mean())
                found.append(marked[speech].mean())
                removed.append(1 - marked[~speech].mean() if not speech.all() else np.nan)
            length_s = sum(map(len, signals)) / ENERGY.sample_rate_hz
            shares = (np.mean(kept), np.mean(found), np.nanmean(removed))
            noise = "none" if ratio_db is None else f"{ratio_db} dB"
            cost = f"{1000 * spent / length_s:.2f}"
            yield [noise, name, *(f"{100 * share:.0f}" for share in shares), cost]


def make_noises() -> dict[str, np.ndarray]:
    """Return three seconds of noises without a voice, `(samples,)` float32 each."""
    random, rate_hz = np.random.default_rng(0), ENERGY.sample_rate_hz
    time_s = np.arange(3 * rate_hz) / rate_hz
    white = random.normal(0, 0.1, len(time_s))
    spectrum = np.fft.rfft(white)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(white))
    found = {
        "white noise": white,
        "pink noise": pink,
        "hum of 50 Hz": 0.3 * np.sin(2 * np.pi * 50 * time_s),
        "tone of 440 Hz": 0.3 * np.sin(2 * np.pi * 440 * time_s),
    }
    return {name: sound.astype(np.float32) for name, sound in found.items()}


def main() -> None:
    """Print the table of a corpus, and the largest probability of speech in each noise."""
    defaults = {"dataset": "ravdess", "data_root": Path("data"), "files": 60}
    options = make_parser(__doc__, **defaults).parse_args()
    corpus = find_adapter(options.dataset).read(options.data_root, allow_partial=True)
    numbers = np.linspace(0, len(corpus.utterances) - 1, options.files).round().astype(int)
    paths = [corpus.utterances[number].audio_path(corpus.root) for number in numbers]
    signals = [remove_offset(read_audio(path, ENERGY.sample_rate_hz), ENERGY) for path in paths]
    heads = ["noise", "detector", "kept", "found", "pauses", "ms a second"]
    print("\n".join(align([heads, *compare(signals)])))
    for name, sound in make_noises().items():
        most = find_probabilities(sound).max()
        print(f"{name}: speech by at most {most:.2f} ({SPEECH:g} is speech)")


if __name__ == "__main__":
    main()
