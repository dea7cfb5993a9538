"""`ser-aae evaluate`: the scores of a run, computed again from its predictions."""

import argparse
import json
from pathlib import Path

from ser_aae.commands.options import Subparsers, add_options, folder
from ser_aae.progress import show_line


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "evaluate", help="recompute every figure from the predictions of a run, or of its folds"
    )
    parser.add_argument(
        "folder", type=folder, metavar="RUN", help="a run's folder, or the one its folds lie in"
    )
    add_options(parser, "json")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the scores."""
    from ser_aae.results.evaluation import evaluate
    from ser_aae.results.model_files import remarks_on_all
    from ser_aae.results.text import format_evaluation

    evaluation = evaluate(arguments.folder)
    for remark in remarks_on_all(
        Path(each["folder"]) for each in evaluation.get("runs", [evaluation])
    ):
        show_line(f"warning: {remark}")
    if arguments.json:
        print(json.dumps(evaluation, indent=2, allow_nan=False))
    else:
        print(format_evaluation(evaluation))
