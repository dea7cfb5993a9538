"""MSP-Podcast: natural speech from podcasts, in the partitions that its laboratory proposes.

Segments of 3 to 11 seconds, English, mostly 16 kHz mono. The corpus grows: release 1.11 has 151654
segments, 1.12 has 207136, 2.0 has 267905. So a complete copy is one that has all the recordings its
own table lists. The table is the consensus of five raters or more, and a row of it is one segment:

    FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set
    MSP-PODCAST_0001_0008.wav,N,2.2,4.0,2.6,30,Male,Test1

Classes are letters: X is `no agreement`, and the segment has ratings alone. Activation, valence and
dominance go from 1 to 7, not inverted; an utterance has them from 1 to 5, as elsewhere.

The partition goes to `extra["split"]`: Train, Development (Validation in old releases), Test1,
Test2. The labels of Test3 are withheld: its recordings are in no table. Train, Development and the
test sets share no speaker that is known; Test1 and Test2 may, and so may what is unknown: the
speaker of some segments, those of Train above all, is `Unknown`. They have none here.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from data_prep.corpus import (
    AUDIO_SUFFIXES,
    Corpus,
    build_corpus,
    collect_labelled,
    explain_damage,
    files_below,
    read_table_text,
)
from data_prep.csv_rows import split_rows
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import UserError
from ser_aae.labels import UNKNOWN_GENDER, canonical_emotion
from ser_aae.utterance import Utterance

NAME = "podcast"
VERSION = "any"
TITLE = "MSP-Podcast, natural speech from podcasts in partitions of its own"
LICENSE = "academic licence of the University of Texas at Dallas; no redistribution"
OBTAIN = (
    "Ask the MSP lab for it, which has your institution sign a licence (free for research): "
    "https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html"
)
BIBTEX = """@article{lotfian2019building,
  author  = {Lotfian, Reza and Busso, Carlos},
  title   = {Building Naturalistic Emotionally Balanced Speech Corpus by Retrieving Emotional Speech
             from Existing Podcast Recordings},
  journal = {IEEE Transactions on Affective Computing},
  volume  = {10},
  number  = {4},
  pages   = {471--483},
  year    = {2019}
}"""
TREE = """  <data root>/podcast/Labels/labels_consensus.csv (or labels_concensus.csv)
  <data root>/podcast/Audios/MSP-PODCAST_0001_0008.wav
  ... all recordings of the table, in Audios or Audio"""
LANGUAGE = "eng"
FACTS = CorpusFacts(
    title="MSP-Podcast", elicitation="natural", aliases=("msp-podcast", "msp_podcast")
)

LABEL_FILES = ("labels_consensus.csv", "labels_concensus.csv")
"""The table, and the name by which early releases spell it; in any case of letters."""
EMOTION_CODES = {
    "A": "angry",
    "C": "contempt",
    "D": "disgust",
    "F": "fear",
    "H": "happy",
    "N": "neutral",
    "O": "other",
    "S": "sad",
    "U": "surprise",
}
"""Letters of this corpus: F is fear, S is sadness, and surprise is U."""
NO_AGREEMENT = "X"
"""Consensus of raters who did not agree: the segment has ratings, but no emotion."""
EXPECTED: dict[str, int] = {}
"""Nothing that holds for every release; the rows of the table are expected."""
EXCLUDED = {
    "label": "audio without a row in the table of labels",
    "withheld": "of Test3, whose labels are withheld",
    "audio": "label without an audio file",
}

COLUMNS = ("FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Gender", "Split_Set")
_GENDERS = {"male": "M", "female": "F", "unknown": UNKNOWN_GENDER, "": UNKNOWN_GENDER}
_NOBODY = ("", "unknown")
_WITHHELD = re.compile(r"MSP-PODCAST_test3_.*", re.IGNORECASE)
_LOWEST, _HIGHEST = 1.0, 7.0


@dataclass(frozen=True)
class Segment:
    """A row of the table.

    Attributes:
        name: Name of the recording, without its ending.
        consensus: A letter of `EMOTION_CODES`, or `NO_AGREEMENT`.
        activation: 1 (calm) to 5 (excited).
        valence: 1 (negative) to 5 (positive).
        dominance: 1 (weak) to 5 (strong).
        speaker: Number of the speaker, `""` where nobody knows who speaks.
        gender: `F`, `M` or `unknown`.
        partition: Name of the partition, as written.
    """

    name: str
    consensus: str
    activation: float
    valence: float
    dominance: float
    speaker: str
    gender: str
    partition: str


def parse_segment(row: dict[str, str]) -> Segment:
    """Return a row of the table, column to content.

    Raises:
        ValueError: A column is empty or holds what it cannot.
    """
    name, consensus, partition = (row[key] for key in ("FileName", "EmoClass", "Split_Set"))
    if not name or not partition:
        raise ValueError(f"expected a FileName and a Split_Set, got {name!r} and {partition!r}")
    if len(consensus) != 1 or not consensus.isalpha():
        known = ", ".join([*EMOTION_CODES, NO_AGREEMENT])
        raise ValueError(f"expected a letter as EmoClass ({known}), got {consensus!r}")
    gender = _GENDERS.get(row["Gender"].casefold())
    if gender is None:
        raise ValueError(f"expected Male, Female or Unknown as Gender, got {row['Gender']!r}")
    speaker = "" if row["SpkrID"].casefold() in _NOBODY else row["SpkrID"]
    ratings = (_parse_rating(row, column) for column in ("EmoAct", "EmoVal", "EmoDom"))
    return Segment(Path(name).stem, consensus.upper(), *ratings, speaker, gender, partition)


def read(location: Path) -> Corpus:
    """Read the corpus below a folder; the layout of the folders does not matter."""
    tables = [path for path in files_below(location, (".csv",)) if path.name.lower() in LABEL_FILES]
    if not tables:
        raise UserError(
            f"{location}: expected the table of labels, called {' or '.join(LABEL_FILES)}, there "
            f"or in a folder below, found none. {OBTAIN}"
        )
    if len(tables) > 1:
        listed = " and ".join(path.as_posix() for path in tables)
        raise UserError(f"{location}: expected one table of labels, found {listed}; keep one")
    segments = read_segments(location / tables[0])
    utterances, dropped = collect_labelled(
        files_below(location, AUDIO_SUFFIXES),
        partial(_utterance, segments=segments),
        {name: f"{name}.wav" for name in segments},
        EXCLUDED["audio"],
    )
    corpus = build_corpus(location, utterances, dropped)
    partitions = Counter(f"utterances of {item.extra['split']}" for item in corpus.utterances)
    wanted = Counter(f"utterances of {item.partition}" for item in segments.values())
    own = {
        "utterances without agreement": sum(not item.emotion for item in corpus.utterances),
        "utterances of unknown speakers": sum(
            not item.has_known_speaker for item in corpus.utterances
        ),
    }
    counts = {**corpus.counts, **own, **partitions}
    return replace(corpus, counts=counts, expected={"utterances": len(segments), **wanted})


def read_segments(path: Path) -> dict[str, Segment]:
    """Return the rows of the table by the names of their recordings.

    Raises:
        UserError: It is no such table, or a row of it is damaged or stands there twice.
    """
    segments: dict[str, Segment] = {}
    for number, row in _rows(path):
        with explain_damage(f"{path}:{number}"):
            segment = parse_segment(row)
            if segment.name in segments:
                raise ValueError(f"expected a row a recording, got {segment.name} again")
        segments[segment.name] = segment
    return segments


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row's line number and its content by column."""
    lines = split_rows(path, read_table_text(path))
    stripped = ((number, [field.strip() for field in fields]) for number, fields in lines)
    written = ((number, fields) for number, fields in stripped if any(fields))
    first, header = next(written, (1, []))
    with explain_damage(f"{path}:{first}"):
        if absent := [name for name in COLUMNS if name not in header]:
            raise ValueError(f"expected the columns {', '.join(COLUMNS)}; missing: {absent}")
    for number, fields in written:
        with explain_damage(f"{path}:{number}"):
            if len(fields) != len(header):
                raise ValueError(f"expected {len(header)} columns, got {len(fields)}")
        yield number, dict(zip(header, fields, strict=True))


def _parse_rating(row: dict[str, str], column: str) -> float:
    """Return a rating from 1 to 5, of one from 1 to 7."""
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not _LOWEST <= value <= _HIGHEST:
        raise ValueError(f"expected {column} from {_LOWEST:g} to {_HIGHEST:g}, got {row[column]!r}")
    return 1.0 + 4.0 * (value - _LOWEST) / (_HIGHEST - _LOWEST)


def _utterance(path: Path, segments: dict[str, Segment]) -> Utterance | str:
    segment = segments.get(path.stem)
    if segment is None:
        return EXCLUDED["withheld" if _WITHHELD.fullmatch(path.stem) else "label"]
    emotion = "" if segment.consensus == NO_AGREEMENT else segment.consensus
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{segment.speaker}",
        gender=segment.gender,
        emotion=canonical_emotion(EMOTION_CODES.get(emotion, emotion)),
        emotion_raw=emotion,
        language=LANGUAGE,
        activation=segment.activation,
        valence=segment.valence,
        extra={
            "split": segment.partition,
            "consensus": segment.consensus,
            "dominance": f"{segment.dominance:.6g}",
        },
    )
