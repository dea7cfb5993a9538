"""Progress: lines of text and bars, by which a person sees how work goes on.

A line stands for good and goes wherever a caller wants it. A bar is drawn anew in the last line of
a terminal and is gone when its work has ended: a file or a pipe gets the lines alone.
"""

import os
import sys
import time
from collections.abc import Callable
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

Show = Callable[[str], None]
"""Takes a line of text, and shows it to a person."""

REFRESH_S = 0.5
"""Least time between two drawings of a bar."""

LOADING = "loading {model}: importing its runtime takes longest, with a run's folder some seconds"
"""Line that commands show before they load a model."""
_USUAL_COLUMNS = 80

_ROWS = 24
"""Height of a terminal that bars are drawn for: there is one bar at a time, and it has a line."""


def show_line(line: str) -> None:
    """Print a line on the standard error: the standard output is for results."""
    _print(line, sys.stderr)


def show_to_person(line: str) -> None:
    """Print a line as `show_line` does, where the standard error is a terminal."""
    if sys.stderr.isatty():
        show_line(line)


def show_result(text: str) -> None:
    """Print a part of the result on the standard output while a bar may be drawn."""
    _print(text, sys.stdout)


def open_bar(
    total: int | None, title: str, unit: str, show: Show = show_line, leave: bool = False
) -> "tqdm":
    """Return a bar on the standard error, with the time that is left; a context closes it.

    It is drawn where the standard error is a terminal and `show` is `show_line`: whoever takes the
    lines elsewhere has no place for a bar.

    Args:
        total: Number of steps, `None` where nobody knows.
        title: Text before the bar.
        unit: Noun for a step.
        show: Taker of the lines that come meanwhile.
        leave: Keep the bar when it is closed.
    """
    return _bar_class()(
        total=total,
        desc=title,
        unit=f" {unit}",
        leave=leave,
        mininterval=REFRESH_S,
        miniters=0,  # time alone decides when it is drawn
        nrows=_ROWS,
        file=sys.stderr,
        disable=None if show is show_line else True,
    )


def move_bar(bar: "tqdm", position: int, remark: Callable[[], str] = str) -> None:
    """Move a bar to a position; it is drawn, and `remark` is called, only when it is time."""
    if not bar.disable and time.time() - bar.last_print_t >= bar.mininterval:
        bar.set_postfix_str(remark(), refresh=False)
    bar.update(position - bar.n)


def duration(seconds: float) -> str:
    """Return a duration for people: `12 s`, `3 min`, `2 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


@cache
def _bar_class() -> "type[tqdm]":
    # here, for the help of a command has to come at once
    from tqdm import tqdm

    class Bar(tqdm):
        """A bar that is never wider than the terminal is when it is drawn.

        It has no thread of its own: a process that has one is no good to fork.
        """

        monitor_interval = 0

        @property
        def ncols(self) -> int:
            """Most characters that are drawn."""
            return _columns(self.fp)

        @ncols.setter
        def ncols(self, value: int | None) -> None:
            """Ignore the width that tqdm found: it takes 0, and 1, for as wide as one likes."""

    Bar.set_lock(RLock())  # one process draws; tqdm's own lock is one for many processes
    return Bar


def _columns(stream: TextIO) -> int:
    """Return how many characters a line of a terminal takes before the next begins, 1 or more.

    A terminal that does not know its width says 0; that is taken for the usual one.
    """
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # a stream of Python alone
        columns = 0
    return max((columns or _USUAL_COLUMNS) - 1, 1)


def _print(text: str, stream: TextIO) -> None:
    """Print text above the bars that are drawn now."""
    _bar_class().write(text, file=stream)
    stream.flush()
