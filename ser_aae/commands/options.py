"""Options that several commands share, and the config that they make together."""

import argparse
import os
import sys
from pathlib import Path

from ser_aae.config import RunConfig
from ser_aae.config.presets import PRESETS
from ser_aae.errors import UserError

DEMO = "demo"

CONTAINER = "SER_AAE_CONTAINER"
"""Environment variable that the image sets."""

_PLACES = {
    "data_root": ("SER_AAE_DATA", "data", "folder of the corpora, each in a folder of its name"),
    "store": ("SER_AAE_STORE", "store", "folder of the prepared corpora"),
    "runs": ("SER_AAE_RUNS", "runs", "folder of the runs"),
}
"""Option to its environment variable, its default and what it is."""


def folder(text: str) -> Path:
    """Return a path as typed, `~` resolved."""
    return Path(text).expanduser()


def add_place(parser: argparse.ArgumentParser, name: str) -> None:
    """Add `--data-root`, `--store` or `--runs`."""
    variable, default, what = _PLACES[name]
    parser.add_argument(
        f"--{name.replace('_', '-')}",
        type=folder,
        default=folder(os.environ.get(variable) or default),
        metavar="DIR",
        help=f"{what} (${variable}, else ./{default})",
    )


def add_preparation(parser: argparse.ArgumentParser) -> None:
    """Add the options of preparing a corpus."""
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that prepare (1)"
    )
    parser.add_argument(
        "--allow-partial",
        action="store_true",
        help="accept an incomplete copy of a corpus; leave out what cannot be read",
    )


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the options that give a config whole or field by field."""
    parser.add_argument(
        "--preset",
        default="default",
        metavar="|".join(PRESETS),
        help="where the config begins: what validation chose, or the paper to the letter",
    )
    parser.add_argument("--config", type=folder, metavar="FILE", help="YAML with settings")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="one setting, as in model.alpha=0.4; any number of times",
    )


def prepare_corpus(dataset: str, config: RunConfig, arguments: argparse.Namespace) -> list[str]:
    """Prepare a data set for a config's front end; return what to tell, a line each.

    The demo corpus is made where it is not there: it needs no recordings.

    Raises:
        UserError: It cannot be prepared.
    """
    from data_prep.build import prepare
    from data_prep.corpora import find_adapter
    from data_prep.synthetic import synthesise

    adapter, messages = find_adapter(dataset), []
    is_found = adapter.is_found(arguments.data_root)
    if adapter.name == DEMO and not is_found:
        messages.append(f"{synthesise(DEMO, arguments.data_root)}: synthetic speech, made now")
        is_found = True
    try:
        prepared = prepare(
            dataset,
            arguments.data_root,
            arguments.store,
            config.frontend,
            workers=arguments.workers,
            allow_partial=arguments.allow_partial,
            progress=sys.stderr.isatty(),
        )
    except UserError as error:
        if is_found or not os.environ.get(CONTAINER):
            raise
        raise UserError(f"{error}\n{_how_to_mount(arguments.data_root, adapter.name)}") from error
    return [*messages, *prepared.messages]


def _how_to_mount(data_root: Path, name: str) -> str:
    """Return what shows a container the corpora: it sees of the machine only what is mounted."""
    return (
        "This runs in a container, which sees only the folders that are mounted into it. With the "
        f"corpus in /my/corpora/{name}, say:\n"
        f"  docker run -v /my/corpora:{data_root}:ro -v /my/store:/store -v /my/runs:/runs ser-aae "
        "..."
    )
