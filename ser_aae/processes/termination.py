"""SIGTERM as an error that unwinds the program, as Ctrl-C does: children end, nothing is left over.

By its default SIGTERM would end this process at once, without its temporary folders being removed;
and the first process of a container would not end at all.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came; what stands against Ctrl-C stands against it too."""


@contextmanager
def termination_raised() -> Iterator[None]:
    """Raise `TerminatedError` where SIGTERM comes; a second one ends the process at once.

    Signals are the main thread's. In another one, and where SIGTERM has a handler or is ignored,
    all stays as it is.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise(_number: int, _frame: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise TerminatedError
