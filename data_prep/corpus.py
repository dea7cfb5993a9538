"""The corpus that each adapter returns, and the steps that all adapters share."""

import csv
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from ser_aae.errors import UserError
from ser_aae.files.refusals import explain_refusal
from ser_aae.frontend.audio import describe_absence
from ser_aae.labels import NO_LABEL, is_known_emotion
from ser_aae.utterance import Dropped, Utterance, known_speakers

AUDIO_SUFFIXES = (".wav", ".flac")

_NAMED = 3
"""Number of dropped files that a line names; the manifest lists all."""
_NAMED_ABSENT = 20
"""Number of recordings that are not there which one message names."""
_NUMBER = re.compile(r"\b\d+(\.\d+)?(e[+-]?\d+)?\b")

SAME_NAME = "duplicate of a file of the same name"
NOT_UTF8 = "name is no UTF-8: rename the file, or the folder it lies in"
"""The reason to drop a recording whose path no table in the store can hold."""


GLOBAL_SPEAKER = "global_speaker"
"""Column of a table with a name of the speaker that is the same in all tables, or empty."""
EVERYWHERE = "everywhere:"
"""Stands before such a name, where the name of the corpus stands before any other."""


@dataclass(frozen=True)
class Corpus:
    """A corpus as found on disk.

    Attributes:
        root: The folder that the utterances' paths are relative to.
        utterances: Sorted by id.
        dropped: Files and rows that became no utterance, and why.
        counts: Names to numbers, e.g. `{"speakers": 24}`.
        expected: The counts of a complete copy; empty where there is nothing to expect.
        places: A recording's path, and an utterance's id, to the line of the table that lists it
            (first), `table.csv:2`.
    """

    root: Path
    utterances: tuple[Utterance, ...]
    dropped: tuple[Dropped, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    expected: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def unknown_labels(self) -> tuple[str, ...]:
        """Emotions outside the vocabulary, sorted; each stays a class of its own."""
        emotions = {utterance.emotion for utterance in self.utterances} - {""}
        return tuple(sorted(name for name in emotions if not is_known_emotion(name)))


def build_corpus(
    root: Path,
    utterances: Iterable[Utterance],
    dropped: Iterable[Dropped] = (),
    expected: Mapping[str, int] | None = None,
) -> Corpus:
    r"""Return a corpus with its utterances in order and counted per emotion.

    A recording whose name is no UTF-8 is dropped; its name is listed with the bytes in question
    written as `\xfc`.
    """
    ordered = sorted(utterances, key=lambda utterance: utterance.utterance_id)
    unnamed = [Dropped(item.path, NOT_UTF8) for item in ordered if not _is_utf8(item.path)]
    ordered = [item for item in ordered if _is_utf8(item.path)]
    listed = [replace(item, where=printable(item.where)) for item in (*dropped, *unnamed)]
    return Corpus(
        root=root,
        utterances=tuple(ordered),
        dropped=tuple(sorted(listed, key=lambda item: (item.where, item.reason))),
        counts=count_utterances(ordered),
        expected=expected or {},
    )


def name_speaker(corpus: str, speaker: str, person: str = "") -> str:
    """Return the name of a speaker of a table, who may be a person known in all tables.

    A word of `NO_LABEL` names nobody: all whom nobody knows would be one person.
    """
    if person and not names_nobody(person):
        return f"{EVERYWHERE}{person}"
    return f"{corpus}:{'' if names_nobody(speaker) else speaker}"


def names_nobody(name: str) -> bool:
    """Return whether a name is a word for one that is not there, as programs write it.

    Na and Nil are names of people, and NA is what R writes.
    """
    return name == "NA" or (name.casefold() in NO_LABEL and name.casefold() not in ("na", "nil"))


def check_one_name(names: dict[str, str], speaker: str, name: str) -> None:
    """See that a table gives a speaker one name, which is kept in `names` from the first row on.

    Of nobody each row may name another person.

    Raises:
        ValueError: An earlier row gave another.
    """
    before = names.setdefault(speaker, name)
    if before != name and not names_nobody(speaker):
        raise ValueError(
            f"column {GLOBAL_SPEAKER}: speaker {speaker} is {name} here and was {before} before; "
            "write the same for all utterances of a speaker"
        )


def count_utterances(utterances: Collection[Utterance]) -> dict[str, int]:
    """Return the number of utterances, of speakers, and of utterances of each emotion."""
    emotions = Counter(utterance.emotion for utterance in utterances if utterance.emotion)
    speakers = known_speakers(utterances)
    per_emotion = {f"utterances of {name}": emotions[name] for name in sorted(emotions)}
    return {"utterances": len(utterances), "speakers": len(speakers), **per_emotion}


def check_counts(name: str, corpus: Corpus) -> None:
    """Compare the counts of a corpus with those of a complete copy.

    Raises:
        UserError: The counts differ; the message lists both, and why anything was dropped.
    """
    differences = [
        f"{what}: expected {wanted}, found {corpus.counts.get(what, 0)}"
        for what, wanted in corpus.expected.items()
        if corpus.counts.get(what, 0) != wanted
    ]
    if differences:
        listed = "\n  ".join([*differences, *describe_dropped(corpus.dropped)])
        raise UserError(
            f"{corpus.root}: this copy of {name} is not the complete one\n  {listed}\n"
            "fetch what is missing, or accept what is there with --allow-partial"
        )


def check_files(corpus: Corpus) -> None:
    """See that every recording is a file, before the first one is read.

    Raises:
        UserError: Some are none; the message has their number, and the first `_NAMED_ABSENT`.
    """
    absent: dict[str, str] = {}
    paths = {utterance.path: utterance.audio_path(corpus.root) for utterance in corpus.utterances}
    for path, full in paths.items():
        if reason := describe_absence(full):
            place = corpus.places.get(path)
            absent[path] = f"{place}: {path!r}: {reason}" if place else f"{full}: {reason}"
    if absent:
        told = list(absent.values())[:_NAMED_ABSENT]
        rest = len(absent) - len(told)
        more = f"; and {rest} more" if rest else ""
        raise UserError(
            f"{'; '.join(told)}{more} ({len(absent)} of {len(paths)} recordings); fetch what is "
            "missing, or leave it out with --allow-partial"
        )


def describe_dropped(dropped: Iterable[Dropped]) -> list[str]:
    """Return a line for each reason of what became no utterance, with how many and the first few.

    Reasons that differ in their numbers alone are one, and N stands for the numbers.
    """
    return _describe_groups("dropped", dropped)


def describe_remarks(remarks: Iterable[Dropped]) -> list[str]:
    """Return a line for each remark on what was read all the same, as `describe_dropped` does."""
    return _describe_groups("read with a remark", remarks)


def _describe_groups(verb: str, items: Iterable[Dropped]) -> list[str]:
    groups: dict[str, list[Dropped]] = {}
    for item in items:
        groups.setdefault(_NUMBER.sub("N", item.reason), []).append(item)
    return [_describe_group(verb, shared, found) for shared, found in sorted(groups.items())]


def _describe_group(verb: str, shared: str, items: list[Dropped]) -> str:
    """Return a line on all that has one reason, or one `shared` but for numbers."""
    is_same = all(item.reason == items[0].reason for item in items)
    names = ", ".join(item.where for item in items[:_NAMED])
    more = " ..." if len(items) > _NAMED else ""
    return f"{verb} {len(items)}: {items[0].reason if is_same else shared}: {names}{more}"


def files_below(
    root: Path,
    suffixes: Collection[str] | None = None,
    unreadable: Callable[[Path, str], object] | None = None,
) -> list[Path]:
    """Return the files of the given suffixes (any case) below a folder, or all, sorted.

    The paths are relative to `root`. Names that begin with a dot are passed over: `._*.wav`
    is what macOS leaves beside a real file. Links to folders are followed, once each. Links
    that lead nowhere and empty folders of such names are listed too, so that a reader of the
    files reports them.

    Args:
        root: Folder.
        suffixes: Suffixes, in small letters and with their dots.
        unreadable: Function that is told each folder that cannot be read, and why; the others are
            read all the same.

    Raises:
        UserError: A folder cannot be read, and nobody is told of it.
    """

    def tell_or_raise(error: OSError) -> None:
        try:
            _raise_unreadable(error)
        except UserError as refused:
            if unreadable is None:
                raise
            unreadable(Path(error.filename), str(refused))

    found: list[Path] = []
    seen: set[str] = set()
    for folder, folders, files in os.walk(root, onerror=tell_or_raise, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        paths = [Path(folder, name) for name in files if not name.startswith(".")]
        if not paths and not folders and Path(folder) != root:
            paths.append(Path(folder))
        found += [
            path.relative_to(root)
            for path in paths
            if suffixes is None or path.suffix.lower() in suffixes
        ]
    return sorted(found)


def folders_below(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted; names that begin with a dot are passed over.

    Raises:
        UserError: The folder cannot be read.
    """
    try:
        below = sorted(folder.iterdir())
    except OSError as error:
        _raise_unreadable(error)
        below = []
    return [path for path in below if not path.name.startswith(".") and path.is_dir()]


def read_label_file(path: Path) -> bytes:
    """Return the content of a file of labels.

    Raises:
        UserError: It is no file, or may not be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        refusal = explain_refusal(error)
        raise UserError(
            refusal or f"{path}: expected a file, {error.strerror}; fetch it again"
        ) from error


def read_table_text(path: Path) -> str:
    """Return the text of a table in UTF-8, with or without a byte order mark.

    Raises:
        UserError: It is no file, cannot be read, or is not in UTF-8; the message has the line.
    """
    content = read_label_file(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(split_lines(error.object[: error.start].decode("latin-1")))
        raise UserError(
            f"{path}:{line}: expected a table in UTF-8, found the byte "
            f"0x{error.object[error.start]:02x}; save the table as UTF-8, or fetch it again"
        ) from error


@contextmanager
def explain_damage(where: Path | str, expected: str = "") -> Iterator[None]:
    """Turn an error in a file of labels, or in a line of one, into one that a user can mend.

    Args:
        where: The file, or the file and the line's number with a colon between them.
        expected: The beginning of the message, where that of the error itself does not tell.

    Raises:
        UserError: The text within is no UTF-8, no CSV, or holds a wrong value.
    """
    try:
        yield
    except (ValueError, csv.Error) as error:
        raise UserError(f"{where}: {expected}{error}; fetch the file again") from error


def split_lines(text: str) -> list[str]:
    r"""Return a text's lines, which may end in `\n`, `\r` or `\r\n`.

    `str.splitlines` takes characters that text may hold, such as U+0085, for the end of a line.
    """
    return re.split(r"\r\n?|\n", text)


def read_lines(path: Path, encoding: str = "utf-8-sig") -> list[str]:
    """Return the lines of a file of labels; bytes that the encoding does not have are replaced.

    Raises:
        UserError: It is no file, or cannot be read.
    """
    return split_lines(read_label_file(path).decode(encoding, errors="replace"))


def collect_utterances(
    paths: Iterable[Path],
    make_utterance: Callable[[Path], Utterance | str],
    duplicate: str | None = None,
) -> tuple[list[Utterance], list[Dropped]]:
    """Return the utterances of a corpus' files, and the files that are none.

    Args:
        paths: The files, in any order.
        make_utterance: Returns a file's utterance, or the reason why the file is none.
        duplicate: The reason why a file is none whose utterance has the id of one that lies
            less deep. Without it the names of files are the ids, see `unique_by_stem`.
    """
    kept: dict[str, Utterance] = {}
    dropped: list[Dropped] = []
    if duplicate is None:
        paths, dropped = unique_by_stem(paths)
    for path in _order_by_depth(paths):
        made = make_utterance(path)
        if isinstance(made, str):
            dropped.append(Dropped(path.as_posix(), made))
        elif made.utterance_id in kept:
            dropped.append(Dropped(path.as_posix(), duplicate or SAME_NAME))
        else:
            kept[made.utterance_id] = made
    return list(kept.values()), dropped


def collect_labelled(
    paths: Iterable[Path],
    make_utterance: Callable[[Path], Utterance | str],
    labelled: Mapping[str, str],
    absent: str,
) -> tuple[list[Utterance], list[Dropped]]:
    """Return the utterances of files as `collect_utterances` does, and labels that have no file.

    `labelled` has the stem of each recording that has labels, and the place of the labels;
    `absent` is the reason why labels become no utterance.
    """
    paths, duplicates = unique_by_stem(paths)
    utterances, dropped = collect_utterances(paths, make_utterance)
    missing = labelled.keys() - {path.stem for path in paths}
    dropped += [*duplicates, *(Dropped(labelled[stem], absent) for stem in missing)]
    return utterances, dropped


def unique_by_stem(paths: Iterable[Path]) -> tuple[list[Path], list[Dropped]]:
    """Keep one file of each stem, the least deep: mirrors often nest a second copy.

    Returns:
        The kept paths, sorted, and the duplicates with where the kept one lies.
    """
    kept: dict[str, Path] = {}
    dropped = []
    for path in _order_by_depth(paths):
        if path.stem.lower() in kept:
            dropped.append(Dropped(path.as_posix(), SAME_NAME))
        else:
            kept[path.stem.lower()] = path
    return sorted(kept.values()), dropped


def printable(text: str) -> str:
    r"""Return a text in which bytes that are no UTF-8 are written as `\xfc`.

    Python holds such a byte as half of a surrogate pair, which can be neither printed nor stored.
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _order_by_depth(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: (len(path.parts), path))


def _is_utf8(path: str) -> bool:
    return printable(path) == path


def _raise_unreadable(error: OSError) -> None:
    """Raise for a folder that cannot be read; a folder that is not there holds nothing."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise UserError(
            f"{error.filename}: the folder cannot be read ({error.strerror}); see to it that you "
            "may read it, or move it away"
        ) from error
