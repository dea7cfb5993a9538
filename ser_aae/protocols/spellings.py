"""Speakers that tables spell in two ways: each spelling would be a person of its own.

Such a person trains and is tested: a split by speakers leaks without anybody seeing it.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from ser_aae.labels import strip_accents
from ser_aae.utterance import Utterance

_ZEROS = re.compile(r"(?<![\d.])0+(?=\d)|(?<=\d)\.0+$")
"""Zeros by which a number is written otherwise and is the same: `01`, and a spreadsheet's `1.0`."""
_BLANKS = re.compile(r"[\s_-]+")
_PLAIN_BLANKS = re.compile(r"(?<!\d) | (?!\d)")
"""Blanks that do not part two numbers: `1 11` is not `11 1`."""

_UNSEEN = ("Cc", "Cf")
_DASH = "Pd"
"""Unicode's categories of signs that nobody sees, and of dashes."""
_MARKS = "'\"`´‘’‚‛“”„‟«»‹›′″"
"""Quotation marks and apostrophes."""


def find_spellings(utterances: Iterable[Utterance]) -> list[dict[str, int]]:
    """Return the groups of speakers who may be one person, each with their numbers of utterances.

    Spellings are alike that differ in case, blanks, dashes, accents, quotation marks, signs that
    nobody sees, or zeros of numbers alone.
    """
    counts = Counter(utterance.speaker for utterance in utterances)
    groups: dict[str, dict[str, int]] = defaultdict(dict)
    for speaker in sorted(counts):
        groups[simplify_name(speaker)][speaker] = counts[speaker]
    return [group for group in groups.values() if len(group) > 1]


def simplify_name(name: str) -> str:
    """Return what a name has in common with its other spellings."""
    plain = strip_accents("".join(_plain_signs(name)).casefold())
    return _ZEROS.sub("", _PLAIN_BLANKS.sub("", _BLANKS.sub(" ", plain)))


def describe_spellings(group: dict[str, int]) -> str:
    """Return the spellings of a speaker with their numbers of utterances, as one text."""
    return " and ".join(
        f"{speaker.partition(':')[2]!r} ({count} utterance{'s' if count != 1 else ''})"
        for speaker, count in group.items()
    )


def warn_of_spellings(utterances: Iterable[Utterance]) -> list[str]:
    """Return a sentence for each speaker who seems to stand there under several spellings."""
    return [
        f"speakers who may be one person, and count as several: {describe_spellings(group)}; "
        "write one name where they are"
        for group in find_spellings(utterances)
    ]


def _plain_signs(name: str) -> Iterator[str]:
    for sign in name:
        category = unicodedata.category(sign)
        if sign.isspace() or category == _DASH:
            yield " "
        elif category not in _UNSEEN and sign not in _MARKS:
            yield sign
