"""Any database in audformat, the format of audb: `--dataset audformat:DIR`.

A folder with `db.yaml` (schemes, raters, splits, and which tables there are) and a file for
each table, parquet or CSV, beside the media. Rows are whole files or segments of them:

    db.yaml                         schemes: {arousal: {dtype: float, minimum: 1, maximum: 7}}
    db.files.csv                    file,speaker
                                    wav/03a01Fa.wav,3
    db.emotion.gold_standard.csv    file,start,end,emotion,arousal
                                    wav/03a01Fa.wav,0 days 00:00:01,,happiness,5.5

Speaker and gender stand in these tables, or with the labels of the speakers' scheme. Ratings
are brought from their scheme's range to 1 to 5. The specification of the format:
https://audeering.github.io/audformat/
"""

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from data_prep.audformat_files.choice import choose_tables, split_of
from data_prep.audformat_files.tables import Database, Row
from data_prep.audformat_files.values import Values
from data_prep.corpus import (
    GLOBAL_SPEAKER,
    Corpus,
    build_corpus,
    check_one_name,
    name_speaker,
)
from ser_aae.config.datasets import stored_name
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import UserError
from ser_aae.labels import canonical_emotion
from ser_aae.utterance import Dropped, Utterance

NAME = "audformat"
VERSION = "1"
TITLE = "any database in audformat"
LICENSE = "the database's own, see `license` and `usage` in its db.yaml"
OBTAIN = (
    "Download one with audb (audb.load_to), or save one with audformat, and give its folder: "
    "--dataset audformat:DIR, or audformat:DIR#TABLE to choose a table of emotions."
)
BIBTEX = ""
TREE = """  DIR/db.yaml
  DIR/db.<table>.parquet or db.<table>.csv
  DIR/<media files, as the tables name them>"""
LANGUAGE = ""
FACTS = CorpusFacts()

EMOTION_CODES: dict[str, str] = {}
EXPECTED: dict[str, int] = {}
EXCLUDED = {
    "media": "media file is not there",
    "speaker": "row without a speaker",
    "length": "segment that ends before it begins",
    "twice": "the same segment once more",
}

MEDIA = "media files"
"""The name of the count of media files; a copy of header and tables alone has none."""


def read(location: Path, table: str = "") -> Corpus:
    """Read a database's annotation of emotions as a corpus.

    `table` names the table of emotions, or several with `+` between them, where the database does
    not make plain which one is meant.

    Raises:
        UserError: No database there, a damaged one, several annotations to choose from, no
            speakers, or none of the media files.
    """
    database = Database(location)
    corpus = stored_name(f"{NAME}:{location}#{table}")
    utterances: dict[str, Utterance] = {}
    names: dict[str, str] = {}
    dropped: list[Dropped] = []
    notes: set[Dropped] = set()
    media: dict[str, bool] = {}
    for table_id in choose_tables(database, table):
        values = Values(database, table_id)
        for row in database.rows(table_id):
            if row["file"] not in media:
                # not Path.is_file, which fails on names that are too long
                media[row["file"]] = os.path.isfile(location / row["file"])
            utterance = _utterance(values, row, corpus, names)
            where = f"db.{table_id}: {utterance.utterance_id}"
            if not media[row["file"]]:
                dropped.append(Dropped(row["file"], EXCLUDED["media"]))
            elif utterance.utterance_id in utterances:
                dropped.append(Dropped(where, EXCLUDED["twice"]))
            elif reason := _fault(utterance):
                dropped.append(Dropped(where, reason))
            else:
                utterances[utterance.utterance_id] = utterance
        notes |= values.notes
    read_corpus = build_corpus(location, utterances.values(), [*dropped, *notes])
    return _add_media_counts(read_corpus, media)


def parse_time(text: str) -> float | None:
    """Return a time as tables write it, `0 days 00:00:01.898000`, in seconds; `""` is `None`.

    Raises:
        ValueError: It is no time.
    """
    if not text:
        return None
    import pandas as pd

    return float(pd.Timedelta(text).value) / 1e9  # whole nanoseconds, so 6.2901 stays 6.2901


def _utterance(values: Values, row: Row, corpus: str, names: dict[str, str]) -> Utterance:
    database, table_id = values.database, values.table_id
    try:
        start_s, end_s = (parse_time(row.get(name, "")) for name in ("start", "end"))
    except ValueError as error:
        raise UserError(
            f"{database.root}: table {table_id}, {row['file']}: expected times such as "
            f"'0 days 00:00:01.5', got {row['start']!r} and {row['end']!r} ({error})"
        ) from error
    is_whole = not start_s and end_s is None
    part = "" if is_whole else f"#{start_s or 0.0}-{'' if end_s is None else end_s}"
    label = values.emotion(row)
    dominance = values.rating(row, "dominance")
    split = split_of(database, table_id)
    extra = {} if dominance is None else {"dominance": str(dominance)}
    others = values.others(row)
    speaker = _speaker(values, row, corpus, others.pop(GLOBAL_SPEAKER, ""), names)
    return Utterance(
        corpus=corpus,
        utterance_id=row["file"] + part,
        path=row["file"],
        speaker=speaker,
        gender=values.gender(row),
        emotion=canonical_emotion(label),
        emotion_raw=label,
        start_s=start_s or 0.0,
        end_s=end_s,
        session=unicodedata.normalize("NFC", values.session(row)),
        language=values.language(row),
        activation=values.rating(row, "activation"),
        valence=values.rating(row, "valence"),
        extra=others | extra | ({"split": split} if split else {}),
    )


def _speaker(values: Values, row: Row, corpus: str, person: str, names: dict[str, str]) -> str:
    """Return the name of a row's speaker, which is the same in all rows and is kept in `names`.

    It is empty where the row has none.
    """
    # accents are coded in two ways, and a speaker must not be two persons
    speaker, person = (unicodedata.normalize("NFC", text) for text in (values.speaker(row), person))
    if not (speaker or person):
        return ""
    name = name_speaker(corpus, speaker, person)
    try:
        check_one_name(names, speaker or name, name)
    except ValueError as error:
        place = f"{values.database.root}: table {values.table_id}, {row['file']}"
        raise UserError(f"{place}: {error}") from error
    return name


def _fault(utterance: Utterance) -> str:
    """Return the reason why an utterance cannot be used, `""` if it can."""
    if not utterance.speaker:
        return EXCLUDED["speaker"]
    has_length = utterance.end_s is None or utterance.end_s > utterance.start_s
    return "" if has_length and utterance.start_s >= 0 else EXCLUDED["length"]


def _add_media_counts(corpus: Corpus, media: Mapping[str, bool]) -> Corpus:
    there = sum(media.values())
    if media and not there:  # someone copied the tables alone
        raise UserError(
            f"{corpus.root}: expected {len(media)} media files, found none of them, e.g. no "
            f"{min(media)}; fetch the media too (with audb: only_metadata=False)"
        )
    counts = {MEDIA: there, **corpus.counts}
    return replace(corpus, counts=counts, expected={MEDIA: len(media)})
