"""Computing spectrograms, in this process or in several, without TensorFlow."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from data_prep.sound_digests import FileDigests, digest_sound
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.extras import explain_missing
from ser_aae.frontend import signal_to_spectrogram
from ser_aae.frontend.audio import change_rate, describe_header, read_channels
from ser_aae.frontend.blocks import count_channels
from ser_aae.frontend.channels import take_channel
from ser_aae.frontend.condition import is_cancelled
from ser_aae.frontend.offset import remove_offset
from ser_aae.frontend.silence import is_silent
from ser_aae.processes.pool import compute_in_order, is_stopped
from ser_aae.utterance import Sound, Utterance

END_SLACK_S = 0.1
"""Time by which an utterance may end after its file: tables write times in few digits."""

ENDS_PAST_FILE = "ends {:.2f} s after its file, read to the end of that"


@dataclass(frozen=True)
class Task:
    """The utterances of one shard, and the settings to compute them with.

    Attributes:
        utterances: Utterances in the order of the shard.
        root: The folder that their paths are relative to.
        frontend: The front end.
        skip_unreadable: Report a file that cannot be read, instead of raising.
        sound_alone: Compute the digests of the sound and no spectrogram.
        places: An utterance's id to the line of the table that lists it, where one does.
    """

    utterances: tuple[Utterance, ...]
    root: Path
    frontend: FrontEndConfig
    skip_unreadable: bool
    sound_alone: bool = False
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The outcome of one utterance.

    Attributes:
        spectrogram: `(frames, bins)` float16 in dB; `None` where the file cannot be read, or
            its sound alone was asked for.
        is_silent: Whether the sound is digital silence throughout.
        is_cancelled: Whether its channels cancel each other, so that their mean is not the sound.
        sound: Digests of the sound, `None` where the file cannot be read.
        problem: The reason why the file cannot be read.
        remark: What is not as it should be with a file that was read all the same.
    """

    spectrogram: np.ndarray | None
    is_silent: bool = False
    is_cancelled: bool = False
    sound: Sound | None = None
    problem: str = ""
    remark: str = ""


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
    files = FileDigests()
    with threadpool_limits(1):
        for utterance in task.utterances:
            if is_stopped():
                break
            outcomes.append(_compute(utterance, task, files))
    return outcomes


def _compute(utterance: Utterance, task: Task, files: FileDigests) -> Outcome:
    path = utterance.audio_path(task.root)
    try:
        with named_faults(path):
            channels, rate_hz = read_part(utterance, path)
            samples = take_channel(channels, utterance.channel, path)
            sound = digest_sound(utterance, path, samples, rate_hz, files)
            if task.sound_alone:
                return Outcome(None, sound=sound)
            signal = change_rate(samples, rate_hz, task.frontend.sample_rate_hz)
            spectrogram = signal_to_spectrogram(signal, task.frontend).astype(np.float16)
            remark = find_remark(utterance, path, len(samples) / rate_hz)
            silent = is_silent(remove_offset(signal, task.frontend))
            lost = utterance.channel is None and is_cancelled(channels)
            return Outcome(spectrogram, silent, lost, sound, remark=remark)
    except UserError as error:
        if not task.skip_unreadable:
            place = task.places.get(utterance.utterance_id)
            raise UserError(f"{place}: {error}" if place else str(error)) from error
        return Outcome(None, problem=_gist(error, path))


def read_part(utterance: Utterance, path: Path) -> tuple[np.ndarray, int]:
    """Return what a file holds of an utterance, `(samples, channels)` float32, and its rate.

    Raises:
        UserError: It cannot be read, or a channel is asked for of what ffmpeg mixes.
    """
    if utterance.channel is not None:
        count_channels(path)
    return read_channels(path, utterance.start_s, utterance.end_s)


def find_remark(utterance: Utterance, path: Path, duration_s: float) -> str:
    """Return what is not as it should be with an utterance that was read, `""` where all is well.

    Args:
        utterance: The utterance.
        path: Its file.
        duration_s: The length of what was read.
    """
    past_s = seconds_past_end(utterance, duration_s)
    return ENDS_PAST_FILE.format(past_s) if past_s else describe_header(path)


def seconds_past_end(utterance: Utterance, duration_s: float) -> float:
    """Return by how much an utterance ends after its file, 0 where by `END_SLACK_S` at most.

    `duration_s` is the length of what was read of the utterance.
    """
    wanted_s = 0.0 if utterance.end_s is None else utterance.end_s - utterance.start_s
    return wanted_s - duration_s if wanted_s - duration_s > END_SLACK_S else 0.0


@contextmanager
def named_faults(path: Path) -> Iterator[None]:
    """Tie an error that nobody expected of a recording to its file, so that it costs no other one.

    Want of memory, or of a package, is no fault of the recording that met it.

    Raises:
        UserError: Any error but this.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        if explain_missing(error):
            raise
        raise UserError(
            f"{path}: a fault of this program, {type(error).__name__}: {error}; report it, and "
            "leave the file out by --allow-partial"
        ) from error


def _gist(error: UserError, path: Path) -> str:
    """Return the gist of an error: without path, details in brackets, and advice."""
    return str(error).removeprefix(f"{path}: ").split(" (")[0].split(";")[0]
