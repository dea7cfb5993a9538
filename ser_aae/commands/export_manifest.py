"""`ser-aae export-manifest`: write a corpus' utterances as a CSV or an audformat database."""

import argparse
from typing import Any

from ser_aae.commands.options import add_place, folder


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "export-manifest", help="write a corpus' labels for other programs"
    )
    parser.add_argument("--dataset", required=True, metavar="NAME", help="see: ser-aae corpora")
    parser.add_argument(
        "--format",
        required=True,
        metavar="audformat|csv",
        help="a database (db.yaml and its tables), or one CSV",
    )
    parser.add_argument(
        "--out",
        required=True,
        type=folder,
        metavar="DIR",
        help="where to write; the recordings stay, their paths are relative to it",
    )
    add_place(parser, "data_root")
    parser.add_argument(
        "--allow-partial", action="store_true", help="accept an incomplete copy of the corpus"
    )
    parser.set_defaults(run=run, writes="out")


def run(arguments: argparse.Namespace) -> None:
    """Write the corpus, and print what was written and how to read it."""
    from data_prep.export import export_manifest

    exported = export_manifest(
        arguments.dataset,
        arguments.data_root,
        arguments.out,
        arguments.format,
        allow_partial=arguments.allow_partial,
    )
    for message in exported.messages:
        print(message)
