"""`ser-aae report`: the paper's tables and figures of the runs there are, beside the paper's."""

import argparse

from ser_aae.commands.options import Subparsers, add_options, count, folder


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "report", help="tables and figures of the runs there are, beside the paper's"
    )
    add_options(parser, "runs")
    parser.add_argument(
        "--out", type=folder, required=True, metavar="DIR", help="folder for page and pictures"
    )
    add_options(parser, "store")
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare all predictions with what the runs wrote down; fail if one was altered",
    )
    parser.add_argument(
        "--complete",
        action="store_true",
        help="fail, and write nothing, if a cell of the paper's tables and figures lacks a run",
    )
    parser.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="processes that compute it (this machine's processors)",
    )
    parser.set_defaults(run=run, writes="out")


def run(arguments: argparse.Namespace) -> None:
    """Write the report and print its files, the page first."""
    from joblib import cpu_count

    from data_prep.corpora import known_facts
    from reports.build import build_report

    a = arguments
    asked = {"check": a.check, "complete": a.complete, "workers": a.workers or cpu_count()}
    for path in build_report(a.runs, a.out, a.store, known_facts(), **asked):
        print(path)
