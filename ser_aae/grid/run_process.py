"""One run of a grid in a process of its own, `python -m ser_aae.grid.run_process`.

A run is not trained in the worker itself, since Dask's threads draw from the same global random
numbers there, so that the run would not follow from its seed; TensorFlow gives no memory back;
and a crash would end the worker.
"""

import os
import pickle
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from typing import IO, cast

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.extras import explain_missing
from ser_aae.files.locks import claim
from ser_aae.files.refusals import explain_refusal
from ser_aae.processes.lifeline import end_with_parent
from ser_aae.processes.quiet_tensorflow import quieten_tensorflow
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
"""Variables of a run that the worker's own environment does not set."""

_REFUSAL_CODE = 3
_BUSY_CODE = 4

_ROOT = Path(__file__).resolve().parents[2]


class RunFailedError(Exception):
    """A run ended in an error that may not come again.

    Its text alone reaches the scheduler, where the class of the error may be unknown, or may not
    be picklable.
    """


def train_apart(config: RunConfig, store: Path, runs: Path) -> bool:
    """Train and score a run in a process that ends with this one.

    The process itself holds the run's folder. So no other gets the folder in the moment by which
    the process outlives a killed worker.

    Returns:
        Whether it was trained; `False` where another process holds the folder.

    Raises:
        UserError: The same settings would fail again.
        RunFailedError: Anything else.
    """
    command = [sys.executable, "-m", "ser_aae.grid.run_process"]
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
            # the stream stays open: the process ends when it closes
            cast("IO[bytes]", process.stdin).write(pickle.dumps((config, store, runs)))
        refusal = cast("IO[bytes]", process.stdout).read().decode()
        code = process.wait()
        printed.seek(0)
        text = printed.read()[-4000:].strip()  # the error is at its end
    if code == _REFUSAL_CODE:
        raise UserError(refusal)
    if code not in (0, _BUSY_CODE):
        raise RunFailedError(_describe(code, text))
    return code != _BUSY_CODE


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    paths = [str(_ROOT), *filter(None, [given.get("PYTHONPATH")])]
    fixed = {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join(paths)}
    return {**_ENVIRONMENT, **given, **fixed}


def _describe(code: int, text: str) -> str:
    last = text.splitlines()[-1] if text else f"exit code {code}"
    first = f"killed by signal {-code}" if code < 0 else last
    return f"{first}\n{text}".strip()


def main() -> int:
    """Train the run that is written to the standard input; return the exit code."""
    config, store, runs = pickle.load(sys.stdin.buffer)  # noqa: S301  # of the worker's own
    end_with_parent(sys.stdin.fileno())
    quieten_tensorflow()  # what it prints would stand before the error that is told
    try:
        with claim(run_folder(runs, config)) as held:
            return _train(config, store, runs) if held else _BUSY_CODE
    except UserError as error:
        print(error, end="")
        return _REFUSAL_CODE
    except Exception as error:
        # to try again at once is of no use
        if refusal := explain_refusal(error, runs) or explain_missing(error):
            print(refusal, end="")
            return _REFUSAL_CODE
        traceback.print_exc()
        return 1


def _train(config: RunConfig, store: Path, runs: Path) -> int:
    """Train a run whose folder is held; return the exit code."""
    from ser_aae.training.divergence import DivergedError
    from ser_aae.training.run import train_claimed

    try:
        train_claimed(config, store, runs)
    except DivergedError as error:  # the same seed diverges again
        raise UserError(str(error)) from error
    return 0


if __name__ == "__main__":
    sys.exit(main())
