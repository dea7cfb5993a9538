"""`ser-aae evaluate`: every figure of a run, computed again from its predictions."""

import argparse
import json
from typing import Any

from ser_aae.commands.options import folder


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "evaluate", help="recompute every figure from the predictions of a run, or of its folds"
    )
    parser.add_argument(
        "folder", type=folder, metavar="RUN", help="a run's folder, or the one its folds lie in"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the figures."""
    from ser_aae.results.evaluation import evaluate
    from ser_aae.results.text import format_evaluation

    evaluation = evaluate(arguments.folder)
    if arguments.json:
        print(json.dumps(evaluation, indent=2, allow_nan=False))
    else:
        print(format_evaluation(evaluation))
