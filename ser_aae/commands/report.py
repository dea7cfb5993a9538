"""`ser-aae report`: the paper's tables and figures of the runs there are, beside the paper's."""

import argparse

from ser_aae.commands.options import Subparsers, add_options, count, new_place


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "report", help="tables and figures of the runs there are, beside the paper's"
    )
    add_options(parser, "runs")
    parser.add_argument(
        "--out", type=new_place, required=True, metavar="DIR", help="folder for page and pictures"
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
    _add_picture_options(parser)
    parser.add_argument(
        "--latex",
        action="store_true",
        help="write all tables of the page as one LaTeX document, too: tables.tex",
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
    from reports.build import Wishes, build_report
    from reports.picture_form import DPI, PictureForm

    a = arguments
    form = PictureForm(a.format, a.dpi or DPI, a.width or "")
    wishes = Wishes(check=a.check, complete=a.complete, latex=a.latex, form=form)
    workers = a.workers or cpu_count()
    for path in build_report(a.runs, a.out, a.store, known_facts(), workers, wishes):
        print(path)


def _add_picture_options(parser: argparse.ArgumentParser) -> None:
    from reports.picture_form import DPI, KINDS, LEAST_DPI, MOST_DPI, WIDTHS

    parser.add_argument(
        "--format",
        type=_read_kinds,
        metavar="KINDS",
        help="files of each picture beside the PNG that the page shows, of "
        f"{','.join(KINDS)} (without: PDF of the paper's tables and figures)",
    )
    parser.add_argument(
        "--dpi",
        type=_read_dpi,
        metavar="N",
        help=f"pixels in an inch of each picture, {LEAST_DPI} to {MOST_DPI} ({DPI})",
    )
    widths = ", ".join(f"{name} {inches} inches" for name, inches in WIDTHS.items())
    parser.add_argument(
        "--width",
        choices=list(WIDTHS),
        help=f"width of each picture, for print: {widths} (without: what suits a screen)",
    )


def _read_kinds(text: str) -> tuple[str, ...]:
    from reports.picture_form import KINDS

    kinds = tuple(filter(None, (kind.strip().lower() for kind in text.split(","))))
    if not kinds or not set(kinds) <= set(KINDS):
        raise argparse.ArgumentTypeError(f"expected some of {','.join(KINDS)}, got {text!r}")
    return kinds


def _read_dpi(text: str) -> int:
    from reports.picture_form import LEAST_DPI, MOST_DPI

    if not text.isdecimal() or not LEAST_DPI <= int(text) <= MOST_DPI:
        raise argparse.ArgumentTypeError(f"expected {LEAST_DPI} to {MOST_DPI}, got {text!r}")
    return int(text)
