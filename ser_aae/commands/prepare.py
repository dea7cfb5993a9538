"""`ser-aae prepare`: compute a corpus' spectrograms and keep them in the store."""

import argparse

from ser_aae.commands.options import CONFIG, Subparsers, add_options
from ser_aae.commands.preparation import prepare_corpus
from ser_aae.errors import UserError


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser("prepare", help="compute a corpus' spectrograms, once")
    add_options(parser, "dataset", "data-root", "store", "workers", "allow-partial", *CONFIG)
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
