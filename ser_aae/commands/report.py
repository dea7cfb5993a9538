"""`ser-aae report`: pictures and tables of the runs that are there."""

import argparse
from typing import Any

from ser_aae.commands.options import add_place, folder


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser("report", help="pictures and tables of the runs there are")
    add_place(parser, "runs")
    parser.add_argument(
        "--out", type=folder, required=True, metavar="DIR", help="folder for page and pictures"
    )
    parser.set_defaults(run=run, writes="out")


def run(arguments: argparse.Namespace) -> None:
    """Write the report and print its files, the page first."""
    from reports.build import build_report

    for path in build_report(arguments.runs, arguments.out):
        print(path)
