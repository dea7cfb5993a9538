"""The layout of LibriSpeech: a table of readers and FLAC files by reader and chapter."""

from pathlib import Path

import numpy as np

from data_prep.synthetic.speech import SAMPLE_RATE_HZ, write_utterance
from data_prep.synthetic.voice import STYLES, draw_voices

DEFAULT_SPEAKERS = 12
SUBSET = "train-clean-360"
CHAPTERS_PER_READER = 2
UTTERANCES_PER_CHAPTER = 5

_HEADER = """; Synthetic voices in the grammar of LibriSpeech's table of readers.
;
;ID  |SEX| SUBSET           |MINUTES| NAME
"""


def write(folder: Path, speakers: int, seed: int) -> None:
    """Write one subset: readers of two chapters, read without emotion."""
    lines = []
    for index, voice in enumerate(draw_voices(speakers, seed)):
        reader = 101 + index
        samples = 0
        for chapter in range(CHAPTERS_PER_READER):
            chapter_id = 1000 + CHAPTERS_PER_READER * index + chapter
            for number in range(UTTERANCES_PER_CHAPTER):
                generator = np.random.default_rng([seed, index, chapter, number])
                length_s = generator.uniform(2.0, 5.0)
                name = f"{reader}-{chapter_id}-{number:04d}.flac"
                path = folder / SUBSET / str(reader) / str(chapter_id) / name
                samples += write_utterance(path, voice, STYLES["neutral"], length_s, generator)
        minutes = samples / SAMPLE_RATE_HZ / 60
        # the second name holds the separator, as that of reader 60 does in the real table
        name = "|Voice|Two" if index == 1 else f"Voice {index + 1}"
        lines.append(f"{reader:<4} | {voice.gender} | {SUBSET:<16} | {minutes:<5.2f} | {name}\n")
    (folder / "SPEAKERS.TXT").write_text(_HEADER + "".join(lines), encoding="utf-8")
