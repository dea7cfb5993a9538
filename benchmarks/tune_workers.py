"""Time that a second worker saves: a search by one worker, then by two, each on its own core.

    python benchmarks/tune_workers.py --dataset ravdess --fold 0 --epochs 3 --trials 8

All options but `--store` are those of `ser-aae tune`; the corpora have to be prepared. Prints the
seconds of both searches, from the start of their processes to the end of their chief, and the
ratio. Their folders are removed in the end.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import make_parser

from ser_aae.cli import build_parser

PROGRAM = (sys.executable, "-m", "ser_aae")
_ONE_THREAD = {f"{name}_THREADS": "1" for name in ("TF_NUM_INTRAOP", "TF_NUM_INTEROP", "OMP_NUM")}


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def time_search(
    words: Sequence[str],
    store: Path,
    cores: Sequence[int],
    runs: Path,
    program: Sequence[str] = PROGRAM,
) -> float:
    """Return the seconds that a search takes with a worker on each of some cores.

    `words` are options of `ser-aae tune`, without places and roles; `runs` is an empty folder;
    `program` starts `ser-aae`.

    Raises:
        CalledProcessError: The chief or a worker failed.
    """
    address = f"127.0.0.1:{free_port()}"
    places = ["--store", str(store), "--runs", str(runs)]
    start = time.monotonic()
    processes = [subprocess.Popen([*program, "tune", *words, *places, "--chief", address])]
    try:
        for core in cores:
            worker = subprocess.Popen(
                [*program, "tune", *places, "--worker", address], env=os.environ | _ONE_THREAD
            )
            processes.append(worker)
            # before it has any thread but its first, whose core the others inherit
            os.sched_setaffinity(worker.pid, {core})
        chief, *workers = processes
        # without its workers the chief would wait for ever
        while chief.poll() is None and not any(worker.poll() for worker in workers):
            time.sleep(0.05)
        seconds = time.monotonic() - start
        if chief.poll() == 0:
            for worker in workers:
                worker.wait()
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
    for process in reversed(processes):
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
    return seconds


def main(argv: Sequence[str] | None = None) -> None:
    """Time both searches and print the ratio."""
    store = Path(os.environ.get("SER_AAE_STORE", "store"))
    arguments, words = make_parser(__doc__, store=store).parse_known_args(argv)
    build_parser().parse_args(["tune", *words])  # a mistake is told before anything is timed
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        raise SystemExit(f"expected two cores or more, found {len(cores)}")
    seconds = []
    for count in (1, 2):
        with TemporaryDirectory() as runs:
            seconds.append(time_search(words, arguments.store, cores[:count], Path(runs)))
        print(f"{count} worker(s): {seconds[-1]:.1f} s", flush=True)
    print(f"ratio: {seconds[1] / seconds[0]:.2f}")


if __name__ == "__main__":
    main()
