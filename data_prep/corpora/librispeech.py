"""LibriSpeech: read English, with speaker and gender but without emotion.

2484 readers, 982 hours, 16 kHz FLAC, in seven subsets that share one table of readers. The
paper trains on train-clean-360 (921 readers) and verifies on test-clean (40); whatever
subset folders are there are read, and a run chooses among them and among their readers
(`--subset`, `--max-speakers`). Re-distributions as WAV keep the names.

    train-clean-360/14/208/14-208-0000.flac      reader 14, chapter 208, utterance 0

SPEAKERS.TXT has comment lines that begin with `;`, then a row a reader. A reader's name may
itself hold the separator:

    14   | F | train-clean-360  | 25.03 | Kristin LeMoine
    60   | M | train-clean-100  | 20.18 | |CBW|Simon
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from data_prep.archives import Archive
from data_prep.corpus import (
    AUDIO_SUFFIXES,
    Corpus,
    build_corpus,
    collect_utterances,
    explain_damage,
    files_below,
    read_lines,
)
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.errors import UserError
from ser_aae.labels import GENDERS
from ser_aae.utterance import Dropped, Utterance

NAME = "librispeech"
VERSION = "1.0.0"
TITLE = "LibriSpeech, read English of 2484 speakers"
LICENSE = "CC BY 4.0"
OBTAIN = (
    "Download subsets, train-clean-360.tar.gz for training, from https://www.openslr.org/12 "
    "(free, no request needed) and unpack them there."
)
CHECKSUMS = {
    "dev-clean": "42e2234ba48799c1f50f24a7926300a1",
    "dev-other": "c8d0bcc9cca99d4f8b62fcc847357931",
    "test-clean": "32fa31d27d2e1cad72775fee3f4849a9",
    "test-other": "fb5a50374b501bb3bac4815ee91d3135",
    "train-clean-100": "2a93770f6d5c6c964bc36631d331a522",
    "train-clean-360": "c0e676e450a7ff2f54aeade5171606fa",
    "train-other-500": "d1a0fd59409feb2c614ce4d30c387708",
}
"""MD5 of the archive of each subset."""
DOWNLOADS = tuple(
    Archive(
        f"https://www.openslr.org/resources/12/{subset}.tar.gz",
        f"md5:{checksum}",
        "https://www.openslr.org/resources/12/md5sum.txt",
        part=subset,
        inner="LibriSpeech",
    )
    for subset, checksum in CHECKSUMS.items()
)
BIBTEX = """@inproceedings{panayotov2015librispeech,
  author    = {Panayotov, Vassil and Chen, Guoguo and Povey, Daniel and Khudanpur, Sanjeev},
  title     = {{Librispeech}: An {ASR} Corpus Based on Public Domain Audio Books},
  booktitle = {IEEE International Conference on Acoustics, Speech and Signal Processing},
  pages     = {5206--5210},
  year      = {2015}
}"""
TREE = """  <data root>/librispeech/SPEAKERS.TXT
  <data root>/librispeech/train-clean-360/14/208/14-208-0000.flac
  ... any of the subsets, as .flac or .wav,
  or the same below <data root>/librispeech/LibriSpeech/, or a folder of any name"""
LANGUAGE = "eng"
FACTS = CorpusFacts(
    title="LibriSpeech", subset="train-clean-360", speakers=600, verification_subset="test-clean"
)

EMOTION_CODES: dict[str, str] = {}
EXPECTED = {
    "speakers of train-clean-100": 251,
    "speakers of train-clean-360": 921,
    "speakers of train-other-500": 1166,
    "speakers of dev-clean": 40,
    "speakers of dev-other": 33,
    "speakers of test-clean": 40,
    "speakers of test-other": 33,
}
"""Rows of SPEAKERS.TXT a subset; only the subsets on disk are compared."""
EXCLUDED = {
    "name": "name is not <reader>-<chapter>-<utterance>",
    "reader": "reader is not in SPEAKERS.TXT",
    "absent": "reader is in SPEAKERS.TXT, but has no audio in the subset's folder",
}

SPEAKERS_FILE = "SPEAKERS.TXT"
_NAME = re.compile(r"(\d+)-(\d+)-(\d+)")


@dataclass(frozen=True)
class Reader:
    """A row of SPEAKERS.TXT."""

    reader_id: str
    gender: str
    subset: str
    minutes: float
    name: str


def parse_reader(line: str) -> Reader:
    """Return a row of SPEAKERS.TXT.

    Raises:
        ValueError: It is not five columns of a number, F or M, subset, minutes, name.
    """
    # at most four cuts: the fifth column is a name, and reader 60's holds the separator
    columns = [column.strip() for column in line.split("|", maxsplit=4)]
    expected = "expected `number | F or M | subset | minutes | name`"
    if len(columns) != 5 or not columns[0].isdecimal() or columns[1] not in GENDERS:
        raise ValueError(f"{expected}, got {line.strip()!r}")
    try:
        minutes = float(columns[3])
    except ValueError as error:
        raise ValueError(f"{expected}, got {line.strip()!r}") from error
    return Reader(columns[0], columns[1], columns[2], minutes, columns[4])


def read_readers(path: Path) -> dict[str, Reader]:
    """Return the readers of SPEAKERS.TXT by their id.

    Raises:
        UserError: The file is missing, a line is no row, or a reader has two.
    """
    if not path.exists():
        raise UserError(f"{path}: expected LibriSpeech's table of readers, found none. {OBTAIN}")
    readers: dict[str, Reader] = {}
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip() or line.startswith(";"):
            continue
        with explain_damage(f"{path}:{number}"):
            reader = parse_reader(line)
            if reader.reader_id in readers:
                raise ValueError(f"expected a row a reader, got {reader.reader_id} again")
        readers[reader.reader_id] = reader
    return readers


def read(location: Path) -> Corpus:
    """Read all subsets below a folder, or below the one to which they were unpacked.

    Raises:
        UserError: There is no table of readers, or there are several, or it is damaged.
    """
    root = _find_root(location)
    readers = read_readers(root / SPEAKERS_FILE)
    files = files_below(root, AUDIO_SUFFIXES)
    utterances, dropped = collect_utterances(files, lambda path: _utterance(path, readers))
    corpus = build_corpus(root, utterances, dropped)
    on_disk = {(item.extra["subset"], item.speaker) for item in corpus.utterances}
    counts = Counter(f"speakers of {subset}" for subset, _ in sorted(on_disk))
    absent = (
        Dropped(f"{reader.subset}/{reader.reader_id}", EXCLUDED["absent"])
        for reader in readers.values()
        if f"speakers of {reader.subset}" in counts
        and (reader.subset, f"{NAME}:{reader.reader_id}") not in on_disk
    )
    corpus = build_corpus(root, corpus.utterances, (*corpus.dropped, *absent))
    expected = {what: count for what, count in EXPECTED.items() if what in counts}
    return replace(corpus, counts={**corpus.counts, **counts}, expected=expected)


def _find_root(location: Path) -> Path:
    """Return the folder with the table of readers: at most two below, the least deep one."""
    for pattern in ("LibriSpeech", ".", "*", "*/*"):
        found = sorted(location.glob(f"{pattern}/{SPEAKERS_FILE}"))
        if len(found) > 1:
            listed = ", ".join(map(str, found))
            raise UserError(f"{location}: expected one {SPEAKERS_FILE}, found {listed}; remove one")
        if found:
            return found[0].parent
    return location


def _utterance(path: Path, readers: Mapping[str, Reader]) -> Utterance | str:
    match = _NAME.fullmatch(path.stem)
    if match is None or len(path.parts) < 2:
        return EXCLUDED["name"]
    reader_id, chapter, _ = match.groups()
    if reader_id not in readers:
        return EXCLUDED["reader"]
    reader = readers[reader_id]
    return Utterance(
        corpus=NAME,
        utterance_id=path.stem,
        path=path.as_posix(),
        speaker=f"{NAME}:{reader.reader_id}",
        gender=reader.gender,
        language=LANGUAGE,
        # the folder decides: a selection such as Mini LibriSpeech has subsets of its own
        extra={"subset": path.parts[0], "chapter": chapter},
    )
