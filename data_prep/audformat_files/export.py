"""Writing utterances as an audformat database: `db.yaml` and a CSV for each table.

The tables are those that published databases have: `speaker` (miscellaneous, the labels of
the scheme of that name), `files` and `emotion`. A field that is the same for all utterances of
a speaker stands with the speaker, one that is the same for all of a file with the file.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_prep.audformat_files.header import HEADER
from data_prep.csv_table import HIGHEST, LOWEST
from ser_aae.errors import UserError
from ser_aae.labels import GENDER_WORDS
from ser_aae.utterance import Utterance

if TYPE_CHECKING:
    import audformat
    import pandas as pd

RATINGS = ("activation", "valence")


def write_database(
    folder: Path, name: str, utterances: Sequence[Utterance], source: str, terms: str
) -> None:
    """Write a database; `db.yaml` comes last, so that it is there whole or not at all.

    The utterances have paths relative to `folder`, ratings from 1 to 5, and speakers without the
    corpus' name. `source` is the origin of the recordings, `terms` are the terms of use.

    Raises:
        UserError: A database lies there already.
    """
    # a parquet table or pickle left there would be read in preference to the CSV
    found = [path for end in ("yaml", "*.parquet", "*.pkl") for path in folder.glob(f"db.{end}")]
    if found:
        raise UserError(
            f"{found[0]}: a database is there already; remove it, or give another --out"
        )
    database = build_database(name, utterances, source, terms)
    with tempfile.TemporaryDirectory(prefix=".audformat-", dir=folder) as scratch:
        database.save(scratch, storage_format="csv")
        for path in sorted(Path(scratch).iterdir(), key=lambda path: path.name == HEADER):
            os.replace(path, folder / path.name)


def build_database(
    name: str, utterances: Sequence[Utterance], source: str, terms: str
) -> "audformat.Database":
    """Return the database in memory."""
    import audformat

    database = audformat.Database(
        name, source=source, usage="other", license=terms, languages=_languages(utterances)
    )
    places = {
        field: _place(utterances, field) for field in ("speaker", "gender", "language", "session")
    }
    _add_speakers(database, utterances, places)
    files = {item.path: item for item in utterances}
    database["files"] = audformat.Table(audformat.filewise_index(list(files)))
    database["emotion"] = audformat.Table(_index(utterances))
    for field, place in places.items():
        if place in ("files", "emotion"):
            items = list(files.values()) if place == "files" else utterances
            _fill(database[place], field, [_field_text(item, field) for item in items])
    _add_emotions(database, utterances)
    return database


def _place(utterances: Sequence[Utterance], field: str) -> str:
    """Return the table that a field belongs in, `""` where no utterance has it."""
    if not any(_field_text(item, field) for item in utterances):
        return ""
    homes = {"speaker": "speaker", "files": "path"}
    if field in ("speaker", "session"):
        del homes["speaker"]
    for table, key in homes.items():
        values = defaultdict(set)
        for item in utterances:
            values[getattr(item, key)].add(_field_text(item, field))
        if all(len(found) == 1 for found in values.values()):
            return table
    return "emotion"


def _add_speakers(
    database: "audformat.Database", utterances: Sequence[Utterance], places: Mapping[str, str]
) -> None:
    """Add the speakers with what belongs to them, and the schemes of text."""
    import audformat
    import pandas as pd

    speakers = {item.speaker: item for item in sorted(utterances, key=lambda item: item.speaker)}
    database.schemes["gender"] = audformat.Scheme("str", labels=sorted(GENDER_WORDS.values()))
    for field in ("language", "session"):
        if places[field]:
            labels = sorted({_field_text(item, field) for item in utterances} - {None})
            database.schemes[field] = audformat.Scheme("str", labels=labels)
    index = pd.Index(list(speakers), name="speaker", dtype="string")
    database["speaker"] = audformat.MiscTable(index)
    database.schemes["speaker"] = audformat.Scheme("str", labels="speaker")
    for field, place in places.items():
        if place == "speaker":
            _fill(
                database["speaker"], field, [_field_text(item, field) for item in speakers.values()]
            )


def _add_emotions(database: "audformat.Database", utterances: Sequence[Utterance]) -> None:
    import audformat

    table = database["emotion"]
    labels = sorted({item.emotion for item in utterances} - {""})
    database.schemes["emotion"] = audformat.Scheme("str", labels=labels or None)
    _fill(table, "emotion", [item.emotion or None for item in utterances])
    for dimension in RATINGS:
        ratings = [getattr(item, dimension) for item in utterances]
        if any(rating is not None for rating in ratings):
            database.schemes[dimension] = audformat.Scheme("float", minimum=LOWEST, maximum=HIGHEST)
            _fill(table, dimension, ratings)
    for column in sorted({name for item in utterances for name in item.extra}):
        table[column] = audformat.Column()
        table[column].set([item.extra.get(column) or None for item in utterances])


def _fill(table: Any, scheme_id: str, values: Sequence[Any]) -> None:
    import audformat

    table[scheme_id] = audformat.Column(scheme_id=scheme_id)
    table[scheme_id].set(list(values))


def _field_text(utterance: Utterance, field: str) -> str | None:
    """Return a field as audformat has it: genders in words, nothing for an empty text."""
    text: str = getattr(utterance, field)
    return (GENDER_WORDS.get(text) if field == "gender" else text) or None


def _index(utterances: Sequence[Utterance]) -> "pd.Index":
    """Return whole files, or segments if there is any; an end of NaT is that of the file."""
    import audformat
    import pandas as pd

    files = [item.path for item in utterances]
    if all(item.start_s == 0.0 and item.end_s is None for item in utterances):
        return audformat.filewise_index(files)
    starts = [pd.Timedelta(round(item.start_s * 1e9), unit="ns") for item in utterances]
    ends = [
        pd.NaT if item.end_s is None else pd.Timedelta(round(item.end_s * 1e9), unit="ns")
        for item in utterances
    ]
    return audformat.segmented_index(files, starts, ends)


def _languages(utterances: Sequence[Utterance]) -> list[str]:
    """Return the languages there are, those that ISO 639 knows."""
    import audformat

    languages = []
    for language in sorted({item.language for item in utterances} - {""}):
        try:
            languages.append(audformat.utils.map_language(language))
        except ValueError:
            continue  # it stays with the utterances
    return languages
