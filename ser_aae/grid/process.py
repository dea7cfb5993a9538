"""One run of a grid in a process of its own: `python -m ser_aae.grid.process`, started by a worker.

Not in the worker itself: Dask's threads draw from the same global random numbers there, so that a
run would not be what its seed says; TensorFlow gives no memory back; and a crash would take the
worker along.
"""

import os
import pickle
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from typing import IO

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.files.locks import claim
from ser_aae.results.folder import run_folder

_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    # one, however many workers share the machine: they do not fight, and sums are taken in the
    # same order whether two of them run or twenty
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
"""What is set for a run where the worker's own environment says nothing."""

_REFUSED = 3
_BUSY = 4
_TOLD = 4000
"""Characters of what a run printed that are told when it fails; the error is at the end."""

_ROOT = Path(__file__).resolve().parents[2]


class RunFailedError(Exception):
    """A run ended in an error that may not come again.

    It carries text alone: the error itself may be of a class that is not importable, or not
    picklable, where the grid is watched.
    """


def train_apart(config: RunConfig, store: Path, runs: Path) -> bool:
    """Train and score a run in a process that ends with this one.

    The process holds the run's folder itself: it may outlive a worker that is killed by a moment,
    in which nobody else gets the folder.

    Args:
        config: The run.
        store: Where the prepared corpora lie.
        runs: Where its folder is made.

    Returns:
        Whether it was trained; `False` where another process holds the folder.

    Raises:
        UserError: The same settings would fail again.
        RunFailedError: Anything else.
    """
    command = [sys.executable, "-m", "ser_aae.grid.process"]
    with (
        TemporaryFile("w+", encoding="utf-8", errors="replace") as printed,
        Popen(  # noqa: S603
            command,
            bufsize=0,
            stdin=PIPE,
            stdout=PIPE,
            stderr=printed,
            env=_environment(os.environ),
        ) as process,
    ):
        with suppress(BrokenPipeError):  # it has ended already; its exit code says why
            # and left open: the process ends when it closes
            _stream(process.stdin).write(pickle.dumps((config, store, runs)))
        refusal = _stream(process.stdout).read().decode()
        code = process.wait()
        printed.seek(0)
        text = printed.read()[-_TOLD:].strip()
    if code == _REFUSED:
        raise UserError(refusal)
    if code not in (0, _BUSY):
        raise RunFailedError(_describe(code, text))
    return code != _BUSY


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a stream that Popen was asked for, and so has."""
    if stream is None:
        raise RuntimeError("expected a pipe to the process of a run, got none")
    return stream


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    paths = [str(_ROOT), *filter(None, [given.get("PYTHONPATH")])]
    fixed = {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join(paths)}
    return {**_ENVIRONMENT, **given, **fixed}


def _describe(code: int, text: str) -> str:
    """Return what names the error in the first line, and below it what was printed."""
    last = text.splitlines()[-1] if text else f"exit code {code}"
    first = f"killed by signal {-code}" if code < 0 else last
    return f"{first}\n{text}".strip()


def main() -> int:
    """Train the run that is written to the standard input; return the exit code."""
    config, store, runs = pickle.load(sys.stdin.buffer)  # noqa: S301  # of the worker's own
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    try:
        with claim(run_folder(runs, config)) as held:
            return _train(config, store, runs) if held else _BUSY
    except UserError as error:
        print(error, end="")
        return _REFUSED
    except Exception:
        traceback.print_exc()
        return 1


def _train(config: RunConfig, store: Path, runs: Path) -> int:
    """Train a run whose folder is held; return the exit code."""
    from ser_aae.training.callbacks import DivergedError
    from ser_aae.training.run import train_claimed

    try:
        train_claimed(config, store, runs)
    except DivergedError as error:  # the same seed diverges again
        raise UserError(str(error)) from error
    return 0


def _end_with_the_worker() -> None:
    """End at once when the worker has: it holds the other end of the standard input."""
    os.read(sys.stdin.fileno(), 1)  # unbuffered: a buffer's lock would be held at the end
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
