"""The layout of `demo`: a table and a folder of WAV files."""

import csv
from pathlib import Path

import numpy as np

from data_prep.synthetic.speech import write_utterance
from data_prep.synthetic.voice import STYLES, Style, draw_voices

DEFAULT_SPEAKERS = 8
UTTERANCES_PER_EMOTION = 10

_COLUMNS = ("file", "speaker", "gender", "emotion", "activation", "valence", "session")


def write(folder: Path, speakers: int, seed: int) -> None:
    """Write the demo corpus: pairs of a woman and a man share a session."""
    rows = []
    for index, voice in enumerate(draw_voices(speakers, seed)):
        session = f"s{index // 2 + 1}"
        speaker = session + voice.gender.lower()
        for number, (emotion, style) in enumerate(STYLES.items()):
            for take in range(1, UTTERANCES_PER_EMOTION + 1):
                generator = np.random.default_rng([seed, index, number, take])
                file = f"wav/{speaker}/{speaker}-{emotion}-{take:02d}.wav"
                length_s = generator.uniform(1.0, 3.0)
                write_utterance(folder / file, voice, style, length_s, generator)
                ratings = _ratings(style, generator)
                rows.append((file, speaker, voice.gender, emotion, *ratings, session))
    with (folder / "utterances.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([_COLUMNS, *rows])


def _ratings(style: Style, generator: np.random.Generator) -> tuple[float, float]:
    """Return activation and valence as the mean of two raters: halves from 1 to 5."""
    noisy = generator.normal((style.activation, style.valence), 0.5)
    activation, valence = np.clip(np.round(noisy * 2) / 2, 1.0, 5.0)
    return float(activation), float(valence)
