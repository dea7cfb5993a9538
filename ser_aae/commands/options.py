"""Options that several commands share."""

import argparse
import errno
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ser_aae.config.presets import PRESETS
from ser_aae.files.hub import HubAddress, fetch_file, is_meant, parse_address
from ser_aae.files.refusals import explain_refusal

Subparsers = argparse._SubParsersAction
"""Collection of the commands, whose `add_parser` declares one."""

CONFIG = ("preset", "config", "set")
"""Options that give a config whole or setting by setting."""

_PLACES = {
    "data-root": ("SER_AAE_DATA", "data", "folder of the corpora, each in a folder of its name"),
    "store": ("SER_AAE_STORE", "store", "folder of the prepared corpora"),
    "runs": ("SER_AAE_RUNS", "runs", "folder of the runs"),
}
"""Option to its environment variable, its default and its meaning."""


def places_of(arguments: argparse.Namespace) -> list[Path]:
    """Return the folders of this machine that a command takes for corpora, store and runs."""
    given = (getattr(arguments, option.replace("-", "_"), None) for option in _PLACES)
    return [Path(place).absolute() for place in given if place and "://" not in str(place)]


def folder(text: str) -> Path:
    """Return a path as typed, `~` resolved."""
    return Path(text).expanduser()


def new_table(text: str) -> Path:
    """Return the path of a CSV file to write, as `new_file` does.

    Raises:
        argparse.ArgumentTypeError: Another kind of file is named, or what `new_file` refuses.
    """
    path = new_file(text)
    if path.suffix.lower() != ".csv":
        raise argparse.ArgumentTypeError(f"{path}: expected a name that ends in .csv")
    return path


def new_file(text: str) -> Path:
    """Return the path of a file to write, `~` resolved; before any work is done for it.

    Raises:
        argparse.ArgumentTypeError: A folder lies there, a recording would be written over, or
            nothing may be written there.
    """
    from ser_aae.frontend.audio import SUFFIXES

    path = new_place(text)
    if path.suffix.lower() in SUFFIXES:
        raise argparse.ArgumentTypeError(
            f"{path}: expected the name of a file to write, got that of a recording"
        )
    if path.is_dir():
        raise argparse.ArgumentTypeError(
            f"{path}: expected the name of a file to write, found a folder; name a file in it"
        )
    return path


def new_place(text: str) -> Path:
    """Return the path of a file or folder to write, `~` resolved; before any work is done for it.

    Raises:
        argparse.ArgumentTypeError: Nothing may be written there.
    """
    path = folder(text)
    place = next(parent for parent in path.absolute().parents if os.path.exists(parent))
    if not place.is_dir():
        raise argparse.ArgumentTypeError(
            f"{path}: expected a folder for it, found that {place} is a file; give another name"
        )
    if not os.access(place, os.W_OK | os.X_OK):
        # Windows has no such call
        is_read_only = hasattr(os, "statvfs") and os.statvfs(place).f_flag & os.ST_RDONLY
        number = errno.EROFS if is_read_only else errno.EACCES
        why = explain_refusal(OSError(number, "", str(place)))
        raise argparse.ArgumentTypeError(f"{path}: {why}")
    return path


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument `model`, which `fetch_model` makes a path of."""
    parser.add_argument(
        "model",
        type=_model,
        metavar="MODEL",
        help="a run's folder, a file of ser-aae export, or hf://OWNER/NAME[@REVISION][/FILE], such "
        "a file on the Hugging Face Hub",
    )


def _model(text: str) -> Path | HubAddress:
    return parse_address(text) if is_meant(text) else folder(text)


def fetch_model(model: Path | HubAddress) -> Path:
    """Return the place of a model on this machine; one on the Hub is fetched.

    Raises:
        UserError: It cannot be fetched.
    """
    if isinstance(model, Path):
        return model
    from ser_aae.inference.exported_model import FETCHED

    return fetch_file(model, FETCHED)


def address(text: str) -> str:
    """Return a URL as it is and a path as an absolute one: workers run in other folders."""
    return text if "://" in text else str(folder(text).absolute())


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number of at least `low`, and at most `high`."""
    expected = f"{low} or more" if high is None else f"{low} to {high}"

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < low or (high is not None and int(text) > high):
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text}")
        return int(text)

    return read


count = whole_number(1)
"""Reads a number of things."""


def number_over_zero(text: str) -> float:
    """Return a number over 0.

    Raises:
        ArgumentTypeError: It is none.
    """
    return _finite(text, lambda value: value > 0, "a number over 0")


def points(text: str) -> float:
    """Return points of a figure in per cent, 0 to 100.

    Raises:
        ArgumentTypeError: It is none.
    """
    return _finite(text, lambda value: 0 <= value <= 100, "0 to 100 points")


def _finite(text: str, is_meant: Callable[[float], bool], expected: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not is_meant(value):
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text}")
    return value


def _trackers(text: str) -> tuple[str, ...]:
    from ser_aae.results.tracking import read_trackers

    return read_trackers(text)


def take_trackers(arguments: argparse.Namespace) -> None:
    """Have runs of this command told to the trackers of `--log`, or of its variable.

    Raises:
        UserError: One is not known, or not installed.
    """
    from ser_aae.results.tracking import choose_trackers, chosen_trackers

    choose_trackers(chosen_trackers() if arguments.log is None else arguments.log)


_OPTIONS: dict[str, dict[str, Any]] = {
    "dataset": {
        "required": True,
        "metavar": "NAME",
        "help": "see: ser-aae corpora; or csv:FILE, audformat:DIR",
    },
    "workers": {"type": count, "default": 1, "metavar": "N", "help": "processes that prepare (1)"},
    "allow-partial": {
        "action": "store_true",
        "help": "accept an incomplete copy of a corpus; leave out what cannot be read",
    },
    "json": {"action": "store_true", "help": "one JSON document"},
    "start-from": {
        "type": folder,
        "metavar": "MODEL",
        "help": "a run or an exported Keras file whose weights are taken over where layers agree, "
        "heads by class name; front end and window have to be the same",
    },
    "log": {
        "type": _trackers,
        "default": None,
        "metavar": "NAME,...",
        "help": "trackers to tell of each run: tensorboard, mlflow, wandb, or none ($SER_AAE_LOG, "
        "else tensorboard, whose files lie in the folder of the run)",
    },
    "trust": {
        "action": "store_true",
        "help": "run a SavedModel, a program that can read and write your files: do so if you know "
        "who made it",
    },
    "preset": {
        "default": "default",
        "metavar": "|".join(PRESETS),
        "help": "where the config begins: what validation chose, or the paper to the letter",
    },
    "config": {"type": folder, "metavar": "FILE", "help": "YAML with settings"},
    "set": {
        "action": "append",
        "default": [],
        "metavar": "KEY=VALUE",
        "help": "one setting, as in model.alpha=0.4; any number of times",
    },
}
"""Option to what `add_argument` takes."""


EACH = "each"
"""Value of `--channel` for every channel by itself."""


def add_channel(parser: argparse.ArgumentParser, *, each: bool = False) -> None:
    """Add `--channel`: a channel's number, `None` for the mean of all; `EACH` where allowed."""

    def channel(text: str) -> int | str | None:
        from ser_aae.frontend.channels import EXPECTED, parse_channel

        if each and text == EACH:
            return EACH
        try:
            return parse_channel(text)
        except ValueError as error:
            words = f"{EXPECTED}{', or each' * each}"
            raise argparse.ArgumentTypeError(f"expected {words}, got {text!r}") from error

    also = ", or each by itself" if each else ""
    parser.add_argument(
        "--channel",
        type=channel,
        metavar="mix|left|right|N" + "|each" * each,
        help=f"the mean of the recordings' channels (mix), or one of them{also}",
    )


def add_options(
    parser: argparse.ArgumentParser, *names: str, place: Callable[[str], Path | str] = folder
) -> None:
    """Add options in this order: of `_OPTIONS`, or places.

    `place` is the type of the places: `folder`, or `address` where they can be URLs.
    """
    for name in names:
        if name in _OPTIONS:
            parser.add_argument(f"--{name}", **_OPTIONS[name])
            continue
        variable, default, meaning = _PLACES[name]
        also = ", or a URL that fsspec opens" if place is address else ""
        parser.add_argument(
            f"--{name}",
            type=place,
            default=place(os.environ.get(variable) or default),
            metavar="DIR|URL" if also else "DIR",
            help=f"{meaning}{also} (${variable}, else ./{default})",
        )
