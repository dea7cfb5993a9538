"""`ser-aae train`: one fold or all of them, from a corpus on disk to a scored run."""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from ser_aae.commands.options import CONFIG, Subparsers, add_options, take_trackers
from ser_aae.commands.preparation import prepare_missing, store_of_plan
from ser_aae.commands.run_config import ALL_FOLDS, FLAGS, add_flags, read_config
from ser_aae.commands.starting import find_start, start_from
from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.extras import require_modules
from ser_aae.progress import duration, show_line

if TYPE_CHECKING:
    from tensorflow.distribute import Strategy

    from ser_aae.training.starting import Start


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        help="train and score a fold; prepares first what is not prepared",
        description="Train and score a fold, or all. What is complete is left alone, what was "
        "interrupted goes on. The last line printed is the folder of the run, or of the folds.",
    )
    add_flags(parser, *FLAGS)
    add_options(parser, "start-from", *CONFIG)
    add_options(parser, "data-root", "store", "runs", "workers", "allow-partial", "log")
    parser.add_argument(
        "--strategy",
        choices=("one", "mirrored", "multiworker"),
        default="one",
        help="a single device, all GPUs of this host, or the hosts in $TF_CONFIG (one)",
    )
    parser.add_argument(
        "--plan",
        action="store_true",
        help="say what the folds train on and how long it takes on this machine, and end",
    )
    parser.add_argument(
        "--validation-only",
        action="store_true",
        help="end with the figures of the validation speakers and leave the test part unread, as "
        "long as settings are chosen; the same command without it scores the test part, untrained",
    )
    parser.set_defaults(run=run, writes="runs")


def run(arguments: argparse.Namespace) -> None:
    """Prepare, train, score; print the figures, then the folder."""
    from ser_aae.results.evaluation import evaluate
    from ser_aae.results.text import format_evaluation

    require_modules("tensorflow")  # before a corpus is prepared
    take_trackers(arguments)
    runs = None if arguments.plan else arguments.runs
    config = start_from(read_config(arguments), arguments.start_from, runs)
    if arguments.plan:
        start = find_start(config, arguments.start_from, arguments.runs)
        with store_of_plan([config], arguments) as store:
            print("\n".join(_plan(config, store, arguments.fold == ALL_FOLDS, start)))
        return
    if arguments.strategy != "multiworker":  # of several hosts each would prepare
        prepare_missing([config], arguments)
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says
    from ser_aae.training.device_report import device_line
    from ser_aae.training.devices import is_chief, open_strategy

    strategy = open_strategy(arguments.strategy)
    show_line(device_line())
    score_test = not arguments.validation_only
    if arguments.fold == ALL_FOLDS:
        trained = _train_all(config, arguments.store, arguments.runs, strategy, score_test)
        folder = trained[0].parent
    else:
        folder = _train(config, arguments.store, arguments.runs, strategy, score_test)
        trained = [folder]
    if is_chief(strategy):
        print(format_evaluation(evaluate(folder)) if score_test else _validation_line(trained))
        print(folder)


def _validation_line(trained: Sequence[Path]) -> str:
    """Return the UA of the validation speakers of runs, and the mean of several.

    It says so where no test part of them was read, by an earlier command either.
    """
    from ser_aae.results.folder import is_complete
    from ser_aae.results.text import percent
    from ser_aae.training.ending import validation_accuracy

    found = [validation_accuracy(folder) for folder in trained]
    of_each = " ".join(map(percent, found))
    mean = f", mean {percent(fmean(found))}" if len(found) > 1 else ""
    unread = "" if any(map(is_complete, trained)) else "; test part unread"
    return f"UA on validation speakers {of_each}{mean}{unread}"


def _plan(config: RunConfig, store: Path, is_all: bool, start: "Start | None") -> list[str]:
    """Return a line for stage 1, for each fold and for the whole.

    Raises:
        UserError: A fold cannot be cut as it is asked for, or validates or tests a speaker whom the
            model that it starts from has heard.
    """
    from ser_aae.data.run_data import assemble, count_folds
    from ser_aae.results.text import count_of

    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says
    from ser_aae.training.planning import measure_steps, plan_fold, plan_stage_one
    from ser_aae.training.starting import check_heard

    folds = range(count_folds(config, store)) if is_all else [config.protocol.fold]
    planned, times, told = [], None, set[str]()
    for fold in folds:
        one = replace(config, protocol=replace(config.protocol, fold=fold))
        data = assemble(one, store)
        for doubt in check_heard(start, data) if start else ():
            show_line(f"warning: fold {fold}: {doubt}")
        for doubt in dict.fromkeys(data.warnings):
            if doubt not in told:
                show_line(f"warning: {doubt}")
        told.update(data.warnings)
        if times is None:  # folds have one model, but for a few speakers
            times = measure_steps(one, data.num_classes)
        if not planned or not one.auxiliary:  # without auxiliary corpora each fold has its own
            planned += filter(None, [plan_stage_one(one, data, times)])
        planned.append(plan_fold(one, data, times))
    whole = duration(sum(seconds for _, seconds in planned))
    end = (
        f"{count_of(len(folds), 'fold')}: at most about {whole} on this machine, by measured steps"
    )
    return [*(line for line, _ in planned), end]


def _train_all(
    config: RunConfig, store: Path, runs: Path, strategy: "Strategy", score_test: bool
) -> list[Path]:
    """Train every fold, and return their folders."""
    from ser_aae.data.run_data import count_folds
    from ser_aae.results.folder import is_complete, is_validated, run_folder

    total, times, folders = count_folds(config, store), list[float](), list[Path]()
    for fold in range(total):
        left = f"; about {duration(fmean(times) * (total - fold))} left" if times else ""
        show_line(f"fold {fold}, {fold + 1} of {total}{left}")
        one = replace(config, protocol=replace(config.protocol, fold=fold))
        place, started = run_folder(runs, one), time.monotonic()
        is_new = not (is_complete(place) or is_validated(place))
        folders.append(_train(one, store, runs, strategy, score_test))
        times += [time.monotonic() - started] if is_new else []
    return folders


def _train(
    config: RunConfig, store: Path, runs: Path, strategy: "Strategy", score_test: bool
) -> Path:
    import keras

    from ser_aae.training.devices import place_to_write
    from ser_aae.training.divergence import DivergedError
    from ser_aae.training.run import train_and_evaluate

    # a fold's graphs are not needed for the next one
    keras.utils.clear_session()
    try:
        with place_to_write(strategy, config, runs) as place:
            return train_and_evaluate(config, store, place, show_line, score_test, strategy)
    except DivergedError as error:
        raise UserError(str(error)) from error
