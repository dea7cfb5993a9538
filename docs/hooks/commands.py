"""The page of all commands, written from the parsers that read them."""

import argparse
from collections.abc import Iterator
from functools import partial
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from ser_aae.cli import build_parser

PAGE = "commands.md"

_INTRODUCTION = """# Commands

Each command says the same with `--help`. Options in brackets may be left out; the value in brackets
behind an option is the one it then has. Exit codes: 0 done, 2 yours to mend, 1 a fault of the
program, 130 interrupted.
"""


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the page to what is built."""
    files.append(File.generated(config, PAGE, content=write_page(build_parser())))
    return files


def write_page(parser: argparse.ArgumentParser) -> str:
    """Return the page of a parser with one subparser a command, in Markdown."""
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    summaries = {action.dest: action.help or "" for action in commands._choices_actions}
    table = [
        f"| [`{parser.prog} {name}`](#{name}) | {summaries[name]} |" for name in commands.choices
    ]
    lines = [_INTRODUCTION, "| command | what it does |", "| --- | --- |", *table]
    for name, command in commands.choices.items():
        lines += ["", f"## {name} {{ #{name} }}", "", *_section(command, summaries[name])]
    return "\n".join(lines) + "\n"


def _section(command: argparse.ArgumentParser, summary: str) -> Iterator[str]:
    command.formatter_class = partial(argparse.HelpFormatter, width=88)
    yield command.description or f"{summary[:1].upper()}{summary[1:]}."
    usage = command.format_usage().removeprefix("usage: ").rstrip()
    yield from ("", "```text", usage, "```")
    for action in command._actions:
        if action.help != argparse.SUPPRESS and not isinstance(action, argparse._HelpAction):
            needed = " (required)" if action.option_strings and action.required else ""
            yield from ("", f"`{_spelling(action)}`", f":   {action.help or ''}{needed}")


def _spelling(action: argparse.Action) -> str:
    """Return an option or argument as it is typed: `-v, --verbose`, `--store DIR`, `FILE ...`."""
    choices = "|".join(map(str, action.choices)) if action.choices else None
    value = str(action.metavar or choices or action.dest.upper()) if action.nargs != 0 else ""
    repeated = " ..." if action.nargs == "+" else ""
    return f"{', '.join(action.option_strings)} {value}{repeated}".strip()
