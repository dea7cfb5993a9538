"""RAVDESS: the spoken part, audio only.

Twenty-four professional actors (twelve women, twelve men) say two sentences in eight
emotions at two intensities: 1440 recordings, 1.5 hours, North American English, 48 kHz.
Five files are stereo, and the sound of a published file begins at byte 4096 of it, after a
chunk of padding: read it through a library that knows RIFF.

File names are seven numbers, modality-channel-emotion-intensity-statement-repetition-actor:

    Actor_12/03-01-06-01-02-01-12.wav     audio only, speech, fearful, normal, "Dogs ...", 1st, 12

Actors of odd number are men. Many mirrors hold a second copy of the tree, or the songs too.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from data_prep.archives import Archive
from data_prep.corpus import Corpus, build_corpus, collect_utterances, files_below
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Utterance

NAME = "ravdess"
VERSION = "1.0.0"
TITLE = "RAVDESS, emotional speech of 24 actors (audio only)"
LICENSE = "CC BY-NC-SA 4.0"
OBTAIN = (
    "Download Audio_Speech_Actors_01-24.zip from https://zenodo.org/records/1188976 "
    "(free, no request needed) and unpack it there."
)
DOWNLOADS = (
    Archive(
        "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
        "md5:bc696df654c87fed845eb13823edef8a",
        "https://zenodo.org/records/1188976",
    ),
)
BIBTEX = """@article{livingstone2018ravdess,
  author  = {Livingstone, Steven R. and Russo, Frank A.},
  title   = {The {Ryerson} Audio-Visual Database of Emotional Speech and Song ({RAVDESS}): A
             dynamic, multimodal set of facial and vocal expressions in {North American English}},
  journal = {PLoS ONE},
  volume  = {13},
  number  = {5},
  pages   = {e0196391},
  year    = {2018}
}"""
TREE = """  <data root>/ravdess/Actor_01/03-01-01-01-01-01-01.wav
  ... 60 files an actor, Actor_01 to Actor_24,
  or the same below <data root>/ravdess/Audio_Speech_Actors_01-24/"""
LANGUAGE = "eng"
FACTS = CorpusFacts(title="RAVDESS", elicitation="acted")

EMOTION_CODES = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
EXPECTED = {"utterances": 1440, "speakers": 24} | {
    f"utterances of {canonical_emotion(word)}": 96 if word == "neutral" else 192
    for word in EMOTION_CODES.values()
}
EXCLUDED = {
    "modality": "with video or video only: the speech part has the same sound",
    "channel": "song, not speech",
    "name": "name is not modality-channel-emotion-intensity-statement-repetition-actor",
}

_NAME = re.compile(r"\d\d(-\d\d){6}")


@dataclass(frozen=True)
class RecordingName:
    """The seven fields of a file name, as written there."""

    modality: str
    channel: str
    emotion: str
    intensity: str
    statement: str
    repetition: str
    actor: str

    @property
    def gender(self) -> str:
        """Gender of the actor: those of odd number are men."""
        return "M" if int(self.actor) % 2 else "F"


def parse_name(stem: str) -> RecordingName | None:
    """Return the fields of a file's stem, or `None` where it is not seven numbers."""
    return RecordingName(*stem.split("-")) if _NAME.fullmatch(stem) else None


def read(location: Path) -> Corpus:
    """Read the corpus below a folder; the layout of the folders does not matter."""
    utterances, dropped = collect_utterances(files_below(location, (".wav", ".mp4")), _utterance)
    return build_corpus(location, utterances, dropped, EXPECTED)


def _utterance(path: Path) -> Utterance | str:
    name = parse_name(path.stem)
    if name is None:
        return EXCLUDED["name"]
    if name.modality != "03":
        return EXCLUDED["modality"]
    if name.channel != "01":
        return EXCLUDED["channel"]
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{name.actor}",
        gender=name.gender,
        emotion=canonical_emotion(EMOTION_CODES.get(name.emotion, name.emotion)),
        emotion_raw=name.emotion,
        language=LANGUAGE,
        extra={
            "intensity": name.intensity,
            "statement": name.statement,
            "repetition": name.repetition,
        },
    )
