"""Preparation of a corpus: from recordings on disk to shards of spectrograms in the store."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.corpora import Adapter, corpus_name, find_adapter
from data_prep.corpus import Corpus, describe_dropped, describe_remarks
from data_prep.manifest import (
    Contents,
    describe_source,
    read_manifest,
    update_facts,
    update_sounds,
    write_manifest,
)
from data_prep.shards import (
    Shard,
    input_digest,
    load_finished,
    remove_leftovers,
    remove_notes,
    write_shard,
)
from data_prep.workers import Task, compute_tasks
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.extras import require_modules
from ser_aae.files.atomic import has_file
from ser_aae.files.container import explain_mount
from ser_aae.progress import open_bar
from ser_aae.protocols.spellings import warn_of_spellings
from ser_aae.store.corpus import (
    MANIFEST,
    StoredCorpus,
    corpus_folder,
    load_corpus,
    other_frontends,
)
from ser_aae.store.sounds import NO_SOUNDS
from ser_aae.utterance import Dropped, Sound, Utterance, contradict, group_copies

if TYPE_CHECKING:
    from tqdm import tqdm

UTTERANCES_PER_SHARD = 128


@dataclass(frozen=True)
class Prepared:
    """The result of `prepare`.

    Attributes:
        folder: The corpus' folder in the store.
        num_utterances: The number of utterances in the store.
        is_new: Whether anything was computed; `False` where the corpus was prepared already.
        messages: Lines for the user.
    """

    folder: Path
    num_utterances: int
    is_new: bool
    messages: tuple[str, ...]


def prepare(
    dataset: str,
    data_root: Path,
    store: Path,
    frontend: FrontEndConfig,
    workers: int = 1,
    allow_partial: bool = False,
) -> Prepared:
    """Compute the spectrograms of a corpus and store them; a stored corpus is left alone.

    A run that was interrupted goes on where it stopped. The bytes written do not depend on
    the number of workers.

    Args:
        dataset: A corpus' name, or `csv:FILE`.
        data_root: The folder that holds the corpora.
        store: Folder of prepared corpora.
        frontend: Settings that turn sound into a spectrogram.
        workers: Processes that compute.
        allow_partial: Accept an incomplete copy; drop, and list, files that cannot be read.

    Raises:
        UserError: No such corpus, incomplete, changed since it was prepared, an unreadable
            file, or a full disk.
        ModuleNotFoundError: TensorFlow is not installed.
    """
    if workers < 1:
        raise UserError(f"expected at least 1 worker, got {workers}")
    adapter, name = find_adapter(dataset), corpus_name(dataset)
    folder = corpus_folder(store, name, frontend)
    if has_file(folder / MANIFEST):
        return _check_prepared(adapter, data_root, store, name, frontend, workers)
    require_modules("tensorflow")  # which writes the shards
    corpus = adapter.read(data_root, allow_partial=allow_partial)
    beside = [
        f"{other} holds {name} under another front end ({'; '.join(differences)}); "
        f"it is kept, this one goes to {folder}"
        for other, differences in other_frontends(store, name, frontend).items()
    ]
    with _explain_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    tasks = _tasks(corpus, frontend, skip_unreadable=allow_partial)
    with open_bar(len(corpus.utterances), name, "utterances") as bar:
        shards = _write_shards(folder, tasks, workers, bar)
    contents = _contents(corpus, tasks, shards)
    if not contents.utterances:
        unreadable = contents.dropped[len(corpus.dropped) :]
        raise UserError(
            f"{corpus.root}: none of {len(corpus.utterances)} files can be read; "
            f"{', '.join(describe_dropped(unreadable))}; fetch the corpus again"
        )
    with _explain_write_errors(folder, needed_bytes=1000 * len(contents.utterances)):
        write_manifest(folder, name, adapter, frontend, corpus, contents)
    remove_leftovers(folder, shards)
    remarks = describe_remarks(_find_remarks(tasks, shards))
    copies = _tell_copies(contents.utterances, contents.sounds)
    spellings = warn_of_spellings(contents.utterances)
    return _report(folder, True, [*beside, *remarks, *spellings, *copies])


def _check_prepared(
    adapter: Adapter,
    data_root: Path,
    store: Path,
    name: str,
    frontend: FrontEndConfig,
    workers: int,
) -> Prepared:
    """Return a corpus that lies in the store, if it is whole and its source is the same.

    The copy's completeness was checked when the corpus was prepared. Where an earlier version kept
    no digests of its sound, the recordings are read for them; the shards stay as they are.
    """
    stored = load_corpus(store, name, frontend)
    folder = stored.folder
    with _explain_write_errors(folder):
        try:
            update_facts(folder, adapter.facts)  # an earlier version did not write them
            remove_notes(folder)
        except OSError as error:
            # a store that may only be read lacks them: levels alone need them, and say so
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
    if not adapter.is_found(data_root):
        note = f"{adapter.location(data_root)}: not there any more, so not compared"
        lacking = [] if stored.has_sounds else [f"{folder}: {NO_SOUNDS}"]
        return _report(folder, False, [f"already prepared: {folder}", note, *lacking])
    then, corpus = read_manifest(folder)["source"], adapter.read(data_root, allow_partial=True)
    now = describe_source(corpus)
    if now != then:
        raise UserError(
            f"{adapter.location(data_root)}: files, sizes or labels have changed since {folder} "
            f"was prepared: {then['files']} files of {then['bytes']} bytes then, {now['files']} "
            f"of {now['bytes']} now. To prepare them anew, remove {folder} and run this again"
        )
    words = _tell_words(stored, corpus)
    if stored.has_sounds:
        return _report(folder, False, [f"already prepared: {folder}", *words])
    sounds = _read_sounds(stored, corpus.root, workers)
    with _explain_write_errors(folder, needed_bytes=100 * len(sounds)):
        update_sounds(folder, sounds)
    added = "digests of its sound are added, its spectrograms stay as they were"
    copies = _tell_copies(stored.utterances, sounds)
    return _report(folder, True, [f"already prepared: {folder}; {added}", *words, *copies])


def _tell_words(stored: StoredCorpus, corpus: Corpus) -> list[str]:
    """Return a line on labels that an earlier version took for classes of their own, if any."""
    now = {item.utterance_id: item.emotion for item in corpus.utterances}
    later = {item.emotion for item in stored.utterances} - {
        item.emotion
        for item in stored.utterances
        if now.get(item.utterance_id, item.emotion) == item.emotion
    }
    if not later:
        return []
    return [
        f"labels that are classes of their own there, and are known words now: "
        f"{', '.join(sorted(later))}; to take them for what they mean, remove {stored.folder} and "
        "run this again"
    ]


def _read_sounds(stored: StoredCorpus, root: Path, workers: int) -> list[Sound]:
    """Read the recordings of a prepared corpus again, and return the digests of their sound."""
    pieces = _cut(stored.utterances)
    tasks = [Task(piece, root, stored.frontend, False, sound_alone=True) for piece in pieces]
    sounds: list[Sound] = []
    with (
        open_bar(len(stored.utterances), stored.name, "utterances") as bar,
        closing(compute_tasks(tasks, workers)) as computed,
    ):
        for outcomes in computed:
            sounds += [outcome.sound for outcome in outcomes if outcome.sound is not None]
            bar.update(len(outcomes))
    return sounds


def _tell_copies(utterances: Sequence[Utterance], sounds: Sequence[Sound]) -> list[str]:
    """Return a line on recordings that stand in a corpus under several names, if there are any."""
    pairs = zip(utterances, sounds, strict=True)
    groups = group_copies(replace(utterance, sound=sound) for utterance, sound in pairs)
    if not groups:
        return []
    contradicting = sum(map(contradict, groups))
    first = ", ".join(item.utterance_id for item in groups[0])
    return [
        f"recordings under several names: {len(groups)}, of which {contradicting} differ in "
        f"speaker, gender, emotion or ratings and take part in no run: {first} ..."
    ]


def _cut(utterances: tuple[Utterance, ...]) -> list[tuple[Utterance, ...]]:
    """Cut the utterances of a corpus into those of each shard."""
    step = UTTERANCES_PER_SHARD
    return [utterances[start : start + step] for start in range(0, len(utterances), step)]


def _tasks(corpus: Corpus, frontend: FrontEndConfig, *, skip_unreadable: bool) -> list[Task]:
    pieces = _cut(corpus.utterances)
    tasks = []
    for piece in pieces:
        names = (item.utterance_id for item in piece)
        places = {name: corpus.places[name] for name in names if name in corpus.places}
        tasks.append(Task(piece, corpus.root, frontend, skip_unreadable, places=places))
    return tasks


def _write_shards(folder: Path, tasks: Sequence[Task], workers: int, bar: "tqdm") -> list[Shard]:
    """Return all shards: those that an earlier run left, then the rest, computed.

    Shards are written in order, so that an interrupted run leaves the first of them.
    """
    shards: list[Shard] = []
    row = 0
    for number, task in enumerate(tasks):
        shard = load_finished(folder, number, input_digest(task, row))
        if shard is None:
            break
        shards.append(shard)
        row += shard.records
        bar.update(len(shard.num_frames))
    rest = tasks[len(shards) :]
    with closing(compute_tasks(rest, workers)) as computed:
        for task, outcomes in zip(rest, computed, strict=True):
            number = len(shards)
            size = sum(o.spectrogram.nbytes for o in outcomes if o.spectrogram is not None)
            with _explain_write_errors(folder, needed_bytes=size * (len(tasks) - number)):
                shard = write_shard(folder, number, row, outcomes, input_digest(task, row))
            shards.append(shard)
            row += shard.records
            bar.update(len(outcomes))
    return shards


def _contents(corpus: Corpus, tasks: Sequence[Task], shards: Sequence[Shard]) -> Contents:
    utterances, num_frames, sounds = [], [], []
    silent, cancelled = [], []
    dropped = list(corpus.dropped)
    for task, shard in zip(tasks, shards, strict=True):
        for position, frames in enumerate(shard.num_frames):
            utterance, sound = task.utterances[position], shard.sounds[position]
            if frames is None or sound is None:
                dropped.append(Dropped(utterance.path, shard.problems[str(position)]))
                continue
            utterances.append(utterance)
            num_frames.append(frames)
            sounds.append(sound)
            if position in shard.silent:
                silent.append(utterance.utterance_id)
            if position in shard.cancelled:
                cancelled.append(utterance.utterance_id)
    rows = [
        {"file": s.file, "sha256": s.sha256, "bytes": s.bytes, "records": s.records} for s in shards
    ]
    return Contents(utterances, num_frames, sounds, dropped, silent, rows, cancelled)


def _find_remarks(tasks: Sequence[Task], shards: Sequence[Shard]) -> list[Dropped]:
    return [
        Dropped(task.utterances[int(position)].utterance_id, remark)
        for task, shard in zip(tasks, shards, strict=True)
        for position, remark in shard.remarks.items()
    ]


def _report(folder: Path, is_new: bool, messages: Sequence[str]) -> Prepared:
    manifest = read_manifest(folder)
    counts = manifest["counts"]
    removed = "" if manifest["frontend"]["remove_silence"] is False else " without silence"
    lines = [
        *messages,
        f"{manifest['corpus']}: {counts['utterances']} utterances of {counts['speakers']} "
        f"speakers, {counts['hours']:.2f} hours{removed}",
    ]
    lines += describe_dropped(Dropped(row["where"], row["reason"]) for row in manifest["dropped"])
    if manifest["unknown_labels"]:
        listed = ", ".join(manifest["unknown_labels"])
        lines.append(f"labels outside the vocabulary, each its own class: {listed}")
    if manifest["silent"]:
        lines.append(f"{len(manifest['silent'])} of digital silence: {manifest['silent'][0]} ...")
    if cancelled := manifest.get("cancelled"):  # an earlier version did not look
        lines.append(
            f"{len(cancelled)} whose channels cancel each other when they are averaged, so that "
            f"little or nothing is left of the sound: {cancelled[0]} ...; in a table, a column "
            "channel takes one of them (left, right, or a number)"
        )
    return Prepared(folder, counts["utterances"], is_new, tuple(lines))


@contextmanager
def _explain_write_errors(folder: Path, needed_bytes: int = 0) -> Iterator[None]:
    """Turn an error of writing into one that a user can mend; `needed_bytes` are still to come."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"{folder}: cannot be written ({error.strerror}); "
                f"{explain_mount(error.errno or 0, folder) or 'give another --store'}"
            ) from error
        raise UserError(
            f"{folder}: the disk is full; about {max(needed_bytes / 1e6, 0.1):.1f} MB more are "
            "needed. What is finished is kept: make room, or give another --store, and run again"
        ) from error
