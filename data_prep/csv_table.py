"""Reading a table of recordings: one row an utterance, every mistake named with its line."""

import math
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath

from data_prep.corpus import (
    GLOBAL_SPEAKER,
    Corpus,
    build_corpus,
    check_one_name,
    name_speaker,
    names_nobody,
    read_table_text,
)
from data_prep.csv_rows import split_rows
from ser_aae.errors import UserError
from ser_aae.frontend.channels import Channel, parse_channel
from ser_aae.labels import GENDERS, NO_LABEL, UNKNOWN_GENDER, canonical_emotion
from ser_aae.utterance import Utterance

REQUIRED = ("file", "speaker", "gender", "emotion")
OPTIONAL = (
    "activation",
    "valence",
    "session",
    "language",
    "start",
    "end",
    "channel",
    GLOBAL_SPEAKER,
)

GENDER_WORDS = {
    "F": ("f", "female", "woman", "w", "girl", "feminine"),
    "M": ("m", "male", "man", "boy", "masculine"),
    UNKNOWN_GENDER: ("", "u", *NO_LABEL),
}
GENDER_OF_WORD = {word: gender for gender, words in GENDER_WORDS.items() for word in words}

LOWEST, HIGHEST = 1.0, 5.0
"""The scale of ratings."""


def read_table(path: Path, corpus: str) -> Corpus:
    """Read a table of recordings as a corpus.

    UTF-8 with or without a byte order mark; comma, semicolon or tab between columns; a row a
    line, with any line ends. Columns are `REQUIRED` and `OPTIONAL`, in any order and case;
    whatever other columns there are go to `Utterance.extra`. Files are relative to the table's
    folder, or absolute; however a row writes it, a file below that folder has one path. The
    utterances carry the corpus' name, which is also the prefix of their speakers; one with a
    `global_speaker` is called by that, the same in every table.

    A file that is not there is no mistake here: it passes on to where recordings are read.

    Raises:
        UserError: The table or one of its rows cannot be used; the message has the line.
    """
    names: dict[str, str] = {}
    first_line: dict[tuple[str, float, float | None, Channel], int] = {}
    is_mixed: dict[str, bool] = {}
    utterances = []
    for number, row in _rows(path):
        try:
            utterance = parse_row(row | {"file": _unify_path(row["file"], path.parent)}, corpus)
            # not the id: 0.5 and 0.50 are one time
            part = (utterance.path, utterance.start_s, utterance.end_s, utterance.channel)
            line = first_line.setdefault(part, number)
            if line != number:
                raise ValueError(f"the same file and part of it as line {line}; remove one")
            mix = utterance.channel is None
            if is_mixed.setdefault(utterance.path, mix) != mix:
                raise ValueError(
                    "a file is given both by its channels and mixed, which is the same sound "
                    "twice; name a channel in all of its rows, or in none"
                )
            check_one_name(names, row["speaker"], utterance.speaker)
        except ValueError as error:
            raise UserError(f"{path}:{number}: {error}") from error
        utterances.append(utterance)
    lines = {file: line for (file, *_), line in reversed(first_line.items())}
    lines |= dict(zip((item.utterance_id for item in utterances), first_line.values(), strict=True))
    corpus = build_corpus(path.parent, utterances)
    return replace(corpus, places={name: f"{path}:{line}" for name, line in lines.items()})


def parse_row(row: dict[str, str], corpus: str) -> Utterance:
    """Return the utterance of a row: column, in lower case, to content without blanks around it.

    Raises:
        ValueError: A value is missing or out of its range.
    """
    row = _plain_row(row)
    start_s = _parse_number(row, "start", low=0.0) or 0.0
    end_s = _parse_number(row, "end", low=0.0)
    if end_s is not None and end_s <= start_s:
        raise ValueError(f"expected an end after the start ({start_s} s), got {end_s} s")
    path = _convert_path(row["file"])
    is_whole = start_s == 0.0 and end_s is None
    part = "" if is_whole else f"#{row.get('start', '')}-{row.get('end', '')}"
    try:
        channel = parse_channel(row.get("channel", ""))
    except ValueError as error:
        raise ValueError(f"{error}; rename the column if it says something else") from error
    part += "" if channel is None else f"#channel-{channel}"
    return Utterance(
        corpus=corpus,
        utterance_id=path + part,
        path=path,
        speaker=name_speaker(corpus, row["speaker"], row.get(GLOBAL_SPEAKER, "")),
        gender=_parse_gender(row["gender"]),
        emotion=canonical_emotion(row["emotion"]),
        emotion_raw=row["emotion"],
        start_s=start_s,
        end_s=end_s,
        session=row.get("session", ""),
        language=row.get("language", ""),
        activation=_parse_number(row, "activation", low=LOWEST, high=HIGHEST),
        valence=_parse_number(row, "valence", low=LOWEST, high=HIGHEST),
        extra={name: text for name, text in row.items() if name not in (*REQUIRED, *OPTIONAL)},
        channel=channel,
    )


def _plain_row(row: dict[str, str]) -> dict[str, str]:
    """Return a row in which what is not there is empty, and each name is coded in one way.

    Raises:
        ValueError: No file or no speaker is named.
    """
    # letters with accents are coded in two ways, and a speaker must not be two persons
    row = {
        column: text if column == "file" else unicodedata.normalize("NFC", text)
        for column, text in row.items()
    }
    for column in ("file", "speaker"):
        if not row[column]:
            raise ValueError(f"column {column} is empty")
    return row | {name: "" for name in ("session", "language") if names_nobody(row.get(name, ""))}


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row's line number and its content by column; blank rows are passed over."""
    text = _read_text(path)
    lines = split_rows(path, text, _delimiter(text))
    header = [name.strip().lower() for name in next(lines)[1]]
    _check_header(path, header)
    for line, fields in lines:
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            raise UserError(
                f"{path}:{line}: expected {len(header)} columns as in the first line, "
                f"got {len(fields)}; quote a field that holds the separator"
            )
        yield line, {name: text.strip() for name, text in zip(header, fields, strict=True)}


def _check_header(path: Path, header: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        there = ", ".join(name for name in header if name) or "none"
        raise UserError(
            f"{path}:1: expected the columns {', '.join(REQUIRED)}; missing: "
            f"{', '.join(missing)}; there are: {there}. Name the columns in the first line"
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UserError(f"{path}:1: column {twice[0]!r} stands there twice; rename one")


def _read_text(path: Path) -> str:
    if path.is_dir():
        raise UserError(f"{path}: expected a table, found a folder; give the path of the CSV file")
    return read_table_text(path)


def _delimiter(text: str) -> str:
    """Return the separator: the one of comma, semicolon and tab the first line has most of.

    `csv.Sniffer` guesses from all lines and is led astray by commas in free text.
    """
    first_line = (text.splitlines() or [""])[0]
    return max(",;\t", key=first_line.count)


def _convert_path(file: str) -> str:
    return PurePath(file.replace("\\", "/")).as_posix()


def _unify_path(file: str, folder: Path) -> str:
    """Return a file's path relative to the table's folder, where it lies below that.

    Else `a.wav`, `../calls/a.wav` and the full path would be three recordings, and a split might
    put the three into different parts.
    """
    if not file:
        return file
    base = os.path.abspath(folder)
    full = PurePath(os.path.normpath(os.path.join(base, _convert_path(file))))
    return full.relative_to(base).as_posix() if full.is_relative_to(base) else _convert_path(file)


def _parse_gender(text: str) -> str:
    gender = GENDER_OF_WORD.get(text.casefold())
    if gender is None:
        raise ValueError(
            f"expected a gender (f, female, m, male, or empty for {UNKNOWN_GENDER}; stored as "
            f"{' or '.join(GENDERS)}), got {text!r}"
        )
    return gender


def _parse_number(
    row: dict[str, str], column: str, *, low: float, high: float = math.inf
) -> float | None:
    """Return a column as a number in its range, `None` where it is absent or empty."""
    text = row.get(column, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and low <= value <= high):
        limits = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of at least {low:g}"
        raise ValueError(f"column {column}: expected a number {limits}, got {text!r}")
    return value
