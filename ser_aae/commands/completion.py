"""`ser-aae completion`: what the Tab key completes in a shell."""

import argparse
import re
from collections.abc import Iterator

from ser_aae.commands.options import Subparsers, folder, new_file, new_place, new_table

_WORDS = re.compile(r"[a-z0-9-]+(\|[a-z0-9-]+)+")
"""Placeholder that lists what an option can be: `keras|saved-model|onnx|litert`."""

_CORPORA = ("--dataset", "--datasets", "--auxiliary", "--target")


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "completion",
        help="a script by which the Tab key completes commands, options, words and files",
        description="Print a script for a shell. bash: put it into "
        "~/.local/share/bash-completion/completions/ser-aae; zsh: as _ser-aae into a folder of "
        "$fpath. It completes commands, options, the words that an option takes, and files.",
    )
    parser.add_argument(
        "shell", choices=("bash", "zsh"), metavar="bash|zsh", help="the shell that is to read it"
    )
    parser.set_defaults(run=run, resumes=False)


def run(arguments: argparse.Namespace) -> None:
    """Print the script."""
    import shtab

    from data_prep.corpora import list_corpora

    lists = _words_of_lists()
    for action in _actions(arguments.program):
        if set(action.option_strings) & set(_CORPORA):
            action.choices = [corpus.name for corpus in list_corpora()]
        elif isinstance(action.metavar, str) and _WORDS.fullmatch(action.metavar):
            action.choices = action.metavar.split("|")
        elif found := [lists[name] for name in action.option_strings if name in lists]:
            action.choices = found[0]
        elif action.type in (folder, new_file, new_place, new_table) or action.metavar == "MODEL":
            place = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE
            action.complete = place  # type: ignore[attr-defined]
    print(shtab.complete(arguments.program, shell=arguments.shell))


def _words_of_lists() -> dict[str, list[str]]:
    """Return what options take of which they take several, with commas between."""
    from reports.picture_form import KINDS
    from ser_aae.config.fields import search_dimensions
    from ser_aae.results.tracking import NO_TRACKER, TRACKERS

    dimensions = [item.name for item in search_dimensions()]
    return {"--log": [*TRACKERS, NO_TRACKER], "--format": [*KINDS], "--space": dimensions}


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of the commands in it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action
