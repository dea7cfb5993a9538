"""Workers on this machine, started by the chief of a search and ended with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

from joblib import cpu_count

from ser_aae.errors import UserError

_MOST_DEATHS = 5
"""Workers that may be killed before the search gives up: something kills them all."""

_END_S = 5.0
"""Time that a worker has to end in good order, before it is killed."""


class LocalWorkers:
    """Processes of workers.

    One that is killed is started again. They have a session of their own, so that Ctrl-C
    reaches the chief alone, which ends them. However this process ends, they do too: their standard
    input is a pipe whose other end it holds (`ser_aae.processes.lifeline`).

    Args:
        command: Starts a worker; the chief's address is its last word, added here.
    """

    def __init__(self, command: Sequence[str], count: int) -> None:
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
        """Start those again that were killed; return their names.

        Raises:
            UserError: One ended with an error, or too many were killed.
        """
        killed = []
        for name in [name for name, each in self._processes.items() if each.poll() is not None]:
            process = self._processes.pop(name)
            _lifeline(process).close()
            code = process.returncode
            if code > 0:
                raise UserError(
                    f"{name} ended with exit code {code}; what it says above mends it, then give "
                    "the same command again"
                )
            if code < 0:
                if self._started - self._count >= _MOST_DEATHS:
                    raise UserError(
                        f"{_MOST_DEATHS + 1} workers were killed, the last by "
                        f"{signal.Signals(-code).name}; with less memory for each, fewer "
                        "--workers, the same command goes on"
                    )
                killed.append(name)
                self._start_one()
        return killed

    def end(self) -> None:
        """End those that are left."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _lifeline(process).close()

    def _start_one(self) -> None:
        self._started += 1
        name = f"worker-{self._started}"
        threads = str(max(1, cpu_count() // self._count))
        shares = {
            key: os.environ.get(key, threads)
            for key in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
        }
        self._processes[name] = subprocess.Popen(  # noqa: S603 (the command is this program's)
            [*self._command, self._address],
            env={**os.environ, **shares, "KERASTUNER_TUNER_ID": name},
            stdin=subprocess.PIPE,
            stdout=sys.stderr,
            start_new_session=True,
        )


def _lifeline(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    return cast("IO[bytes]", process.stdin)


def worker_command(store: Path, runs: Path, verbose: bool) -> list[str]:
    """Return the command of a worker of this process, without the chief's address at its end."""
    places = ["--store", str(store), "--runs", str(runs), "--child"]
    more = ["--verbose"] if verbose else []
    return [sys.executable, "-m", "ser_aae", "tune", *places, *more, "--worker"]
