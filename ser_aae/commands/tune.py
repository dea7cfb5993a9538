"""`ser-aae tune`: a search for settings, alone or with workers here and elsewhere."""

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ser_aae.commands.options import CONFIG, Subparsers, add_options, count
from ser_aae.commands.preparation import prepare_missing
from ser_aae.commands.run_config import ALL_FOLDS, FLAGS, add_flags, read_config
from ser_aae.config import RunConfig
from ser_aae.config.fields import search_dimensions
from ser_aae.errors import UserError
from ser_aae.processes.lifeline import end_with_parent
from ser_aae.progress import show_line

if TYPE_CHECKING:
    from tuning.definition import Search

_TRIALS = 30


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "tune",
        help="search for settings on validation speakers; the test part is not looked at",
        description="Try settings, each on the same folds and seeds, and keep what is best on "
        "validation speakers; the test part is never looked at. The same command goes on where "
        "it stopped. The last line printed is best.yaml, which ser-aae train --config and "
        "ser-aae reproduce --tuned take.",
    )
    add_flags(parser, *(name for name in FLAGS if name != "fold"))
    parser.add_argument(
        "--fold",
        dest="tried_folds",
        default="0",
        metavar="I,...|all",
        help="folds each trial is trained on, with commas between (0), or every fold",
    )
    _add_search(parser)
    add_options(parser, *CONFIG, "data-root", "store", "runs", "allow-partial")
    _add_workers(parser)
    parser.set_defaults(run=run, writes="runs")


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--algorithm", default="random", metavar="grid|random|bayesian|hyperband", help="(random)"
    )
    parser.add_argument(
        "--space",
        default="latent,alpha,beta",
        metavar="NAME,...",
        help=f"what is varied: some of {', '.join(item.name for item in search_dimensions())} "
        "(latent,alpha,beta); or figure-5, with --algorithm grid",
    )
    parser.add_argument(
        "--trials", type=int, metavar="N", help=f"random and bayesian: how many ({_TRIALS})"
    )
    parser.add_argument(
        "--executions", type=int, default=1, metavar="N", help="seeds for each fold of a trial (1)"
    )


def _add_workers(parser: argparse.ArgumentParser) -> None:
    roles = parser.add_mutually_exclusive_group()
    roles.add_argument(
        "--workers", type=count, default=1, metavar="N", help="processes on this machine (1)"
    )
    roles.add_argument(
        "--chief",
        type=_address,
        metavar="HOST:PORT",
        help="listen there for workers of other machines, in a network that is trusted",
    )
    roles.add_argument(
        "--worker",
        type=_address,
        metavar="HOST:PORT",
        help="work for the chief there, who says what is searched; give only the places",
    )
    # of a chief that started this worker: its standard input is the chief's lifeline
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> None:
    """Search, or work for a chief.

    Raises:
        UserError: Something given cannot be, or a trial failed by a setting that cannot be.
    """
    if arguments.child:
        end_with_parent(sys.stdin.fileno())
    search = None if arguments.worker else _read_search(arguments)
    from tuning.hypermodel import TrialFailedError

    try:
        if search is None:
            _work(arguments)
        else:
            _search(search, arguments)
    except TrialFailedError as error:
        from ser_aae.training.divergence import DivergedError

        if not isinstance(error.__cause__, UserError | DivergedError):
            raise
        raise UserError(
            f"{error}; the trials that are done stay done, and another --space, or another --set, "
            "uses their runs again where the settings are the same"
        ) from error


def _search(search: "Search", arguments: argparse.Namespace) -> None:
    from ser_aae.results.search_folder import BEST
    from tuning import search as searching
    from tuning.hypermodel import trainer
    from tuning.local_workers import LocalWorkers, worker_command
    from tuning.record import best_line

    store, runs = arguments.store.absolute(), arguments.runs
    if arguments.chief or arguments.workers > 1:
        command = worker_command(store, runs.absolute(), arguments.verbose)
        helpers = None if arguments.chief else LocalWorkers(command, arguments.workers)
        address = arguments.chief or "127.0.0.1:0"
        folder = searching.search_with_workers(search, runs, show_line, address, helpers)
    else:
        folder = searching.search_alone(search, runs, trainer(store, runs), show_line)
    print(best_line(search, folder))
    print(folder / BEST)


def _work(arguments: argparse.Namespace) -> None:
    from tuning.hypermodel import trainer
    from tuning.worker import run_worker

    def check_corpora(search: "Search") -> None:
        found = _prepare(search, arguments)
        if found != search.corpora:
            raise UserError(
                f"{arguments.store}: expected the chief's corpora {dict(search.corpora)}, found "
                f"{found}; copy the chief's store here, or prepare both of the same recordings"
            )

    # the chief that started this worker shows its lines itself
    show = (lambda line: None) if arguments.child else show_line
    run = trainer(arguments.store, arguments.runs)
    run_worker(arguments.worker, run, show, ready=check_corpora)


def _read_search(arguments: argparse.Namespace) -> "Search":
    """Return the search of the command line, its corpora prepared."""
    from tuning.definition import Search, check_search
    from tuning.space import read_space

    config = read_config(arguments)
    own = arguments.algorithm in ("grid", "hyperband")
    search = Search(
        config=config,
        space=read_space(arguments.space),
        algorithm=arguments.algorithm,
        trials=arguments.trials if arguments.trials is not None else 0 if own else _TRIALS,
        executions=arguments.executions,
    )
    check_search(search)
    corpora = _prepare(search, arguments)
    folds = _read_folds(arguments.tried_folds, config, arguments.store)
    return replace(search, folds=folds, corpora=corpora)


def _read_folds(text: str, config: RunConfig, store: Path) -> tuple[int, ...]:
    from ser_aae.data.run_data import count_folds

    total = count_folds(config, store)
    if text == ALL_FOLDS:
        return tuple(range(total))
    words = [word.strip() for word in text.split(",")]
    folds = tuple(int(word) for word in words if word.isdecimal() and int(word) < total)
    if len(set(folds)) < len(words):
        raise UserError(
            f"--fold: expected all, or different numbers from 0 to {total - 1} with commas "
            f"between, got {text!r}"
        )
    return folds


def _prepare(search: "Search", arguments: argparse.Namespace) -> dict[str, str]:
    """Prepare the corpora for every front end that is searched; return their digests."""
    from ser_aae.data.run_data import needed_data_sets, read_corpora

    digests = {}
    configs = _vary_front_end(search)
    prepare_missing(configs, arguments)
    for varied in configs:
        needed = needed_data_sets(varied)
        names = (*needed.emotional, *needed.auxiliary)
        for stored in read_corpora(varied, names, arguments.store):
            digests[f"{stored.name}-{varied.frontend.digest()}"] = stored.digest
    return digests


def _vary_front_end(search: "Search") -> list[RunConfig]:
    config = search.config
    scales = [item.values for item in search.space.dimensions if item.name == "frontend"]
    return [
        replace(config, frontend=replace(config.frontend, scale=str(scale)))
        for scale in (scales[0] if scales else [config.frontend.scale])
    ]


def _address(text: str) -> str:
    if not re.fullmatch(r"[^\s:/]+:\d{1,5}", text):
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, got {text!r}")
    return text
