"""CREMA-D: crowd-sourced emotional multimodal actors, the sound alone.

Ninety-one actors (48 men, 43 women) say twelve English sentences in six emotions: 7442
recordings, 5.3 hours, 16 kHz mono. The name of a file is actor, sentence, emotion, level
(low, medium, high, or XX where none was asked for):

    AudioWAV/1001_IEO_HAP_LO.wav          actor 1001, "It's eleven o'clock", happy, low

**The label read is the emotion the actor was asked for.** The emotion that most listeners voted
for is another: the two agree in 3099 recordings only. The listeners' emotion goes to
`extra["perceived_voice"]` (from the sound) and `extra["perceived_multimodal"]` (sound and face),
`neutral:sadness` for a tie:

    processedResults/summaryTable.csv     "2","1001_IEO_HAP_LO","N:S","71.67:50", ...
    VideoDemographics.csv                 1001,51,"Male","Caucasian","Not Hispanic"

A clone without git-lfs holds, in place of each sound, a text file of 130 bytes of that name.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from data_prep.archives import Archive
from data_prep.corpus import (
    Corpus,
    build_corpus,
    collect_labelled,
    explain_damage,
    files_below,
    read_label_file,
)
from data_prep.csv_rows import split_rows
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import UserError
from ser_aae.labels import UNKNOWN_GENDER, canonical_emotion
from ser_aae.utterance import Dropped, Utterance

NAME = "cremad"
VERSION = "1.0.0"
TITLE = "CREMA-D, acted English of 91 actors (sound only; labels are the intended emotions)"
LICENSE = "ODbL 1.0 (database), DbCL 1.0 (contents)"
OBTAIN = (
    "Install git-lfs, then clone https://github.com/CheyneyComputerScience/CREMA-D to that "
    "folder (free, no request needed); AudioWAV and the tables suffice."
)
DOWNLOADS = (
    Archive(
        "https://github.com/CheyneyComputerScience/CREMA-D/archive/refs/heads/master.zip",
        inner="CREMA-D-*",
        pointed="https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master/",
        recordings="AudioWAV",
    ),
)
"""The repository's files; its recordings come one by one, each with the SHA-256 of its pointer."""
BIBTEX = """@article{cao2014cremad,
  author  = {Cao, Houwei and Cooper, David G. and Keutmann, Michael K. and Gur, Ruben C. and
             Nenkova, Ani and Verma, Ragini},
  title   = {{CREMA-D}: Crowd-sourced Emotional Multimodal Actors Dataset},
  journal = {IEEE Transactions on Affective Computing},
  volume  = {5},
  number  = {4},
  pages   = {377--390},
  year    = {2014}
}"""
TREE = """  <data root>/cremad/AudioWAV/1001_IEO_HAP_LO.wav
  ... 7442 files
  <data root>/cremad/VideoDemographics.csv
  <data root>/cremad/processedResults/summaryTable.csv (may be absent)"""
LANGUAGE = "eng"
FACTS = CorpusFacts(elicitation="acted", aliases=("crema-d",))

EMOTION_CODES = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
VOTE_CODES = {code[0]: word for code, word in EMOTION_CODES.items()}
"""The listeners' letters, English ones: A is anger and F fear."""
# of the 1271 sad recordings one is silent
EXPECTED = {"utterances": 7441, "speakers": 91, "speakers F": 43, "speakers M": 48} | {
    f"utterances of {word}": {"neutral": 1087, "sadness": 1270}.get(word, 1271)
    for word in EMOTION_CODES.values()
}
EXCLUDED = {
    "name": "name is not <actor>_<sentence>_<emotion>_<level>",
    "silent": "holds no audible sound, as the corpus' README says",
    "pointer": "git-lfs pointer in place of the sound; run `git lfs pull` in the corpus",
    "actors": "table of actors is not there, so that no gender is known",
    "absent": "recording was voted on, but is not there",
}

SILENT = "1076_MTI_SAD_XX"
ACTORS_FILE = "VideoDemographics.csv"
VOTES_FILE = "summaryTable.csv"
Row = dict[str, str]
"""Column to content."""
_GENDERS = {"Male": "M", "Female": "F"}
_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_(LO|MD|HI|XX?)")


@dataclass(frozen=True)
class RecordingName:
    """The fields of a file name."""

    actor: str
    sentence: str
    emotion: str
    level: str


def parse_name(stem: str) -> RecordingName | None:
    """Return the fields of a file's stem, or `None` where it does not follow the pattern."""
    match = _NAME.fullmatch(stem)
    return None if match is None else RecordingName(*match.groups())


def parse_votes(letters: str) -> str:
    """Return the emotions that most listeners voted for, joined by colons as in the table.

    Raises:
        ValueError: A letter is none of `VOTE_CODES`.
    """
    if not set(letters.split(":")) <= set(VOTE_CODES):
        known = ", ".join(VOTE_CODES)
        raise ValueError(f"expected one of {known}, or some joined by a colon, got {letters!r}")
    return ":".join(VOTE_CODES[letter] for letter in letters.split(":"))


def read(location: Path) -> Corpus:
    """Read the corpus below a folder.

    Raises:
        UserError: A table is damaged, or no sound was fetched, git-lfs pointers alone.
    """
    files = files_below(location, (".wav", ".csv"))
    actors = _table(location, files, ACTORS_FILE, _parse_actor)
    votes = _table(location, files, VOTES_FILE, _parse_perceived)
    utterances, dropped = collect_labelled(
        (path for path in files if path.suffix.lower() == ".wav"),
        lambda path: _utterance(location, path, actors, votes),
        {stem: stem for stem in votes},
        EXCLUDED["absent"],
    )
    pointers = [item.where for item in dropped if item.reason == EXCLUDED["pointer"]]
    if pointers and not utterances:
        raise UserError(
            f"{location / pointers[0]}: expected sound, found a {EXCLUDED['pointer']} "
            f"(all {len(pointers)} files are such)"
        )
    if not actors:
        dropped.append(Dropped(ACTORS_FILE, EXCLUDED["actors"]))
    corpus = build_corpus(location, utterances, dropped, EXPECTED)
    genders = Counter({item.speaker: item.gender for item in corpus.utterances}.values())
    counts = {f"speakers {gender}": genders[gender] for gender in sorted(genders)}
    return replace(corpus, counts={**corpus.counts, **counts})


def _is_pointer(path: Path) -> bool:
    """Return whether git-lfs has left a text file in place of the sound."""
    if not path.is_file():
        return False  # reading the sound reports the fault
    with path.open("rb") as stream:
        return stream.read(40).startswith(b"version https://git-lfs")


def _table(
    root: Path, files: list[Path], name: str, parse: Callable[[Row], tuple[str, Row]]
) -> dict[str, Row]:
    """Return the rows of the CSV file of a name by their key; none where there is no such file."""
    path = next((root / file for file in files if file.name == name), None)
    if path is None:
        return {}
    text = read_label_file(path).decode("utf-8-sig", errors="replace")
    lines = ((number, fields) for number, fields in split_rows(path, text) if fields)
    _, columns = next(lines, (0, []))
    rows = {}
    for number, fields in lines:
        with explain_damage(f"{path}:{number}"):
            key, row = parse(dict(zip(columns, fields, strict=False)))  # some rows are shorter
        rows[key] = row
    return rows


def _parse_actor(row: Row) -> tuple[str, Row]:
    gender = _GENDERS.get(row.get("Sex", ""))
    if gender is None:
        raise ValueError(f"expected Male or Female as Sex, got {row.get('Sex')!r}")
    about = {column.lower(): row.get(column) or "" for column in ("Age", "Race", "Ethnicity")}
    return _key(row, "ActorID"), {"gender": gender, **about}


def _parse_perceived(row: Row) -> tuple[str, Row]:
    about = {}
    for name in ("Voice", "MultiModal"):
        votes, level = row.get(f"{name}Vote"), row.get(f"{name}Level")
        if votes is None or level is None:
            raise ValueError(f"expected the columns {name}Vote and {name}Level, found one missing")
        if votes not in ("", "NA"):
            about[f"perceived_{name.lower()}"] = parse_votes(votes)
            about[f"perceived_{name.lower()}_level"] = level
    return _key(row, "FileName"), about


def _key(row: Row, column: str) -> str:
    if not row.get(column):
        raise ValueError(f"expected a column {column} with a name in each row, found none")
    return row[column]


def _utterance(
    root: Path, path: Path, actors: dict[str, Row], votes: dict[str, Row]
) -> Utterance | str:
    name = parse_name(path.stem)
    if name is None:
        return EXCLUDED["name"]
    if path.stem == SILENT:
        return EXCLUDED["silent"]
    if _is_pointer(root / path):
        return EXCLUDED["pointer"]
    about = {"sentence": name.sentence, "level": name.level}
    about |= actors.get(name.actor, {}) | votes.get(path.stem, {})
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{name.actor}",
        gender=about.pop("gender", UNKNOWN_GENDER),
        emotion=canonical_emotion(EMOTION_CODES.get(name.emotion, name.emotion)),
        emotion_raw=name.emotion,
        language=LANGUAGE,
        extra=about,
    )
