"""`ser-aae export-manifest`: write a corpus' utterances as a CSV or an audformat database."""

import argparse

from ser_aae.commands.options import Subparsers, add_options, folder


def add_parser(commands: Subparsers) -> None:
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
    add_options(parser, "data-root", "allow-partial")
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
