"""Computing spectrograms, in this process or in several, without TensorFlow."""

import ctypes
import multiprocessing
import multiprocessing.sharedctypes
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from data_prep.sound_digests import FileDigests, digest_sound
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.frontend import signal_to_spectrogram
from ser_aae.frontend.audio import change_rate, read_mono
from ser_aae.frontend.silence import is_silent
from ser_aae.processes.lifeline import end_with_parent
from ser_aae.utterance import Sound, Utterance


@dataclass(frozen=True)
class Task:
    """The utterances of one shard, and the settings to compute them with.

    Attributes:
        utterances: Utterances in the order of the shard.
        root: The folder that their paths are relative to.
        frontend: The front end.
        skip_unreadable: Report a file that cannot be read, instead of raising.
        sound_alone: Compute the digests of the sound and no spectrogram.
    """

    utterances: tuple[Utterance, ...]
    root: Path
    frontend: FrontEndConfig
    skip_unreadable: bool
    sound_alone: bool = False


@dataclass(frozen=True)
class Outcome:
    """The outcome of one utterance.

    Attributes:
        spectrogram: `(frames, bins)` float16 in dB; `None` where the file cannot be read, or
            its sound alone was asked for.
        is_silent: Whether the sound is digital silence throughout.
        sound: Digests of the sound, `None` where the file cannot be read.
        problem: The reason why the file cannot be read.
    """

    spectrogram: np.ndarray | None
    is_silent: bool = False
    sound: Sound | None = None
    problem: str = ""


def compute_tasks(tasks: Sequence[Task], workers: int) -> Iterator[list[Outcome]]:
    """Yield the outcomes of each task, in order.

    At most `workers + 1` tasks are computed ahead of the one that is waited for, so that
    memory does not grow with the corpus. Close the generator to end the workers early.

    Raises:
        UserError: A file cannot be read, or a worker died.
    """
    if workers == 1 or len(tasks) < 2:
        for task in tasks:
            yield compute_task(task)
        return
    context = multiprocessing.get_context("spawn")  # forking beside TensorFlow's threads hangs
    # without a lock: a worker that is killed while it holds one would never let go of it
    stop = multiprocessing.sharedctypes.RawValue(ctypes.c_bool, False)
    pool = ProcessPoolExecutor(
        min(workers, len(tasks)), mp_context=context, initializer=_begin, initargs=(stop,)
    )
    try:
        ahead: deque[Future[list[Outcome]]] = deque()
        waiting = deque(tasks)
        while waiting or ahead:
            while waiting and len(ahead) < workers + 1:
                with interrupts_held_back():
                    ahead.append(pool.submit(compute_task, waiting.popleft()))
            yield ahead.popleft().result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process ended unexpectedly, most likely for want of memory; what is "
            "finished is kept, run the command again with fewer --workers"
        ) from error
    except (KeyboardInterrupt, GeneratorExit):
        # nobody waits for what they compute, nor for them to have started
        for process in multiprocessing.active_children():
            process.kill()
        raise
    finally:
        stop.value = True
        pool.shutdown(cancel_futures=True)


def compute_task(task: Task) -> list[Outcome]:
    """Return the outcome of each utterance; fewer where the parent ends the work early.

    Linear algebra is held to one thread: the processes are the parallelism, and a sum
    split over threads is not the same to the last bit.
    """
    outcomes = []
    files = FileDigests()
    with threadpool_limits(1):
        for utterance in task.utterances:
            if _stop is not None and _stop.value:
                break
            outcomes.append(_compute(utterance, task, files))
    return outcomes


def _compute(utterance: Utterance, task: Task, files: FileDigests) -> Outcome:
    path = utterance.audio_path(task.root)
    try:
        with named_faults(path):
            samples, rate_hz = read_mono(path, utterance.start_s, utterance.end_s)
            sound = digest_sound(utterance, path, samples, rate_hz, files)
            if task.sound_alone:
                return Outcome(None, sound=sound)
            signal = change_rate(samples, rate_hz, task.frontend.sample_rate_hz)
            spectrogram = signal_to_spectrogram(signal, task.frontend).astype(np.float16)
            return Outcome(spectrogram, is_silent(signal), sound)
    except UserError as error:
        if not task.skip_unreadable:
            raise
        return Outcome(None, problem=_gist(error, path))


@contextmanager
def named_faults(path: Path) -> Iterator[None]:
    """Tie an error that nobody expected of a recording to its file, so that it costs no other one.

    Want of memory is no fault of the recording that met it.

    Raises:
        UserError: Any error but this.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        raise UserError(
            f"{path}: a fault of this program, {type(error).__name__}: {error}; report it, and "
            "leave the file out by --allow-partial"
        ) from error


def _gist(error: UserError, path: Path) -> str:
    """Return the gist of an error: without path, details in brackets, and advice."""
    return str(error).removeprefix(f"{path}: ").split(" (")[0].split(";")[0]


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
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in raising.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
