"""Copies: utterances of one corpus that hold the same samples, and what becomes of them (P13).

Copies that lie in one part stay, all of them: a fold is then the fold it was, to the bit. Of copies
that lie in different parts the first one stays, by the order of ids. Copies that differ in speaker,
gender, emotion or ratings are left out, all of them: which of them is right, nobody can tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ser_aae.protocols.leakage import PARTS, Split
from ser_aae.utterance import Utterance, contradict, group_copies

Key = tuple[str, str]
"""Corpus and id of an utterance."""

_NAMED = 3


@dataclass(frozen=True)
class Copies:
    """The utterances of a run that are copies of others, sorted.

    Attributes:
        together: Copies that agree and lie in one part; they stay.
        separated: Copies of one in another part, which stays; they are left out.
        contradicting: Copies that differ in what they say; they are left out.
    """

    together: tuple[Key, ...]
    separated: tuple[Key, ...]
    contradicting: tuple[Key, ...]

    @cached_property
    def left_out(self) -> frozenset[Key]:
        """Utterances that are left out."""
        return frozenset((*self.separated, *self.contradicting))

    def counts(self) -> dict[str, int]:
        """Return the number of utterances of each kind, as plain values."""
        kinds = ("together", "separated", "contradicting")
        return {kind: len(getattr(self, kind)) for kind in kinds}

    def warnings(self) -> list[str]:
        """Return a sentence for each kind that there is."""
        told = (
            ("together", "copies of a recording in the same part, which stay"),
            ("separated", "copies of a recording in another part, left out"),
            (
                "contradicting",
                "copies that differ in speaker, gender, emotion or ratings, left out",
            ),
        )
        kinds = [(words, keys) for kind, words in told if (keys := getattr(self, kind))]
        return [f"{words}: {len(keys)} ({_name(keys)})" for words, keys in kinds]


def judge_copies(
    parts: Mapping[str, Iterable[Utterance]], corpora: Iterable[Sequence[Utterance]]
) -> Copies:
    """Return which utterances of a run are copies, and which of them are left out.

    Args:
        parts: Utterances of each part that takes part in a run.
        corpora: All utterances of each corpus: a copy contradicts also where it takes no part.
    """
    places = {_key(item): part for part, items in parts.items() for item in items}
    together, separated, contradicting = [], [], []
    for corpus in corpora:
        for group in group_copies(corpus):
            present = [key for key in map(_key, group) if key in places]
            if contradict(group):
                contradicting += present
            elif len({places[key] for key in present}) > 1:
                separated += present[1:]
            else:
                together += present[1:]
    return Copies(*(tuple(sorted(keys)) for keys in (together, separated, contradicting)))


def leave_out_copies(split: Split, utterances: Sequence[Utterance]) -> Split:
    """Return a split without the copies that it may not hold."""
    parts = {part: [utterances[row] for row in getattr(split, part)] for part in PARTS}
    return leave_out(split, utterances, judge_copies(parts, [utterances]))


def leave_out(split: Split, utterances: Sequence[Utterance], copies: Copies) -> Split:
    """Return a split of some utterances without those that are left out."""
    kept = {
        part: tuple(row for row in getattr(split, part) if is_kept(utterances[row], copies))
        for part in PARTS
    }
    return replace(split, **kept)


def is_kept(utterance: Utterance, copies: Copies) -> bool:
    """Return whether an utterance is not left out."""
    return _key(utterance) not in copies.left_out


def _key(utterance: Utterance) -> Key:
    return utterance.corpus, utterance.utterance_id


def _name(keys: Sequence[Key]) -> str:
    named = ", ".join(f"{corpus} {utterance_id}" for corpus, utterance_id in keys[:_NAMED])
    return f"{named} ..." if len(keys) > _NAMED else named
