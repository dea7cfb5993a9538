"""The protocol `folds`: from the lines of published lists to the rows of a split."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.labels import canonical_emotion
from ser_aae.protocols.fold_files import PREFIX, Entry, find_lists, lists_digest, read_list
from ser_aae.protocols.leakage import PARTS
from ser_aae.utterance import Utterance

Parts = tuple[list[int], list[int], list[int]]


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


def read_parts(utterances: Sequence[Utterance], protocol: ProtocolConfig, seed: int) -> Parts:
    """Return the rows of the parts that a fold's list names.

    Args:
        utterances: Those of the run's classes. A line with a label none of them has is of
            another class and passed over.
        protocol: Where the lists lie, which fold, and the share to hold out.
        seed: Draws what is held out.

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
        rows["train"], rows["validation"] = hold_out(
            rows["train"], utterances, protocol.validation_fraction, seed
        )
    return rows["train"], rows["validation"], rows["test"]


def hold_out(
    train: Sequence[int], utterances: Sequence[Utterance], fraction: float, seed: int
) -> tuple[list[int], list[int]]:
    """Take a validation part from a training part: whole speakers, where there are two or more.

    Whoever published a list without a validation part left this choice open. Speakers are
    drawn, so that the epoch is chosen on voices that were not trained on; the utterances of a
    single speaker are drawn themselves. The draw depends on the seed and the names, not on the
    order of the lines.

    Args:
        train: Rows of `utterances`.
        utterances: What the rows are of.
        fraction: Share of the speakers, rounded up.
        seed: Of the draw.

    Returns:
        The rows that train and those that validate.

    Raises:
        UserError: There is a single utterance.
    """
    from sklearn.model_selection import GroupShuffleSplit  # here: few runs need it

    if len(train) < 2:
        raise UserError("folds: expected two training utterances or more, to hold one out")
    rows = sorted(train, key=lambda row: (utterances[row].corpus, utterances[row].utterance_id))
    speakers = [utterances[row].speaker for row in rows]
    groups = speakers if len(set(speakers)) > 1 else rows
    draw = GroupShuffleSplit(1, test_size=fraction, random_state=seed)
    kept, held = next(draw.split(rows, groups=groups))
    return np.array(rows)[kept].tolist(), np.array(rows)[held].tolist()


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
        row = _find(entry, "" if one_corpus else entry.corpus, by_name, utterances)
        if row is None:
            if labels & {entry.label, canonical_emotion(entry.label)}:
                raise UserError(_describe_absence(entry, utterances))
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


def _find(
    entry: Entry,
    corpus: str,
    by_name: Mapping[str, list[int]],
    utterances: Sequence[Utterance],
) -> int | None:
    for name in entry.names:
        rows = [row for row in by_name.get(name, ()) if corpus in ("", utterances[row].corpus)]
        if rows:
            return rows[0]
    return None


def _describe_absence(entry: Entry, utterances: Sequence[Utterance]) -> str:
    corpora = ", ".join(sorted({item.corpus for item in utterances}))
    return (
        f"{entry.where}: {entry.names[0]} ({entry.label or 'without a label'}) is not among the "
        f"utterances of {corpora} that take part; the list is of another corpus or release, the "
        "copy is incomplete, or a setting leaves the utterance out"
    )
