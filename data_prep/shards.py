"""Shards: TFRecord files with a small note beside each, by which a later run knows them."""

import errno
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import ConfigDict

from data_prep.workers import Outcome, Task
from ser_aae.errors import DamagedError
from ser_aae.files.atomic import read_json, remove_partial, write_json, written_whole
from ser_aae.files.digests import digest_of_file
from ser_aae.files.records import Record
from ser_aae.store.corpus import SCHEMA_VERSION
from ser_aae.utterance import Sound


@dataclass(frozen=True)
class Shard:
    """A finished shard.

    Attributes:
        file: Name of the file.
        sha256: Digest of the file's bytes.
        bytes: Size of the file.
        records: Number of utterances in it.
        inputs: Digest of all that the shard was made from.
        num_frames: Frames of each utterance of the shard's task, `None` for a dropped one.
        silent: Positions in the task of utterances that are digital silence.
        cancelled: Positions in the task of utterances whose channels cancel each other.
        sounds: Digests of the sound of each utterance of the task, `None` for a dropped one.
        problems: Position in the task, as text, to the reason to drop the utterance.
        remarks: Position in the task, as text, to what is not as it should be with its file.
    """

    file: str
    sha256: str
    bytes: int
    records: int
    inputs: str
    num_frames: tuple[int | None, ...]
    silent: tuple[int, ...]
    cancelled: tuple[int, ...]
    sounds: tuple[Sound | None, ...]
    problems: dict[str, str]
    remarks: dict[str, str]


class Note(Record):
    """The note beside a shard: the fields of `Shard` and no other."""

    model_config = ConfigDict(extra="forbid")

    file: str
    sha256: str
    bytes: int
    records: int
    inputs: str
    num_frames: list[int | None]
    silent: list[int]
    cancelled: list[int]
    sounds: list[dict[str, str] | None]
    problems: dict[str, str]
    remarks: dict[str, str]


def shard_name(number: int) -> str:
    """Return the file name of a shard."""
    return f"shard-{number:05d}.tfrecord"


def input_digest(task: Task, first_row: int) -> str:
    """Return a digest of what a shard is made from: records, front end, files, position.

    Of a file its size and time of change stand for its content.
    """
    digest = hashlib.sha256()
    header = [SCHEMA_VERSION, first_row, task.skip_unreadable, task.frontend.identity()]
    digest.update(json.dumps(header).encode())
    for utterance in task.utterances:
        path = utterance.audio_path(task.root)
        # what cannot be asked for its size cannot be read either, and is reported then
        state = path.stat() if os.path.exists(path) else None
        stamp = None if state is None else (state.st_size, state.st_mtime_ns)
        digest.update(json.dumps([utterance.to_dict(), stamp]).encode())
    return digest.hexdigest()


def load_finished(folder: Path, number: int, inputs: str) -> Shard | None:
    """Return a shard that an earlier run finished from the same inputs, if it is whole."""
    path = folder / shard_name(number)
    note = _note(path)
    if not (path.is_file() and note.is_file()):
        return None
    try:
        content = read_json(note, kind=Note)
    except DamagedError:
        return None
    sounds = tuple(row and Sound(**row) for row in content["sounds"])
    content |= {key: tuple(content[key]) for key in ("num_frames", "silent", "cancelled")}
    shard = Shard(**content | {"sounds": sounds})
    is_whole = shard.inputs == inputs and shard.sha256 == digest_of_file(path)
    return shard if is_whole else None


def write_shard(
    folder: Path, number: int, first_row: int, outcomes: Sequence[Outcome], inputs: str
) -> Shard:
    """Write a shard and its note.

    `first_row` is the row in `utterances.jsonl` of its first record, `inputs` its `input_digest`.

    Raises:
        OSError: The disk is full or cannot be written to; nothing of the shard is left.
    """
    path = folder / shard_name(number)
    spectrograms = [item.spectrogram for item in outcomes if item.spectrogram is not None]
    with written_whole(path) as temporary:
        _write_records(temporary, first_row, spectrograms)
        shard = Shard(
            file=path.name,
            sha256=digest_of_file(temporary),
            bytes=temporary.stat().st_size,
            records=len(spectrograms),
            inputs=inputs,
            num_frames=tuple(
                None if item.spectrogram is None else len(item.spectrogram) for item in outcomes
            ),
            silent=tuple(i for i, item in enumerate(outcomes) if item.is_silent),
            cancelled=tuple(i for i, item in enumerate(outcomes) if item.is_cancelled),
            sounds=tuple(item.sound for item in outcomes),
            problems={str(i): item.problem for i, item in enumerate(outcomes) if item.problem},
            remarks={str(i): item.remark for i, item in enumerate(outcomes) if item.remark},
        )
    write_json(_note(path), asdict(shard))
    return shard


def remove_leftovers(folder: Path, shards: Sequence[Shard]) -> None:
    """Remove the notes, and what interrupted runs left that is none of the given shards."""
    wanted = {shard.file for shard in shards}
    remove_partial(folder)
    for path in sorted(folder.glob("shard-*")):
        if path.name not in wanted:
            path.unlink()


def remove_notes(folder: Path) -> None:
    """Remove the notes of a corpus that is complete; a kill in the last moment leaves them."""
    for path in folder.glob("shard-*.json"):
        path.unlink(missing_ok=True)


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _write_records(path: Path, first_row: int, spectrograms: Sequence[np.ndarray]) -> None:
    import tensorflow as tf  # here, so that the workers never load it

    from ser_aae.store.records import serialise

    try:
        with tf.io.TFRecordWriter(str(path)) as writer:
            for row, spectrogram in enumerate(spectrograms, start=first_row):
                writer.write(serialise(row, spectrogram))
    except tf.errors.ResourceExhaustedError as error:  # TensorFlow's word for a full disk
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
