"""Measuring: the time of functions, the peak memory of commands, and the options of benchmarks.

Whatever imports this module, as all benchmarks do before anything that an extra brings, says which
extra brings what it lacks.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from ser_aae.extras import explain_missing

MB = 1 << 20

_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""Bytes of the system's unit of memory: KiB on Linux, bytes on macOS."""

_MISTAKE = 2
"""Exit code where the user can mend it, of benchmarks as of `ser-aae`."""


def make_parser(doc: str | None, **defaults: str | int | Path) -> argparse.ArgumentParser:
    """Return a parser with the first line of a docstring, and an option for each default."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    for name, default in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    return parser


def seconds_by_turns(
    functions: Mapping[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Call functions in turns, so that a busy minute meets all; return the seconds of each call."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = clock()
            function()
            times[name].append(clock() - start)
    return times


def measure_peak_mb(command: Sequence[str]) -> float:
    """Run a command and return the peak of its resident memory, its workers' included.

    On Linux this is never less than the memory of this process when the command was started.

    Raises:
        SystemExit: The command failed; with code 2 where it has said itself what mends that.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == _MISTAKE:
        sys.exit(_MISTAKE)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: ended with {process.returncode}")
    return usage.ru_maxrss * _MAXRSS_BYTES / MB


def peak_mb() -> float:
    """Return the peak of resident memory of this process or of its largest child, in MB."""
    import resource  # here, for Windows has none

    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(which).ru_maxrss for which in both) * _MAXRSS_BYTES / MB


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End a benchmark on an error: in one line where the user mends it, else as Python does."""
    if message := explain_missing(error, "bench"):
        print(f"{Path(sys.argv[0]).name}: error: {message}", file=sys.stderr)
        raise SystemExit(_MISTAKE)
    if isinstance(error, subprocess.CalledProcessError) and error.returncode == _MISTAKE:
        raise SystemExit(_MISTAKE)  # which the command has explained
    sys.__excepthook__(kind, error, trace)


sys.excepthook = _end
