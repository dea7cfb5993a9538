"""Protocols of Sec. 5 as pure functions: speakers that train, validate and are tested.

A split names rows of a sequence of utterances, and passes
`ser_aae.protocols.leakage.check_leakage` before it is used.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.labels import list_some
from ser_aae.protocols.copies import leave_out_copies
from ser_aae.protocols.draw import Draw, draw_groups, draw_share
from ser_aae.protocols.fold_lists import Parts, count_lists, lists_digest, read_parts
from ser_aae.protocols.leakage import Split, check_leakage
from ser_aae.protocols.partitions import count_partitions, cut_partitions
from ser_aae.utterance import Utterance, known_speakers

TEN_FOLDS = 10


def num_folds(utterances: Sequence[Utterance], protocol: ProtocolConfig) -> int:
    """Return how many folds the protocol has on these utterances.

    Raises:
        UserError: The utterances do not fit the protocol.
    """
    return _PROTOCOLS[protocol.name].count(utterances, protocol)


def make_split(
    utterances: Sequence[Utterance],
    protocol: ProtocolConfig,
    seed: int,
    classes: Sequence[Hashable] | None = None,
) -> Split:
    """Return one fold of a protocol, without copies across parts, that the guard has passed.

    Raises:
        UserError: As `cut_split`, or parts that would leak.
    """
    split = leave_out_copies(cut_split(utterances, protocol, seed, classes), utterances)
    check_leakage(split, utterances)
    return split


def cut_split(
    utterances: Sequence[Utterance],
    protocol: ProtocolConfig,
    seed: int,
    classes: Sequence[Hashable] | None = None,
) -> Split:
    """Return one fold of a protocol that the leakage guard has yet to pass.

    Args:
        utterances: Utterances with a label of the primary task, for `cross-corpus` those of the
            source corpora and the target together.
        protocol: Its name, the number of the fold, and the choices of that protocol.
        seed: Seed of the folds of `speaker-kfold` (unless `protocol.draw` is `sorted`) and
            `10-fold`, of the two parts of the target of `cross-corpus`, of the validation part of
            `leave-one-corpus-out` and of that of `folds` where the lists have none; the other
            protocols draw nothing.
        classes: Class of each utterance, which speakers are drawn evenly in; its emotion where
            nothing is given.

    Returns:
        Rows of `utterances`, ascending in each part.

    Raises:
        UserError: A fold out of range, or too few speakers, sessions or utterances for the
            protocol.
    """
    total = num_folds(utterances, protocol)
    if not 0 <= protocol.fold < total:
        raise UserError(
            f"protocol.fold: expected 0 to {total - 1}, as {protocol.name} has {total} folds "
            f"here, received {protocol.fold}"
        )
    classes = [item.emotion for item in utterances] if classes is None else classes
    parts = _PROTOCOLS[protocol.name].cut(utterances, protocol, Draw(seed, classes))
    shared_target = protocol.name == "cross-corpus" and protocol.target_speakers == "shared"
    listed = protocol.name == "folds"
    # published parts may share speakers; the result says whether they do
    is_published = listed or protocol.name == "partitions"
    parts_share = is_published and _share_speakers(utterances, parts)
    may_share = shared_target or protocol.name == "10-fold" or parts_share
    return Split(
        *(tuple(sorted(part)) for part in parts),
        speaker_independent=not may_share,
        apart=("train-validation", "train-test") if shared_target else (),
        folds=total,
        lists=lists_digest(Path(protocol.directory).expanduser()) if listed else "",
    )


def _share_speakers(utterances: Sequence[Utterance], parts: Parts) -> bool:
    voices = [known_speakers(utterances[row] for row in part) for part in parts]
    return len(set().union(*voices)) < sum(map(len, voices))


@dataclass(frozen=True)
class _Protocol:
    """A protocol: the count of its folds, and the cut of one into train, validation and test."""

    count: Callable[[Sequence[Utterance], ProtocolConfig], int]
    cut: Callable[[Sequence[Utterance], ProtocolConfig, Draw], Parts]


def _natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a sorting key in which `actor:2` stands before `actor:10`."""
    pieces = re.split(r"(\d+)", name)
    return [(1, int(p), "") if p.isdecimal() else (0, 0, p) for p in pieces if p], name


def _speakers(utterances: Sequence[Utterance]) -> list[str]:
    return sorted({utterance.speaker for utterance in utterances}, key=_natural_key)


def _rows(utterances: Sequence[Utterance], speakers: Sequence[str]) -> list[int]:
    wanted = set(speakers)
    return [row for row, utterance in enumerate(utterances) if utterance.speaker in wanted]


def _rows_by_speaker(utterances: Sequence[Utterance]) -> dict[str, list[int]]:
    """Return the rows of each speaker, in the order of `_speakers`, by one pass."""
    rows: dict[str, list[int]] = {speaker: [] for speaker in _speakers(utterances)}
    for row, utterance in enumerate(utterances):
        rows[utterance.speaker].append(row)
    return rows


def _part_speakers(
    utterances: Sequence[Utterance], validation: Sequence[str], test: Sequence[str]
) -> Parts:
    """Part whole speakers; those neither in validation nor in test train."""
    rest = sorted(set(_speakers(utterances)) - set(validation) - set(test))
    return _rows(utterances, rest), _rows(utterances, validation), _rows(utterances, test)


def _require(kind: str, found: Sequence[str], least: int, name: str) -> int:
    if len(found) < least:
        named = [f"{each}unknown" if each.endswith(":") else each for each in found]
        raise UserError(
            f"{name}: expected at least {least} {kind}, received {len(found)} "
            f"({list_some(named) or 'none'}); choose fewer folds, another protocol or a corpus "
            f"with more {kind}"
        )
    return len(found)


def _count_kfold(utterances: Sequence[Utterance], protocol: ProtocolConfig) -> int:
    if protocol.folds < 3:
        raise UserError(
            f"protocol.folds: expected at least 3 (train, validation, test), got {protocol.folds}"
        )
    _require("speakers", _speakers(utterances), protocol.folds, protocol.name)
    return protocol.folds


def _cut_kfold(utterances: Sequence[Utterance], protocol: ProtocolConfig, draw: Draw) -> Parts:
    """Draw groups of speakers, or cut the sorted speakers into consecutive ones (decision P3)."""
    if protocol.draw == "stratified":
        groups = draw_groups(draw.units(utterances), protocol.folds, draw.seed)
    else:
        groups = [list(group) for group in np.array_split(_speakers(utterances), protocol.folds)]
    following = (protocol.fold + 1) % protocol.folds
    return _part_speakers(utterances, groups[following], groups[protocol.fold])


def _count_loso(utterances: Sequence[Utterance], protocol: ProtocolConfig) -> int:
    return _require("speakers", _speakers(utterances), 3, protocol.name)


def _cut_loso(utterances: Sequence[Utterance], protocol: ProtocolConfig, _draw: Draw) -> Parts:
    """Test one speaker; validate on the session partners, or on the next speaker (P2)."""
    speakers = _speakers(utterances)
    test = speakers[protocol.fold]
    if not _has_sessions(utterances):
        return _part_speakers(utterances, [speakers[(protocol.fold + 1) % len(speakers)]], [test])
    sessions = {(item.corpus, item.session) for item in utterances if item.speaker == test}
    meeting = [item for item in utterances if (item.corpus, item.session) in sessions]
    partners = sorted({item.speaker for item in meeting} - {test})
    if not partners or len(partners) + 1 == len(speakers):
        raise UserError(
            f"loso: expected sessions of some of the speakers, but {test} shares "
            f"{', '.join(sorted(name for _, name in sessions))} with {len(partners)} of "
            f"{len(speakers) - 1} others; "
            "use speaker-kfold"
        )
    return _part_speakers(utterances, partners, [test])


def _has_sessions(utterances: Sequence[Utterance]) -> bool:
    return all(utterance.session for utterance in utterances)


def _count_sessions(utterances: Sequence[Utterance], protocol: ProtocolConfig) -> int:
    if not _has_sessions(utterances):
        bare = next(item for item in utterances if not item.session)
        raise UserError(
            f"loso-session: expected a session for every utterance, {bare.corpus} has none for "
            f"{bare.utterance_id}; use loso or speaker-kfold"
        )
    return _require("sessions", [name for _, name in _sessions(utterances)], 3, protocol.name)


def _sessions(utterances: Sequence[Utterance]) -> list[tuple[str, str]]:
    """Return corpus and name of each session: those of two corpora may be called alike."""
    found = {(utterance.corpus, utterance.session) for utterance in utterances}
    return sorted(found, key=lambda session: (session[0], _natural_key(session[1])))


def _cut_sessions(utterances: Sequence[Utterance], protocol: ProtocolConfig, _draw: Draw) -> Parts:
    """Test a session, validate on the next, train on the rest (P2)."""
    order = {session: place for place, session in enumerate(_sessions(utterances))}
    places = {row: order[item.corpus, item.session] for row, item in enumerate(utterances)}
    return _part_round(places, protocol.fold, len(order))


def _part_round(places: Mapping[int, int], fold: int, folds: int) -> Parts:
    """Part rows by the fold of each: test on one fold, validate on the next, train on the rest."""
    parts: Parts = ([], [], [])
    for row, place in places.items():
        parts[{0: 2, 1: 1}.get((place - fold) % folds, 0)].append(row)
    return parts


def _count_ten(utterances: Sequence[Utterance], _protocol: ProtocolConfig) -> int:
    """Refuse a speaker with fewer utterances than folds: each fold has all speakers (P1)."""
    counts = Counter(utterance.speaker for utterance in utterances)
    few = [name for name in _speakers(utterances) if counts[name] < TEN_FOLDS]
    if few or not utterances:
        raise UserError(
            f"10-fold: expected at least {TEN_FOLDS} utterances of each speaker, so that each "
            f"fold has all speakers; fewer have: {list_some(few) or 'no utterance at all'}; "
            "use speaker-kfold, or for --task speaker a corpus that has more of each"
        )
    return TEN_FOLDS


def _cut_ten(utterances: Sequence[Utterance], protocol: ProtocolConfig, draw: Draw) -> Parts:
    """Deal each speaker's utterances out to ten folds, in an order drawn by the seed (P1)."""
    generator = np.random.default_rng(draw.seed)
    rows = [
        int(row)
        for own in _rows_by_speaker(utterances).values()
        for row in generator.permutation(own)
    ]
    # counting on from speaker to speaker keeps the folds equal in size
    places = {row: number for number, row in enumerate(rows)}
    return _part_round(places, protocol.fold, TEN_FOLDS)


def _corpora(utterances: Sequence[Utterance]) -> list[str]:
    """Return the names of the corpora, in the order in which a run names them."""
    return list(dict.fromkeys(utterance.corpus for utterance in utterances))


def _count_corpora(utterances: Sequence[Utterance], protocol: ProtocolConfig) -> int:
    corpora = _corpora(utterances)
    if len(corpora) < 2:
        raise UserError(
            f"{protocol.name}: expected two corpora or more, received "
            f"{', '.join(corpora) or 'none'} alone; name them with --dataset A,B,C"
        )
    return len(corpora)


def _cut_corpora(utterances: Sequence[Utterance], protocol: ProtocolConfig, draw: Draw) -> Parts:
    """Test a corpus, whole; validate on speakers of the others, of each of them if it has two.

    Whoever speaks in the tested corpus takes part nowhere else.
    """
    tested = _corpora(utterances)[protocol.fold]
    test = [row for row, item in enumerate(utterances) if item.corpus == tested]
    voices = known_speakers(utterances[row] for row in test)
    others = [
        row
        for row, item in enumerate(utterances)
        if item.corpus != tested and item.speaker not in voices
    ]
    speakers = _speakers([utterances[row] for row in others])
    _require("speakers beside those of the test part", speakers, 2, protocol.name)
    if protocol.draw == "stratified":
        units = draw.units(utterances, others)
        chosen = draw_share(units, protocol.validation_fraction, draw.seed)
    else:
        generator = np.random.default_rng(draw.seed)
        chosen = _choose(speakers, protocol.validation_fraction, generator)
    validation = set(chosen)
    return (
        [row for row in others if utterances[row].speaker not in validation],
        [row for row in others if utterances[row].speaker in validation],
        test,
    )


def _target(utterances: Sequence[Utterance], target: str) -> list[Utterance]:
    return [utterance for utterance in utterances if utterance.corpus == target]


def _count_cross(utterances: Sequence[Utterance], protocol: ProtocolConfig) -> int:
    target = _target(utterances, protocol.target)
    corpora = sorted({utterance.corpus for utterance in utterances})
    if not target or len(target) == len(utterances):
        raise UserError(
            "cross-corpus: expected utterances of a target corpus and of others, received "
            f"protocol.target {protocol.target!r} and the corpora {', '.join(corpora) or 'none'}"
        )
    if protocol.target_speakers == "apart":
        _require("speakers", _speakers(target), 2, f"cross-corpus onto {protocol.target}")
    return 1


def _cut_cross(utterances: Sequence[Utterance], protocol: ProtocolConfig, draw: Draw) -> Parts:
    """Train on the source, draw the target into a selection and a test part (P4)."""
    generator = np.random.default_rng(draw.seed)
    speakers = _speakers(_target(utterances, protocol.target))
    if protocol.target_speakers == "apart":
        if protocol.draw == "stratified":
            # of one corpus, but for people who speak in another one as well
            units = draw.units(utterances, _rows(utterances, speakers), parts_corpora=False)
            chosen = draw_share(units, protocol.selection_fraction, draw.seed)
        else:
            chosen = _choose(speakers, protocol.selection_fraction, generator)
        return _part_speakers(utterances, chosen, sorted(set(speakers) - set(chosen)))
    by_speaker = _rows_by_speaker(utterances)
    selection: list[int] = []
    test: list[int] = []
    owed = 0.0
    for speaker in speakers:
        rows = by_speaker[speaker]
        # the next speaker is owed what rounding left over: otherwise speakers with a single
        # utterance would all fall on the same side
        owed += protocol.selection_fraction * len(rows)
        order = [int(row) for row in generator.permutation(rows)]
        take = min(round(owed), len(rows))
        owed -= take
        selection += order[:take]
        test += order[take:]
    return _part_speakers(utterances, [], speakers)[0], selection, test


def _choose(names: list[str], fraction: float, generator: np.random.Generator) -> list[str]:
    """Draw a share of the names, whoever they are: at least one and never all."""
    take = min(max(round(fraction * len(names)), 1), len(names) - 1)
    return [str(name) for name in generator.permutation(names)[:take]]


_PROTOCOLS: Mapping[str, _Protocol] = {
    "loso": _Protocol(_count_loso, _cut_loso),
    "loso-session": _Protocol(_count_sessions, _cut_sessions),
    "10-fold": _Protocol(_count_ten, _cut_ten),
    "speaker-kfold": _Protocol(_count_kfold, _cut_kfold),
    "leave-one-corpus-out": _Protocol(_count_corpora, _cut_corpora),
    "cross-corpus": _Protocol(_count_cross, _cut_cross),
    "partitions": _Protocol(count_partitions, cut_partitions),
    "folds": _Protocol(lambda _utterances, protocol: count_lists(protocol), read_parts),
}
