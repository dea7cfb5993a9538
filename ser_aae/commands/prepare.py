"""`ser-aae prepare`: compute a corpus' spectrograms and keep them in the store."""

import argparse
from typing import Any

from ser_aae.commands.options import add_config, add_place, add_preparation, prepare_corpus
from ser_aae.errors import UserError


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser("prepare", help="compute a corpus' spectrograms, once")
    parser.add_argument(
        "--dataset",
        required=True,
        metavar="NAME",
        help="see: ser-aae corpora; or csv:FILE, audformat:DIR",
    )
    add_place(parser, "data_root")
    add_place(parser, "store")
    add_preparation(parser)
    add_config(parser)
    parser.set_defaults(run=run, writes="store")


def run(arguments: argparse.Namespace) -> None:
    """Prepare the corpus and print what was found in it."""
    from ser_aae.config.build import build_config

    for text in arguments.set:
        if not text.startswith("frontend."):
            raise UserError(f"--set {text}: only settings of frontend change what is prepared")
    config = build_config(arguments.preset, arguments.config, assignments=arguments.set)
    for message in prepare_corpus(arguments.dataset, config, arguments):
        print(message)
