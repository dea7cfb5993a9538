"""Reading `db.yaml`, which anybody may have written, without running or believing it.

The library's own `Database.load` gives it to PyYAML's full loader, which calls whatever
function a tag `!!python/object/apply` names. The safe loader calls none, but its C part falls
over where lists are nested deeply, and a few lists of aliases to each other (`&a`, `*a`) can
stand for more values than memory holds as soon as a message quotes them. And the library takes
some values of any type.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ser_aae.errors import UserError

if TYPE_CHECKING:
    import audformat

HEADER = "db.yaml"

DEEPEST = 100
"""Levels of lists and mappings in each other; audformat itself has seven."""
MOST_VALUES = 10_000_000
"""Values of a header, aliases resolved; a speaker has about five."""

# the same loader in C, where PyYAML has it: headers with thousands of speakers are long
_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_header(root: Path) -> "audformat.Database":
    """Return what the `db.yaml` of a folder says; the database's tables are empty.

    Raises:
        UserError: No `db.yaml` there, or nothing that audformat understands.
    """
    import audformat  # here, because it brings pandas along

    path = root / HEADER
    if not path.is_file():
        raise UserError(f"{root}: expected the folder of an audformat database, found no {HEADER}")
    try:
        text = path.read_text(encoding="utf-8")
        _check_size(text)
        header = yaml.load(text, Loader=_SafeLoader)  # noqa: S506
    except (yaml.YAMLError, ValueError) as error:  # also of bytes, or of a 30th of February
        raise UserError(f"{path}: expected the plain YAML of audformat, {error}") from error
    if not isinstance(header, dict):
        kind = type(header).__name__
        raise UserError(f"{path}: expected the header of an audformat database, got a {kind}")
    try:
        database = audformat.Database.load_header_from_yaml(header)
        wrong = next(_unchecked_faults(database), None)
    except Exception as error:  # a header can be wrong in as many ways as Python knows errors
        raise UserError(
            f"{path}: expected what audformat {audformat.__version__} understands, got "
            f"{type(error).__name__}: {error}; write the database anew with audformat"
        ) from error
    if wrong:
        raise UserError(f"{path}: {wrong}; write the database anew with audformat")
    return database


def _check_size(text: str) -> None:
    """Refuse a text too deep or too large to be loaded; events are read without recursion."""
    sizes: dict[str | None, int] = {}
    counts = [0]  # of values, in each collection that is open
    anchors: list[str | None] = []
    for event in yaml.parse(text, Loader=_SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            anchors.append(event.anchor)
            counts.append(0)
        elif isinstance(event, yaml.CollectionEndEvent):
            sizes[anchors.pop()] = counts[-1]
            counts[-2:] = [counts[-2] + counts[-1] + 1]
        elif isinstance(event, yaml.AliasEvent):
            counts[-1] += sizes.get(event.anchor, 0) + 1
        else:
            counts[-1] += 1
        if len(counts) > DEEPEST or counts[-1] > MOST_VALUES:
            raise yaml.YAMLError(
                f"found more than {DEEPEST} levels or {MOST_VALUES} values, aliases counted"
            )


def _unchecked_faults(database: "audformat.Database") -> Iterator[str]:
    """Yield faults that the library does not check, most of all values of wrong types."""
    texts: list[tuple[str, Any]] = [("languages", name) for name in database.languages]
    numbers: list[tuple[str, Any]] = []
    for name, scheme in database.schemes.items():
        texts.append(("schemes", name))
        numbers += [(f"schemes.{name}", limit) for limit in (scheme.minimum, scheme.maximum)]
        if isinstance(scheme.labels, str) and len(database[scheme.labels].levels) != 1:
            yield f"schemes.{name}.labels: expected a table of one level, got {scheme.labels}"
    for kind in ("tables", "misc_tables"):
        for table_id, table in getattr(database, kind).items():
            texts.append((kind, table_id))
            for name, column in table.columns.items():
                where = f"{kind}.{table_id}.columns"
                texts.append((where, name))
                texts += [
                    (f"{where}.{name}", identity)
                    for identity in (column.scheme_id, column.rater_id)
                    if identity is not None
                ]
    for wanted, found in ((str, texts), ((int, float, type(None)), numbers)):
        for where, value in found:
            if not isinstance(value, wanted):
                expected = "text" if wanted is str else "a number"
                yield f"{where}: expected {expected}, got a {type(value).__name__}"
