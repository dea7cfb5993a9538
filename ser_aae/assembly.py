"""From a config and a store to what a run trains, validates and tests on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ser_aae.config import RunConfig
from ser_aae.datasets import stored_name
from ser_aae.errors import UserError
from ser_aae.labels import FOUR, GENDERS, UNLABELLED, class_ids
from ser_aae.leakage import Split, check_leakage
from ser_aae.parts import Part
from ser_aae.splits import make_split
from ser_aae.store import StoredCorpus, load_corpus
from ser_aae.utterance import Utterance


@dataclass(frozen=True)
class Assembly:
    """Everything a run knows of its data.

    Attributes:
        classes: Names of the primary task's classes, in order.
        num_classes: Task to number of classes, primary task first; what the model is built of.
        train: Parts with the primary task's labels.
        auxiliary: Parts without them, all utterances of the auxiliary corpora.
        validation: What selects the best epoch.
        test: What is scored once.
        leakage: The guard's findings, see `ser_aae.leakage`.
        digests: Corpus to the digest of its content.
        warnings: What the user should know before believing the result.
    """

    classes: tuple[str, ...]
    num_classes: dict[str, int]
    train: list[Part]
    auxiliary: list[Part]
    validation: Part
    test: Part
    leakage: dict[str, Any]
    digests: dict[str, str]
    warnings: list[str]


def assemble(config: RunConfig, store: Path) -> Assembly:
    """Read the corpora's manifests, cut the fold, number the classes.

    Raises:
        UserError: A corpus is not prepared, lacks the classes, does not fit the protocol, or
            would leak.
    """
    corpora = [load_corpus(store, name, config.frontend) for name in emotional_corpora(config)]
    others = [load_corpus(store, stored_name(name), config.frontend) for name in config.auxiliary]
    classes = choose_classes(config.classes, corpora)
    chosen = [_labelled_rows(corpus, classes) for corpus in corpora]
    utterances = [
        corpus.utterances[row] for corpus, rows in zip(corpora, chosen, strict=True) for row in rows
    ]
    protocol = replace(config.protocol, target=stored_name(config.protocol.target))
    split = make_split(utterances, protocol, protocol.seed)
    auxiliary = [utterance for corpus in others for utterance in corpus.utterances]
    leakage = check_leakage(split, utterances, auxiliary)
    train, validation, test = _place(split, chosen)
    speakers = _speakers(corpora, train, auxiliary)

    def part(corpus: StoredCorpus, rows: np.ndarray, labelled: bool = True) -> Part:
        names = [item.emotion for item in corpus.utterances] if labelled else []
        emotion = np.array(class_ids(names, classes), np.int32)
        labels = _speaker_labels(corpus.utterances, speakers)
        unlabelled = np.full(len(corpus.utterances), UNLABELLED, np.int32)
        return Part(corpus, rows, {"emotion": emotion if labelled else unlabelled, **labels})

    train_parts = [
        _hide_labels(part(corpus, rows), config)
        for corpus, rows in zip(corpora, train, strict=True)
        if len(rows)
    ]
    return Assembly(
        classes=classes,
        num_classes=_count_classes(config, classes, speakers),
        train=train_parts,
        auxiliary=[part(each, np.arange(len(each.utterances)), labelled=False) for each in others],
        validation=_only([part(c, r) for c, r in zip(corpora, validation, strict=True) if len(r)]),
        test=_only([part(c, r) for c, r in zip(corpora, test, strict=True) if len(r)]),
        leakage=leakage,
        digests={corpus.name: corpus.digest for corpus in (*corpora, *others)},
        warnings=_warnings(utterances, split, classes),
    )


def emotional_corpora(config: RunConfig) -> list[str]:
    """Return the stored names of the corpora whose emotions a run uses."""
    names = [stored_name(config.dataset)]
    if config.protocol.name == "cross-corpus":
        if not config.protocol.target:
            raise UserError(
                "cross-corpus: expected a corpus to select and test on, none is named; "
                "add --set protocol.target=NAME"
            )
        names.append(stored_name(config.protocol.target))
    return names


def choose_classes(wanted: str, corpora: Sequence[StoredCorpus]) -> tuple[str, ...]:
    """Return the classes that take part: `four`, `all`, or names with commas between.

    Raises:
        UserError: A class has no utterance in the corpora; those found are named.
    """
    found = Counter(item.emotion for corpus in corpora for item in corpus.utterances)
    found.pop("", None)
    there = ", ".join(f"{name} ({count})" for name, count in sorted(found.items())) or "none"
    if wanted == "all":
        if len(found) < 2:
            raise UserError(f"classes: expected two emotions or more in the corpus, found {there}")
        return tuple(sorted(found))
    names = FOUR if wanted == "four" else tuple(name.strip() for name in wanted.split(","))
    missing = [name for name in names if name not in found]
    if missing or len(set(names)) < max(2, len(names)):
        what = f"no utterance of {', '.join(missing)}" if missing else "fewer than two, or twice"
        raise UserError(
            f"classes: received {wanted!r}: {what}; the corpus has {there}; "
            "choose with --classes a,b,c or --classes all"
        )
    return names


def _labelled_rows(corpus: StoredCorpus, classes: tuple[str, ...]) -> np.ndarray:
    ids = np.array(class_ids([item.emotion for item in corpus.utterances], classes))
    return np.flatnonzero(ids != UNLABELLED)


def _place(split: Split, chosen: Sequence[np.ndarray]) -> tuple[list[np.ndarray], ...]:
    """Turn rows of the joined utterances into rows of each corpus, for each part."""
    first = np.cumsum([0, *(len(rows) for rows in chosen)])
    parts = []
    for rows in (split.train, split.validation, split.test):
        index = np.array(rows, np.int64)
        parts.append(
            [
                own[index[(index >= low) & (index < low + len(own))] - low]
                for own, low in zip(chosen, first, strict=False)
            ]
        )
    return tuple(parts)


def _speakers(
    corpora: Sequence[StoredCorpus], train: Sequence[np.ndarray], auxiliary: Sequence[Utterance]
) -> tuple[str, ...]:
    """Return the speakers of the speaker task: all who are trained on (decisions M13)."""
    own = {
        corpus.utterances[row].speaker
        for corpus, rows in zip(corpora, train, strict=True)
        for row in rows
    }
    return tuple(sorted(own | {item.speaker for item in auxiliary}))


def _speaker_labels(
    utterances: Sequence[Utterance], speakers: tuple[str, ...]
) -> dict[str, np.ndarray]:
    return {
        "gender": np.array(class_ids([item.gender for item in utterances], GENDERS), np.int32),
        "speaker": np.array(class_ids([item.speaker for item in utterances], speakers), np.int32),
    }


def _count_classes(
    config: RunConfig, classes: tuple[str, ...], speakers: tuple[str, ...]
) -> dict[str, int]:
    counts = {"gender": len(GENDERS), "speaker": len(speakers)}
    tasks = config.model.auxiliary_tasks if config.model.kind == "mtl" else ()
    return {"emotion": len(classes)} | {task: counts[task] for task in tasks}


def _hide_labels(part: Part, config: RunConfig) -> Part:
    """Keep the emotion of a share of the training utterances of each class (decisions T5)."""
    fraction = config.data.labelled_fraction
    if fraction >= 1:
        return part
    emotion = part.labels["emotion"].copy()
    draw = np.random.default_rng([config.seed, 5])
    for number in np.unique(emotion[part.rows]):
        rows = part.rows[emotion[part.rows] == number]
        hidden = draw.permutation(rows)[round(fraction * len(rows)) :]
        emotion[hidden] = UNLABELLED
    return Part(part.corpus, part.rows, {**part.labels, "emotion": emotion})


def _only(parts: list[Part]) -> Part:
    """Return the single part: validation and test lie in one corpus in every protocol."""
    (part,) = parts
    return part


def _warnings(utterances: Sequence[Utterance], split: Split, classes: Sequence[str]) -> list[str]:
    found = []
    test = {utterances[row].emotion for row in split.test}
    absent = [name for name in classes if name not in test]
    if absent:
        found.append(f"the test part has no utterance of {', '.join(absent)}")
    if not split.speaker_independent:
        found.append("speaker-dependent: test speakers were trained on")
    return found
