"""Processes of a distributed search whose runs cost nothing but a wait.

```
cheap_search.py chief RUNS LOG SECONDS WORKERS      starts its workers itself
cheap_search.py worker RUNS LOG SECONDS ADDRESS
```
Each run adds a line to LOG when it begins and another when it has ended.
"""

import os
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

from ser_aae.config import RunConfig  # noqa: E402 (after the warnings are off)
from ser_aae.processes.lifeline import end_with_parent  # noqa: E402
from tuning.definition import Search  # noqa: E402
from tuning.local_workers import LocalWorkers  # noqa: E402
from tuning.search import search_with_workers  # noqa: E402
from tuning.space import read_space  # noqa: E402
from tuning.worker import run_worker  # noqa: E402

SEARCH = Search(RunConfig(dataset="tiny"), read_space("alpha"), "grid", 0)


def _slow_runs(log, seconds):
    def run(config, show):
        alpha = config.model.alpha
        _note(log, f"begun {alpha} {os.getpid()}")
        show("an epoch")
        time.sleep(seconds)
        _note(log, f"ended {alpha} {os.getpid()}")
        return 1 - (alpha - 0.4) ** 2

    return run


def _note(log, line):
    with log.open("a") as file:
        file.write(f"{line}\n")


def _show(line):
    print(line, flush=True)


def main(role, place, log, seconds, last):
    run = _slow_runs(Path(log), float(seconds))
    if role == "worker":
        end_with_parent(sys.stdin.fileno())
        run_worker(last, run, _show)
        return

    command = [sys.executable, __file__, "worker", place, log, seconds]
    helpers = LocalWorkers(command, int(last))
    search_with_workers(SEARCH, Path(place), _show, "127.0.0.1:0", helpers)
    print("ended", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
