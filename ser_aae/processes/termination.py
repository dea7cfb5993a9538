"""SIGTERM and Ctrl-C as errors that unwind the program: children end, nothing is left over.

By its default SIGTERM would end this process at once, without its temporary folders being removed;
and the first process of a container would not end at all.

While a module is imported the signal waits: libraries that import in C print whatever is raised
there and go on, so that the program would run to its end as if nothing had been sent. From the
first signal on the program has some seconds to get there and to unwind: imports take long on a busy
machine, and TensorFlow at times waits for ever for threads of a pipeline that it takes down, and
meanwhile no second signal gets through to Python. After Ctrl-C there is no such limit, but whatever
signal comes next is left to the system, which ends the process at once.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_IMPORT = "<frozen importlib._bootstrap>"
"""File that the frames of an import name as theirs."""

_MOST_S = 8
"""Most seconds that unwinding may take; a container is killed after ten."""

_AGAIN_S = 0.05
"""Seconds after which a signal that waits for an import looks again."""


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came; what stands against Ctrl-C stands against it too."""


@contextmanager
def termination_raised() -> Iterator[None]:
    """Raise `TerminatedError` where SIGTERM comes, and as ever `KeyboardInterrupt` at Ctrl-C.

    A second signal, of either kind, ends the process at once. So does the alarm, by SIGALRM, where
    the context is not left within `_MOST_S` seconds of SIGTERM. Children notice that by themselves,
    see `ser_aae.processes.lifeline`.

    Signals are the main thread's. In another one, and where SIGTERM has a handler or is ignored,
    all stays as it is; so does Ctrl-C, where that has a handler or is ignored.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGTERM, _raise)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if before is signal.default_int_handler:
            signal.signal(signal.SIGINT, before)
        _set_alarm(0)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _leave_to_the_system()
    raise KeyboardInterrupt


def _raise(_number: int, frame: FrameType | None) -> None:
    if not _is_limited():  # the first time, for the time of imports counts too
        _set_alarm(_MOST_S)
    if _is_importing(frame):
        timer = threading.Timer(_AGAIN_S, _send_again)
        timer.daemon = True
        timer.start()
        return
    _leave_to_the_system()
    raise TerminatedError


def _leave_to_the_system() -> None:
    """Let the next signal of either kind end this process without Python."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is _interrupt:  # not where it is ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _is_limited() -> bool:
    return hasattr(signal, "getitimer") and signal.getitimer(signal.ITIMER_REAL)[0] > 0


def _set_alarm(seconds: int) -> None:
    """Let the system end this process after some seconds, without Python; 0 is off."""
    if hasattr(signal, "alarm"):  # Windows has none, and sends no SIGTERM either
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT:
            return True
        frame = frame.f_back
    return False


def _send_again() -> None:
    """Signal the main thread, unless what was to be ended has ended meanwhile."""
    main = threading.main_thread().ident
    if main is not None and signal.getsignal(signal.SIGTERM) is _raise:
        signal.pthread_kill(main, signal.SIGTERM)
