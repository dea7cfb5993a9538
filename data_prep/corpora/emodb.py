"""EMO-DB, the Berlin database of emotional speech.

Ten actors (five women, five men) say ten everyday German sentences in seven emotions: 535
recordings, 25 minutes, 16 kHz mono. The name of a file is speaker, sentence, emotion, version:

    wav/03a01Fa.wav                       speaker 03, sentence a01, Freude, first version

The letters are those of the German words: **F is happiness (Freude) and A is fear (Angst)**,
whereas in most corpora A is anger and F is fear. What twenty listeners recognised stands in
`erkennung.txt`, in Latin-1, with decimal commas and no-break spaces before the numbers:

    Satz        erkannt natuerlich ...
    03a01Fa.wav 90,00   100,00

Release 2.0 adds 281 recordings that fewer than four in five listeners recognised, listed in
the table `db.emotion.categories.ambiguous`, and for each of its 816 recordings one of a
laryngograph, below `laryngo/` and of the same name. Neither is read, so that both releases
count 535.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from data_prep.archives import Archive
from data_prep.corpus import (
    Corpus,
    build_corpus,
    collect_utterances,
    files_below,
    read_lines,
    read_table_text,
)
from data_prep.csv_rows import split_rows
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Dropped, Utterance

NAME = "emodb"
VERSION = "1.0.0"
TITLE = "EMO-DB, acted German of 10 speakers"
LICENSE = "free for research; CC0-1.0 or CC BY 4.0 in later packages, see the one you fetch"
OBTAIN = (
    "Download http://emodb.bilderbar.info/download/download.zip (free, no request needed) "
    "and unpack it there; the packages of release 2.0 are read as well."
)
DOWNLOADS = (Archive("http://emodb.bilderbar.info/download/download.zip"),)
BIBTEX = """@inproceedings{burkhardt2005database,
  author    = {Burkhardt, Felix and Paeschke, Astrid and Rolfes, Miriam and Sendlmeier, Walter F.
               and Weiss, Benjamin},
  title     = {A Database of {German} Emotional Speech},
  booktitle = {Interspeech},
  pages     = {1517--1520},
  year      = {2005}
}"""
TREE = """  <data root>/emodb/wav/03a01Fa.wav
  ... 535 files,
  <data root>/emodb/erkennung.txt (may be absent)"""
LANGUAGE = "deu"
FACTS = CorpusFacts(elicitation="acted", aliases=("emo-db",))

EMOTION_CODES = {
    "W": "Wut",
    "L": "Langeweile",
    "E": "Ekel",
    "A": "Angst",
    "F": "Freude",
    "T": "Trauer",
    "N": "neutral",
}
EXPECTED = (
    {"utterances": 535, "speakers": 10, "utterances of anger": 127, "utterances of boredom": 81}
    | {"utterances of disgust": 46, "utterances of fear": 69, "utterances of happiness": 71}
    | {"utterances of neutral": 79, "utterances of sadness": 62}
)
EXCLUDED = {
    "name": "name is not <speaker><sentence><emotion><version>, of one of the ten speakers",
    "laryngo": "laryngograph, not speech",
    "ambiguous": "release 2.0 lists it as ambiguous: recognised by fewer than 80 %",
    "rating": "no file name and percentage of recognition between 0 and 100",
}

SPEAKERS = {
    "03": ("M", 31), "08": ("F", 34), "09": ("F", 21), "10": ("M", 32), "11": ("M", 26),
    "12": ("M", 30), "13": ("F", 32), "14": ("F", 35), "15": ("M", 25), "16": ("F", 31),
}  # fmt: skip
"""Gender and age in years of each speaker."""

RATINGS_FILE = "erkennung.txt"
AMBIGUOUS_TABLE = "db.emotion.categories.ambiguous.csv"
_NAME = re.compile(r"(\d\d)([ab]\d\d)([A-Z])([a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class RecordingName:
    """The fields of a file name."""

    speaker: str
    sentence: str
    emotion: str
    version: str


def parse_name(stem: str) -> RecordingName | None:
    """Return the fields of a file's stem, or `None` where it does not follow the pattern."""
    match = _NAME.fullmatch(stem)
    if match is None or match[1] not in SPEAKERS:
        return None
    speaker, sentence, emotion, version = match.groups()
    return RecordingName(speaker, sentence.lower(), emotion.upper(), version.lower())


def parse_rating(header: list[str], line: str) -> tuple[str, float] | None:
    """Return a recording's stem and the percentage of listeners who recognised its emotion.

    Args:
        header: Names of the columns; used are `Satz`, the file, and `erkannt`.
        line: One further line of `erkennung.txt`.

    Returns:
        `None` where the line holds no such pair.
    """
    cells = dict(zip(header, _cells(line), strict=False))
    number = cells.get("erkannt", "").replace("\xa0", "").replace(",", ".")
    stem = Path(cells.get("Satz", "")).stem
    if parse_name(stem) is None or not re.fullmatch(r"\d+(\.\d*)?", number):
        return None
    return (stem, float(number)) if float(number) <= 100 else None


def read(location: Path) -> Corpus:
    """Read the corpus below a folder."""
    files = files_below(location, (".wav", ".txt", ".csv"))
    sounds = [path for path in files if path.suffix.lower() == ".wav"]
    percent, dropped = _ratings(location, [path for path in files if path.name == RATINGS_FILE])
    ambiguous = _ambiguous_stems(location, [path for path in files if path.name == AMBIGUOUS_TABLE])
    # before duplicates are sought: a laryngograph has the name of its recording, and sorts first
    laryngo = [path for path in sounds if "laryngo" in path.parts]
    dropped += [Dropped(path.as_posix(), EXCLUDED["laryngo"]) for path in laryngo]
    utterances, excluded = collect_utterances(
        set(sounds) - set(laryngo),
        lambda path: _utterance(path, percent.get(path.stem), path.stem in ambiguous),
    )
    return build_corpus(location, utterances, dropped + excluded, EXPECTED)


def _ratings(root: Path, paths: list[Path]) -> tuple[dict[str, float], list[Dropped]]:
    """Return percentages by stem, and the lines that hold none."""
    percent, dropped = {}, []
    for path in paths:
        header, *lines = read_lines(root / path, "latin-1")
        for number, line in enumerate(lines, start=2):
            rating = parse_rating(_cells(header), line)
            if rating is not None:
                percent[rating[0]] = rating[1]
            elif line.strip():
                dropped.append(Dropped(f"{path.as_posix()}:{number}", EXCLUDED["rating"]))
    return percent, dropped


def _cells(line: str) -> list[str]:
    # not split() without an argument, which takes no-break spaces for separators
    return re.split(r"[ \t]+", line.strip(" \t"))


def _ambiguous_stems(root: Path, paths: list[Path]) -> set[str]:
    """Return the stems that release 2.0 lists as ambiguous; none in the original."""
    stems = set()
    for path in paths:
        text = read_table_text(root / path)
        stems |= {Path(fields[0]).stem for _, fields in split_rows(root / path, text) if fields}
    return stems


def _utterance(path: Path, percent: float | None, is_ambiguous: bool) -> Utterance | str:
    name = parse_name(path.stem)
    if name is None:
        return EXCLUDED["name"]
    if is_ambiguous:
        return EXCLUDED["ambiguous"]
    gender, age = SPEAKERS[name.speaker]
    rating = {} if percent is None else {"recognised_percent": f"{percent:g}"}
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{name.speaker}",
        gender=gender,
        emotion=canonical_emotion(EMOTION_CODES.get(name.emotion, name.emotion)),
        emotion_raw=name.emotion,
        language=LANGUAGE,
        extra={"sentence": name.sentence, "version": name.version, "age": str(age), **rating},
    )
