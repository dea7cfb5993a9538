"""Writing `utterances.jsonl` and `manifest.json`, as `ser_aae.store.corpus` reads them."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data_prep.corpora import Adapter
from data_prep.corpus import Corpus
from data_prep.synthetic import MARKER
from ser_aae.config import FrontEndConfig
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.files.atomic import read_json, write_bytes, write_json
from ser_aae.files.records import Record
from ser_aae.labels import earlier_emotion
from ser_aae.store.corpus import MANIFEST, SCHEMA_VERSION, UTTERANCES, Manifest
from ser_aae.store.sounds import SOUNDS, describe_sounds, format_sounds
from ser_aae.utterance import Dropped, Sound, Utterance


class Counts(Record):
    """Counts of a prepared corpus."""

    utterances: int
    speakers: int
    hours: float


class Source(Record):
    """Number, size and digest of the files that a corpus was prepared from."""

    files: int
    bytes: int
    digest: str


class DroppedRow(Record):
    """A file that became no utterance."""

    where: str
    reason: str


class ReportedManifest(Manifest):
    """The keys that the report on a prepared corpus reads, and the store itself does not."""

    counts: Counts
    dropped: list[DroppedRow]
    unknown_labels: list[str]
    silent: list[str]
    cancelled: Sequence[str] = ()
    source: Source


@dataclass(frozen=True)
class Contents:
    """The contents of a prepared corpus.

    Attributes:
        utterances: Utterances in the order of the records.
        num_frames: The frames of each utterance.
        sounds: The digests of each utterance's sound.
        dropped: Files and rows that became no utterance, unreadable files included.
        silent: Ids of the utterances that are digital silence.
        shards: Rows of the manifest: file, sha256, bytes, records.
        cancelled: Ids of the utterances whose channels cancel each other.
    """

    utterances: Sequence[Utterance]
    num_frames: Sequence[int]
    sounds: Sequence[Sound]
    dropped: Sequence[Dropped]
    silent: Sequence[str]
    shards: Sequence[Mapping[str, Any]]
    cancelled: Sequence[str] = ()


def describe_source(corpus: Corpus) -> dict[str, Any]:
    """Return number and size of a corpus' files, and a digest of those and its records.

    Times of change are left out: a copy of the same corpus is the same source. So is which words
    are known as emotions.
    """
    files = {path: corpus.root / path for path in sorted({u.path for u in corpus.utterances})}
    # not Path.exists, which fails on names that are too long
    sizes = {
        path: file.stat().st_size if os.path.exists(file) else 0 for path, file in files.items()
    }
    digest = hashlib.sha256(json.dumps(sizes).encode())
    for utterance in corpus.utterances:
        emotion = earlier_emotion(utterance.emotion, utterance.emotion_raw)
        digest.update(json.dumps(utterance.to_dict() | {"emotion": emotion}).encode())
    return {"files": len(sizes), "bytes": sum(sizes.values()), "digest": digest.hexdigest()}


def write_manifest(
    folder: Path,
    name: str,
    adapter: Adapter,
    frontend: FrontEndConfig,
    corpus: Corpus,
    contents: Contents,
) -> None:
    """Write the utterances, then the manifest, whose presence means that all is complete."""
    rows = (
        utterance.to_dict() | {"num_frames": frames}
        for utterance, frames in zip(contents.utterances, contents.num_frames, strict=True)
    )
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    utterances_sha256 = hashlib.sha256(lines.encode()).hexdigest()
    sounds = format_sounds(contents.sounds)
    content = {
        "schema_version": SCHEMA_VERSION,
        "corpus": name,
        "version": adapter.version,
        "facts": asdict(adapter.facts),
        "frontend": frontend.to_dict(),
        "frontend_digest": frontend.digest(),
        "shards": list(contents.shards),
        "utterances_sha256": utterances_sha256,
        "sounds": describe_sounds(sounds),
        "digest": _content_digest(frontend, utterances_sha256, contents.shards),
        "counts": _counts(contents, frontend),
        "dropped": [asdict(item) for item in contents.dropped],
        "unknown_labels": list(corpus.unknown_labels),
        "silent": list(contents.silent),
        "cancelled": list(contents.cancelled),
        "source": describe_source(corpus),
        # a report has to say so, whatever real corpus' layout the folder has
        "synthetic": (corpus.root / MARKER).is_file(),
    }
    write_bytes(folder / UTTERANCES, lines.encode())
    write_bytes(folder / SOUNDS, sounds)
    write_json(folder / MANIFEST, content)


def update_facts(folder: Path, facts: CorpusFacts) -> None:
    """Write the facts of a corpus into the manifest of a prepared one, where it has others."""
    content = _read(folder)
    wanted = json.loads(json.dumps(asdict(facts)))
    if content.get("facts") != wanted:
        write_json(folder / MANIFEST, content | {"facts": wanted})


def update_sounds(folder: Path, sounds: Sequence[Sound]) -> None:
    """Write the digests of its sound into a prepared corpus, whose own digest stays the same."""
    content, lines = _read(folder), format_sounds(sounds)
    write_bytes(folder / SOUNDS, lines)
    write_json(folder / MANIFEST, content | {"sounds": describe_sounds(lines)})


def _read(folder: Path, kind: type[Record] = Manifest) -> dict[str, Any]:
    mend = "remove its folder and prepare the corpus anew"
    return read_json(folder / MANIFEST, MANIFEST, mend, kind)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a prepared corpus that `ser_aae.store.corpus` has read before.

    Raises:
        DamagedError: The manifest lacks a key that the store itself has no need of.
    """
    return _read(folder, ReportedManifest)


def _counts(contents: Contents, frontend: FrontEndConfig) -> dict[str, Any]:
    utterances = contents.utterances
    emotions = Counter(utterance.emotion for utterance in utterances)
    genders = {item.speaker: item.gender for item in utterances if item.has_known_speaker}
    hours = sum(contents.num_frames) * frontend.shift_ms / 1000 / 3600
    return {
        "utterances": len(utterances),
        "speakers": len(genders),
        "emotions": dict(sorted(emotions.items())),
        "speakers_by_gender": dict(sorted(Counter(genders.values()).items())),
        "frames": sum(contents.num_frames),
        "hours": round(hours, 4),
    }


def _content_digest(
    frontend: FrontEndConfig, utterances_sha256: str, shards: Sequence[Mapping[str, Any]]
) -> str:
    sums = [shard["sha256"] for shard in shards]
    parts = [SCHEMA_VERSION, frontend.identity(), utterances_sha256, sums]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
