"""nEMO: acted Polish, nine speakers.

Four women and five men say ninety sentences in six emotions: 4481 recordings, 3.1 hours,
24 kHz mono. Not all is there: speaker MK0 has no surprise, MP0 half of the rest. A table of
seven columns, separated by tabs and without quoting, has a row a file, whose name is speaker,
emotion and sentence:

    file_id             emotion  raw_text          normalized_text   speaker_id   gender  age
    EB0_neutral_13.wav  neutral  To jest zdanie.   to jest zdanie            EB0  female  27

Every speaker_id has eight blanks before it, which are no part of it. Surprise is called
`surprised`.
"""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from data_prep.archives import Archive
from data_prep.corpus import (
    Corpus,
    build_corpus,
    collect_labelled,
    explain_damage,
    files_below,
    read_table_text,
)
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import UserError
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Dropped, Utterance

NAME = "nemo"
VERSION = "1.0.0"
TITLE = "nEMO, acted Polish of 9 speakers"
LICENSE = "CC BY-NC-SA 4.0"
OBTAIN = "Clone https://github.com/amu-cai/nEMO to that folder (free, no request needed)."
DOWNLOADS = (Archive("https://github.com/amu-cai/nEMO/archive/HEAD.zip", inner="nEMO-*"),)
BIBTEX = """@inproceedings{christop2024nemo,
  author    = {Christop, Iwona},
  title     = {{nEMO}: Dataset of Emotional Speech in {Polish}},
  booktitle = {Joint International Conference on Computational Linguistics, Language Resources
               and Evaluation (LREC-COLING)},
  pages     = {12111--12116},
  year      = {2024}
}"""
TREE = """  <data root>/nemo/data.tsv
  <data root>/nemo/samples/EB0_neutral_13.wav
  ... 4481 files"""
LANGUAGE = "pol"
FACTS = CorpusFacts(elicitation="acted")

EMOTION_CODES = {
    "anger": "anger",
    "fear": "fear",
    "happiness": "happiness",
    "neutral": "neutral",
    "sadness": "sadness",
    "surprised": "surprise",
}
EXPECTED = (
    {"utterances": 4481, "speakers": 9, "utterances of anger": 749, "utterances of fear": 736}
    | {"utterances of happiness": 749, "utterances of neutral": 809}
    | {"utterances of sadness": 769, "utterances of surprise": 669}
)
EXCLUDED = {
    "absent": "row of data.tsv without its file",
    "row": "file without a row in data.tsv",
    "name": "speaker or emotion of the row is not that of the file's name",
}

TABLE = "data.tsv"
COLUMNS = (
    "file_id", "emotion", "raw_text", "normalized_text", "speaker_id", "gender", "age",
)  # fmt: skip
_GENDERS = {"female": "F", "male": "M"}
_NAME = re.compile(r"([A-Z0-9]+)_([a-z]+)_(\d+)")


@dataclass(frozen=True)
class Row:
    """A row of data.tsv, without blanks around its cells."""

    file: str
    emotion: str
    text: str
    speaker: str
    gender: str
    age: str

    @property
    def sentence(self) -> str | None:
        """Number of the sentence, 1 to 90; `None` where the file's name contradicts the row."""
        match = _NAME.fullmatch(Path(self.file).stem)
        if match is None or (match[1], match[2]) != (self.speaker, self.emotion):
            return None
        return match[3]


def parse_row(cells: list[str]) -> Row:
    """Return a row of the table.

    Raises:
        ValueError: It has not seven cells, an empty one, or neither female nor male.
    """
    if len(cells) != len(COLUMNS):
        raise ValueError(f"expected {len(COLUMNS)} cells ({', '.join(COLUMNS)}), got {len(cells)}")
    file, emotion, text, _, speaker, gender, age = (cell.strip() for cell in cells)
    if not (file and emotion and speaker):
        raise ValueError("expected a file_id, an emotion and a speaker_id, found one empty")
    if gender not in _GENDERS:
        raise ValueError(f"expected the gender female or male, got {gender!r}")
    return Row(file, emotion, text, speaker, _GENDERS[gender], age)


def read_rows(path: Path) -> dict[int, Row]:
    """Return the rows of data.tsv by the number of their line.

    Raises:
        UserError: The file is no such table, or a line no such row.
    """
    text = read_table_text(path)
    with explain_damage(path, "expected a table of text, "):
        stream = io.StringIO(text, newline="")
        # QUOTE_NONE: a quotation mark in a sentence stands for itself
        lines = list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    header = tuple(cell.strip() for cell in lines[0]) if lines else ()
    if header != COLUMNS:
        found = ", ".join(header) or "nothing"
        raise UserError(f"{path}:1: expected the columns {', '.join(COLUMNS)}, found {found}")
    rows = {}
    for number, cells in enumerate(lines[1:], start=2):
        if cells:
            with explain_damage(f"{path}:{number}"):
                rows[number] = parse_row(cells)
    return rows


def read(location: Path) -> Corpus:
    """Read the corpus below a folder.

    Raises:
        UserError: There is no data.tsv, or it is damaged.
    """
    files = files_below(location, (".wav", ".tsv"))
    table = next((path for path in files if path.name == TABLE), None)
    if table is None:
        raise UserError(f"{location / TABLE}: expected nEMO's table, found none. {OBTAIN}")
    rows = read_rows(location / table)
    # of two rows of one file the first counts
    lines = {Path(row.file).stem: number for number, row in reversed(rows.items())}
    utterances, dropped = collect_labelled(
        (path for path in files if path.suffix.lower() == ".wav"),
        lambda path: _utterance(path, rows.get(lines.get(path.stem, 0))),
        {stem: f"{table.as_posix()}:{number}" for stem, number in lines.items()},
        EXCLUDED["absent"],
    )
    repeated = rows.keys() - set(lines.values())
    dropped += [Dropped(f"{table.as_posix()}:{n}", EXCLUDED["absent"]) for n in repeated]
    return build_corpus(location, utterances, dropped, EXPECTED)


def _utterance(path: Path, row: Row | None) -> Utterance | str:
    if row is None:
        return EXCLUDED["row"]
    if row.sentence is None:
        return EXCLUDED["name"]
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{row.speaker}",
        gender=row.gender,
        emotion=canonical_emotion(EMOTION_CODES.get(row.emotion, row.emotion)),
        emotion_raw=row.emotion,
        language=LANGUAGE,
        extra={"sentence": row.sentence, "transcript": row.text, "age": row.age},
    )
