"""Progress: the ways to show a person a line of text while work goes on."""

import sys
from collections.abc import Callable

Show = Callable[[str], None]
"""Takes a line of text, and shows it to a person."""


def show_line(line: str) -> None:
    """Print a line on the standard error: the standard output is for results."""
    print(line, file=sys.stderr, flush=True)
