"""From a config and a store to what a run trains, validates and tests on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.labels import GENDERS, UNLABELLED, class_ids
from ser_aae.leakage import Split, check_leakage, shared_voices
from ser_aae.parts import Part
from ser_aae.selection import choose_speakers
from ser_aae.splits import make_split
from ser_aae.store import StoredCorpus, load_named
from ser_aae.supervision import count_unlabelled, left_out, training_parts
from ser_aae.targets import Target, make_target, may_train_unlabelled, taking_part
from ser_aae.utterance import Utterance


@dataclass(frozen=True)
class Assembly:
    """Everything a run knows of its data.

    Attributes:
        target: The primary task: its name, its classes, its labels.
        num_classes: Task to number of classes, primary task first; what the model is built of.
        speakers: Of the speaker task, in the order of their class numbers.
        train: Parts with the primary task's labels.
        unlabelled: Parts of the same corpora without them (`data.unlabelled_rest`).
        auxiliary: Parts without them, all utterances of the auxiliary corpora.
        validation: What selects the best epoch.
        test: What is scored once.
        leakage: The guard's findings, see `ser_aae.leakage`, and how many of the training
            utterances have no label of the primary task.
        digests: Corpus to the digest of its content.
        warnings: What the user should know before believing the result.
    """

    target: Target
    num_classes: dict[str, int]
    speakers: tuple[str, ...]
    train: list[Part]
    unlabelled: list[Part]
    auxiliary: list[Part]
    validation: Part
    test: Part
    leakage: dict[str, Any]
    digests: dict[str, str]
    warnings: list[str]

    @property
    def mixed(self) -> list[Part]:
        """What is mixed into the batches of stage 2."""
        return [*self.unlabelled, *self.auxiliary]

    @property
    def parts(self) -> list[Part]:
        """Everything that takes part."""
        return [*self.train, *self.mixed, self.validation, self.test]


def assemble(config: RunConfig, store: Path) -> Assembly:
    """Read the corpora's manifests, cut the fold, number the classes.

    Raises:
        UserError: A corpus is not prepared, lacks the classes, does not fit the protocol, or
            would leak.
    """
    corpora = [load_named(config, store, name) for name in emotional_corpora(config)]
    others = [load_named(config, store, name) for name in config.auxiliary]
    chosen = taking_part(config, corpora)
    utterances = _take(corpora, chosen)
    split = _cut(utterances, config)
    drawn = [_auxiliary_rows(config, corpus) for corpus in others]
    auxiliary = _take(others, drawn)
    train, validation, test = _place(split, chosen)
    target = make_target(config, corpora, train, chosen)
    rest = _unlabelled_rest(config, corpora, chosen, split)
    split, utterances = _train_more(split, utterances, _take(corpora, rest))
    leakage = check_leakage(split, utterances, auxiliary)
    speakers = _speakers(corpora, train, auxiliary)
    labels = [
        {target.task: numbers} | _speaker_labels(corpus.utterances, speakers)
        for corpus, numbers in zip(corpora, target.numbers, strict=True)
    ]

    def parts(rows: Sequence[np.ndarray]) -> list[Part]:
        return [Part(*each) for each in zip(corpora, rows, labels, strict=True) if len(each[1])]

    training, unlabelled = training_parts(parts(train), config), parts(rest)
    leakage["utterances"]["unlabelled"] = count_unlabelled(split, training, target.task)
    return Assembly(
        target=target,
        num_classes=_count_classes(config, target, speakers),
        speakers=speakers,
        train=training,
        unlabelled=unlabelled,
        auxiliary=[
            _auxiliary_part(*each, target, speakers) for each in zip(others, drawn, strict=True)
        ],
        validation=_only(parts(validation)),
        test=_only(parts(test)),
        leakage=leakage,
        digests={corpus.name: corpus.digest for corpus in (*corpora, *others)},
        warnings=left_out(split, [*training, *unlabelled])
        + _warnings(config, parts(test), target, leakage),
    )


def emotional_corpora(config: RunConfig) -> list[str]:
    """Return the stored names of the corpora whose emotions a run uses."""
    names = [config.stored_name(config.dataset)]
    if config.protocol.name == "cross-corpus":
        if not config.protocol.target:
            raise UserError(
                "cross-corpus: expected a corpus to select and test on, none is named; "
                "add --set protocol.target=NAME"
            )
        names.append(config.stored_name(config.protocol.target))
    return names


def _cut(utterances: Sequence[Utterance], config: RunConfig) -> Split:
    protocol = config.protocol
    named = replace(protocol, target=config.stored_name(protocol.target))
    return make_split(utterances, named, protocol.seed)


def _take(corpora: Sequence[StoredCorpus], rows: Sequence[np.ndarray]) -> list[Utterance]:
    return [c.utterances[row] for c, own in zip(corpora, rows, strict=True) for row in own]


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


def _unlabelled_rest(
    config: RunConfig,
    corpora: Sequence[StoredCorpus],
    chosen: Sequence[np.ndarray],
    split: Split,
) -> list[np.ndarray]:
    """Return the rows outside the classes of those speakers who are trained on and no more.

    None of a file that is evaluated on; and none beside published lists, which name all that is
    trained on.
    """
    is_listed = config.protocol.name == "folds"
    if not config.data.unlabelled_rest or config.model.learns_from_labels_alone or is_listed:
        return [np.array([], np.int64) for _ in corpora]
    utterances = _take(corpora, chosen)
    evaluated = [utterances[row] for row in (*split.validation, *split.test)]
    speakers = {utterances[row].speaker for row in split.train}
    speakers -= {item.speaker for item in evaluated}
    files = {(item.corpus, item.path) for item in evaluated}
    rest = []
    for corpus, rows in zip(corpora, chosen, strict=True):
        is_heard = np.array(
            [
                item.speaker in speakers and (item.corpus, item.path) not in files
                for item in corpus.utterances
            ]
        )
        may = is_heard & may_train_unlabelled(config, corpus)
        rest.append(np.setdiff1d(np.flatnonzero(may), rows))
    return rest


def _train_more(
    split: Split, utterances: list[Utterance], more: list[Utterance]
) -> tuple[Split, list[Utterance]]:
    """Return a split and its utterances with others added to the training part."""
    rows = range(len(utterances), len(utterances) + len(more))
    return replace(split, train=(*split.train, *rows)), utterances + more


def _auxiliary_rows(config: RunConfig, corpus: StoredCorpus) -> np.ndarray:
    """Return the rows of an auxiliary corpus that train: of a subset, of speakers drawn."""
    data = config.data
    return choose_speakers(
        corpus.utterances, data.auxiliary_subset, data.auxiliary_speakers, config.protocol.seed
    )


def _auxiliary_part(
    corpus: StoredCorpus, rows: np.ndarray, target: Target, speakers: tuple[str, ...]
) -> Part:
    """Return rows without a label of the primary task, whatever the corpus says of them."""
    none = np.full(len(corpus.utterances), UNLABELLED, np.int32)
    labels = {target.task: none} | _speaker_labels(corpus.utterances, speakers)
    return Part(corpus, rows, labels)


def _count_classes(config: RunConfig, target: Target, speakers: tuple[str, ...]) -> dict[str, int]:
    counts = {"gender": len(GENDERS), "speaker": len(speakers)}
    return {target.task: len(target.classes)} | {task: counts[task] for task in config.model.tasks}


def _only(parts: list[Part]) -> Part:
    """Return the single part: validation and test lie in one corpus in every protocol."""
    (part,) = parts
    return part


def _warnings(
    config: RunConfig, test: Sequence[Part], target: Target, leakage: dict[str, Any]
) -> list[str]:
    found = []
    numbers = {int(n) for part in test for n in part.labels[config.task][part.rows]}
    absent = [name for number, name in enumerate(target.classes) if number not in numbers]
    if absent:
        found.append(f"the test part has no utterance of {', '.join(absent)}")
    voices = shared_voices(leakage)
    if voices:
        found.append(voices)
    if leakage["shared_sound"]:
        found.append(
            "pairs of utterances that share sound and lie in different parts: "
            f"{leakage['shared_sound']}"
        )
    return found
