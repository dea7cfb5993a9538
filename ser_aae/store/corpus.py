"""Store of prepared corpora: its layout on disk, and reading it.

```
<store>/<corpus>-<front end's digest>/
  shard-00000.tfrecord ...   one record an utterance, see ser_aae.store.records
  utterances.jsonl           one line an utterance, in the order of the records
  sounds.jsonl               digests of their sound in the same order, see ser_aae.store.sounds
  manifest.json              front end, shards with checksums, counts, what was dropped;
                             written last, by rename: its presence means complete
```
Two front ends lie side by side. `data_prep` writes the store.
"""

import hashlib
import json
import shlex
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ser_aae.config import FrontEndConfig, RunConfig, complete_stored
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import DamagedError, UserError
from ser_aae.files.atomic import has_file, parse_json, read_content, read_json
from ser_aae.files.digests import digest_of_file
from ser_aae.files.records import Record
from ser_aae.store.sounds import SoundsRow, has_sounds, read_sounds
from ser_aae.utterance import Utterance

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
UTTERANCES = "utterances.jsonl"


class ShardRow(Record):
    """A shard in a manifest."""

    file: str
    bytes: int
    sha256: str


class Manifest(Record):
    """The keys of a manifest that are read here; `data_prep.manifest` reads more."""

    corpus: str
    frontend: dict[str, Any]
    shards: list[ShardRow]
    utterances_sha256: str
    digest: str
    synthetic: bool = False
    sounds: SoundsRow | None = None


@dataclass(frozen=True)
class StoredCorpus:
    """A prepared corpus.

    Attributes:
        name: Short name, e.g. `"ravdess"`.
        folder: Folder of its shards.
        frontend: The front end that its spectrograms were made with.
        utterances: Utterances in the order of the records: record i is that of `utterances[i]`.
        num_frames: `(utterances,)` int64, frames of each spectrogram.
        shards: The TFRecord files, in order.
        digest: Name of the content: equal digests mean equal utterances and spectrograms.
        synthetic: Whether it was made by `ser-aae synthesise`, so that no person speaks in it.
        facts: Facts that its adapter states; `None` where an earlier version prepared it.
    """

    name: str
    folder: Path
    frontend: FrontEndConfig
    utterances: tuple[Utterance, ...]
    num_frames: np.ndarray
    shards: tuple[Path, ...]
    digest: str
    synthetic: bool = False
    facts: CorpusFacts | None = None

    @property
    def has_sounds(self) -> bool:
        """Whether its recordings are known by their sound; an earlier version kept no digests."""
        return all(item.sound is not None for item in self.utterances)

    @property
    def sources(self) -> tuple["StoredCorpus", ...]:
        """The corpora whose shards hold its utterances, in order: itself."""
        return (self,)


@dataclass(frozen=True)
class JoinedCorpus:
    """Several prepared corpora as one, utterances after utterances, in the order of `sources`."""

    sources: tuple[StoredCorpus, ...]

    @property
    def frontend(self) -> FrontEndConfig:
        """The front end, which is the same for all of them."""
        return self.sources[0].frontend

    @cached_property
    def utterances(self) -> tuple[Utterance, ...]:
        """The utterances of all."""
        return tuple(chain.from_iterable(source.utterances for source in self.sources))

    @cached_property
    def num_frames(self) -> np.ndarray:
        """`(utterances,)` int64, frames of each spectrogram."""
        return np.concatenate([source.num_frames for source in self.sources])


def corpus_folder(store: Path, corpus: str, frontend: FrontEndConfig) -> Path:
    """Return the folder of a corpus in a store, for one front end."""
    return store / f"{corpus}-{frontend.digest()}"


def other_frontends(store: Path, corpus: str, frontend: FrontEndConfig) -> dict[Path, list[str]]:
    """Return the folders that hold the corpus under another front end, and what differs.

    Each difference reads `"scale: linear there, mel here"`.

    Raises:
        UserError: The manifest of one of them is damaged.
    """
    wanted = frontend.to_dict()
    found: dict[Path, list[str]] = {}
    for manifest in sorted(store.glob(f"{corpus}-????????/{MANIFEST}")):
        there = _read_manifest(manifest, f"prepare {corpus} anew where it is still needed")
        stored = complete_stored(there["frontend"], type(frontend))
        if there["corpus"] == corpus and stored != wanted:
            found[manifest.parent] = [
                f"{key}: {stored.get(key)} there, {value} here"
                for key, value in wanted.items()
                if stored.get(key) != value
            ]
    return found


def is_prepared(store: Path, corpus: str, frontend: FrontEndConfig) -> bool:
    """Return whether the store holds the corpus, complete and with facts, for this front end.

    Facts and digests of sound of a corpus that an earlier version prepared are added by
    `ser-aae prepare`, which computes no spectrogram anew for that.
    """
    folder = corpus_folder(store, corpus, frontend)
    try:
        if not has_file(folder / MANIFEST):
            return False
        manifest = read_json(folder / MANIFEST, MANIFEST)
        return _facts(manifest) is not None and has_sounds(folder, manifest)
    except DamagedError:  # which `load_corpus` reports
        return True


def load_named(config: RunConfig, store: Path, dataset: str) -> StoredCorpus:
    """Read a prepared corpus that a run names, see `load_corpus`."""
    name, named = config.stored_name(dataset), config.advised_name(dataset)
    return load_corpus(store, name, config.frontend, named)


def load_corpus(
    store: Path, corpus: str, frontend: FrontEndConfig, named: str = ""
) -> StoredCorpus:
    """Read a prepared corpus' manifest and utterances; the shards are left to the pipeline.

    `named` is the value of `--dataset` that prepares it, where that is not its name in the store.

    Raises:
        UserError: Not prepared, prepared by another version, or damaged.
    """
    folder = corpus_folder(store, corpus, frontend)
    words = ["ser-aae", "prepare", "--dataset", named or corpus, "--store", str(store)]
    mend = f"run: {shlex.join(words)}"
    if not (folder / MANIFEST).exists():
        raise UserError(f"{folder}: expected a prepared corpus, found no {MANIFEST}; {mend}")
    manifest = _read_manifest(folder / MANIFEST, mend)
    if manifest["corpus"] != corpus:
        raise UserError(
            f"{folder / MANIFEST}: expected the corpus {corpus}, which its folder is named after, "
            f"found {manifest['corpus']}; rename the folder back, or remove it and {mend}"
        )
    if complete_stored(manifest["frontend"], type(frontend)) != frontend.to_dict():
        raise UserError(
            f"{folder / MANIFEST}: the front end written there is not the one its folder is "
            f"named after; remove the folder and {mend}"
        )
    utterances, frames = _read_utterances(folder, manifest, mend)
    return StoredCorpus(
        name=corpus,
        folder=folder,
        frontend=frontend,
        utterances=utterances,
        num_frames=frames,
        shards=_shards(folder, manifest, mend),
        digest=manifest["digest"],
        synthetic=manifest.get("synthetic", False),
        facts=_facts(manifest),
    )


def _read_utterances(
    folder: Path, manifest: dict[str, Any], mend: str
) -> tuple[tuple[Utterance, ...], np.ndarray]:
    """Return the utterances with what is known of their sound, and the frames of each."""
    lines = folder / UTTERANCES
    text = read_content(lines, "the utterances of a corpus", f"remove the folder and {mend}")
    if hashlib.sha256(text).hexdigest() != manifest["utterances_sha256"]:
        raise DamagedError(
            f"{lines}: changed since it was written, by its SHA-256 in {MANIFEST}; remove the "
            f"folder and {mend}"
        )
    # lines of bytes: those of text also end at U+2028 and U+0085, which a label may hold
    rows = [json.loads(line) for line in text.splitlines()]
    frames = np.array([row.pop("num_frames") for row in rows], np.int64)
    sounds = read_sounds(folder, manifest, len(rows), mend)
    utterances = tuple(
        Utterance(**row, sound=sound) for row, sound in zip(rows, sounds, strict=True)
    )
    return utterances, frames


def _facts(manifest: Any) -> CorpusFacts | None:
    """Return the facts in a manifest, `None` where they are not those of this version."""
    try:
        plain = manifest["facts"]
        edges = plain["level_edges"]
        edges = None if edges is None else (float(edges[0]), float(edges[1]))
        return CorpusFacts(**plain | {"level_edges": edges, "aliases": tuple(plain["aliases"])})
    except (KeyError, TypeError, IndexError, ValueError):
        return None


def _shards(folder: Path, manifest: dict[str, Any], mend: str) -> tuple[Path, ...]:
    """Return the shards' paths; refuse a missing or shortened one here, before training."""
    if not manifest["shards"]:
        raise DamagedError(
            f"{folder / MANIFEST}: expected shards, found none; remove the folder and {mend}"
        )
    paths = []
    for shard in manifest["shards"]:
        path = folder / shard["file"]
        size = path.stat().st_size if path.is_file() else None
        if size != shard["bytes"]:
            came = "none" if size is None else f"{size} bytes"
            raise DamagedError(
                f"{path}: expected a shard of {shard['bytes']} bytes, found {came}; "
                f"remove the folder and {mend}"
            )
        paths.append(path)
    return tuple(paths)


def _read_manifest(path: Path, mend: str) -> dict[str, Any]:
    """Return a manifest of this version with all that is read of it, or raise what mends it."""
    return parse_manifest(read_content(path, MANIFEST, f"remove its folder and {mend}"), path, mend)


def parse_manifest(content: bytes, where: Path | str, mend: str) -> dict[str, Any]:
    """Return the manifest in the content of a file.

    Raises:
        DamagedError: It is of another version, or lacks something.
    """
    mend = f"remove its folder and {mend}"
    manifest = parse_json(content, str(where), mend)
    found = manifest.get("schema_version")
    # before the keys: another version may have others, without being damaged
    if found != SCHEMA_VERSION:
        raise DamagedError(
            f"{where}: expected schema version {SCHEMA_VERSION}, found {found}; {mend}"
        )
    Manifest.check(manifest, str(where), mend)
    return manifest


def changed_shards(corpus: StoredCorpus) -> list[Path]:
    """Return the shards whose bytes are not those that the manifest has digests of."""
    manifest = _read_manifest(corpus.folder / MANIFEST, f"prepare {corpus.name} again")
    written = {row["file"]: row["sha256"] for row in manifest["shards"]}
    return [path for path in corpus.shards if digest_of_file(path) != written[path.name]]
