"""`ser-aae download`: corpora that may be had without an agreement, fetched into their place."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ser_aae.commands.options import Subparsers, add_options
from ser_aae.commands.verify_corpus import verify
from ser_aae.errors import UserError
from ser_aae.progress import show_line

if TYPE_CHECKING:
    from data_prep.download import Wanted


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "download",
        help="fetch a corpus that may be had without an agreement",
        description="Fetch corpora that may be had without an agreement: cremad, emodb, nemo, "
        "ravdess (speech), urdu, and librispeech, of which librispeech:test-clean is a part and "
        "the name alone means the parts that the paper takes. Each is unpacked into its place and "
        "read as by verify-corpus, which decides. A download that was cut off goes on. No address "
        "was ever tried by those who wrote this program.",
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="see: ser-aae corpora")
    add_options(parser, "data-root")
    parser.add_argument(
        "--accept-terms",
        action="store_true",
        help="accept the terms, which are printed; without it a terminal is asked",
    )
    parser.set_defaults(run=run, writes="data_root")


def run(arguments: argparse.Namespace) -> None:
    """Fetch what is not there; print the report on each corpus that was fetched.

    Raises:
        UserError: A corpus cannot be fetched by this command, its terms are not accepted, what came
            is not what it should be, or what lies there already is incomplete.
    """
    from data_prep.download import choose_archives, fetch

    data_root = arguments.data_root
    chosen = [item for name in arguments.names for item in choose_archives(name)]
    wanted = {item.name: item for item in chosen}.values()
    lacking = [item for item in wanted if not item.is_there(data_root)]
    for item in wanted:
        if item not in lacking:
            _tell_of_what_is_there(item, data_root)
    if not lacking:
        return
    _agree(lacking, data_root, arguments.accept_terms)
    for item in lacking:
        fetch(item, data_root)
    for name in dict.fromkeys(item.adapter.name for item in lacking):
        verify(name, data_root)


def _tell_of_what_is_there(item: "Wanted", data_root: Path) -> None:
    """Say that a corpus is there; raise where it is incomplete."""
    corpus = item.adapter.read(data_root)
    show_line(f"{item.name}: {corpus.root} is there already, with all that it should count")


def _agree(lacking: "list[Wanted]", data_root: Path, accepted: bool) -> None:
    """Print what is going to be fetched and under which terms, and have the terms accepted.

    Raises:
        UserError: They are not accepted.
    """
    for item in lacking:
        for line in _terms(item, data_root):
            show_line(line)
    if accepted:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError(
            "terms: nothing was fetched; whoever accepts the terms above gives the same command "
            "with --accept-terms"
        )
    show_line("Do you accept these terms? Type yes, or anything else to fetch nothing:")
    if sys.stdin.readline().strip().casefold() != "yes":
        raise UserError("terms: not accepted, so nothing was fetched")


def _terms(item: "Wanted", data_root: Path) -> list[str]:
    from data_prep.download import UNTRIED

    archive, adapter = item.archive, item.adapter
    checksum = f"{archive.checksum}, as {archive.source} says" if archive.checksum else ""
    if archive.pointed:
        checksum = f"SHA-256 of each recording in the repository; recordings: {archive.pointed}"
    lines = [f"{item.name}: {adapter.title}", f"  terms     {adapter.license}"]
    lines.append(f"  from      {archive.url} ({UNTRIED})")
    lines.append(f"  checksum  {checksum or 'none is published; the counts of the corpus decide'}")
    return [*lines, f"  to        {adapter.location(data_root)}"]
