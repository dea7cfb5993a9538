"""One search from its definition to `best.yaml`: alone, or as the chief of workers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ser_aae.errors import UserError
from ser_aae.files.atomic import write_json
from ser_aae.files.locks import claim, holder
from ser_aae.progress import Show
from ser_aae.results.search_folder import SEARCH
from tuning.chief import PATIENCE_S, Chief, serve
from tuning.definition import Search, check_search
from tuning.hypermodel import Reporter, Run, SettingsModel
from tuning.local_workers import LocalWorkers
from tuning.oracles import DurableOracle, build_oracle
from tuning.record import best_line, record
from tuning.tuner import TrialTuner


def search_alone(search: Search, runs: Path, run: Run, show: Show) -> Path:
    """Search in this process, and return the search's folder.

    Raises:
        UserError: The search cannot be, or another process is at it.
        TrialFailedError: A trial failed.
    """
    with _open_search(search, runs, show) as (oracle, folder):
        TrialTuner(oracle, SettingsModel(search, run, Reporter(show)), folder).search()
    return folder


def search_with_workers(
    search: Search,
    runs: Path,
    show: Show,
    address: str,
    helpers: LocalWorkers | None = None,
    patience_s: float = PATIENCE_S,
) -> Path:
    """Search as the chief of workers, here or elsewhere, and return the search's folder.

    Workers have their own folder of runs. `helpers` are started on this machine; without them
    workers come by themselves to the address, `HOST:PORT`.

    Raises:
        UserError: The search cannot be, another process is at it, or a trial failed.
    """
    with _open_search(search, runs, show) as (oracle, folder):
        serve(Chief(oracle, search, show, patience_s), address, helpers)
    return folder


@contextmanager
def _open_search(search: Search, runs: Path, show: Show) -> Iterator[tuple[DurableOracle, Path]]:
    """Give the oracle of a search in its present state, and its folder, held by this process."""
    check_search(search)
    folder = search.folder(runs)
    with claim(folder) as held:
        if not held:
            raise UserError(
                f"{folder}: {holder(folder)} is at this search; wait until it has ended, or end it"
            )
        write_json(folder / SEARCH, search.to_dict())
        oracle = build_oracle(search, folder)
        oracle.resume()
        _follow(search, oracle, folder, runs, show)
        yield oracle, folder
        record(search, oracle, folder, runs)


def _follow(search: Search, oracle: DurableOracle, folder: Path, runs: Path, show: Show) -> None:
    """Show the state of the search, now and after each trial, when its record is on disk."""
    most = {"grid": search.space.size(), "hyperband": 0}.get(search.algorithm, search.trials)

    def tell() -> None:
        of = f" of {most}" if most else ""
        best = best_line(search, folder)
        show(f"{len(oracle.end_order)}{of} trials done{f'; {best}' if best else ''}")

    def on_end(_: object) -> None:
        record(search, oracle, folder, runs)
        tell()

    oracle.on_end = on_end
    record(search, oracle, folder, runs)  # whatever became of an earlier one
    if oracle.end_order:
        show(f"{folder}: goes on")
    tell()
