"""Trackers of experiments by name: which ones a command asks for, and whether they are there."""

import os
from collections.abc import Sequence

from ser_aae.errors import UserError
from ser_aae.extras import require_modules

LOG = "SER_AAE_LOG"
"""Variable with the names of the trackers, with commas between; what a command starts inherits it,
and on another machine it is set beside the trackers' own."""

NO_TRACKER = "none"

_DEFAULT = "tensorboard"

TRACKERS = (_DEFAULT, "mlflow", "wandb")
"""Names of trackers. TensorFlow writes TensorBoard's files; each other name is that of the module
that is needed too, and of the extra that installs it."""


def read_trackers(text: str, given_by: str = "--log") -> tuple[str, ...]:
    """Return the trackers in a text with commas between.

    Raises:
        UserError: One is not known, or `none` does not stand alone. The message begins with
            `given_by`, the option or variable that has the text.
    """
    names = [name.strip().casefold() for name in text.split(",")]
    if names == [NO_TRACKER]:
        return ()
    for name in names:
        if name not in TRACKERS:
            known = f"some of {', '.join(TRACKERS)}, or {NO_TRACKER} alone"
            raise UserError(f"{given_by}: expected {known}, got {text!r}")
    return tuple(dict.fromkeys(names))


def chosen_trackers() -> tuple[str, ...]:
    """Return the trackers that the environment names; TensorBoard alone where it names none.

    Raises:
        UserError: One is not known.
    """
    return read_trackers(os.environ.get(LOG) or _DEFAULT, LOG)


def choose_trackers(names: Sequence[str]) -> None:
    """Have this process, and what it starts, tell these trackers.

    Raises:
        ModuleNotFoundError: The package of one is not installed.
    """
    require_modules(*(name for name in names if name != _DEFAULT))
    os.environ[LOG] = ",".join(names) or NO_TRACKER
