"""TurEV-DB: Turkish words of six actors in four emotions.

Six actors say 82 Turkish words, angry, calm, happy and sad: 1735 recordings of a word each,
0.46 hours, 44.1 kHz. There is no neutral speech, and nothing beside the files says which actors are
women. The emotions are not complete: actor 1157 has anger and sadness alone, actor 7895 only 29
happy recordings.

File names are actor, emotion (Turkish: kz angry, sk calm, mt happy, hl sad) and word, which is
written without the letters that English lacks:

    Sound Source/Angry/1157_kz_acik.wav          actor 1157, angry, "acik"
    Sound Source/Sad/7895_hl_ogul1.wav           the one word with a number behind it

Re-distributions as FLAC keep the names. The published repository also holds what a model was tested
on, `Model Output for Test Data/`: 698 filtered copies of recordings, under the same names. They are
passed over.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from data_prep.corpus import (
    AUDIO_SUFFIXES,
    Corpus,
    build_corpus,
    collect_utterances,
    files_below,
)
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.labels import UNKNOWN_GENDER, canonical_emotion
from ser_aae.utterance import Dropped, Utterance

NAME = "turev"
VERSION = "1.0.0"
TITLE = "TurEV-DB, Turkish words of 6 actors in 4 emotions (none of them neutral)"
LICENSE = "CC BY-NC-ND 4.0 by its README; the file LICENSE beside that is the GPL 3.0"
OBTAIN = "Clone https://github.com/Xeonen/TurEV-DB to that folder; Sound Source suffices."
BIBTEX = """@inproceedings{canpolat2020turkish,
  author    = {Canpolat, Salih Firat and Ormano{\\u{g}}lu, Zuhal and Zeyrek, Deniz},
  title     = {Turkish Emotion Voice Database ({TurEV-DB})},
  booktitle = {Proceedings of the 1st Joint Workshop on Spoken Language Technologies for
               Under-resourced languages and Collaboration and Computing for Under-Resourced
               Languages},
  pages     = {368--375},
  year      = {2020}
}"""
TREE = """  <data root>/turev/Sound Source/Angry/1157_kz_acik.wav
  ... Angry, Calm, Happy and Sad, as .wav or .flac, with or without the folder Sound Source"""
LANGUAGE = "tur"
FACTS = CorpusFacts(title="TurEV-DB", elicitation="acted", aliases=("turev-db",))

EMOTION_CODES = {"hl": "sad", "kz": "angry", "mt": "happy", "sk": "calm"}
"""Letters of the Turkish words."""
EXPECTED = {"utterances": 1735, "speakers": 6} | {
    "utterances of anger": 487,
    "utterances of calm": 408,
    "utterances of happiness": 357,
    "utterances of sadness": 483,
}
"""Counts of the published files; the corpus' paper says `over 1700`."""
EXCLUDED = {
    "name": "name is not <actor>_<emotion>_<word>",
    "folder": "the emotion in the name is not that of the folder",
    "model": "a model's output, no recording",
}

MODEL_OUTPUT = "Model Output for Test Data"
"""Folder of filtered copies."""
_NAME = re.compile(r"(\d+)_([a-z]{2})_([a-z]+)(\d*)", re.IGNORECASE)


@dataclass(frozen=True)
class RecordingName:
    """The fields of a file name; the word without a number that stands behind it."""

    actor: str
    emotion: str
    word: str


def parse_name(stem: str) -> RecordingName | None:
    """Return the fields of a file's stem, or `None` where it does not follow the pattern."""
    match = _NAME.fullmatch(stem)
    return RecordingName(match[1], match[2].lower(), match[3].lower()) if match else None


def read(location: Path) -> Corpus:
    """Read the corpus below a folder, apart from what a model put out."""
    files = files_below(location, AUDIO_SUFFIXES)
    outputs = [path for path in files if MODEL_OUTPUT in path.parts]
    recordings = sorted(set(files) - set(outputs))
    utterances, dropped = collect_utterances(recordings, _utterance)
    dropped += [Dropped(path.as_posix(), EXCLUDED["model"]) for path in outputs]
    return build_corpus(location, utterances, dropped, EXPECTED)


def _utterance(path: Path) -> Utterance | str:
    name = parse_name(path.stem)
    if name is None:
        return EXCLUDED["name"]
    folder = path.parent.name.lower()
    if folder in EMOTION_CODES.values() and folder != EMOTION_CODES.get(name.emotion):
        return EXCLUDED["folder"]
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{name.actor}",
        gender=UNKNOWN_GENDER,
        emotion=canonical_emotion(EMOTION_CODES.get(name.emotion, name.emotion)),
        emotion_raw=name.emotion,
        language=LANGUAGE,
        extra={"sentence": name.word},
    )
