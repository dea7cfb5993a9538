"""`ser-aae train`: one fold or all of them, from a corpus on disk to a scored run."""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ser_aae.commands.options import CONFIG, Subparsers, add_options
from ser_aae.commands.preparation import prepare_missing
from ser_aae.commands.run_config import ALL_FOLDS, FLAGS, add_flags, read_config
from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.progress import show_line

if TYPE_CHECKING:
    from tensorflow.distribute import Strategy


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        help="train and score a fold; prepares first what is not prepared",
        description="Train and score a fold, or all. What is complete is left alone, what was "
        "interrupted goes on. The last line printed is the folder of the run, or of the folds.",
    )
    add_flags(parser, *FLAGS)
    add_options(parser, *CONFIG, "data-root", "store", "runs", "workers", "allow-partial")
    parser.add_argument(
        "--strategy",
        choices=("one", "mirrored", "multiworker"),
        default="one",
        help="a single device, all GPUs of this host, or the hosts in $TF_CONFIG (one)",
    )
    parser.set_defaults(run=run, writes="runs")


def run(arguments: argparse.Namespace) -> None:
    """Prepare, train, score; print the figures, then the folder."""
    from ser_aae.results.evaluation import evaluate
    from ser_aae.results.text import format_evaluation

    config = read_config(arguments)
    if arguments.strategy != "multiworker":  # of several hosts each would prepare
        prepare_missing([config], arguments)
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says
    from ser_aae.training.devices import is_chief, open_strategy

    strategy = open_strategy(arguments.strategy)
    train = _train_all if arguments.fold == ALL_FOLDS else _train
    folder = train(config, arguments.store, arguments.runs, strategy)
    if is_chief(strategy):
        print(format_evaluation(evaluate(folder)))
        print(folder)


def _train_all(config: RunConfig, store: Path, runs: Path, strategy: "Strategy") -> Path:
    """Train every fold, and return the folder they lie in."""
    from ser_aae.data.run_data import count_folds

    total = count_folds(config, store)
    for fold in range(total):
        show_line(f"fold {fold + 1} of {total}")
        one = replace(config, protocol=replace(config.protocol, fold=fold))
        folder = _train(one, store, runs, strategy)
    return folder.parent


def _train(config: RunConfig, store: Path, runs: Path, strategy: "Strategy") -> Path:
    import keras

    from ser_aae.training.devices import place_to_write
    from ser_aae.training.divergence import DivergedError
    from ser_aae.training.run import train_and_evaluate

    # a fold's graphs are not needed for the next one
    keras.utils.clear_session()
    try:
        with place_to_write(strategy, config, runs) as place:
            return train_and_evaluate(config, store, place, show_line, strategy=strategy)
    except DivergedError as error:
        raise UserError(str(error)) from error
