"""`ser-aae tune`: a search for settings, alone or with workers here and elsewhere."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ser_aae.commands.options import CONFIG, Subparsers, add_options, count, take_trackers
from ser_aae.commands.preparation import prepare_missing
from ser_aae.commands.run_config import ALL_FOLDS, FLAGS, add_flags, name_given, read_config
from ser_aae.commands.starting import start_from
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
        "ser-aae reproduce --tuned take; with --for a file for reproduce alone.",
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
    add_options(parser, "start-from", *CONFIG, "data-root", "store", "runs", "allow-partial", "log")
    _add_workers(parser)
    parser.set_defaults(run=run, writes="runs", extra="tune")


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--for",
        dest="artefact",
        metavar="ARTEFACT",
        help="a search for each kind of model and each task of a table or figure, as ser-aae "
        "reproduce names them, with as many trials each and without what changes nothing there",
    )
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
        "--trials", type=count, metavar="N", help=f"random and bayesian: how many ({_TRIALS})"
    )
    parser.add_argument(
        "--executions",
        type=count,
        default=1,
        metavar="N",
        help="seeds for each fold of a trial (1)",
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
        help="work for the chief there, who says what is searched; give only the places, and "
        "--start-from where the chief has it",
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
    take_trackers(arguments)  # also for workers that this process starts
    searches = [] if arguments.worker else _read_searches(arguments)
    from tuning.hypermodel import TrialFailedError

    try:
        if arguments.worker:
            _work(arguments)
        else:
            _search(searches, arguments)
    except TrialFailedError as error:
        from ser_aae.training.divergence import DivergedError

        if not isinstance(error.__cause__, UserError | DivergedError):
            raise
        raise UserError(
            f"{error}; the trials that are done stay done, and another --space, or another --set, "
            "uses their runs again where the settings are the same"
        ) from error


def _search(searches: "Sequence[Search]", arguments: argparse.Namespace) -> None:
    from ser_aae.results.search_folder import BEST
    from tuning.record import best_line, join_best

    folders = []
    for number, search in enumerate(searches, 1):
        if arguments.artefact:
            model = f"{search.config.model.kind}, task {search.config.task}"
            show_line(f"search {number} of {len(searches)}, {model}: {search.space.name}")
        folders.append(_search_one(search, arguments))
        print(best_line(search, folders[-1]))
    if arguments.artefact:
        print(join_best(arguments.artefact, folders, arguments.runs))
    else:
        print(folders[0] / BEST)


def _search_one(search: "Search", arguments: argparse.Namespace) -> Path:
    from tuning import search as searching
    from tuning.hypermodel import trainer
    from tuning.local_workers import LocalWorkers, worker_command

    store, runs = arguments.store.absolute(), arguments.runs
    if arguments.chief or arguments.workers > 1:
        command = worker_command(store, runs.absolute(), arguments.verbose)
        helpers = None if arguments.chief else LocalWorkers(command, arguments.workers)
        address = arguments.chief or "127.0.0.1:0"
        return searching.search_with_workers(search, runs, show_line, address, helpers)
    return searching.search_alone(search, runs, trainer(store, runs), show_line)


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
        _check_start(search.config, arguments)

    # the chief that started this worker shows its lines itself
    show = (lambda line: None) if arguments.child else show_line
    run = trainer(arguments.store, arguments.runs)
    run_worker(arguments.worker, run, show, ready=check_corpora)


def _check_start(config: RunConfig, arguments: argparse.Namespace) -> None:
    """See to it that a worker has the model that the chief's trials start from.

    Raises:
        UserError: It has none, or `--start-from` names another one.
    """
    if not (config.training.start or arguments.start_from):
        return
    given = start_from(config, arguments.start_from, arguments.runs).training.start
    if given != config.training.start:
        raise UserError(
            f"--start-from {arguments.start_from}: expected the model that the chief's trials "
            f"start from ({config.training.start or 'none'}), received another ({given}); name "
            "the chief's"
        )
    from ser_aae.training.starting import read_start

    read_start(arguments.runs, config.training.start)


def _read_searches(arguments: argparse.Namespace) -> "list[Search]":
    """Return the searches of the command line, their corpora prepared; one without `--for`."""
    from tuning.definition import Search, check_search
    from tuning.space import narrow_space, read_space

    config = start_from(read_config(arguments), arguments.start_from, arguments.runs)
    space = read_space(arguments.space)
    spaces = [(config, space)]
    if arguments.artefact:
        models = _list_models(config, arguments)
        spaces = [(model, narrow_space(space, model)) for model in models]
        for model, narrowed in spaces:
            if not narrowed.dimensions:
                show_line(
                    f"{model.model.kind}, task {model.task}: nothing to search, for none of "
                    f"{space.name} changes it"
                )
        spaces = [(model, narrowed) for model, narrowed in spaces if narrowed.dimensions]
        if not spaces:
            raise UserError(
                f"--space {space.name}: changes no model of {arguments.artefact}; choose another"
            )
    own = arguments.algorithm in ("grid", "hyperband")
    trials = arguments.trials if arguments.trials is not None else 0 if own else _TRIALS
    executions = arguments.executions
    searches = []
    for model, narrowed in spaces:
        search = Search(model, narrowed, arguments.algorithm, trials, executions=executions)
        check_search(search)
        corpora = _prepare(search, arguments)
        folds = _read_folds(arguments.tried_folds, model, arguments.store)
        searches.append(replace(search, folds=folds, corpora=corpora))
    return searches


def _list_models(base: RunConfig, arguments: argparse.Namespace) -> list[RunConfig]:
    """Return a config for each kind of model and each task of the artefact of `--for`.

    It is that of the artefact's first cell of them which has most tasks. So a search has the
    corpora, protocol, stage 1 and batches of the comparison that it is made for.

    Raises:
        UserError: There is no such artefact, it trains nothing, or a flag says what its cells say.
    """
    from data_prep.corpora import known_facts
    from ser_aae.experiments.artefacts import choose
    from ser_aae.experiments.setup import BUDGETS, Setup, compare_fairly

    _refuse_beside_artefact(arguments)
    given = name_given(arguments)
    setup = Setup(
        datasets=(base.dataset,),
        auxiliary=base.auxiliary[0] if base.auxiliary else "",
        base=compare_fairly(base, given, BUDGETS["full"]),
        given=tuple(sorted(given)),
        corpora=known_facts(),
    )
    artefact, *others = choose([arguments.artefact], setup)
    if others:
        raise UserError(f"--for {arguments.artefact}: expected one table or figure; name it")
    if not artefact.cells:
        raise UserError(f"--for {arguments.artefact}: trains nothing; name another artefact")
    of_model: dict[tuple[str, str], list[RunConfig]] = {}
    for config in (cell.config for cell in artefact.cells):
        of_model.setdefault((config.task, config.model.kind), []).append(config)
    whole = (max(configs, key=lambda each: len(each.tasks)) for configs in of_model.values())
    return [replace(config, seed=base.seed) for config in whole]


def _refuse_beside_artefact(arguments: argparse.Namespace) -> None:
    for flag in ("model", "task", "protocol", "chief"):
        if getattr(arguments, flag) is not None:
            why = (
                "its searches come one after the other; take --workers"
                if flag == "chief"
                else f"the cells of {arguments.artefact} say it"
            )
            raise UserError(f"--{flag}: cannot stand beside --for, for {why}")
    if arguments.algorithm == "grid":
        raise UserError(
            "--algorithm grid: cannot stand beside --for, for a grid of one kind of model has more "
            "points than that of another; take random, bayesian or hyperband"
        )
    if len(arguments.auxiliary or ()) > 1:
        raise UserError(
            f"--auxiliary: expected one corpus beside --for, as the paper has, got "
            f"{', '.join(arguments.auxiliary)}"
        )


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
