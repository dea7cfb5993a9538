"""Options that several commands share, and the config that they make together."""

import argparse
import os
import sys
from pathlib import Path

from ser_aae.config import RunConfig
from ser_aae.presets import PRESETS

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

    Raises:
        UserError: It cannot be prepared.
    """
    from data_prep.build import prepare

    prepared = prepare(
        dataset,
        arguments.data_root,
        arguments.store,
        config.frontend,
        workers=arguments.workers,
        allow_partial=arguments.allow_partial,
        progress=sys.stderr.isatty(),
    )
    return list(prepared.messages)
