"""Names of classes as people read them, where a person would not know the model's own."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ser_aae.labels import GENDER_WORDS


def names_for_people(classes: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """Return task to class to its name for people, of the classes that have another one.

    Speakers are without the name of their corpus in the store where they can be told apart so.
    """
    names = {}
    for task, codes in classes.items():
        gender = GENDER_WORDS if set(codes) <= set(GENDER_WORDS) else {}
        own = _speakers(codes) if task == "speaker" else gender
        if changed := {code: own[code] for code in codes if own.get(code, code) != code}:
            names[task] = changed
    return names


def _speakers(codes: Sequence[str]) -> dict[str, str]:
    shorter = {code: code.partition(":")[2] or code for code in codes}
    counts = Counter(shorter.values())
    return {code: name for code, name in shorter.items() if counts[name] == 1}
