"""Values of a table's rows, from wherever an audformat database has them.

A speaker may stand in the table of emotions or in one of files, a gender there too, or with
the labels of the speakers' scheme, or in the miscellaneous table that those labels point to.
"""

import math
from collections import Counter
from functools import cache, cached_property
from typing import TYPE_CHECKING

from data_prep.audformat_files.choice import RATINGS, best_columns, emotion_columns, preference
from data_prep.audformat_files.header import HEADER
from data_prep.audformat_files.tables import Database, Row, label_text
from data_prep.csv_table import GENDER_OF_WORD, HIGHEST, LOWEST
from ser_aae.errors import UserError
from ser_aae.labels import UNKNOWN_GENDER, canonical_emotion, is_known_emotion
from ser_aae.utterance import Dropped

if TYPE_CHECKING:
    import audformat

NO_RANGE = "scheme without minimum and maximum: its ratings are left out"
NOT_IN_SCHEME = "label that its scheme does not have: taken as none"
NO_NUMBER = "rating that is no number: left out"

_NAMES = {
    "speaker": ("speaker", "speaker_id"),
    "gender": ("gender", "sex"),
    "language": ("language",),
    "session": ("session",),
    **RATINGS,
}
_INDEX = ("file", "start", "end")


class Values:
    """The values of a table's rows: its own columns first, then those of other tables.

    Attributes:
        notes: Values left out of rows that became utterances, and why.
    """

    def __init__(self, database: Database, table_id: str) -> None:
        """Find the columns of each field; no row is read yet.

        Raises:
            UserError: No table says who speaks, so no split by speakers can be made.
        """
        self.database = database
        self.table_id = table_id
        self.notes: set[Dropped] = set()
        self._emotion = emotion_columns(database, database.header.tables[table_id])
        self._sources = {what: self._find_columns(what) for what in _NAMES}
        if not self._sources["speaker"]:
            raise UserError(
                f"{database.root}: expected a table with a column speaker, found none in "
                f"{', '.join(database.header.tables)}; add who speaks to the database"
            )
        columns = [source for sources in self._sources.values() for source in sources]
        self._used = {
            (table_id, found[0])
            for table_id, found in (*columns, (table_id, self._emotion))
            if len(found) == 1  # the columns of several raters are kept
        }
        self._speaker_schemes = self._find_speaker_schemes()

    def emotion(self, row: Row) -> str:
        """Return the label that most columns of emotions give, `""` where none wins."""
        labels = [self._emotion_label(column, row) for column in self._emotion]
        said = [label for label in labels if canonical_emotion(label)] or labels
        votes = Counter(label for label in said if label).most_common(2)
        is_tie = len(votes) == 2 and votes[0][1] == votes[1][1]
        return "" if is_tie or not votes else votes[0][0]

    def speaker(self, row: Row) -> str:
        """Return the speaker, `""` where no table says."""
        return self._text("speaker", row)

    def session(self, row: Row) -> str:
        """Return the session, `""` where no table says."""
        return self._text("session", row)

    def gender(self, row: Row) -> str:
        """Return `"F"`, `"M"` or `"unknown"`, of the row or of its speaker."""
        word = self._text("gender", row) or self._property("gender", row)
        return GENDER_OF_WORD.get(word.casefold(), UNKNOWN_GENDER)

    def language(self, row: Row) -> str:
        """Return the language of the row, of its speaker, or the only one of the database."""
        language = self._text("language", row) or self._property("language", row)
        languages = self.database.header.languages
        if not language and not self._has_languages and len(languages) == 1:
            language = languages[0]
        return _language_code(language)

    def rating(self, row: Row, dimension: str) -> float | None:
        """Return a rating, its scheme's minimum to maximum brought to 1 to 5.

        Several raters are averaged. A value outside its scheme's range goes beyond 1 to 5,
        like the averages of 5.5 that IEMOCAP has: nothing is clipped.
        """
        for table_id, columns in self._sources[dimension]:
            found = self.database.row_of(table_id, row)
            ratings = [
                self._rescale_rating(table_id, name, found.get(name, "")) for name in columns
            ]
            known = [rating for rating in ratings if rating is not None]
            if known:
                return math.fsum(known) / len(known)
        return None

    def others(self, row: Row) -> dict[str, str]:
        """Return the other values of a row, in its own table and in one called `files`."""
        tables = [name for name in self.database.header.tables if name.casefold() == "files"]
        return {
            column: text
            for table_id in dict.fromkeys([*tables, self.table_id])
            for column, text in self.database.row_of(table_id, row).items()
            if text and column not in _INDEX and (table_id, column) not in self._used
        }

    def _find_columns(self, what: str) -> list[tuple[str, list[str]]]:
        """Return the tables that have columns of a field, each with these columns, in order.

        A field that the row's own table has a column of is taken from no other table: an empty
        cell there is an answer, too.
        """
        tables = self.database.header.tables
        in_order = sorted(
            tables,
            key=lambda name: (
                name != self.table_id,
                name.casefold() not in ("files", "speaker"),
                preference(self.database, name),
            ),
        )
        columns = {
            name: best_columns(self.database, tables[name], _NAMES[what]) for name in in_order
        }
        if what in RATINGS:
            columns = {
                name: [column for column in found if self._has_range(what, name, column)]
                for name, found in columns.items()
            }
        sources = [(name, found) for name, found in columns.items() if found]
        return sources[:1] if columns[self.table_id] else sources

    def _has_range(self, what: str, table_id: str, column: str) -> bool:
        scheme = self.database.scheme(table_id, column)
        if scheme is not None and _range(scheme) is not None:
            return True
        name = self.database.header.tables[table_id].columns[column].scheme_id
        where = f"db.{table_id}: column {column}" if name is None else f"{HEADER}: scheme {name}"
        if what != "dominance":  # which goes to the extra fields, with a range or without
            self.notes.add(Dropped(where, NO_RANGE))
        return False

    def _find_speaker_schemes(self) -> list[str]:
        tables, schemes = self.database.header.tables, self.database.header.schemes
        ids = {
            tables[table_id].columns[column].scheme_id
            for table_id, columns in self._sources["speaker"]
            for column in columns
        }
        return [name for name in schemes if name in ids and schemes[name].labels is not None]

    def _text(self, what: str, row: Row) -> str:
        for table_id, columns in self._sources[what]:
            found = self.database.row_of(table_id, row)
            for column in columns:
                if found.get(column):
                    return label_text(found[column], self.database.scheme(table_id, column))
        return ""

    def _property(self, what: str, row: Row) -> str:
        """Return a property of the row's speaker, from the labels of the speakers' scheme."""
        speaker = self.speaker(row)
        for scheme_id in self._speaker_schemes:
            for name, text in self.database.labels(scheme_id).get(speaker, {}).items():
                if name.casefold() in _NAMES[what] and text:
                    return text
        return ""

    @cached_property
    def _has_languages(self) -> bool:
        """True where rows or speakers have languages, so that a row without one has none."""
        properties = (
            name.casefold()
            for scheme_id in self._speaker_schemes
            for known in self.database.labels(scheme_id).values()
            for name in known
        )
        return bool(self._sources["language"]) or any(n in _NAMES["language"] for n in properties)

    def _emotion_label(self, column: str, row: Row) -> str:
        """Return a label, or its name in its scheme where only that name is a known emotion."""
        scheme = self.database.scheme(self.table_id, column)
        label = label_text(row.get(column, ""), scheme)
        if not label or scheme is None or scheme.labels is None:
            return label
        scheme_id = self.database.header.tables[self.table_id].columns[column].scheme_id
        labels = self.database.labels(scheme_id)
        if label not in labels:
            where = f"db.{self.table_id}: {row['file']}: {label}"
            self.notes.add(Dropped(where, NOT_IN_SCHEME))  # audformat takes it as missing, too
            return ""
        words = (label, *labels[label].values())
        return next((word for word in words if is_known_emotion(canonical_emotion(word))), label)

    def _rescale_rating(self, table_id: str, column: str, text: str) -> float | None:
        scheme = self.database.scheme(table_id, column)
        span = None if scheme is None else _range(scheme)
        try:
            value = float(text or "nan")
        except ValueError:
            self.notes.add(Dropped(f"db.{table_id}: column {column}: {text}", NO_NUMBER))
            return None
        if span is None or not math.isfinite(value):
            return None
        low, high = span
        return LOWEST + (HIGHEST - LOWEST) * (value - low) / (high - low)


def _range(scheme: "audformat.Scheme") -> tuple[float, float] | None:
    low, high = scheme.minimum, scheme.maximum
    return (low, high) if low is not None and high is not None and low < high else None


@cache
def _language_code(text: str) -> str:
    """Return the ISO 639-3 code of a language or its code, or the text where there is none."""
    import audformat

    try:
        return str(audformat.utils.map_language(text))
    except ValueError:
        return text
