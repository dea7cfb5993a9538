"""Remote places of a grid: URLs of stores and runs, and their copies in a worker's cache.

A path is a folder that all workers share. With a URL (`s3://...`, `file:///...`, all that fsspec
opens) workers have their own disks: a corpus is copied to the worker's cache once, and a run is
trained in the cache and sent back when it is complete.
"""

import hashlib
import os
import shutil
from itertools import chain
from pathlib import Path, PurePosixPath

import fsspec

from ser_aae.config import RunConfig
from ser_aae.data.run_data import needed_data_sets
from ser_aae.errors import UserError
from ser_aae.files.atomic import has_file, write_bytes
from ser_aae.files.digests import digest_of_file
from ser_aae.files.locks import CACHE_VARIABLE, claim
from ser_aae.results.folder import RESULT, run_folder, start_file
from ser_aae.store.corpus import MANIFEST, UTTERANCES, corpus_folder, parse_manifest
from ser_aae.store.sounds import SOUNDS


def is_url(place: str) -> bool:
    """Return whether a place is a URL, not a path."""
    return "://" in place


def open_place(place: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Return the file system of a path or URL, and the path within it.

    Raises:
        UserError: No such kind of URL, or its package is not installed.
    """
    try:
        system, root = fsspec.url_to_fs(place)
    except (ValueError, ImportError) as error:
        raise UserError(f"{place}: expected a path or a URL that fsspec opens: {error}") from error
    return system, root.rstrip("/")


def relative_folder(config: RunConfig) -> str:
    """Return the folder of a run, relative to the folder of all runs."""
    return run_folder(Path(), config).as_posix()


def place_in_cache(place: str) -> Path:
    """Return the folder that stands for a URL, in `$SER_AAE_CACHE` or else in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    cache = Path(os.environ.get(CACHE_VARIABLE) or f"{base}/ser-aae").expanduser().resolve()
    digest = hashlib.sha256(place.rstrip("/").encode()).hexdigest()[:12]
    return cache / f"{PurePosixPath(place).name or 'root'}-{digest}"


def corpora_of(config: RunConfig) -> list[str]:
    """Return the stored names of all corpora that a run reads."""
    names = chain.from_iterable(needed_data_sets(config))
    return [config.stored_name(name) for name in names]


def local_store(store: str, config: RunConfig) -> Path:
    """Return a folder from which a run can read its corpora; copy those that are at a URL.

    Raises:
        UserError: A corpus is not at the URL, or its content does not fit its manifest.
    """
    if not is_url(store):
        return Path(store)
    local = place_in_cache(store)
    for corpus in corpora_of(config):
        _fetch_corpus(store, local, corpus, config)
    return local


def _fetch_corpus(store: str, local: Path, corpus: str, config: RunConfig) -> None:
    """Copy a prepared corpus from a URL, whole or not at all; keep a copy that is there.

    An interrupted copy goes on. A corpus that was prepared anew is copied anew.
    """
    system, root = open_place(store)
    folder = corpus_folder(local, corpus, config.frontend)
    source = f"{root}/{folder.name}"
    with claim(folder, wait=True):
        try:
            manifest = system.cat_file(f"{source}/{MANIFEST}")
        except FileNotFoundError as error:
            raise UserError(
                f"{store}: expected a prepared corpus at {folder.name}, found no {MANIFEST}; "
                f"run: ser-aae prepare --dataset {config.advised_name(corpus)}, and copy the "
                "folder there"
            ) from error
        kept = folder / MANIFEST
        if has_file(kept) and kept.read_bytes() == manifest:
            return
        partial = folder.with_name(f".{folder.name}.part")
        partial.mkdir(parents=True, exist_ok=True)
        stated = parse_manifest(manifest, f"{source}/{MANIFEST}", "copy the corpus there again")
        checksums = {UTTERANCES: stated["utterances_sha256"]}
        checksums |= {shard["file"]: shard["sha256"] for shard in stated["shards"]}
        if sounds := stated.get("sounds"):  # an earlier version had none
            checksums[SOUNDS] = sounds["sha256"]
        for name, checksum in checksums.items():
            _fetch_file(system, f"{source}/{name}", partial / name, checksum)
        (partial / MANIFEST).write_bytes(manifest)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)


def _fetch_file(
    system: fsspec.AbstractFileSystem, source: str, target: Path, checksum: str
) -> None:
    if target.is_file() and digest_of_file(target) == checksum:
        return
    try:
        system.get_file(source, str(target))
    except FileNotFoundError as error:
        raise UserError(
            f"{source}: expected a file of a prepared corpus, found none; copy it there again"
        ) from error
    found = digest_of_file(target)
    if found != checksum:
        target.unlink()
        raise UserError(
            f"{source}: expected the SHA-256 {checksum[:12]}... of its manifest, got "
            f"{found[:12]}...; copy the corpus there again"
        )


def fetch_start(place: str, runs: Path, config: RunConfig) -> None:
    """Copy the weights that a run starts from, if any, from a URL of runs to a folder of them.

    Raises:
        UserError: They are not at the URL.
    """
    if not config.training.start:
        return
    path = start_file(runs, config.training.start)
    with claim(path.parent, wait=True):
        if not has_file(path):
            system, root = open_place(place)
            source = f"{root}/{path.relative_to(runs).as_posix()}"
            try:
                write_bytes(path, system.cat_file(source))
            except FileNotFoundError as error:
                raise UserError(
                    f"{place}: expected the weights that the run starts from at {source}, found "
                    "none; give --start-from MODEL again, which writes them anew"
                ) from error


def send_folder(folder: Path, place: str, relative: str, last: str = RESULT) -> None:
    """Copy a folder to a path below a URL; each file under another name until it is whole.

    The file `last` is copied last: its presence means that the folder is complete.
    """
    system, root = open_place(place)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != last)
    for path in [*files, folder / last]:
        target = f"{root}/{relative}/{path.relative_to(folder).as_posix()}"
        system.makedirs(target.rpartition("/")[0], exist_ok=True)
        system.put_file(str(path), f"{target}.part")
        system.mv(f"{target}.part", target)
