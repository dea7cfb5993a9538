"""The same work on many items in several processes, answers in the order of the items.

Whatever ends the work ends the processes: an error, Ctrl-C, SIGTERM, or a worker that dies.
"""

import ctypes
import multiprocessing
import multiprocessing.sharedctypes
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from ser_aae.errors import UserError
from ser_aae.processes.lifeline import end_with_parent

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def compute_in_order(
    function: Callable[[Item], Answer], items: Sequence[Item], workers: int
) -> Generator[Answer, None, None]:
    """Yield what a function answers to each item, in order; with one worker in this process.

    At most `workers + 1` items are computed ahead of the answer that is waited for, so that memory
    does not grow with their number. Close the generator to end the workers early.

    Args:
        function: Function of a module, which new processes can import.
        items: What it is called with, one by one.
        workers: Most processes, at least 1.

    Raises:
        UserError: The function raised it, or a worker died.
    """
    if workers == 1 or len(items) < 2:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("spawn")  # forking beside TensorFlow's threads hangs
    # without a lock: a worker that is killed while it holds one would never let go of it
    stop = multiprocessing.sharedctypes.RawValue(ctypes.c_bool, False)
    pool = ProcessPoolExecutor(
        min(workers, len(items)), mp_context=context, initializer=_begin, initargs=(stop,)
    )
    try:
        ahead: deque[Future[Answer]] = deque()
        waiting = deque(items)
        while waiting or ahead:
            while waiting and len(ahead) < workers + 1:
                with interrupts_held_back():
                    ahead.append(pool.submit(function, waiting.popleft()))
            yield ahead.popleft().result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process ended unexpectedly, most likely for want of memory; run the command "
            "again with fewer --workers"
        ) from error
    except (KeyboardInterrupt, GeneratorExit):
        # nobody waits for what they compute, nor for them to have started
        for process in multiprocessing.active_children():
            process.kill()
        # who was killed while it wrote leaves a part of an answer, and the pool waits for the rest
        # as long as somebody could write it: this process
        pool._result_queue._writer.close()  # type: ignore[attr-defined]
        raise
    finally:
        stop.value = True
        pool.shutdown(cancel_futures=True)


def is_stopped() -> bool:
    """Return, in a worker, whether nobody waits for its answers any more."""
    return _stop is not None and bool(_stop.value)


_stop: ctypes.c_bool | None = None
"""In a worker: true when the parent wants no more results."""


def _begin(stop: ctypes.c_bool) -> None:
    """Prepare a worker process: it ends with the parent, who alone answers to Ctrl-C."""
    global _stop  # noqa: PLW0603  shared memory can reach a worker only at its start
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if parent := multiprocessing.parent_process():  # a pipe, of which it holds the other end
        end_with_parent(parent.sentinel)


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Hold back Ctrl-C and SIGTERM while a worker is started.

    A worker that is interrupted during its imports would print a traceback of its own. Workers
    inherit the signal mask, which prevents that. But the mask holds for one thread: where another
    thread of this process takes the signal, such as that of a progress bar, Python interrupts the
    main thread all the same. A worker that was started and is not yet known to the pool would then
    be waited for without end. So the handler is replaced too, and that of SIGTERM where this
    process has one; a worker must not inherit that SIGTERM is masked.
    """
    came: list[int] = []
    is_main = threading.current_thread() is threading.main_thread()
    raising = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM)
        if is_main and callable(handler := signal.getsignal(number))
    }
    for number in raising:
        signal.signal(number, lambda number, _: came.append(number))
    masks = hasattr(signal, "pthread_sigmask")  # Windows has none
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else set()
    try:
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in raising.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
