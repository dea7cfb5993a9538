"""TESS, the Toronto emotional speech set.

Two actresses, one of 64 years (OAF, the older) and one of 26 (YAF), say "Say the word ..."
with two hundred words in seven emotions: 2800 recordings, 1.6 hours, North American English.
The name of a file is speaker, word and emotion:

    OAF_Pleasant_surprise/OAF_back_ps.wav     the older, "back", pleasantly surprised

Rates are odd: 24414 Hz, and 96000 Hz for `OAF_food_fear.wav`; some files of mirrors are
stereo. Mirrors spell the folders variously (`YAF_pleasant_surprised`), many hold the whole
tree twice, and one file is called `OA_bite_neutral.wav`: the name alone is read, and what
differs in spelling only is one recording.

The whole corpus has two voices: a fold without one of them is trained on the other alone.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from data_prep.corpus import AUDIO_SUFFIXES, Corpus, build_corpus, collect_utterances, files_below
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Utterance

NAME = "tess"
VERSION = "1.0.0"
TITLE = "TESS, Toronto emotional speech set of 2 women"
LICENSE = "CC BY-NC-ND 4.0"
OBTAIN = (
    "Download all emotions from https://tspace.library.utoronto.ca/handle/1807/24487 "
    "(free, no request needed) and unpack them there."
)
BIBTEX = """@data{pichorafuller2020toronto,
  author    = {Pichora-Fuller, M. Kathleen and Dupuis, Kate},
  title     = {{Toronto} emotional speech set ({TESS})},
  publisher = {Borealis},
  year      = {2020},
  doi       = {10.5683/SP2/E8H2MF}
}"""
TREE = """  <data root>/tess/OAF_angry/OAF_back_angry.wav
  ... 200 files each of 2 speakers in 7 emotions; the folders' names do not matter"""
LANGUAGE = "eng"
FACTS = CorpusFacts(elicitation="acted")

EMOTION_CODES = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sadness",
}
SPEAKERS = {"OAF": 64, "YAF": 26}
"""Age in years of each speaker; both are women."""
EXPECTED = {"utterances": 2800, "speakers": 2} | {
    f"utterances of {word}": 400 for word in EMOTION_CODES.values()
}
EXCLUDED = {
    "name": "name is not <OAF or YAF>_<word>_<emotion>",
    "duplicate": "duplicate of a recording of the same speaker, word and emotion",
}

# "OA_": one file's name lacks the F
_NAME = re.compile(r"(OA|YA)F?_([a-z]+)_([a-z]+)", re.IGNORECASE)


@dataclass(frozen=True)
class RecordingName:
    """The fields of a file name, whatever its spelling."""

    speaker: str
    word: str
    emotion: str

    @property
    def utterance_id(self) -> str:
        """Name of the file, without misspelling."""
        return f"{self.speaker}_{self.word}_{self.emotion}"


def parse_name(stem: str) -> RecordingName | None:
    """Return the fields of a file's stem, or `None` where it does not follow the pattern."""
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    return RecordingName(f"{match[1].upper()}F", match[2].lower(), match[3].lower())


def read(location: Path) -> Corpus:
    """Read the corpus below a folder; the layout of the folders does not matter."""
    # of files of one depth the one with the right name comes first: OAF_ before OA_
    files = files_below(location, AUDIO_SUFFIXES)
    utterances, dropped = collect_utterances(files, _utterance, EXCLUDED["duplicate"])
    return build_corpus(location, utterances, dropped, EXPECTED)


def _utterance(path: Path) -> Utterance | str:
    name = parse_name(path.stem)
    if name is None:
        return EXCLUDED["name"]
    return Utterance(
        corpus=NAME,
        utterance_id=name.utterance_id,
        path=path.as_posix(),
        speaker=f"{NAME}:{name.speaker}",
        gender="F",
        emotion=canonical_emotion(EMOTION_CODES.get(name.emotion, name.emotion)),
        emotion_raw=name.emotion,
        language=LANGUAGE,
        extra={"sentence": name.word, "age": str(SPEAKERS[name.speaker])},
    )
