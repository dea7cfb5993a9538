"""Progress: the type of functions that show a person a line of text while work goes on."""

from collections.abc import Callable

Show = Callable[[str], None]
"""Takes a line of text, and shows it to a person."""
