"""Faults of a fold: classes that cannot be learnt or measured, parts of one gender."""

from collections.abc import Mapping, Sequence

import numpy as np

from ser_aae.config import ProtocolConfig
from ser_aae.data.targets import Target
from ser_aae.errors import UserError
from ser_aae.labels import list_some
from ser_aae.protocols.leakage import PARTS, Split
from ser_aae.utterance import Utterance

FEWEST = 5
"""Utterances of a class that a part should have."""

_MENDS = {
    "speaker-kfold": "choose another protocol.seed, or protocol.draw=stratified,",
    "folds": "give other lists",
    "partitions": "choose other partitions",
}
"""Protocol to what puts a class into its training part; of the others the corpora decide."""

_WORDS = {"F": "women", "M": "men"}


def check_classes(
    protocol: ProtocolConfig, target: Target, split: Split
) -> dict[str, dict[str, int]]:
    """Refuse a fold that tests a class of which nothing is trained; return the counts of another.

    Returns:
        Part to class to number of utterances, whether their labels are hidden later or not.

    Raises:
        UserError: There is such a class.
    """
    counts = {part: _count(target, getattr(split, part)) for part in PARTS}
    unlearnt = [
        f"{name} ({', '.join(f'{part} {each[name]}' for part, each in counts.items())})"
        for name, tested in counts["test"].items()
        if tested and not counts["train"][name]
    ]
    if unlearnt:
        out = ["leave the class out with --classes"] if target.task == "emotion" else []
        mends = " or ".join([_MENDS.get(protocol.name, "add a corpus that has it"), *out])
        raise UserError(
            f"{protocol.name}, fold {protocol.fold}: expected training utterances of each class "
            f"that is tested, received none of {list_some(unlearnt)}; {mends}"
        )
    return counts


def _count(target: Target, rows: Sequence[int]) -> dict[str, int]:
    counts = np.bincount(target.numbers[list(rows)], minlength=len(target.classes))
    return dict(zip(target.classes, counts.tolist(), strict=True))


def warn_of_classes(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return sentences on the classes of which a part has few utterances, or none."""
    found = []
    for part, each in counts.items():
        absent = [name for name, count in each.items() if not count]
        few = [f"{name} ({count})" for name, count in each.items() if 0 < count < FEWEST]
        if absent:
            found.append(f"the {part} part has no utterance of {list_some(absent)}")
        if few:
            found.append(f"the {part} part has fewer than {FEWEST} utterances of {list_some(few)}")
    return found


def warn_of_genders(parts: Mapping[str, Sequence[Utterance]]) -> list[str]:
    """Return sentences on the parts of several speakers in which only women, or only men, speak."""
    found: dict[str, list[str]] = {}
    for part, utterances in parts.items():
        genders = {item.gender for item in utterances}
        if len({item.speaker for item in utterances}) > 1 and len(genders) == 1:
            found.setdefault(genders.pop(), []).append(part)
    return [
        f"only {words} speak in: {', '.join(found[gender])}"
        for gender, words in _WORDS.items()
        if gender in found
    ]


def warn_of_unknown_speakers(parts: Mapping[str, Sequence[Utterance]]) -> list[str]:
    """Return a sentence on utterances of which nobody knows who speaks, where a part has some."""
    counts = {
        part: sum(not item.has_known_speaker for item in utterances)
        for part, utterances in parts.items()
    }
    told = [f"{part} {count} of {len(parts[part])}" for part, count in counts.items() if count]
    if not told:
        return []
    return [
        f"utterances whose speaker is not known: {', '.join(told)}; they train no speaker, and "
        "nobody can tell whether the speakers of the parts are apart"
    ]


def warn_of_untrained(tasks: Sequence[str]) -> list[str]:
    """Return sentences on the tasks that no training utterance has a label of."""
    return [
        f"no training utterance has a label of {task}: this classifier is not trained, and nothing "
        "that it says is shown"
        for task in tasks
    ]
