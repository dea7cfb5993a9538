"""`ser-aae train`: one fold or all of them, from a corpus on disk to a scored run."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_aae.commands.options import add_config, add_place, add_preparation, prepare_corpus
from ser_aae.config import RunConfig
from ser_aae.config.fields import Given, choices
from ser_aae.errors import UserError
from ser_aae.protocols.fold_lists import PREFIX

if TYPE_CHECKING:
    from tensorflow.distribute import Strategy

_ALL = "all"

_PROTOCOLS = "|".join(
    f"{PREFIX}DIR" if name == "folds" else name for name in choices("protocol.name")
)

_FLAGS = {
    "dataset": ("dataset", "NAME", "a name of ser-aae corpora, csv:FILE or audformat:DIR"),
    "auxiliary": ("auxiliary", "NAME", "corpora without emotions, which train the rest"),
    "task": ("task", "|".join(choices("task")), "primary task (emotion)"),
    "classes": ("classes", "four|all|a,b,c", "emotions that take part (four)"),
    "model": ("model.kind", "|".join(choices("model.kind")), "the paper's model or a baseline"),
    "protocol": ("protocol.name", _PROTOCOLS, "how speakers are parted"),
    "folds": ("protocol.folds", "K", "folds of speaker-kfold"),
    "fold": ("protocol.fold", "I|all", "which fold to test on, from 0 (0), or every fold"),
    "subset": ("data.auxiliary_subset", "NAME", "subset of the auxiliary corpora"),
    "max-speakers": ("data.auxiliary_speakers", "N", "speakers drawn of each auxiliary corpus"),
    "target": ("protocol.target", "NAME", "corpus that cross-corpus selects and tests on"),
    "epochs": ("training.epochs", "N", "at most, on emotional data"),
    "seed": ("seed", "N", "of everything drawn; repetitions count it up"),
}
"""Flag to the setting it stands for, its placeholder and what it is."""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        help="train and score a fold; prepares first what is not prepared",
        description="Train and score a fold, or all. What is complete is left alone, what was "
        "interrupted goes on. The last line printed is the folder of the run, or of the folds.",
    )
    add_flags(parser, _FLAGS)
    add_config(parser)
    for place in ("data_root", "store", "runs"):
        add_place(parser, place)
    add_preparation(parser)
    parser.add_argument(
        "--strategy",
        choices=("one", "mirrored", "multiworker"),
        default="one",
        help="a single device, all GPUs of this host, or the hosts in $TF_CONFIG (one)",
    )
    parser.set_defaults(run=run, writes="runs")


def add_flags(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """Add some of the flags that stand for settings, and `--improvised-only`."""
    for name in names:
        _, placeholder, what = _FLAGS[name]
        several = {"nargs": "+", "action": "extend"} if name == "auxiliary" else {}
        parser.add_argument(f"--{name}", metavar=placeholder, help=what, **several)
    parser.add_argument(
        "--improvised-only",
        action="store_const",
        const="true",
        help="leave out what was read from a script (IEMOCAP, MSP-IMPROV)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Prepare, train, score; print the figures, then the folder."""
    from ser_aae.results.evaluation import evaluate
    from ser_aae.results.text import format_evaluation

    config = read_config(arguments)
    if arguments.strategy != "multiworker":  # of several hosts each would prepare
        prepare_all(config, arguments)
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's keras.json says
    from ser_aae.training.devices import is_chief, open_strategy

    strategy = open_strategy(arguments.strategy)
    train = _train_all if arguments.fold == _ALL else _train
    folder = train(config, arguments.store, arguments.runs, strategy)
    if is_chief(strategy):
        print(format_evaluation(evaluate(folder)))
        print(folder)


def read_config(arguments: argparse.Namespace) -> RunConfig:
    """Return the config of the command line: preset, file, flags, `--set`.

    Raises:
        UserError: It names no data set, or says something that cannot be.
    """
    from data_prep.corpora import known_aliases
    from ser_aae.config.build import build_config

    flags = _given_flags(arguments)
    config = build_config(
        arguments.preset,
        arguments.config,
        flags,
        arguments.set,
        required=("dataset",),
        aliases=known_aliases(),
    )
    if arguments.folds is not None and config.protocol.name != "speaker-kfold":
        raise UserError(
            f"--folds: goes with --protocol speaker-kfold; the folds of {config.protocol.name} "
            "follow from the corpus"
        )
    if arguments.target is not None and config.protocol.name != "cross-corpus":
        raise UserError("--target: goes with --protocol cross-corpus")
    return _name_lists(config)


def _name_lists(config: RunConfig) -> RunConfig:
    """Write the digest of the lists of folds into a config that is to be split by them."""
    from ser_aae.protocols.fold_lists import name_lists

    return replace(config, protocol=name_lists(config.protocol))


def _given_flags(arguments: argparse.Namespace) -> Iterator[Given]:
    if arguments.improvised_only is not None:
        yield Given("improvised_only", arguments.improvised_only, "--improvised-only")
    for name, (key, _, _) in _FLAGS.items():
        value = getattr(arguments, name.replace("-", "_"), None)
        if name == "protocol" and value is not None:
            yield from _given_protocol(value)
        elif value is not None and not (name == "fold" and value == _ALL):
            yield Given(key, tuple(value) if isinstance(value, list) else value, f"--{name}")


def _given_protocol(text: str) -> Iterator[Given]:
    """Yield what `--protocol` says; a flag replaces all that a file says of lists."""
    name, directory = (
        ("folds", text.removeprefix(PREFIX)) if text.startswith(PREFIX) else (text, "")
    )
    for key, value in (("name", name), ("directory", directory), ("lists", "")):
        yield Given(f"protocol.{key}", value, "--protocol")


def prepare_all(config: RunConfig, arguments: argparse.Namespace) -> None:
    """Prepare what the store lacks for the config's front end.

    Lists that users write and mend, `csv:FILE` and `audformat:DIR`, are compared with what is
    stored, so that an edited label is not overlooked.

    Raises:
        UserError: A corpus cannot be prepared, or it is not known any more where a table lies
            that the store lacks.
    """
    from ser_aae.data.run_data import needed_data_sets
    from ser_aae.store.corpus import is_prepared

    for dataset in chain.from_iterable(needed_data_sets(config)):
        is_new = not is_prepared(arguments.store, config.stored_name(dataset), config.frontend)
        table = config.find_table(dataset)
        if is_new or (table and table.source):
            messages = prepare_corpus(config.source(dataset), config, arguments)
            for message in messages if is_new else ():
                _show(message)


def _train_all(config: RunConfig, store: Path, runs: Path, strategy: "Strategy") -> Path:
    """Train every fold, and return the folder they lie in."""
    from ser_aae.data.run_data import count_folds

    total = count_folds(config, store)
    for fold in range(total):
        _show(f"fold {fold + 1} of {total}")
        one = replace(config, protocol=replace(config.protocol, fold=fold))
        folder = _train(one, store, runs, strategy)
    return folder.parent


def _train(config: RunConfig, store: Path, runs: Path, strategy: "Strategy") -> Path:
    import keras

    from ser_aae.training.callbacks import DivergedError
    from ser_aae.training.devices import place_to_write
    from ser_aae.training.run import train_and_evaluate

    # a fold's graphs are not needed for the next one
    keras.utils.clear_session()
    try:
        with place_to_write(strategy, config, runs) as place:
            return train_and_evaluate(config, store, place, _show, strategy=strategy)
    except DivergedError as error:
        raise UserError(str(error)) from error


def _show(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
