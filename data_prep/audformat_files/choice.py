"""Choice of the table of an audformat database that holds the emotions.

A database has many tables that name emotions: parts of one annotation (`train`, `test`),
other opinions, other signals of the same moment. Their union would count files twice, or
take an electroglottograph for speech (EmoDB 2.0, `laryngo.*`); so one annotation is chosen.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data_prep.audformat_files.tables import Database
from ser_aae.errors import UserError
from ser_aae.labels import canonical_emotion, is_known_emotion

if TYPE_CHECKING:
    import audformat

RATINGS = {
    "activation": ("arousal", "activation"),
    "valence": ("valence",),
    "dominance": ("dominance",),
}
"""Dimension to the schemes or columns that hold it."""

_PART = re.compile(r"(train|dev|test)([-_]?\d+)?", re.IGNORECASE)
_GOLD_RATERS = ("vote", "ground truth")


@dataclass(frozen=True)
class Annotation:
    """One annotation: a table, or the tables of its splits."""

    name: tuple[str, ...]
    tables: tuple[str, ...]


def choose_tables(database: Database, wanted: str = "") -> tuple[str, ...]:
    """Return the tables that make up the annotation of emotions.

    Tables that differ in their split alone belong together. Gold standards come before other
    tables, and the plainest name before names with an addition to it: `emotion` before
    `laryngo.emotion`. Without any table of emotions, those of arousal and valence are taken.
    These rules do not apply where `wanted` names tables, with `+` between them.

    Raises:
        UserError: No such table, no emotions, or several annotations of equal right.
    """
    if wanted:
        return _find_named_tables(database, wanted)
    tables = database.header.tables
    for find in (emotion_columns, _rating_columns):
        found = [name for name, table in tables.items() if find(database, table)]
        if found:
            return _prefer(database, _annotations(database, found)).tables
    raise UserError(
        f"{database.root}: expected a table with a column of emotions, arousal or valence, found "
        f"none in {_list_tables(database)}. To take a table as speech without labels, name it: "
        f"audformat:{database.root}#TABLE"
    )


def emotion_columns(database: Database, table: "audformat.Table") -> list[str]:
    """Return the columns of a table that hold emotions, the best alone where one is best."""
    known = database.header.schemes
    schemes = [name for name, scheme in known.items() if _is_emotion(name, scheme)]
    return best_columns(database, table, ("emotion", *schemes))


def best_columns(database: Database, table: "audformat.Table", names: tuple[str, ...]) -> list[str]:
    """Return the columns of a table that are called or use a scheme of one of the names.

    Of several, those of a gold rater (vote, ground truth) are meant, or else the one that is
    itself called so; otherwise all are, as of several raters.
    """
    folded = {name.casefold() for name in names}
    found = {
        name: column
        for name, column in table.columns.items()
        if name.casefold() in folded or (column.scheme_id or "").casefold() in folded
    }
    gold = [name for name, column in found.items() if _is_gold(database, column)]
    called = [name for name in found if name.casefold() in folded]
    return gold or called[:1] or list(found)


def split_of(database: Database, table_id: str) -> str:
    """Return the split of a table, by its own word or by a part of its name, or `""`."""
    split_id = database.header.tables[table_id].split_id
    parts, known = table_id.split("."), database.header.splits
    return split_id or next((p for p in parts if p in known or _PART.fullmatch(p)), "")


def preference(database: Database, table_id: str) -> tuple[int, int, str]:
    """Return what orders tables: gold standards first, then the plainest name."""
    table = database.header.tables[table_id]
    parts = table_id.casefold().split(".")
    is_gold = any(_is_gold(database, column) for column in table.columns.values())
    return 0 if "gold_standard" in parts else 2 - is_gold, len(parts), table_id


def _is_emotion(name: str, scheme: "audformat.Scheme") -> bool:
    """Return whether a scheme is of emotions: by its name, or by two words among its labels.

    One is not enough: `neutral` is also a sentiment, `other` also a gender.
    """
    if name.casefold() == "emotion":
        return True
    labels = scheme.labels
    if labels is None or isinstance(labels, str):
        return False
    meanings = labels.values() if isinstance(labels, dict) else ()
    words = [*map(str, labels), *(word for word in meanings if isinstance(word, str))]
    known = {canonical_emotion(word) for word in words} - {"other"}
    return sum(is_known_emotion(word) for word in known) >= 2


def _is_gold(database: Database, column: "audformat.Column") -> bool:
    rater = column.rater_id
    return rater in database.header.raters and database.header.raters[rater].type in _GOLD_RATERS


def _rating_columns(database: Database, table: "audformat.Table") -> list[str]:
    names = (*RATINGS["activation"], *RATINGS["valence"])
    return best_columns(database, table, names)


def _annotations(database: Database, tables: list[str]) -> list[Annotation]:
    """Put tables together that differ in their split alone."""
    groups: dict[tuple[tuple[str, ...], bool], list[str]] = defaultdict(list)
    for table_id in tables:
        split = split_of(database, table_id)
        name = tuple(part for part in table_id.split(".") if not split or part != split)
        groups[name, bool(split)].append(table_id)
    return [Annotation(name, tuple(sorted(ids))) for (name, _), ids in groups.items()]


def _prefer(database: Database, annotations: list[Annotation]) -> Annotation:
    ranks = [min(preference(database, table)[0] for table in item.tables) for item in annotations]
    best = [item for item, rank in zip(annotations, ranks, strict=True) if rank == min(ranks)]
    for item in best:
        others = [set(other.name) for other in best if other is not item]
        if not others or (item.name and all(set(item.name) < other for other in others)):
            return item
    choices = "\n  ".join(f"audformat:{database.root}#{'+'.join(item.tables)}" for item in best)
    raise UserError(
        f"{database.root}: expected one table of emotions, found {len(best)} of equal right; "
        f"choose:\n  {choices}"
    )


def _find_named_tables(database: Database, wanted: str) -> tuple[str, ...]:
    tables = tuple(wanted.split("+"))
    unknown = [name for name in tables if name not in database.header.tables]
    if unknown:
        raise UserError(
            f"{database.root}: expected tables of the database ({_list_tables(database)}), got "
            f"{', '.join(map(repr, unknown))}; put + between several"
        )
    return tables


def _list_tables(database: Database) -> str:
    return ", ".join(database.header.tables) or "no table"
