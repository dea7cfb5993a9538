"""URDU: utterances from Urdu talk shows.

Four hundred clips of one to three seconds, a quarter of an hour in all, 44.1 kHz mono, one
hundred of each of four emotions. The paper speaks of 38 speakers; the file names hold 29,
eighteen men and eleven women.

File names are S, gender and number of the speaker; the number of the speaker's clip; the
emotion's letter and a running number. Nothing is padded to a fixed width:

    Angry/SM1_F10_A010.wav     a man, speaker 1, his 10th clip, angry

Emotion and speaker are confounded: no speaker has all four emotions, all anger is male. A
result on this corpus says little without that of a predictor which knows only the speaker.

Ten pairs of clips were cut from one recording and overlap. Two of these pairs are a clip of SF1
and one of SF4. The two may be one person, or both speak in the show that the clips were cut from:
the names do not tell, and a split by speakers may have the same sound on both sides.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from data_prep.archives import Archive
from data_prep.corpus import Corpus, build_corpus, collect_utterances, files_below
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Utterance

NAME = "urdu"
VERSION = "1.0.0"
TITLE = "URDU, emotional utterances from talk shows"
LICENSE = "research use only (the authors' words; no licence file)"
OBTAIN = "Clone https://github.com/siddiquelatif/URDU-Dataset to that folder."
DOWNLOADS = (
    Archive(
        "https://github.com/siddiquelatif/URDU-Dataset/archive/refs/heads/master.zip",
        inner="URDU-Dataset-*",
    ),
)
BIBTEX = """@inproceedings{latif2018cross,
  author    = {Latif, Siddique and Qayyum, Adnan and Usman, Muhammad and Qadir, Junaid},
  title     = {Cross Lingual Speech Emotion Recognition: {Urdu} vs. {Western} Languages},
  booktitle = {International Conference on Frontiers of Information Technology (FIT)},
  pages     = {88--93},
  year      = {2018}
}"""
TREE = """  <data root>/urdu/Angry/SM1_F1_A01.wav
  ... 100 files each in Angry, Happy, Neutral and Sad"""
LANGUAGE = "urd"
FACTS = CorpusFacts(title="URDU", elicitation="natural")

EMOTION_CODES = {"A": "angry", "H": "happy", "N": "neutral", "S": "sad"}
EXPECTED = {"utterances": 400, "speakers": 29} | {
    f"utterances of {canonical_emotion(word)}": 100 for word in EMOTION_CODES.values()
}
EXCLUDED = {
    "name": "name is not S<gender><speaker>_F<number>_<emotion><number>",
    "folder": "the emotion in the name is not that of the folder",
}

SHARED_SOUND = (
    ("SF1_F4_H04", "SF4_F3_H019"),
    ("SF1_F4_H04", "SF4_F4_H020"),
    ("SF6_F10_H034", "SF6_F5_H029"),
    ("SM24_F14_S026", "SM24_F15_S027"),
    ("SM24_F2_S014", "SM24_F3_S015"),
    ("SM24_F4_S016", "SM24_F5_S017"),
    ("SM24_F8_S020", "SM24_F9_S021"),
    ("SM25_F8_S058", "SM25_F9_S059"),
    ("SM2_F2_A024", "SM2_F3_A025"),
    ("SM6_F8_H070", "SM6_F9_H071"),
)
"""Clips that share a stretch of sound, coded once more and so not the same in every sample.

Where such clips lie over one another they correlate by 0.97 or more, no other two by more than
0.63. Each names its partners in `extra["shares_sound_with"]`, with blanks between several.
"""

_NAME = re.compile(r"S([MF])(\d+)_F(\d+)_([A-Z])(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class ClipName:
    """The fields of a file name; numbers without their padding."""

    gender: str
    speaker: str
    clip: int
    emotion: str


def parse_name(stem: str) -> ClipName | None:
    """Return the fields of a file's stem, or `None` where it does not follow the pattern."""
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    gender, speaker, clip, emotion, _ = match.groups()
    gender = gender.upper()
    return ClipName(gender, f"S{gender}{int(speaker)}", int(clip), emotion.upper())


def read(location: Path) -> Corpus:
    """Read the corpus below a folder."""
    utterances, dropped = collect_utterances(files_below(location, (".wav",)), _utterance)
    return build_corpus(location, utterances, dropped, EXPECTED)


def _utterance(path: Path) -> Utterance | str:
    name = parse_name(path.stem)
    if name is None:
        return EXCLUDED["name"]
    folder = path.parent.name.lower()
    if folder in EMOTION_CODES.values() and folder != EMOTION_CODES.get(name.emotion):
        return EXCLUDED["folder"]
    partners = [other for pair in SHARED_SOUND if path.stem in pair for other in pair]
    partners = sorted(set(partners) - {path.stem})
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{name.speaker}",
        gender=name.gender,
        emotion=canonical_emotion(EMOTION_CODES.get(name.emotion, name.emotion)),
        emotion_raw=name.emotion,
        language=LANGUAGE,
        extra={"shares_sound_with": " ".join(partners)} if partners else {},
    )
