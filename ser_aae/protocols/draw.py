"""Drawing speakers as a person would: by chance, and yet alike in genders and in classes (P3).

Speakers are dealt out by turns, one gender after the other, each in an order that the seed draws.
So groups differ by one speaker at most, and by one of each gender. Then two speakers of one gender
change places wherever that brings the groups nearer to each other in classes and in size, until no
exchange does.

All of it is in names and whole numbers: neither the order of the utterances, nor rounding, nor
another version of a library moves a speaker. scikit-learn's StratifiedGroupKFold, from which this
began, finds groups as good on RAVDESS. But where speakers differ in size, its seed changes nothing;
version 1.7 balances speakers by the counts of others where it shuffles; it may put men alone into a
group, and both speakers of a rare class into neighbours, so that training lacks it.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from ser_aae.utterance import Utterance

_WHOLE = 1 << 20
"""All utterances of a class: shares of it are counted in such parts, so that nothing is rounded."""
_SIZE = 2
"""Weight of the share of all utterances beside that of a class. On URDU, where four men speak all
anger but two utterances of it, six groups have 36 to 106 utterances with it and 22 to 138
without, over eight seeds."""
_GROUP = 4
"""Weight of a group's own evenness beside that of two neighbours."""
_ROUNDS, _PARTNERS = 10, 500
"""Times that each name is tried for an exchange, at most, and names behind it in the drawn order
that it may be exchanged for: the time grows with the number of names, not with its square."""


class Unit(NamedTuple):
    """An utterance to the draw: the name that stays together, and what groups should be even in.

    Attributes:
        name: Its speaker, or its own name where a single speaker's utterances are parted.
        gender: Gender of its speaker; of speakers of several corpora the corpus as well.
        label: Its class, likewise.
    """

    name: str
    gender: str
    label: Hashable


class Draw(NamedTuple):
    """The chance and the classes by which a fold is drawn.

    Attributes:
        seed: Seed of all that is drawn.
        classes: Class of each utterance.
    """

    seed: int
    classes: Sequence[Hashable]

    def units(
        self,
        utterances: Sequence[Utterance],
        rows: Sequence[int] | None = None,
        parts_corpora: bool = True,
    ) -> list[Unit]:
        """Return utterances, or some rows of them, as units of their speakers.

        Those of several corpora are told apart, unless `parts_corpora` is false, so that groups
        are alike in corpora too, and in the classes of each.
        """
        rows = range(len(utterances)) if rows is None else rows
        several = parts_corpora and len({utterances[row].corpus for row in rows}) > 1
        units = []
        for row in rows:
            item, label = utterances[row], self.classes[row]
            gender = f"{item.corpus} {item.gender}" if several else item.gender
            units.append(Unit(item.speaker, gender, (item.corpus, label) if several else label))
        return units


class _Table(NamedTuple):
    """Names in a drawn order, one gender after the other.

    Attributes:
        names: Speakers, or utterances.
        genders: `(names,)` number of the gender; 0 for all where no gender has two names.
        shares: `(names, classes + 1)` share of each class that a name has, and of all utterances.
    """

    names: list[str]
    genders: np.ndarray
    shares: np.ndarray


def draw_groups(units: Sequence[Unit], count: int, seed: int) -> list[list[str]]:
    """Draw all names into groups, of which each and each two neighbours are alike.

    A fold tests a group and validates on the next; two neighbours are what training lacks. The last
    group is a neighbour of the first.

    Returns:
        Names by group, sorted.
    """
    one = np.eye(count, dtype=np.int64)
    pairs = one + np.roll(one, 1, axis=1)
    table = _tabulate(units, seed)
    groups = np.arange(len(table.names)) % count
    wanted = np.tile(table.shares.sum(axis=0) // count, (count, 1))
    _even_out(table, groups, wanted, _GROUP * one + pairs.T @ pairs)
    return [_names_in(table, groups, number) for number in range(count)]


def draw_share(units: Sequence[Unit], fraction: float, seed: int) -> list[str]:
    """Draw a share of the names of each gender, with that share of each class.

    Of a gender that two names or more have, at least one is drawn and one left. Where no gender has
    two, names are drawn whatever their gender.

    Returns:
        The names, sorted.
    """
    table = _tabulate(units, seed)
    groups = np.zeros(len(table.names), np.int64)
    for gender, count in enumerate(np.bincount(table.genders)):
        take = min(max(round(fraction * count), 1), count - 1)
        groups[np.flatnonzero(table.genders == gender)[:take]] = 1
    total = table.shares.sum(axis=0)
    share = np.array([round(fraction * int(each)) for each in total])
    _even_out(table, groups, np.stack([total - share, share]), np.eye(2, dtype=np.int64))
    return _names_in(table, groups, 1)


def _names_in(table: _Table, groups: np.ndarray, number: int) -> list[str]:
    return sorted(table.names[place] for place in np.flatnonzero(groups == number))


def _tabulate(units: Sequence[Unit], seed: int) -> _Table:
    """Return the names in the order that the seed draws."""
    genders = {unit.name: unit.gender for unit in sorted(units, key=lambda unit: unit[:2])}
    if len(set(genders.values())) == len(genders):
        genders = dict.fromkeys(genders, "")
    numbers = {gender: number for number, gender in enumerate(sorted(set(genders.values())))}
    names = sorted(genders, key=lambda name: (genders[name], _chance(f"{seed} {name}")))
    labels = sorted({unit.label for unit in units}, key=str)
    counts = Counter((unit.name, unit.label) for unit in units)
    table = np.array([[counts[name, label] for label in labels] for name in names], np.int64)
    size = table.sum(axis=1, keepdims=True)
    shares = [_WHOLE * table // table.sum(axis=0), _SIZE * (_WHOLE * size // size.sum())]
    return _Table(names, np.array([numbers[genders[name]] for name in names]), np.hstack(shares))


def _chance(text: str) -> bytes:
    """Return the place of a text in an order that is drawn, and the same on every machine."""
    return hashlib.sha256(text.encode()).digest()


def _even_out(table: _Table, groups: np.ndarray, wanted: np.ndarray, weights: np.ndarray) -> None:
    """Exchange names of one gender as long as that brings the groups nearer to what is wanted.

    Args:
        table: The names.
        groups: Group of each name, `(names,)`; it is changed.
        wanted: Share of each class that a group should have, `(groups, classes + 1)`.
        weights: `(groups, groups)`, symmetric: the distance is the sum over classes of
            `off' weights off`, `off` being what each group has too much of a class.
    """
    off = -wanted
    np.add.at(off, groups, table.shares)
    for _ in range(_ROUNDS):
        exchanged = False
        for name, gender in enumerate(table.genders):
            behind = slice(name + 1, name + 1 + _PARTNERS)
            own, others = groups[name], groups[behind]
            gained = table.shares[behind] - table.shares[name]  # what the own group would gain
            pull = weights @ off
            change = 2 * (gained * (pull[own] - pull[others])).sum(axis=1)
            both = weights[own, own] + weights[others, others] - 2 * weights[own, others]
            change += both * np.square(gained).sum(axis=1)
            change[table.genders[behind] != gender] = 0
            if len(change) and change.min() < 0:
                best = int(change.argmin())
                off[own] += gained[best]
                off[others[best]] -= gained[best]
                groups[name], groups[name + 1 + best] = others[best], own
                exchanged = True
        if not exchanged:
            break
