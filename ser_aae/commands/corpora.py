"""`ser-aae corpora`: a list of the corpora, with their terms, places and checks."""

import argparse
import json
import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_aae.commands.options import Subparsers, add_options
from ser_aae.config.datasets import PATH_KINDS

if TYPE_CHECKING:
    from data_prep.corpora import Adapter


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "corpora", help="list the corpora: terms, how to obtain them, where they should lie"
    )
    add_options(parser, "data-root", "json")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print every corpus, and whether it is found under the data root."""
    from data_prep.corpora import list_corpora

    rows = [describe(adapter, arguments.data_root) for adapter in list_corpora()]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        print("\n\n".join(_text(row) for row in rows))


def describe(adapter: "Adapter", data_root: Path) -> dict[str, Any]:
    """Return a description of a corpus, as plain values.

    `location` and `found` are `None` for a corpus that is named by its path, as `csv:FILE`.
    """
    path = PATH_KINDS.get(adapter.name)
    name = f"{adapter.name}:{path}" if path else adapter.name
    return {
        "name": name,
        "title": adapter.title,
        "version": adapter.version,
        "license": adapter.license,
        "obtain": adapter.obtain,
        "download": adapter.download_command(data_root) if adapter.downloads else None,
        "location": None if path else str(adapter.location(data_root)),
        "found": None if path else adapter.is_found(data_root),
        "check": _check(name, None if path else data_root),
        "tree": textwrap.dedent(adapter.tree),
        "expected": dict(adapter.expected),
        "language": adapter.language,
        "bibtex": adapter.bibtex,
    }


def _check(name: str, data_root: Path | None) -> str:
    """Return the command that checks a copy of the corpus, to be pasted into a shell."""
    words = ["ser-aae", "verify-corpus", "--dataset", name]
    # also where it comes from $SER_AAE_DATA: the line then says the same elsewhere
    if data_root not in (None, Path("data")):
        words += ["--data-root", str(data_root)]
    return shlex.join(words)


def _text(row: dict[str, Any]) -> str:
    lines = [
        f"{row['name']}: {row['title']}",
        f"  terms     {row['license']}",
        textwrap.fill(
            row["obtain"],
            width=98,
            initial_indent="  obtain    ",
            subsequent_indent=" " * 12,
            break_long_words=False,
            break_on_hyphens=False,
        ),
    ]
    if row["download"] is not None:
        lines.append(f"  or        {row['download']}")
    if row["location"] is not None:
        state = "found" if row["found"] else "not found"
        lines.append(f"  place     {row['location']} ({state})")
    lines.append(f"  check     {row['check']}")
    files = textwrap.indent(row["tree"], " " * 12).removeprefix(" " * 12)
    return "\n".join([*lines, f"  files     {files}"])
