"""Published lists of folds: their files, and the protocol `folds` that reads them (P1 to P6).

Two forms are read, told apart by the names in the folder:

* ours: `fold00.jsonl`, `fold01.jsonl`, ..., a line for each utterance with `part` (`train`,
  `validation`, `test`), `corpus`, `utterance_id`, `file`, `speaker` and `label`, its emotion;
* EmoBox's: `fold_1/<dataset>_train_fold_1.jsonl` and `..._test_fold_1.jsonl`, ..., a line for
  each recording with `key`, `wav` and `emo`, so that a corpus can be scored on the very splits
  of the figures published there.

A list names utterances of every emotion; a run takes those of its classes. Lists without a
validation part, as EmoBox's are, have one taken from their training part.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import has_file, written_whole
from ser_aae.files.digests import digest_of_file
from ser_aae.labels import canonical_emotion
from ser_aae.protocols.leakage import PARTS, Split
from ser_aae.utterance import Utterance

if TYPE_CHECKING:
    from ser_aae.protocols.draw import Draw

PREFIX = "folds:"
"""`folds:DIR` is the protocol whose folds are the lists in DIR."""

Parts = tuple[list[int], list[int], list[int]]
"""Rows that train, validate and are tested on."""

_OURS = re.compile(r"fold(\d+)\.jsonl")
_EMOBOX_FOLDER = re.compile(r"fold_?(\d+)")
_EMOBOX_FILE = re.compile(r".+_(train|valid|test)_fold_\d+\.jsonl")
_EMOBOX_PARTS = {"train": "train", "valid": "validation", "test": "test"}


@dataclass(frozen=True)
class Entry:
    """One line of a list.

    Attributes:
        part: One of `PARTS`.
        names: Names that the utterance may have in the corpus, likeliest first.
        label: Its emotion, in the list's own words.
        where: File and line.
        corpus: Its corpus, `""` where the list does not say.
    """

    part: str
    names: tuple[str, ...]
    label: str
    where: str
    corpus: str = ""


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
    contents = {f"fold{fold:02d}.jsonl": text.encode() for fold, text in enumerate(lists)}
    if directory.is_dir():
        if {path.name: path.read_bytes() for path in directory.glob("*.*")} == contents:
            return
        if any(directory.iterdir()):
            raise UserError(
                f"{directory}: expected no folder or an empty one, found other files; name "
                "another, so that lists of two protocols do not mix"
            )
        directory.rmdir()
    with written_whole(directory) as temporary:
        temporary.mkdir()
        for name, content in contents.items():
            (temporary / name).write_bytes(content)


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
            has_file(path)
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
    files = {}
    for path in sorted(folder.iterdir()):
        if match := _EMOBOX_FILE.fullmatch(path.name):
            has_file(path)
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
    """Yield the lines of a list, all of one part, or of `"all"` where the lines say it, as ours.

    Raises:
        UserError: A line is none of a list.
    """
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
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


def name_lists(protocol: ProtocolConfig) -> ProtocolConfig:
    """Return a protocol that names the content of its lists, as every run's config has to.

    Lists that are changed later are then noticed, and runs on other lists have another digest.

    Raises:
        UserError: As `count_lists`; or lists beside another protocol, which reads none.
    """
    if protocol.name == "folds":
        count_lists(protocol)
        return replace(protocol, lists=lists_digest(Path(protocol.directory).expanduser()))
    if protocol.directory or protocol.lists:
        raise UserError(
            f"protocol.directory: goes with --protocol {PREFIX}DIR; {protocol.name} reads no lists"
        )
    return protocol


def count_lists(protocol: ProtocolConfig) -> int:
    """Return how many folds the protocol's lists have.

    Raises:
        UserError: No folder is named, it holds no lists, or others than the config was made for.
    """
    if not protocol.directory:
        raise UserError(f"protocol.directory: expected a folder of lists, as in {PREFIX}DIR")
    directory = Path(protocol.directory).expanduser()
    found = lists_digest(directory)
    if protocol.lists not in ("", found):
        raise UserError(
            f"{directory}: the lists were changed since the config was made (their digest is "
            f"{found}, protocol.lists says {protocol.lists}); restore them, or begin a new run"
        )
    return len(find_lists(directory))


def read_parts(utterances: Sequence[Utterance], protocol: ProtocolConfig, draw: "Draw") -> Parts:
    """Return the rows of the parts that a fold's list names.

    The utterances are of the run's classes. A line with a label that none of them has is of another
    class and passed over. A validation part is held out by the draw where the list has none.

    Raises:
        UserError: A line cannot be read, names an utterance that is not there, or one that
            another line has named; or nothing is left of a part.
    """
    directory = Path(protocol.directory).expanduser()
    files = list(find_lists(directory).values())[protocol.fold]
    entries = [entry for part, path in files.items() for entry in read_list(path, part)]
    rows = _place(entries, utterances)
    for part in ("train", "test"):
        if not rows[part]:
            place = next(iter(files.values())).parent
            raise UserError(f"{place}: no utterance of the run's classes in the {part} part")
    if not rows["validation"]:
        rows["train"], rows["validation"] = hold_out(rows["train"], utterances, protocol, draw)
    return rows["train"], rows["validation"], rows["test"]


def hold_out(
    train: Sequence[int], utterances: Sequence[Utterance], protocol: ProtocolConfig, draw: "Draw"
) -> tuple[list[int], list[int]]:
    """Take a validation part from a training part: whole speakers, where there are two or more.

    A list that was published without a validation part leaves this choice open. Speakers are
    drawn, so that the epoch is chosen on voices that were not trained on; the utterances of a
    single speaker are drawn themselves. The draw depends on the seed and the names, not on the
    order of the lines; it is even in genders and classes, unless `protocol.draw` is `sorted`.

    Returns:
        The rows that train and those that validate.

    Raises:
        UserError: There is a single utterance.
    """
    if len(train) < 2:
        raise UserError("folds: expected two training utterances or more, to hold one out")
    rows = sorted(train, key=lambda row: (utterances[row].corpus, utterances[row].utterance_id))
    units = draw.units(utterances, rows)
    groups: list[str] | list[int] = [unit.name for unit in units]
    if len(set(groups)) < 2:
        units = [
            unit._replace(name=f"{utterances[row].corpus} {utterances[row].utterance_id}")
            for unit, row in zip(units, rows, strict=True)
        ]
        groups = rows
    if protocol.draw == "stratified":
        from ser_aae.protocols.draw import draw_share  # loads NumPy, which a start does not need

        names = set(draw_share(units, protocol.validation_fraction, draw.seed))
        is_held = [unit.name in names for unit in units]
    else:
        is_held = _hold_out_any(groups, protocol.validation_fraction, draw.seed)
    kept = [row for row, held in zip(rows, is_held, strict=True) if not held]
    return kept, [row for row, held in zip(rows, is_held, strict=True) if held]


def _hold_out_any(groups: Sequence[str] | Sequence[int], fraction: float, seed: int) -> list[bool]:
    """Return whether each is of the share of the groups that is drawn, whoever they are."""
    from sklearn.model_selection import GroupShuffleSplit  # here: few runs need it

    split = GroupShuffleSplit(1, test_size=fraction, random_state=seed)
    _, places = next(split.split(groups, groups=groups))
    held = set(places.tolist())
    return [place in held for place in range(len(groups))]


def _place(entries: Sequence[Entry], utterances: Sequence[Utterance]) -> dict[str, list[int]]:
    """Find the utterance of each line; refuse what is absent or stands twice."""
    by_name: dict[str, list[int]] = {}
    for row, item in enumerate(utterances):
        by_name.setdefault(item.utterance_id, []).append(row)
    labels = {item.emotion for item in utterances} | {i.emotion_raw for i in utterances} - {""}
    # a user's own corpus is called after its path, which another reader of the list has not
    one_corpus = len({entry.corpus for entry in entries}) < 2
    rows: dict[str, list[int]] = {part: [] for part in PARTS}
    taken: dict[int, Entry] = {}
    for entry in entries:
        corpus = "" if one_corpus else entry.corpus
        named = (row for name in entry.names for row in by_name.get(name, ()))
        row = next((row for row in named if corpus in ("", utterances[row].corpus)), None)
        if row is None:
            if labels & {entry.label, canonical_emotion(entry.label)}:
                corpora = ", ".join(sorted({item.corpus for item in utterances}))
                raise UserError(
                    f"{entry.where}: {entry.names[0]} ({entry.label or 'without a label'}) is not "
                    f"among the utterances of {corpora} that take part; the list is of another "
                    "corpus or release, the copy is incomplete, or a setting leaves the utterance "
                    "out"
                )
            continue
        if row in taken:
            other = taken[row]
            raise UserError(
                f"{entry.where}: {utterances[row].utterance_id} in the {entry.part} part stands in "
                f"the {other.part} part too ({other.where}); an utterance has one line in a fold"
            )
        taken[row] = entry
        rows[entry.part].append(row)
    return rows
