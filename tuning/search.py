"""One search from its definition to `best.yaml`: alone, or as the chief of workers."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
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
from tuning.oracles import DurableOracle, build_oracle
from tuning.record import best_line, record
from tuning.tuner import TrialTuner

_MOST_DEATHS = 5
"""Workers that may be killed before the search gives up: something kills them all."""

Command = Callable[[str], Sequence[str]]
"""Chief's address to the command that starts a worker for it."""


def search_alone(search: Search, runs: Path, run: Run, show: Show) -> Path:
    """Search in this process, and leave the search's folder.

    Args:
        search: What to search.
        runs: Where run folders lie, and the search's below them.
        run: What trains a run.
        show: Called with a line of text for what a person should see.

    Returns:
        The search's folder.

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
    helpers: "LocalWorkers | None" = None,
    patience_s: float = PATIENCE_S,
) -> Path:
    """Search as the chief of workers, here or elsewhere, and leave the search's folder.

    Args:
        search: What to search.
        runs: Where the search's folder lies; workers have their own folder of runs.
        show: Called with a line of text for what a person should see.
        address: `HOST:PORT` to listen on.
        helpers: Workers to start on this machine; without them they come by themselves.
        patience_s: How long a worker may be silent.

    Returns:
        The search's folder.

    Raises:
        UserError: The search cannot be, another process is at it, or a trial failed.
    """
    with _open_search(search, runs, show) as (oracle, folder):
        serve(Chief(oracle, search, show, patience_s), address, helpers)
    return folder


class LocalWorkers:
    """Workers on this machine, started by the chief and ended with it.

    One that is killed is started again. They have a session of their own, so that Ctrl-C
    reaches the chief alone, which ends them.

    Args:
        command: Chief's address to what starts a worker.
        count: How many.
    """

    def __init__(self, command: Command, count: int) -> None:
        """Start nothing yet; see the class."""
        self._command = command
        self._count = count
        self._address = ""
        self._started = 0
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, port: int) -> None:
        """Start them all for the chief on a port of this machine."""
        self._address = f"127.0.0.1:{port}"
        for _ in range(self._count):
            self._start_one()

    def lost(self) -> list[str]:
        """Start those again that were killed; return who it was.

        Raises:
            UserError: One ended with an error, or too many were killed.
        """
        gone = [name for name, each in self._processes.items() if each.poll() is not None]
        killed = []
        for name in gone:
            code = self._processes.pop(name).returncode
            if code > 0:
                raise UserError(
                    f"{name} ended with exit code {code}; what it says above mends it, then give "
                    "the same command again"
                )
            if code < 0:
                killed.append(name)
                self._replace(-code)
        return killed

    def end(self) -> None:
        """End those that are left."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _replace(self, number: int) -> None:
        if self._started - self._count >= _MOST_DEATHS:
            raise UserError(
                f"{_MOST_DEATHS + 1} workers were killed, the last by {signal.Signals(number).name}"
                "; with less memory for each, fewer --workers, the same command goes on"
            )
        self._start_one()

    def _start_one(self) -> None:
        self._started += 1
        name = f"worker-{self._started}"
        threads = str(max(1, _processors() // self._count))
        shares = {
            key: os.environ.get(key, threads)
            for key in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
        }
        self._processes[name] = subprocess.Popen(  # noqa: S603 (the command is this program's)
            self._command(self._address),
            env={**os.environ, **shares, "KERASTUNER_TUNER_ID": name},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,
        )


def _processors() -> int:
    """Return how many processors this process may use, where the system says."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_command(store: Path, runs: Path, verbose: bool) -> Command:
    """Return what starts `ser-aae tune --worker` on this machine, for this process."""

    def command(address: str) -> Sequence[str]:
        places = ["--store", str(store), "--runs", str(runs), "--parent", str(os.getpid())]
        more = ["--verbose"] if verbose else []
        return [sys.executable, "-m", "ser_aae", "tune", "--worker", address, *places, *more]

    return command


@contextmanager
def _open_search(search: Search, runs: Path, show: Show) -> Iterator[tuple[DurableOracle, Path]]:
    """Give the oracle of a search where it stands, and its folder, which nobody else has open."""
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
        _tell(search, oracle, folder, runs, show)
        yield oracle, folder
        record(search, oracle, folder, runs)


def _tell(search: Search, oracle: DurableOracle, folder: Path, runs: Path, show: Show) -> None:
    """Say where the search stands, and again after each trial, with the record on disk."""
    most = {"grid": search.space.size(), "hyperband": 0}.get(search.algorithm, search.trials)

    def tell() -> None:
        of = f" of {most}" if most else ""
        best = best_line(search, folder)
        show(f"{len(oracle.end_order)}{of} trials done{f'; {best}' if best else ''}")

    def on_end(_: object) -> None:
        record(search, oracle, folder, runs)
        tell()

    oracle.on_end = on_end
    if oracle.end_order:
        record(search, oracle, folder, runs)
        show(f"{folder}: goes on")
    tell()
