"""URDU: utterances from Urdu talk shows.

Four hundred clips of one to three seconds, a quarter of an hour in all, 44.1 kHz mono, one
hundred of each of four emotions. The paper speaks of 38 speakers; the file names hold 29,
eighteen men and eleven women.

File names are S, gender and number of the speaker; the number of the speaker's clip; the
emotion's letter and a running number. Nothing is padded to a fixed width:

    Angry/SM1_F10_A010.wav     a man, speaker 1, his 10th clip, angry

Emotion and speaker are confounded: no speaker has all four emotions, all anger is male. A
result on this corpus says little without that of a predictor which knows only the speaker.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from data_prep.corpus import Corpus, build_corpus, files_below, unique_by_stem
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Dropped, Utterance

NAME = "urdu"
VERSION = "1.0.0"
TITLE = "URDU, emotional utterances from talk shows"
LICENSE = "research use only (the authors' words; no licence file)"
OBTAIN = "Clone https://github.com/siddiquelatif/URDU-Dataset to that folder."
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

EMOTION_CODES = {"A": "angry", "H": "happy", "N": "neutral", "S": "sad"}
EXPECTED = {"utterances": 400, "speakers": 29} | {
    f"utterances of {canonical_emotion(word)}": 100 for word in EMOTION_CODES.values()
}
EXCLUDED = {
    "name": "name is not S<gender><speaker>_F<number>_<emotion><number>",
    "folder": "the emotion in the name is not that of the folder",
}
"""What becomes no utterance, and the reason listed for it."""

SHARED_SOUND = {
    "SF1_F4_H04": "SF4_F3_H019",
    "SF6_F10_H034": "SF6_F5_H029",
    "SM24_F14_S026": "SM24_F15_S027",
}
"""Clips that share 1.7 to 2 seconds, sample for sample; the first pair across two speakers.

Each names the other in its `extra["shares_sound_with"]`: keep them in one fold.
"""

_NAME = re.compile(r"S([MF])(\d+)_F(\d+)_([A-Z])(\d+)", re.IGNORECASE)
_PARTNERS = SHARED_SOUND | {second: first for first, second in SHARED_SOUND.items()}


@dataclass(frozen=True)
class ClipName:
    """What a file name says; numbers without their padding."""

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
    paths, dropped = unique_by_stem(files_below(location, (".wav",)))
    utterances = []
    for path in paths:
        name = parse_name(path.stem)
        if name is None:
            dropped.append(Dropped(path.as_posix(), EXCLUDED["name"]))
        elif _contradicts_folder(path, name):
            dropped.append(Dropped(path.as_posix(), EXCLUDED["folder"]))
        else:
            utterances.append(_utterance(path, name))
    return build_corpus(location, utterances, dropped, EXPECTED)


def _contradicts_folder(path: Path, name: ClipName) -> bool:
    """Return whether the file lies in the folder of another emotion than its name says."""
    folder = path.parent.name.lower()
    return folder in EMOTION_CODES.values() and folder != EMOTION_CODES.get(name.emotion)


def _utterance(path: Path, name: ClipName) -> Utterance:
    partner = _PARTNERS.get(path.stem)
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{name.speaker}",
        gender=name.gender,
        emotion=canonical_emotion(EMOTION_CODES.get(name.emotion, name.emotion)),
        emotion_raw=name.emotion,
        language=LANGUAGE,
        extra={} if partner is None else {"shares_sound_with": partner},
    )
