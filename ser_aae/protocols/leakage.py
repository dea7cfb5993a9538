"""Leakage guard: it refuses a split that lets the test part be seen beforehand (P6, P13).

Speakers are known by their names, recordings by name and sound. Whose name the corpus does not know
may be anybody, and is compared with nobody: the run says how many utterances that are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from ser_aae.errors import UserError
from ser_aae.protocols.sentences import shared_sentences
from ser_aae.utterance import Sound, Utterance, known_speakers

PARTS = ("train", "validation", "test")
PAIRS = tuple(f"{first}-{second}" for first, second in combinations(PARTS, 2))
SOUND_KEY = "shares_sound_with"
"""Column in which an adapter names the others of the corpus that an utterance shares sound with."""

VOICES: Mapping[str, str] = {
    "train-test": "speaker-dependent: test speakers were trained on",
    "validation-test": "selection shares speakers with the test part: the epoch was chosen on "
    "them, nobody was trained on",
    "train-validation": "selection shares speakers with the training part: test speakers are in "
    "neither",
}
"""Pair of parts that share speakers to what it means for the test part, the worst first."""

_MOST_NAMED = 5


@dataclass(frozen=True)
class Split:
    """One fold: rows of a sequence of utterances.

    Attributes:
        train: Rows that weights are fitted on.
        validation: Rows that select the best epoch.
        test: Rows that are scored once.
        speaker_independent: Whether no two parts share a speaker.
        apart: Pairs of parts, as in `PAIRS`, that share no speaker even where the split as
            a whole is not speaker-independent.
        folds: Number of folds that the protocol has on these utterances.
        lists: Digest of the published lists the split was read from, `""` where it was cut.
    """

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    speaker_independent: bool
    apart: tuple[str, ...] = ()
    folds: int = 1
    lists: str = ""


def check_leakage(
    split: Split,
    utterances: Sequence[Utterance],
    auxiliary: Sequence[Utterance] = (),
    unlabelled: Sequence[Utterance] = (),
) -> dict[str, Any]:
    """Refuse a split whose parts share what they must not; return the counts of one that passes.

    Args:
        split: Rows of `utterances`.
        utterances: Utterances of one corpus or several.
        auxiliary: Utterances that train the other tasks, of other corpora and of speakers who
            are neither validated nor tested on.
        unlabelled: Utterances beside `utterances` that train without a label, and count as of
            the training part.

    Returns:
        Plain values for `result.json`: `speaker_independent`, `folds`, `utterances` and
        `speakers` (counts by part), `speaker_names` (by part), `shared_speakers` (pair of
        parts to names; only pairs that may share have any), `shared_utterances` and
        `shared_files` (0: anything else is refused; parts may hold stretches of one file that
        do not overlap), `known_by_sound` (whether files were compared by their sound, and not by
        their names alone), `shared_sound` (pairs of utterances of which the corpus says that they
        share sound, and which lie in different parts), `shared_sentences` (share of the test part,
        see `ser_aae.protocols.sentences`) and `lists` (digest of the published lists, or `""`).

    Raises:
        UserError: An empty part, a row that is not there, or something shared: a speaker
            (where none may be), an utterance, a stretch of a recording, an auxiliary corpus.
    """
    parts = {part: _take(part, getattr(split, part), utterances) for part in PARTS}
    parts["train"] += unlabelled
    names = {part: known_speakers(parts[part]) for part in PARTS}
    _refuse_shared_utterances(split, parts)
    shared = _shared_speakers(split, names)
    _refuse_auxiliary(auxiliary, utterances, names["validation"] | names["test"])
    used = [*((part, item) for part in PARTS for item in parts[part])]
    used += [("auxiliary", item) for item in auxiliary]
    _refuse_shared_recordings(used)
    counts = {part: len(parts[part]) for part in PARTS}
    return {
        "speaker_independent": split.speaker_independent,
        "folds": split.folds,
        "utterances": counts
        | {
            "unused": len(utterances) + len(unlabelled) - sum(counts.values()),
            "auxiliary": len(auxiliary),
        },
        "speakers": {part: len(names[part]) for part in PARTS}
        | {"auxiliary": len(known_speakers(auxiliary))},
        "speaker_names": {part: sorted(names[part]) for part in PARTS},
        "shared_speakers": shared,
        "shared_utterances": 0,
        "shared_files": 0,
        "known_by_sound": all(item.sound is not None for _, item in used),
        "shared_sound": len(shared_sound(parts)),
        "shared_sentences": shared_sentences(parts["train"], parts["test"]),
        "lists": split.lists,
    }


def shared_voices(check: Mapping[str, Any]) -> str:
    """Return what shared speakers mean for the test part: one of `VOICES`, or `""`.

    It is `""` where no two parts share a speaker, or nothing was checked. Where the values of
    `check_leakage` do not say which parts share speakers, the worst is assumed.
    """
    if check.get("speaker_independent") is not False:
        return ""
    shared = check.get("shared_speakers", {"train-test": ["unknown"]})
    return next((words for pair, words in VOICES.items() if shared.get(pair)), "")


def independence(checks: Iterable[Mapping[str, Any]]) -> str:
    """Return in two words, or a few more, whether the test speakers of some runs were unknown.

    The checks are values of `check_leakage` for each run, as result files have them.

    Returns:
        `"speaker-independent"`, or the first words of `VOICES`; of runs that differ, all that are.
    """
    found = set()
    for check in checks:
        is_apart = check.get("speaker_independent") is True
        voices = shared_voices(check).partition(":")[0]
        found.add("speaker-independent" if is_apart else voices or "speaker independence unknown")
    return ", ".join(sorted(found))


def shared_sound(parts: Mapping[str, Sequence[Utterance]]) -> list[tuple[str, str]]:
    """Return the pairs of utterances that share sound and lie in different parts.

    The corpus says which utterances share sound, in `extra["shares_sound_with"]`: names with
    blanks or commas between. Such pairs are counted and not refused: clips cut from one recording
    may come with whole corpora, whose folds are given.
    """
    places = {(u.corpus, u.utterance_id): part for part in parts for u in parts[part]}
    pairs = {
        (item.corpus, *sorted((item.utterance_id, partner)))
        for part in parts
        for item in parts[part]
        for partner in item.extra.get(SOUND_KEY, "").replace(",", " ").split()
        if places.get((item.corpus, partner), part) != part
    }
    return [(first, second) for _, first, second in sorted(pairs)]


def refuse_known(verified: Sequence[Utterance], others: Sequence[Utterance]) -> None:
    """Refuse speakers to be verified who are trained, validated or tested on as well (P11).

    Raises:
        UserError: Somebody, or a recording, is in both.
    """
    known = sorted(known_speakers(verified) & known_speakers(others))
    if known:
        _refuse("speakers", "verification-the rest of the run", known)
    rest = [("the rest of the run", item) for item in others]
    _refuse_shared_recordings([*(("verification", item) for item in verified), *rest])


def _take(part: str, rows: Sequence[int], utterances: Sequence[Utterance]) -> list[Utterance]:
    if not rows:
        raise UserError(f"split: the {part} part is empty; choose another fold or protocol")
    outside = [row for row in rows if not 0 <= row < len(utterances)]
    if outside:
        raise UserError(
            f"split: expected rows 0 to {len(utterances) - 1}, the {part} part names {outside[0]}"
        )
    return [utterances[row] for row in rows]


def _refuse(what: str, pair: str, found: Sequence[str]) -> None:
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    raise UserError(
        f"leakage: {pair.replace('-', ' and ')} share {what}: "
        f"{', '.join(found[:_MOST_NAMED])}{more}; the result would flatter the model, so the split "
        "is refused"
    )


def _refuse_shared_utterances(split: Split, parts: dict[str, list[Utterance]]) -> None:
    for part in PARTS:
        rows = getattr(split, part)
        if len(set(rows)) != len(rows):
            raise UserError(f"split: the {part} part names a row twice")
    names = {part: {f"{u.corpus} {u.utterance_id}" for u in parts[part]} for part in PARTS}
    for pair, both in _shared_by_pair(names).items():
        if both:
            _refuse("utterances", pair, both)


@dataclass(frozen=True)
class _Stretch:
    """A stretch of a recording that a part of a run uses, in seconds."""

    start_s: float
    end_s: float
    part: str
    item: Utterance

    @property
    def place(self) -> tuple[str, str]:
        """Corpus and part: stretches that lie in one place may overlap."""
        return self.item.corpus, self.part

    @property
    def file(self) -> str:
        """Corpus and file."""
        return f"{self.item.corpus} {self.item.path}"


def _refuse_shared_recordings(used: Iterable[tuple[str, Utterance]]) -> None:
    """Refuse stretches of one recording that overlap and lie in two parts, or in two corpora.

    Two corpora that hold the same recording are refused in whatever parts it lies: under two
    names of a speaker it would teach that one voice is two.
    """
    pairs = list(_overlaps(used))
    foreign = [(one, two) for one, two in pairs if one.item.corpus != two.item.corpus]
    if foreign:
        _refuse_two_corpora(foreign)
    if not pairs:
        return
    one, two = pairs[0]
    is_one_file = one.item.path == two.item.path
    found = [f"{two.file} at {two.start_s} s"]
    if not is_one_file:
        found = [f"{one.file} and {two.item.path}" for one, two in pairs]
    pair = sorted((one.part, two.part), key=lambda part: (*PARTS, part).index(part))
    _refuse("a file" if is_one_file else "a recording", "-".join(pair), found)


def _refuse_two_corpora(pairs: Sequence[tuple[_Stretch, _Stretch]]) -> None:
    one, two = sorted(pairs[0], key=lambda stretch: stretch.place)
    more = f", and {len(pairs) - 1} more" if len(pairs) > 1 else ""
    raise UserError(
        f"leakage: {one.item.corpus} and {two.item.corpus} hold the same recording: {one.file} "
        f"({one.part}) is {two.file} ({two.part}){more}; the result would flatter the model, so "
        "the run is refused; leave such recordings out of one of the two, or name another corpus"
    )


def _overlaps(used: Iterable[tuple[str, Utterance]]) -> Iterator[tuple[_Stretch, _Stretch]]:
    """Yield the overlapping stretches of each recording that lie in two places."""
    recordings: dict[tuple[str, str], list[_Stretch]] = {}
    for part, item in used:
        for recording, start_s, end_s in _recordings(item):
            stretch = _Stretch(start_s, end_s, part, item)
            recordings.setdefault(recording, []).append(stretch)
    for _, stretches in sorted(recordings.items()):
        latest: dict[tuple[str, str], _Stretch] = {}
        for stretch in sorted(stretches, key=lambda each: (each.start_s, each.end_s, *each.place)):
            for place, other in latest.items():
                if place != stretch.place and other.end_s > stretch.start_s:
                    yield other, stretch
            last = latest.get(stretch.place)
            if last is None or stretch.end_s > last.end_s:
                latest[stretch.place] = stretch


def _recordings(item: Utterance) -> Iterator[tuple[tuple[str, str], float, float]]:
    """Yield the recordings that an utterance is a stretch of, each with begin and end.

    One is its file, known by its sound, or else by its name; a channel of a file is a recording of
    its own. Another are its own samples: a stretch that one corpus cuts out of a file may be a file
    of another corpus.
    """
    sound = item.sound or Sound("", "")
    end_s = float("inf") if item.end_s is None else item.end_s
    name = item.path if item.channel is None else f"{item.path} {item.channel}"
    yield ("", sound.file) if sound.file else (item.corpus, name), item.start_s, end_s
    if sound.samples not in ("", sound.file):
        yield ("", sound.samples), 0.0, float("inf")


def _shared_speakers(split: Split, names: dict[str, set[str]]) -> dict[str, list[str]]:
    shared = _shared_by_pair(names)
    for pair, both in shared.items():
        if both and (split.speaker_independent or pair in split.apart):
            _refuse("speakers", pair, both)
    return shared


def _shared_by_pair(names: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Return the names that both parts of a pair hold, for each of `PAIRS`."""
    parts = {pair: pair.split("-") for pair in PAIRS}
    return {pair: sorted(names[one] & names[two]) for pair, (one, two) in parts.items()}


def _refuse_auxiliary(
    auxiliary: Sequence[Utterance], utterances: Sequence[Utterance], evaluated: set[str]
) -> None:
    same = sorted({item.corpus for item in auxiliary} & {item.corpus for item in utterances})
    if same:
        raise UserError(
            f"leakage: the auxiliary corpus {', '.join(same)} is the emotional corpus itself; "
            "name another auxiliary corpus"
        )
    known = sorted(known_speakers(auxiliary) & evaluated)
    if known:
        _refuse("speakers", "auxiliary-validation or test", known)
