"""ESD, the emotional speech database: English and Mandarin.

Ten speakers of Mandarin (0001 to 0010) and ten of English (0011 to 0020) say 350 sentences of
their language in five emotions: 35000 recordings, 29 hours, 16 kHz mono. Some distributions
have folders of the parts of a split below each emotion, others have not:

    0011/Angry/train/0011_000401.wav      speaker 0011, sentence 51
    0011/Angry/0011_000401.wav            the same

All emotions have the same sentences in the same order: in blocks of 350 numbers, so that
0011_000051 and 0011_000401 are one sentence. Each speaker has a transcript:

    0011/0011.txt                         0011_000401<TAB>This is a sentence.<TAB>Angry
    0001/0001.txt                         0001_000401<TAB>这是一句话。<TAB>生气

Transcripts are in UTF-8, UTF-16, GB 2312 or Latin-1, one file unlike the next, and in some lines
a tab is missing. The emotion read is that of the folder, or the transcript's where no folder is
called after an emotion.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from data_prep.corpus import (
    AUDIO_SUFFIXES,
    Corpus,
    build_corpus,
    collect_labelled,
    files_below,
    read_label_file,
    split_lines,
)
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Dropped, Utterance

NAME = "esd"
VERSION = "1.0.0"
TITLE = "ESD, acted English and Mandarin of 20 speakers"
LICENSE = "research use only, on request"
OBTAIN = (
    "Ask for it at https://github.com/HLTSingapore/Emotional-Speech-Data (National University "
    "of Singapore, a licence to sign), then unpack it there."
)
BIBTEX = """@inproceedings{zhou2021seen,
  author    = {Zhou, Kun and Sisman, Berrak and Liu, Rui and Li, Haizhou},
  title     = {Seen and Unseen Emotional Style Transfer for Voice Conversion with a New
               Emotional Speech Dataset},
  booktitle = {IEEE International Conference on Acoustics, Speech and Signal Processing},
  pages     = {920--924},
  year      = {2021}
}"""
TREE = """  <data root>/esd/0001/0001.txt (may be absent)
  <data root>/esd/0001/Angry/0001_000351.wav, or below train, evaluation or test there
  ... 350 files each of speakers 0001 to 0020 in Angry, Happy, Neutral, Sad and Surprise"""
LANGUAGE = ""
FACTS = CorpusFacts(elicitation="acted")

EMOTION_CODES = {
    "Angry": "anger",
    "生气": "anger",
    "Happy": "happiness",
    "快乐": "happiness",
    "Neutral": "neutral",
    "中立": "neutral",
    "Sad": "sadness",
    "伤心": "sadness",
    "Surprise": "surprise",
    "惊喜": "surprise",
}
EXPECTED = {"utterances": 35000, "speakers": 20} | {
    f"utterances of {word}": 7000 for word in EMOTION_CODES.values()
}
EXCLUDED = {
    "name": "name is not <speaker 0001 to 0020>_<six digits>",
    "emotion": "neither a folder nor the transcript says the emotion",
    "line": "line of a transcript that names no recording",
    "absent": "recording is in a transcript, but not there",
}

SENTENCES = 350
SPLITS = ("train", "evaluation", "test")
SPEAKERS = tuple(f"{number:04d}" for number in range(1, 21))
MANDARIN = SPEAKERS[:10]
MEN = ("0004", "0005", "0006", "0008", "0010", "0011", "0012", "0013", "0014", "0020")
_NAME = re.compile(r"(\d{4})_(\d{6})")
# blanks or anything else before the name; the emotion may stand without a tab
_LINE = re.compile(rf"\W*(\d{{4}}_\d{{6}})\s*(.*?)\s*({'|'.join(EMOTION_CODES)}|)\s*")


@dataclass(frozen=True)
class RecordingName:
    """The fields of a file name."""

    speaker: str
    number: int

    @property
    def language(self) -> str:
        """ISO 639-3: Mandarin or English."""
        return "cmn" if self.speaker in MANDARIN else "eng"

    @property
    def sentence(self) -> str:
        """Language and number of the sentence, 1 to 350, the same in all emotions."""
        return f"{self.language}-{(self.number - 1) % SENTENCES + 1:03d}"


@dataclass(frozen=True)
class Line:
    """A line of a transcript; `emotion` is the word as written, `""` where there is none."""

    stem: str
    text: str
    emotion: str


def parse_name(stem: str) -> RecordingName | None:
    """Return the fields of a file's stem, or `None` where it does not follow the pattern."""
    match = _NAME.fullmatch(stem)
    if match is None or match[1] not in SPEAKERS:
        return None
    return RecordingName(match[1], int(match[2]))


def parse_line(line: str) -> Line | None:
    """Return a line of a transcript, or `None` where it does not begin with a recording."""
    match = _LINE.fullmatch(line)
    return None if match is None else Line(*match.groups())


def decode_transcript(content: bytes, speaker: str) -> str:
    """Return a transcript as text, in whichever of the corpus' encodings it is.

    UTF-16 has zero bytes, which the others have not, but not always a byte order mark; UTF-8
    is valid as such, which text in the rest is not. GB 2312 and Latin-1 are told by the
    language; GB 18030 and Windows-1252, in place of them, hold a few characters more.
    """
    if b"\x00" in content:
        # the digits that a line begins with have their zero byte second where it is little-endian
        order = "le" if content.index(b"\x00") % 2 else "be"
        return content.decode(f"utf-16-{order}", errors="replace").removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding = "gb18030" if speaker in MANDARIN else "cp1252"
        return content.decode(encoding, errors="replace")


def read(location: Path) -> Corpus:
    """Read the corpus below a folder, with or without folders of a split."""
    files = files_below(location, (*AUDIO_SUFFIXES, ".txt"))
    texts = [path for path in files if path.suffix.lower() == ".txt"]
    lines, dropped = _transcripts(location, [path for path in texts if path.stem in SPEAKERS])
    utterances, excluded = collect_labelled(
        set(files) - set(texts),
        lambda path: _utterance(path, lines.get(path.stem)),
        {stem: stem for stem in lines},
        EXCLUDED["absent"],
    )
    return build_corpus(location, utterances, dropped + excluded, EXPECTED)


def _transcripts(root: Path, paths: list[Path]) -> tuple[dict[str, Line], list[Dropped]]:
    """Return the transcripts' lines by stem of the recording, and those that name none."""
    lines, dropped = {}, []
    for path in paths:
        text = decode_transcript(read_label_file(root / path), path.stem)
        for number, content in enumerate(split_lines(text), start=1):
            line = parse_line(content)
            if line is not None:
                lines[line.stem] = line
            elif content.strip():
                dropped.append(Dropped(f"{path.as_posix()}:{number}", EXCLUDED["line"]))
    return lines, dropped


def _folder_emotion(path: Path) -> str:
    """Return the name of the nearest folder that is an emotion's, `""` where there is none."""
    known = EMOTION_CODES.values()
    names = (folder.name for folder in path.parents)
    return next((name for name in names if canonical_emotion(name) in known), "")


def _utterance(path: Path, line: Line | None) -> Utterance | str:
    name = parse_name(path.stem)
    if name is None:
        return EXCLUDED["name"]
    emotion = _folder_emotion(path) or (line.emotion if line else "")
    if not emotion:
        return EXCLUDED["emotion"]
    extra = {"sentence": name.sentence}
    if path.parent.name.lower() in SPLITS:
        extra["split"] = path.parent.name.lower()
    if line is not None:
        extra |= {"transcript": line.text, "emotion_in_transcript": line.emotion}
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{name.speaker}",
        gender="M" if name.speaker in MEN else "F",
        emotion=EMOTION_CODES.get(emotion, canonical_emotion(emotion)),
        emotion_raw=emotion,
        language=name.language,
        extra=extra,
    )
