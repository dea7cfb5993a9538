"""`ser-aae reproduce`: the runs behind the paper's tables and figures, those that are missing."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_aae.commands.options import add_config, add_place, folder, prepare_corpus
from ser_aae.commands.reproduce_setup import NO_CORPUS, read_setup, refuse_unused
from ser_aae.config import RunConfig
from ser_aae.errors import UserError

if TYPE_CHECKING:
    from ser_aae.experiments.setup import Setup
    from ser_aae.results.places import Places

_ADDRESSES = {
    "store": ("SER_AAE_STORE", "store", "the prepared corpora"),
    "runs": ("SER_AAE_RUNS", "runs", "the runs"),
}
_BUDGETS = ("smoke", "small", "full")


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
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
    add_config(parser)
    parser.add_argument(
        "--tuned",
        type=folder,
        metavar="FILE",
        help="best.yaml of a search: what it varied, for all cells of its task; alpha and beta "
        "for the models of its family alone",
    )
    add_place(parser, "data_root")
    for name in _ADDRESSES:
        _add_address(parser, name)
    parser.set_defaults(run=run, writes="runs")


def _add_experiments(parser: argparse.ArgumentParser) -> None:
    """Add what is run, on what, and how much of it."""
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
        type=int,
        default=900,
        metavar="N",
        help="where the axis of Figure 4 ends (900)",
    )
    parser.add_argument(
        "--budget",
        choices=_BUDGETS,
        default="full",
        help="smoke shows that everything runs, small is for one machine, full the paper's (full)",
    )
    parser.add_argument("--repetitions", type=int, metavar="N", help="seeds (the budget's number)")


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add where it is run."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=int, metavar="N", help="runs at a time on this machine (its processors)"
    )
    where.add_argument(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="a Dask scheduler whose workers to use, tcp://host:8786",
    )
    parser.add_argument(
        "--allow-partial",
        action="store_true",
        help="accept an incomplete copy of a corpus where it has to be prepared",
    )


def _add_address(parser: argparse.ArgumentParser, name: str) -> None:
    """Add `--store` or `--runs`, which can be a URL here."""
    variable, default, what = _ADDRESSES[name]
    parser.add_argument(
        f"--{name}",
        type=address,
        default=address(os.environ.get(variable) or default),
        metavar="DIR|URL",
        help=f"folder of {what}, or a URL that fsspec opens (${variable}, else ./{default})",
    )


def address(text: str) -> str:
    """Return a URL as it is and a path as an absolute one: workers run in other folders."""
    return text if "://" in text else str(folder(text).absolute())


def run(arguments: argparse.Namespace) -> None:
    """List the runs, train those that are missing, and print where they lie.

    Raises:
        UserError: Something given cannot be, or runs have failed.
    """
    from ser_aae.experiments.artefacts import choose
    from ser_aae.grid.plan import make_plan
    from ser_aae.results.places import Places

    setup = read_setup(arguments)
    places = Places(store=arguments.store, runs=arguments.runs)
    artefacts = choose(arguments.artefacts, setup)
    refuse_unused(artefacts, setup, arguments)
    configs = _list_runs(artefacts, setup, places, arguments)
    plan = make_plan(configs, places.runs)
    if arguments.plan:
        print("\n".join(plan.describe(_count_workers(arguments))))
        return
    _keep_setup(setup, places.runs)
    if plan.missing:
        _prepare(plan.missing, arguments)
        _train(plan, places, arguments)
    print(places.runs)


def _list_runs(
    artefacts: Sequence[Any], setup: "Setup", places: "Places", arguments: argparse.Namespace
) -> list[RunConfig]:
    """Return the runs of the artefacts; how many folds there are is counted on the corpora."""
    from ser_aae.data.run_data import count_folds
    from ser_aae.experiments.artefacts import runs_of
    from ser_aae.grid.storage import local_store

    def count(config: RunConfig) -> int:
        if not arguments.plan:
            _prepare([config], arguments)
        return count_folds(config, local_store(places.store, config))

    return runs_of(artefacts, setup, setup.repetitions_asked, count)


def _prepare(configs: Sequence[RunConfig], arguments: argparse.Namespace) -> None:
    """Prepare what the store lacks for some runs; a store at a URL is only read.

    Raises:
        UserError: A corpus cannot be prepared.
    """
    from ser_aae.grid.storage import corpora_of, is_url
    from ser_aae.store.corpus import is_prepared

    if is_url(arguments.store):
        return
    wanted = {
        (corpus, config.frontend): config for config in configs for corpus in corpora_of(config)
    }
    store = Path(arguments.store)
    for (corpus, frontend), config in wanted.items():
        if not is_prepared(store, corpus, frontend):
            options = argparse.Namespace(
                data_root=arguments.data_root,
                store=store,
                workers=_workers(arguments),
                allow_partial=arguments.allow_partial,
            )
            for message in prepare_corpus(config.source(corpus), config, options):
                _show(message)


def _train(plan: Any, places: "Places", arguments: argparse.Namespace) -> None:
    """Train what is missing.

    Raises:
        UserError: Runs have failed; each has been told with its error.
    """
    from ser_aae.grid.cluster import count_workers, open_client, run_grid

    with open_client(_workers(arguments), arguments.scheduler) as client:
        for line in plan.describe(count_workers(client)):
            _show(line)
        failures = run_grid(plan.missing, places, client, _show)
    for failure in failures:
        _show(str(failure))
    if failures:
        raise UserError(
            f"{len(failures)} of {len(plan.missing)} runs failed, see above; the others are done. "
            "The same command tries these again"
        )


def _count_workers(arguments: argparse.Namespace) -> int:
    """Return how many runs would be trained at a time."""
    from ser_aae.grid.cluster import count_workers, open_client

    if not arguments.scheduler:
        return _workers(arguments)
    with open_client(scheduler=arguments.scheduler) as client:
        return count_workers(client)


def _workers(arguments: argparse.Namespace) -> int:
    """Return how many processes this machine is to run.

    Raises:
        UserError: Less than one is asked for.
    """
    from dask.system import CPU_COUNT

    if arguments.workers is None:
        return int(CPU_COUNT)
    if arguments.workers < 1:
        raise UserError(f"--workers: expected 1 or more, got {arguments.workers}")
    return int(arguments.workers)


def _keep_setup(setup: "Setup", runs: str) -> None:
    """Leave the setup beside the runs: the report finds its cells by it."""
    from ser_aae.experiments.setup import write_setup
    from ser_aae.grid.storage import is_url, send_folder

    if not is_url(runs):
        write_setup(Path(runs), setup)
        return
    with tempfile.TemporaryDirectory() as place:
        written = write_setup(Path(place), setup)
        send_folder(written, runs, written.relative_to(place).as_posix(), last="setup.json")


def _show(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
