"""Many runs on Dask distributed: those that are missing, although workers may die meanwhile.

A run is complete when its `result.json` is there, and an interrupted run goes on after its last
epoch. So a grid keeps no list of its own: the run folders show which runs are missing.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass

import dask
from distributed import Client, Future, LocalCluster, as_completed

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.grid.remote import relative_folder
from ser_aae.grid.run_worker import BUSY, REFUSED, Outcome, train_run
from ser_aae.progress import Show, duration, move_bar, open_bar
from ser_aae.results.folder import flatten
from ser_aae.results.places import Places

RETRIES = 2
"""Number of times that a run is tried again after it failed or its worker died."""

CONNECT_S = 20.0
"""Time that a scheduler may be silent until it is given up."""


@dataclass(frozen=True)
class Failure:
    """A run that has not ended well.

    Attributes:
        error: The last error, perhaps with a traceback below its first line.
    """

    config: RunConfig
    error: str

    def __str__(self) -> str:
        """Return the run, its error and the settings that are not the preset's, a line each."""
        first, *rest = self.error.splitlines() or [""]
        lines = [f"{relative_folder(self.config)}: {first}", *(f"  {line}" for line in rest)]
        return "\n".join([*lines, f"  settings: {own_settings(self.config)}"])


def own_settings(config: RunConfig) -> str:
    """Return the settings that differ from the defaults, as `--set` takes them."""
    default = flatten(RunConfig().to_dict())
    given = flatten(config.to_dict())
    return " ".join(f"{key}={given[key]}" for key in given if given[key] != default[key])


@contextmanager
def open_client(workers: int = 1, scheduler: str = "") -> Iterator[Client]:
    """Connect to a scheduler, or start one with workers on this machine until the context ends.

    Workers are processes of one thread. When one dies, another takes its place. None is started
    where a scheduler is named, by its address: `tcp://host:8786`.

    Raises:
        UserError: The scheduler does not answer.
    """
    if scheduler:
        try:
            client = Client(scheduler, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UserError(
                f"--scheduler {scheduler}: expected a Dask scheduler, got no answer ({error}); "
                "start one with: dask scheduler"
            ) from error
        with client:
            yield client
        return
    settings = {
        "distributed.scheduler.allowed-failures": RETRIES,
        # a worker is given one run at a time, so that it takes no other with it when it dies
        "distributed.scheduler.worker-saturation": 1.0,
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            # the operating system's limit alone: what a run needs is not known to Dask
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            silence_logs="CRITICAL",
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def run_grid(
    configs: Sequence[RunConfig],
    places: Places,
    client: Client,
    show: Show,
    work: Callable[[RunConfig, Places], Outcome] = train_run,
) -> list[Failure]:
    """Train runs on a cluster until each is complete or has failed for good.

    An error is tried again `RETRIES` times, and so is a run whose worker died; settings that
    cannot succeed are not. A run that another grid trains now is looked at again later. A line is
    shown for each run that ends.

    Returns:
        The failures, in their order.

    Raises:
        UserError: The scheduler has gone away; what is done is kept.
    """

    def submit(config: RunConfig, priority: int = 0) -> Future:
        # not pure: a run that failed in another grid is to be tried anew
        future = client.submit(work, config, places, pure=False, retries=RETRIES, priority=priority)
        running[future.key] = config
        return future

    running: dict[str, RunConfig] = {}
    failures: list[Failure] = []
    ended, started = 0, time.monotonic()
    waiting = as_completed([submit(config) for config in configs], loop=client.loop)
    with open_bar(len(configs), "reproduce", "runs", show) as bar:
        for future in waiting:
            config = running.pop(future.key)
            outcome = _outcome_of(future)
            if outcome.state == BUSY:
                waiting.add(submit(config, priority=-1))
                continue
            if outcome.state == REFUSED:
                failures.append(Failure(config, outcome.error))
            ended += 1
            elapsed = time.monotonic() - started
            show(
                f"[{ended}/{len(configs)}] {relative_folder(config)}: {_result(outcome)}; "
                f"{3600 * ended / max(elapsed, 1e-3):.3g} runs an hour, "
                f"about {duration(elapsed / ended * (len(configs) - ended))} left"
            )
            move_bar(bar, ended)
    return failures


def _outcome_of(future: Future) -> Outcome:
    """Return the outcome of a run, which is `REFUSED` for an error that came each time."""
    try:
        return future.result()
    except CancelledError as error:
        raise UserError(
            "the scheduler has gone away; what is done is kept: give the same command again"
        ) from error
    except Exception as error:
        # of whatever kind the run or Dask raised: the other runs go on
        return Outcome(REFUSED, error=str(error) or type(error).__name__)


def _result(outcome: Outcome) -> str:
    if outcome.state == REFUSED:
        return f"failed: {(outcome.error.splitlines() or [''])[0]}"
    return duration(outcome.seconds)


def count_workers(client: Client) -> int:
    """Return the number of runs that the cluster trains at a time, as it is now."""
    return len(client.scheduler_info(n_workers=-1)["workers"])
