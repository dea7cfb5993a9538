"""Computing spectrograms, in this process or in several, without TensorFlow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.frontend import signal_to_spectrogram
from ser_aae.frontend.audio import read_audio
from ser_aae.frontend.silence import is_silent
from ser_aae.processes.pool import compute_in_order, is_stopped
from ser_aae.utterance import Utterance


@dataclass(frozen=True)
class Task:
    """The utterances of one shard, and the settings to compute them with.

    Attributes:
        utterances: Utterances in the order of the shard.
        root: The folder that their paths are relative to.
        frontend: The front end.
        skip_unreadable: Report a file that cannot be read, instead of raising.
    """

    utterances: tuple[Utterance, ...]
    root: Path
    frontend: FrontEndConfig
    skip_unreadable: bool


@dataclass(frozen=True)
class Outcome:
    """The outcome of one utterance.

    Attributes:
        spectrogram: `(frames, bins)` float16 in dB, or `None` where the file cannot be read.
        is_silent: Whether the sound is digital silence throughout.
        problem: The reason why the file cannot be read.
    """

    spectrogram: np.ndarray | None
    is_silent: bool = False
    problem: str = ""


def compute_tasks(tasks: Sequence[Task], workers: int) -> Iterator[list[Outcome]]:
    """Yield the outcomes of each task, in order; close the generator to end the workers early.

    Raises:
        UserError: A file cannot be read, or a worker died.
    """
    return compute_in_order(compute_task, tasks, workers)


def compute_task(task: Task) -> list[Outcome]:
    """Return the outcome of each utterance; fewer where the parent ends the work early.

    Linear algebra is held to one thread: the processes are the parallelism, and a sum
    split over threads is not the same to the last bit.
    """
    outcomes = []
    with threadpool_limits(1):
        for utterance in task.utterances:
            if is_stopped():
                break
            outcomes.append(_compute(utterance, task))
    return outcomes


def _compute(utterance: Utterance, task: Task) -> Outcome:
    path = utterance.audio_path(task.root)
    try:
        with named_faults(path):
            samples = read_audio(
                path, task.frontend.sample_rate_hz, utterance.start_s, utterance.end_s
            )
            spectrogram = signal_to_spectrogram(samples, task.frontend).astype(np.float16)
            return Outcome(spectrogram, is_silent(samples))
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
