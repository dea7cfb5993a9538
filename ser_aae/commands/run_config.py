"""Flags that stand for settings of a run, and the config that the command line makes."""

import argparse
from collections.abc import Iterator
from dataclasses import replace

from ser_aae.config import RunConfig
from ser_aae.config.fields import Given, choices
from ser_aae.errors import UserError
from ser_aae.progress import show_line
from ser_aae.protocols.fold_lists import PREFIX

ALL_FOLDS = "all"

_PROTOCOLS = "|".join(
    f"{PREFIX}DIR" if name == "folds" else name for name in choices("protocol.name")
)

FLAGS = {
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
"""Flag to the setting it stands for, its placeholder and its meaning."""


def add_flags(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add some of the flags that stand for settings, and `--improvised-only`."""
    for name in names:
        _, placeholder, meaning = FLAGS[name]
        several = {"nargs": "+", "action": "extend"} if name == "auxiliary" else {}
        parser.add_argument(f"--{name}", metavar=placeholder, help=meaning, **several)
    parser.add_argument(
        "--improvised-only",
        action="store_const",
        const="true",
        help="leave out what was read from a script (IEMOCAP, MSP-IMPROV)",
    )


def read_config(arguments: argparse.Namespace) -> RunConfig:
    """Return the config of the command line: preset, file, flags, `--set`.

    Raises:
        UserError: It names no data set, or says something that cannot be.
    """
    from data_prep.corpora import known_aliases
    from ser_aae.config.build import build_config, describe_synonyms
    from ser_aae.protocols.fold_lists import name_lists

    config = build_config(
        arguments.preset,
        arguments.config,
        _given_flags(arguments),
        arguments.set,
        required=("dataset",),
        aliases=known_aliases(),
    )
    for line in describe_synonyms(_list_given(arguments)):
        show_line(line)
    if arguments.folds is not None and config.protocol.name != "speaker-kfold":
        raise UserError(
            f"--folds: goes with --protocol speaker-kfold; the folds of {config.protocol.name} "
            "follow from the corpus"
        )
    if arguments.target is not None and config.protocol.name != "cross-corpus":
        raise UserError("--target: goes with --protocol cross-corpus")
    return replace(config, protocol=name_lists(config.protocol))


def name_given(arguments: argparse.Namespace) -> set[str]:
    """Return the settings that flags, `--set` or the file of `--config` give, by dotted name."""
    return {item.key for item in _list_given(arguments)}


def _list_given(arguments: argparse.Namespace) -> list[Given]:
    """Return all settings of the command line and of its file, in the order in which they count."""
    from ser_aae.config.build import parse_assignment, read_file

    read = read_file(arguments.config) if arguments.config else []
    return [*read, *_given_flags(arguments), *map(parse_assignment, arguments.set)]


def _given_flags(arguments: argparse.Namespace) -> Iterator[Given]:
    if arguments.improvised_only is not None:
        yield Given("improvised_only", arguments.improvised_only, "--improvised-only")
    for name, (key, _, _) in FLAGS.items():
        value = getattr(arguments, name.replace("-", "_"), None)
        if name == "protocol" and value is not None:
            yield from _given_protocol(value)
        elif value is not None and not (name == "fold" and value == ALL_FOLDS):
            yield Given(key, tuple(value) if isinstance(value, list) else value, f"--{name}")


def _given_protocol(text: str) -> Iterator[Given]:
    """Yield the settings of `--protocol`; the flag replaces all that a file says of lists."""
    directory = text.removeprefix(PREFIX) if text.startswith(PREFIX) else ""
    name = "folds" if text.startswith(PREFIX) else text
    for key, value in (("name", name), ("directory", directory), ("lists", "")):
        yield Given(f"protocol.{key}", value, "--protocol")
