"""`ser-aae reproduce`: the missing runs behind the paper's tables and figures."""

import argparse
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ser_aae.commands.options import (
    CONFIG,
    Subparsers,
    add_options,
    address,
    count,
    folder,
    take_trackers,
    whole_number,
)
from ser_aae.commands.preparation import prepare_missing, store_of_plan
from ser_aae.commands.reproduce_setup import NO_CORPUS, read_setup, refuse_unused
from ser_aae.commands.starting import start_from
from ser_aae.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from ser_aae.errors import UserError
from ser_aae.progress import show_line

if TYPE_CHECKING:
    from ser_aae.experiments.cells import Artefact
    from ser_aae.experiments.setup import Setup
    from ser_aae.grid.plan import Plan


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "reproduce",
        help="train what tables and figures of the paper lack, many runs at a time",
        description="Train the runs behind tables and figures: what is missing, and only that. "
        "Interrupt it at any time; the same command goes on. Then: ser-aae report.",
    )
    _add_experiments(parser)
    _add_cluster(parser)
    parser.add_argument(
        "--plan", action="store_true", help="say what there is to do and what it takes, and end"
    )
    add_options(parser, "start-from", *CONFIG)
    parser.add_argument(
        "--tuned",
        type=folder,
        metavar="FILE",
        help="best.yaml of a search: what it varied, for all cells of its task; alpha and beta "
        "for the models of its family alone",
    )
    add_options(parser, "data-root")
    add_options(parser, "store", "runs", place=address)
    parser.set_defaults(run=run, writes="runs", extra="cluster")


def _add_experiments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "artefacts",
        nargs="+",
        metavar="NAME",
        help="table-2 ... table-6, figure-2 ... figure-5, semi-supervised, or all of these; and "
        "ravdess, which brings its corpora",
    )
    parser.add_argument(
        "--datasets",
        nargs="+",
        default=["iemocap", "msp"],
        metavar="NAME",
        help="corpora with emotions (iemocap msp); cross-corpus goes from the first to the second",
    )
    parser.add_argument(
        "--auxiliary",
        default="librispeech",
        metavar=f"NAME|{NO_CORPUS}",
        help="corpus without emotions (librispeech)",
    )
    parser.add_argument(
        "--auxiliary-speakers",
        type=whole_number(0),
        default=900,
        metavar="N",
        help="where the axis of Figure 4 ends (900)",
    )
    parser.add_argument(
        "--budget",
        choices=("smoke", "small", "full"),
        default="full",
        help="smoke shows that everything runs, small is for one machine, full the paper's (full)",
    )
    parser.add_argument(
        "--repetitions", type=count, metavar="N", help="seeds (the budget's number)"
    )


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=count, metavar="N", help="runs at a time on this machine (its processors)"
    )
    where.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="a Dask scheduler whose workers to use, tcp://host:8786",
    )
    add_options(parser, "allow-partial", "log")


def run(arguments: argparse.Namespace) -> None:
    """List the runs, train those that are missing, and print where they lie.

    Raises:
        UserError: Something given cannot be, or runs have failed.
    """
    from joblib import cpu_count

    from ser_aae.experiments.artefacts import choose
    from ser_aae.grid.plan import make_plan

    if arguments.scheduler and arguments.log is not None:
        raise UserError(
            "--log: workers of --scheduler are told by their own environment; set $SER_AAE_LOG "
            "where they are started"
        )
    take_trackers(arguments)
    setup = read_setup(arguments)
    runs = None if arguments.plan else arguments.runs
    setup = replace(setup, base=start_from(setup.base, arguments.start_from, runs))
    arguments.workers = arguments.workers or cpu_count()
    artefacts = choose(arguments.artefacts, setup)
    refuse_unused(artefacts, setup, arguments)
    if arguments.plan:
        print("\n".join(_plan(artefacts, setup, arguments)))
        return
    plan = make_plan(_list_runs(artefacts, setup, arguments), arguments.runs)
    _keep_setup(setup, arguments.runs)
    if plan.missing:
        _prepare(plan.missing, arguments)
        _train(plan, arguments)
    print(arguments.runs)


def _plan(
    artefacts: "Sequence[Artefact]", setup: "Setup", arguments: argparse.Namespace
) -> list[str]:
    """Return the plan as lines; for want of complete runs its time is by measured steps."""
    from ser_aae.grid.plan import make_plan

    with _store_of_plan(artefacts, arguments) as store:
        here = argparse.Namespace(**vars(arguments) | {"store": str(store)})
        plan = make_plan(_list_runs(artefacts, setup, here), here.runs)
        measured_s = _measure(plan, here) if plan.missing and plan.seconds is None else None
    return plan.describe(_count_workers(arguments), measured_s)


@contextmanager
def _store_of_plan(
    artefacts: "Sequence[Artefact]", arguments: argparse.Namespace
) -> Iterator[Path | str]:
    from ser_aae.grid.remote import is_url

    if is_url(arguments.store):
        yield arguments.store
        return
    here = argparse.Namespace(**vars(arguments) | {"store": Path(arguments.store)})
    cells = (cell.config for artefact in artefacts for cell in artefact.cells)
    with store_of_plan(cells, here) as store:
        yield store


def _measure(plan: "Plan", arguments: argparse.Namespace) -> float:
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says
    from ser_aae.grid.estimate import estimate_by_steps
    from ser_aae.grid.remote import local_store

    return estimate_by_steps(plan, local_store(arguments.store, plan.missing[0]))


def _list_runs(
    artefacts: "Sequence[Artefact]", setup: "Setup", arguments: argparse.Namespace
) -> list[RunConfig]:
    """Return the runs of the artefacts; their folds are counted on the prepared corpora."""
    from ser_aae.data.run_data import count_folds
    from ser_aae.experiments.artefacts import runs_of
    from ser_aae.grid.remote import local_store

    def count_prepared(config: RunConfig) -> int:
        if not arguments.plan:
            _prepare([config], arguments)
        return count_once(settings_of_folds(config), local_store(arguments.store, config))

    count_once = cache(count_folds)  # a corpus is read once for all experiments that part it alike
    return runs_of(artefacts, setup, setup.repetitions_asked, count_prepared)


def settings_of_folds(config: RunConfig) -> RunConfig:
    """Return a config that has what the number of folds depends on, and else defaults."""
    rest = {"data": DataConfig(), "model": ModelConfig(), "training": TrainingConfig()}
    return replace(config, auxiliary=(), verification="", seed=0, **rest)


def _prepare(configs: Iterable[RunConfig], arguments: argparse.Namespace) -> None:
    """Prepare what the store lacks for some runs; a store at a URL is only read."""
    from ser_aae.grid.remote import is_url

    if not is_url(arguments.store):
        here = argparse.Namespace(**vars(arguments) | {"store": Path(arguments.store)})
        prepare_missing(configs, here)


def _train(plan: "Plan", arguments: argparse.Namespace) -> None:
    from ser_aae.grid.cluster import count_workers, open_client, run_grid
    from ser_aae.results.places import Places

    places = Places(store=arguments.store, runs=arguments.runs)
    with open_client(arguments.workers, arguments.scheduler) as client:
        for line in plan.describe(count_workers(client)):
            show_line(line)
        failures = run_grid(plan.missing, places, client, show_line)
    for failure in failures:
        show_line(str(failure))
    if failures:
        raise UserError(
            f"{len(failures)} of {len(plan.missing)} runs failed, see above; the others are done. "
            "The same command tries these again"
        )


def _count_workers(arguments: argparse.Namespace) -> int:
    from ser_aae.grid.cluster import count_workers, open_client

    if not arguments.scheduler:
        return int(arguments.workers)
    with open_client(scheduler=arguments.scheduler) as client:
        return count_workers(client)


def _keep_setup(setup: "Setup", runs: str) -> None:
    """Leave the setup beside the runs: the report finds its cells by it."""
    from ser_aae.experiments.setup import write_setup
    from ser_aae.grid.remote import is_url, send_folder

    if not is_url(runs):
        write_setup(Path(runs), setup)
        return
    with tempfile.TemporaryDirectory() as place:
        written = write_setup(Path(place), setup)
        send_folder(written, runs, written.relative_to(place).as_posix(), last="setup.json")
