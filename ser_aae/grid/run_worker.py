"""Work of a grid's worker on one run: training where it is missing, leaving it where runs lie."""

import shutil
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.files.locks import claim
from ser_aae.grid.remote import (
    fetch_start,
    is_url,
    local_store,
    open_place,
    place_in_cache,
    relative_folder,
    send_folder,
)
from ser_aae.grid.run_process import RunFailedError, train_apart
from ser_aae.results.folder import RESULT, is_complete, run_folder
from ser_aae.results.places import Places

DONE, BUSY, REFUSED = "done", "busy", "refused"

PAUSE_S = 5.0
"""Pause before a busy run is given back, so that it is not asked for without end."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run.

    Attributes:
        state: `DONE`; `BUSY` if another process holds the run's folder; `REFUSED` if the same
            settings would fail again.
    """

    state: str
    seconds: float = 0.0
    error: str = ""


def train_run(config: RunConfig, places: Places) -> Outcome:
    """Train and score a run unless it is complete, and leave it where runs lie.

    Raises:
        RunFailedError: Something failed that may be tried again.
    """
    started = time.monotonic()
    try:
        train = _train_at_a_url if is_url(str(places.runs)) else _train_in_folder
        state = train(config, places)
    except UserError as error:
        return Outcome(REFUSED, time.monotonic() - started, str(error))
    except RunFailedError:
        raise
    except Exception as error:
        text = "".join(traceback.format_exception(error))
        raise RunFailedError(f"{type(error).__name__}: {error}\n{text}") from None
    if state == BUSY:
        time.sleep(PAUSE_S)
    return Outcome(state, time.monotonic() - started)


def _train_in_folder(config: RunConfig, places: Places) -> str:
    runs = Path(places.runs)
    folder = run_folder(runs, config)
    if is_complete(folder):
        return DONE
    return DONE if train_apart(config, local_store(str(places.store), config), runs) else BUSY


def _train_at_a_url(config: RunConfig, places: Places) -> str:
    """Train in this worker's cache, send the complete run, and make room."""
    place = str(places.runs)
    system, root = open_place(place)
    relative = relative_folder(config)
    if system.isfile(f"{root}/{relative}/{RESULT}"):
        return DONE
    runs = place_in_cache(place)
    fetch_start(place, runs, config)
    folder = run_folder(runs, config)
    if not is_complete(folder) and not train_apart(
        config, local_store(str(places.store), config), runs
    ):
        return BUSY
    with claim(folder) as held:
        if held and is_complete(folder):  # no other worker has sent it meanwhile
            send_folder(folder, place, relative)
            shutil.rmtree(folder)
    return DONE if system.isfile(f"{root}/{relative}/{RESULT}") else BUSY
