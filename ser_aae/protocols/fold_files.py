"""Lists of folds as files: written so that others can use them, and read back (P1 to P6).

Two forms are read, told apart by what lies in the folder:

* ours: `fold00.jsonl`, `fold01.jsonl`, ..., a line for each utterance with `part` (`train`,
  `validation`, `test`), `corpus`, `utterance_id`, `file`, `speaker` and `label`, its emotion;
* EmoBox's: `fold_1/<dataset>_train_fold_1.jsonl` and `..._test_fold_1.jsonl`, ..., a line for
  each recording with `key`, `wav` and `emo`, so that a corpus can be scored on the very splits
  of the figures published there.

A list names utterances of every emotion; a run takes those of its classes. Lists without a
validation part, as EmoBox's are, have one taken from their training part: see
`ser_aae.protocols.listed_folds`, which finds the utterances of the lines.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ser_aae.errors import UserError
from ser_aae.files.atomic import written_whole
from ser_aae.files.digests import digest_of_file
from ser_aae.protocols.leakage import PARTS, Split
from ser_aae.utterance import Utterance

PREFIX = "folds:"
"""`folds:DIR` is the protocol whose folds are the lists in DIR."""

_OURS = re.compile(r"fold(\d+)\.jsonl")
_EMOBOX_FOLDER = re.compile(r"fold_?(\d+)")
_EMOBOX_FILE = re.compile(r".+_(train|valid|test)_fold_\d+\.jsonl")
_EMOBOX_PARTS = {"train": "train", "valid": "validation", "test": "test"}


@dataclass(frozen=True)
class Entry:
    """One line of a list.

    Attributes:
        part: One of `PARTS`.
        names: What the utterance may be called in the corpus, likeliest first.
        label: Its emotion, in the list's own words.
        where: File and line.
        corpus: Its corpus, `""` where the list does not say.
    """

    part: str
    names: tuple[str, ...]
    label: str
    where: str
    corpus: str = ""


def list_name(fold: int) -> str:
    """Return the file name of a fold's list, counted from 0."""
    return f"fold{fold:02d}.jsonl"


def format_list(split: Split, utterances: Sequence[Utterance]) -> str:
    """Return a fold as JSON lines: part after part, in the order of the utterances."""
    lines = []
    for part in PARTS:
        for row in getattr(split, part):
            item = utterances[row]
            line = {
                "part": part,
                "corpus": item.corpus,
                "utterance_id": item.utterance_id,
                "file": item.path,
                "speaker": item.speaker,
                "label": item.emotion,
            }
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)


def write_lists(directory: Path, lists: Sequence[str]) -> None:
    """Write the lists of all folds into a folder, all of them or none.

    The same lists in it already are left as they are.

    Raises:
        UserError: The folder holds something else.
    """
    directory = Path(os.path.abspath(directory))
    contents = {list_name(fold): text.encode() for fold, text in enumerate(lists)}
    if directory.is_dir():
        if {path.name: path.read_bytes() for path in directory.glob("*.*")} == contents:
            return
        _remove_empty(directory)
    with written_whole(directory) as temporary:
        temporary.mkdir()
        for name, content in contents.items():
            (temporary / name).write_bytes(content)


def _remove_empty(directory: Path) -> None:
    """Make way for a folder of that name."""
    if any(directory.iterdir()):
        raise UserError(
            f"{directory}: expected no folder or an empty one, found other files; name another, "
            "so that lists of two protocols do not mix"
        )
    directory.rmdir()


def lists_digest(directory: Path) -> str:
    """Return sixteen hexadecimal digits that name the content of a folder's lists.

    Raises:
        UserError: There are none.
    """
    total = hashlib.sha256()
    for number, files in find_lists(directory).items():
        for part, path in files.items():
            content = digest_of_file(path)
            total.update(f"{number} {part} {content}\n".encode())
    return total.hexdigest()[:16]


def find_lists(directory: Path) -> dict[int, dict[str, Path]]:
    """Return the files of each fold: its number as in the name to part to file.

    A list of ours holds all parts, and stands under `"all"`.

    Raises:
        UserError: There are no lists, two forms of them, or folds are missing in between.
    """
    if not directory.is_dir():
        raise UserError(f"{directory}: expected a folder with lists of folds, found none")
    ours, emobox = {}, {}
    for path in sorted(directory.iterdir()):
        if match := _OURS.fullmatch(path.name):
            ours[int(match[1])] = {"all": path}
        elif path.is_dir() and (match := _EMOBOX_FOLDER.fullmatch(path.name)):
            emobox[int(match[1])] = _emobox_files(path)
    if bool(ours) == bool(emobox):
        raise UserError(
            f"{directory}: expected lists as fold00.jsonl, fold01.jsonl, ..., or EmoBox's folders "
            f"fold_1, fold_2, ..., found {'both' if ours else 'neither'}"
        )
    found = dict(sorted((ours or emobox).items()))
    absent = sorted(set(range(min(found), max(found) + 1)) - set(found))
    if absent or min(found) > 1:
        raise UserError(
            f"{directory}: expected folds counted from 0 or 1 without a gap, found "
            f"{', '.join(map(str, found))}; fetch or write the lists again"
        )
    return found


def _emobox_files(folder: Path) -> dict[str, Path]:
    """Return the files of one fold of EmoBox by part."""
    files = {}
    for path in sorted(folder.iterdir()):
        if match := _EMOBOX_FILE.fullmatch(path.name):
            part = _EMOBOX_PARTS[match[1]]
            if part in files:
                raise UserError(f"{path}: a second list beside {files[part].name}; remove one")
            files[part] = path
    absent = {"train", "test"} - set(files)
    if absent:
        raise UserError(
            f"{folder}: expected <dataset>_train_{folder.name}.jsonl and the same with `test`, "
            f"found none with `{min(absent)}`"
        )
    return files


def read_list(path: Path, part: str) -> Iterator[Entry]:
    """Yield the lines of a list.

    Args:
        path: The file.
        part: What all of it is, or `"all"` for a list of ours, whose lines say it.

    Raises:
        UserError: A line is none of a list.
    """
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            content = json.loads(line)
        except ValueError as error:
            raise UserError(f"{where}: not JSON ({error}); fetch the list again") from error
        read = _our_entry if part == "all" else _emobox_entry
        try:
            yield read(content, part, where)
        except (KeyError, TypeError, AttributeError) as error:
            wanted = "part, utterance_id, label" if part == "all" else "key, wav, emo"
            raise UserError(f"{where}: expected an object with {wanted} as texts") from error


def _our_entry(content: Mapping[str, Any], _part: str, where: str) -> Entry:
    part = content["part"]
    if part not in PARTS:
        raise UserError(f"{where}: part: expected one of {', '.join(PARTS)}, got {part!r}")
    names, corpus = (str(content["utterance_id"]),), content.get("corpus", "")
    return Entry(part, names, content["label"].strip(), where, corpus)


def _emobox_entry(content: Mapping[str, Any], part: str, where: str) -> Entry:
    """Read a line of EmoBox; the key is `<dataset>-<name>`, and often that of the recording."""
    key, label = content["key"], content["emo"].strip()
    stem = PurePosixPath(content["wav"].replace("\\", "/")).stem
    return Entry(
        part, (stem, key.removeprefix(f"{content.get('dataset', '')}-"), key), label, where
    )
