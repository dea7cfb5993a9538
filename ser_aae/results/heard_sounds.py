"""Recordings that a run has heard, known by their sound: `heard.txt`, a digest a line.

A model that another run starts from is compared by it with who is validated and tested there, for
a table that is renamed, or whose speakers are, holds the same recordings.
"""

from collections.abc import Iterable
from pathlib import Path

from ser_aae.files.atomic import TRAIN_AGAIN, read_content, write_bytes
from ser_aae.results.folder import HEARD, refuse_changed, written_digests
from ser_aae.utterance import Utterance

_DIGITS = 16


def sounds_of(utterances: Iterable[Utterance]) -> set[str]:
    """Return the first hexadecimal digits of each sound: of the samples, and of the whole file."""
    return {
        digest[:_DIGITS]
        for item in utterances
        if item.sound
        for digest in (item.sound.samples, item.sound.file)
        if digest
    }


def write_heard(run: Path, sounds: Iterable[str]) -> None:
    """Leave the digests of all that a run trains on or selects by in its folder."""
    write_bytes(run / HEARD, "".join(f"{sound}\n" for sound in sorted(sounds)).encode())


def read_heard(run: Path) -> frozenset[str] | None:
    """Return the digests that a run left; `None` of one that an earlier version trained.

    Raises:
        DamagedError: The file is missing, damaged or changed.
    """
    if HEARD not in written_digests(run):
        return None
    refuse_changed(run, HEARD)
    content = read_content(run / HEARD, "the digests of what the run has heard", TRAIN_AGAIN)
    return frozenset(content.decode().split())
