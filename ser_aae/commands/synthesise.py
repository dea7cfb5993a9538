"""`ser-aae synthesise`: write a corpus of synthetic speech, to try everything on."""

import argparse

from ser_aae.commands.options import Subparsers, add_options, whole_number


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser("synthesise", help="make a corpus of synthetic speech")
    parser.add_argument(
        "--dataset",
        default="demo",
        metavar="NAME",
        help="demo (default), iemocap, msp or librispeech",
    )
    add_options(parser, "data-root")
    parser.add_argument(
        "--speakers", type=whole_number(2), metavar="N", help="voices (the corpus' own number)"
    )
    parser.add_argument(
        "--seed", type=whole_number(0), default=0, metavar="S", help="of everything drawn (0)"
    )
    parser.set_defaults(run=run, writes="data_root")


def run(arguments: argparse.Namespace) -> None:
    """Write the corpus and print its folder."""
    from data_prep.synthetic import synthesise

    print(
        synthesise(arguments.dataset, arguments.data_root, arguments.speakers, seed=arguments.seed)
    )
