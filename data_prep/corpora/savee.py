"""SAVEE, the Surrey audio-visual expressed emotion database, the sound alone.

Four men who speak British English say 120 sentences each, fifteen in each of six emotions and
thirty neutral: 480 recordings, half an hour, 44.1 kHz mono. The name of a file is the
emotion's letter and a number; the speaker is the folder, so that each name occurs four times.
A common mirror has one folder, and the speaker before the name:

    AudioData/DC/sa03.wav                 speaker DC, sad, third
    ALL/DC_sa03.wav                       the same recording

Two emotions have two letters: sa is sadness and su surprise, whereas a is anger and d disgust.

The sentences are TIMIT's. Of the fifteen of an emotion three are common to all emotions, which
the names do not show: `extra["sentence"]` tells sentences apart within an emotion only.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from data_prep.corpus import Corpus, build_corpus, collect_utterances, files_below
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Utterance

NAME = "savee"
VERSION = "1.0.0"
TITLE = "SAVEE, acted British English of 4 men (sound only)"
LICENSE = "research use only, on registration"
OBTAIN = (
    "Register at http://kahlan.eps.surrey.ac.uk/savee/ (University of Surrey), then unpack "
    "AudioData.zip there."
)
BIBTEX = """@inproceedings{haq2009speaker,
  author    = {Haq, Sanaul and Jackson, Philip J. B.},
  title     = {Speaker-dependent Audio-visual Emotion Recognition},
  booktitle = {International Conference on Auditory-Visual Speech Processing (AVSP)},
  pages     = {53--58},
  year      = {2009}
}"""
TREE = """  <data root>/savee/AudioData/DC/a01.wav
  ... 120 files each in DC, JE, JK and KL,
  or <data root>/savee/DC_a01.wav and so on in one folder"""
LANGUAGE = "eng"
FACTS = CorpusFacts(elicitation="acted")

EMOTION_CODES = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}
SPEAKERS = ("DC", "JE", "JK", "KL")
EXPECTED = {"utterances": 480, "speakers": 4} | {
    f"utterances of {word}": 120 if word == "neutral" else 60 for word in EMOTION_CODES.values()
}
EXCLUDED = {
    "name": "name is not <emotion><number>, after or in the folder of DC, JE, JK or KL",
    "folder": "the speaker in the name is not that of the folder",
    "duplicate": "duplicate of a recording of the same speaker and name",
}

# all letters before the number are the code, or "sa" might be read as "s" or "a"
_NAME = re.compile(r"(?:([A-Z]{2})_)?([a-z]+)(\d\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Recording:
    """The fields of a path."""

    speaker: str
    emotion: str
    number: str

    @property
    def utterance_id(self) -> str:
        """Name of the file in the mirror, the same for both layouts."""
        return f"{self.speaker}_{self.emotion}{self.number}"


def parse_path(path: Path) -> Recording | None:
    """Return the fields of a path, or `None` where it follows neither layout.

    The speaker before the name counts; without one, that of the folder.
    """
    match = _NAME.fullmatch(path.stem)
    if match is None:
        return None
    prefix, emotion, number = match.groups()
    speaker = (prefix or path.parent.name).upper()
    return Recording(speaker, emotion.lower(), number) if speaker in SPEAKERS else None


def read(location: Path) -> Corpus:
    """Read the corpus below a folder, in either layout."""
    files = files_below(location, (".wav",))
    utterances, dropped = collect_utterances(files, _utterance, EXCLUDED["duplicate"])
    return build_corpus(location, utterances, dropped, EXPECTED)


def _utterance(path: Path) -> Utterance | str:
    recording = parse_path(path)
    if recording is None:
        return EXCLUDED["name"]
    folder = path.parent.name.upper()
    if folder in SPEAKERS and folder != recording.speaker:
        return EXCLUDED["folder"]
    return Utterance(
        corpus=NAME,
        utterance_id=recording.utterance_id,
        path=path.as_posix(),
        speaker=f"{NAME}:{recording.speaker}",
        gender="M",
        emotion=canonical_emotion(EMOTION_CODES.get(recording.emotion, recording.emotion)),
        emotion_raw=recording.emotion,
        language=LANGUAGE,
        extra={"sentence": f"{recording.emotion}{recording.number}"},
    )
