"""Measuring: the time of functions, the peak memory of commands, and the options of benchmarks."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

MB = 1 << 20


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
        SystemExit: The command failed.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: ended with {process.returncode}")
    # KiB on Linux, bytes on macOS
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MB
