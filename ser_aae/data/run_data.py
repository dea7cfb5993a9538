"""Data of a run: from a config and a store to the parts that train, validate and test.

Split, classes and labels are in the rows of one pool, the utterances of the emotional corpora that
take part. The rest of the training speakers and the auxiliary speakers, who train without a label
of the primary task, have a pool of their own each.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ser_aae.config import ProtocolConfig, RunConfig
from ser_aae.data.auxiliary_speakers import choose_speakers
from ser_aae.data.fold_checks import (
    check_classes,
    warn_of_classes,
    warn_of_genders,
    warn_of_unknown_speakers,
    warn_of_untrained,
)
from ser_aae.data.labelled_share import training_parts
from ser_aae.data.part import Part, Pool
from ser_aae.data.targets import (
    Target,
    fit_to_training,
    make_target,
    may_train_unlabelled,
    number_speakers,
    select_pool,
)
from ser_aae.errors import UserError
from ser_aae.labels import AUXILIARY, GENDERS, UNLABELLED, VOICE_TASKS, class_ids
from ser_aae.protocols.copies import Copies, is_kept, judge_copies, leave_out
from ser_aae.protocols.leakage import PARTS, Split, check_leakage, shared_voices
from ser_aae.protocols.partitions import lets_train
from ser_aae.protocols.sentences import warn_of_sentences
from ser_aae.protocols.spellings import warn_of_spellings
from ser_aae.protocols.splits import cut_split, num_folds
from ser_aae.store.corpus import StoredCorpus, load_named
from ser_aae.store.sounds import NO_SOUNDS
from ser_aae.utterance import Utterance, known_speakers


class DataSets(NamedTuple):
    """Data sets that a config needs, by role, as the config names them.

    Attributes:
        emotional: Corpora of the primary task, which are parted into folds.
        auxiliary: Corpora that train the other tasks.
        verification: Corpus whose speakers are verified, or none.
    """

    emotional: tuple[str, ...]
    auxiliary: tuple[str, ...]
    verification: tuple[str, ...]


@dataclass(frozen=True)
class RunData:
    """Data of a run.

    Attributes:
        target: The primary task: its name, its classes, its labels.
        num_classes: Task to number of classes, the primary task first.
        untrained: Tasks of which no training utterance has a label, so that their classifiers are
            as they were drawn, and are not listened to.
        speakers: Classes of the speaker task, in the order of their numbers.
        train: Parts with the primary task's labels.
        unlabelled: Parts of the same corpora without labels: of hidden ones, where rows with a
            label are drawn by themselves (`data.labelled_rows`), and `data.unlabelled_rest`.
        auxiliary: Parts of the auxiliary corpora, with labels of gender and speaker alone.
        mixed_auxiliary: Those of them that are mixed into the batches of stage 2: all, or none.
        validation: Part that selects the best epoch.
        test: Part that is scored once.
        leakage: The guard's findings, see `ser_aae.protocols.leakage`; how many of the training
            utterances have no label of the primary task; and how many utterances are copies.
        digests: Corpus to the digest of its content.
        warnings: Sentences that lessen the worth of the result.
    """

    target: Target
    num_classes: dict[str, int]
    untrained: tuple[str, ...]
    speakers: tuple[str, ...]
    train: list[Part]
    unlabelled: list[Part]
    auxiliary: list[Part]
    mixed_auxiliary: list[Part]
    validation: Part
    test: Part
    leakage: dict[str, Any]
    digests: dict[str, str]
    warnings: list[str]

    @property
    def mixed(self) -> list[Part]:
        """Parts that are mixed into the batches of stage 2."""
        return [*self.unlabelled, *self.mixed_auxiliary]

    @property
    def pretraining(self) -> list[Part]:
        """Parts of a stage 1: auxiliary ones, or the training parts of a run without them."""
        return self.auxiliary or [*self.train, *self.unlabelled]

    @property
    def heard(self) -> list[Part]:
        """Parts that the model is trained on or selected by."""
        return [*self.train, *self.unlabelled, *self.auxiliary, self.validation]

    @property
    def parts(self) -> list[Part]:
        """All parts."""
        return [*self.heard, self.test]


def assemble(config: RunConfig, store: Path) -> RunData:
    """Read the corpora's manifests, cut the fold, number the classes.

    Raises:
        UserError: A corpus is not prepared or not known by its sound, lacks the classes, does not
            fit the protocol, or would leak; or a class is tested and not trained.
    """
    pool, target, split, rest, auxiliary, copies = _cut(config, store)
    leakage = check_leakage(split, pool.utterances, auxiliary.utterances, rest.utterances)
    target = fit_to_training(config, pool, target, split.train)
    of_classes = check_classes(config.protocol, target, split)
    trained = [*(pool.utterances[row] for row in split.train), *auxiliary.utterances]
    speakers = _number_speakers(config, trained)
    target = number_speakers(target, pool, speakers)
    labels = _make_labels(pool, target.task, target.numbers, speakers)
    train, hidden = training_parts(pool.parts(labels, split.train), config)
    validation, test = (pool.part(labels, rows) for rows in (split.validation, split.test))
    unlabelled, auxiliary_parts = (
        each.parts(_make_labels(each, target.task, UNLABELLED, speakers))
        for each in (rest, auxiliary)
    )
    unlabelled = [*hidden, *unlabelled]
    train, unlabelled, mixed_auxiliary = _mark_rows(config, train, unlabelled, auxiliary_parts)
    untrained = _find_untrained(config.tasks, [*train, *unlabelled, *auxiliary_parts])
    return RunData(
        target=target,
        num_classes=_count_classes(config, target, speakers),
        untrained=untrained,
        speakers=speakers,
        train=train,
        unlabelled=unlabelled,
        auxiliary=auxiliary_parts,
        mixed_auxiliary=mixed_auxiliary,
        validation=validation,
        test=test,
        leakage=_count_labels(leakage, train, target.task) | {"copies": copies.counts()},
        digests={corpus.name: corpus.digest for corpus in (*pool.corpora, *auxiliary.corpora)},
        warnings=[
            *_warn([*train, *unlabelled], validation, test, leakage, of_classes),
            *copies.warnings(),
            *warn_of_untrained(untrained),
            *_tell_spellings(*train, *unlabelled, *auxiliary_parts, validation, test),
        ],
    )


def _count_labels(leakage: dict[str, Any], train: Sequence[Part], task: str) -> dict[str, Any]:
    """Return the guard's findings with the number of training utterances without a label."""
    counts = leakage["utterances"]
    labelled = sum(len(part.labelled(task).rows) for part in train)
    return leakage | {"utterances": counts | {"unlabelled": counts["train"] - labelled}}


def require_sounds(config: RunConfig, corpora: Iterable[StoredCorpus]) -> None:
    """Refuse a corpus whose recordings are known by their names alone.

    Raises:
        UserError: An earlier version prepared a corpus, and kept no digests of its sound.
    """
    for corpus in corpora:
        if not corpus.has_sounds:
            words = ["ser-aae", "prepare", "--dataset", config.advised_name(corpus.name)]
            raise UserError(
                f"{corpus.folder}: {NO_SOUNDS}; where its recordings are, run: "
                f"{shlex.join([*words, '--store', str(corpus.folder.parent)])}, which reads them "
                "again and leaves the spectrograms as they are"
            )


class _Cut(NamedTuple):
    """The utterances of a run.

    These are the pool with its classes and its split, the rest, the auxiliary speakers, copies.
    """

    pool: Pool
    target: Target
    split: Split
    rest: Pool
    auxiliary: Pool
    copies: Copies


def _cut(config: RunConfig, store: Path) -> _Cut:
    """Cut the fold, and leave out what may not take part of the recordings that are there twice."""
    pool, auxiliary = read_pool(config, store), _draw_auxiliary_speakers(config, store)
    corpora = [*pool.corpora, *auxiliary.corpora]
    require_sounds(config, corpora)
    target, protocol = make_target(config, pool), name_stored_target(config)
    split = cut_split(pool.utterances, protocol, protocol.seed, target.numbers.tolist())
    rest = _find_unlabelled_rest(config, pool, split)
    parts = {part: [pool.utterances[row] for row in getattr(split, part)] for part in PARTS}
    parts["train"] += rest.utterances
    parts["auxiliary"] = list(auxiliary.utterances)
    copies = judge_copies(parts, [corpus.utterances for corpus in corpora])
    split = leave_out(split, pool.utterances, copies)
    others = (_leave_out_of(rest, copies), _leave_out_of(auxiliary, copies))
    return _Cut(pool, target, split, *others, copies)


def _leave_out_of(pool: Pool, copies: Copies) -> Pool:
    """Return a pool without the utterances that are left out."""
    kept = [
        members[[is_kept(corpus.utterances[row], copies) for row in members]]
        if len(members)
        else members
        for corpus, members in zip(pool.corpora, pool.members, strict=True)
    ]
    return Pool(pool.corpora, tuple(kept))


def needed_data_sets(config: RunConfig) -> DataSets:
    """Return the data sets that a run reads.

    Raises:
        UserError: The protocol is `cross-corpus` and no target is named.
    """
    emotional = config.emotional
    if config.protocol.name == "cross-corpus":
        if not config.protocol.target:
            raise UserError(
                "cross-corpus: expected a corpus to select and test on, none is named; "
                "add --set protocol.target=NAME"
            )
        emotional = (*config.emotional, config.protocol.target)
    verification = (config.verification,) if config.verification else ()
    return DataSets(emotional, config.auxiliary, verification)


def read_corpora(config: RunConfig, data_sets: Iterable[str], store: Path) -> list[StoredCorpus]:
    """Read the manifests of data sets that a config names.

    Raises:
        UserError: One is not prepared, or its files are damaged.
    """
    return [load_named(config, store, name) for name in data_sets]


def read_pool(config: RunConfig, store: Path) -> Pool:
    """Read the utterances of the emotional corpora that take part, which are parted into folds.

    Raises:
        UserError: A corpus is not prepared, or lacks the classes.
    """
    names = needed_data_sets(config).emotional
    return select_pool(config, read_corpora(config, names, store))


def name_stored_target(config: RunConfig) -> ProtocolConfig:
    """Return a run's protocol, which names its target as the utterances in the store do."""
    return replace(config.protocol, target=config.stored_name(config.protocol.target))


def count_folds(config: RunConfig, store: Path) -> int:
    """Return how many folds the protocol has on the prepared corpora.

    Raises:
        UserError: A corpus is not prepared, lacks the classes, or does not fit the protocol.
    """
    utterances = read_pool(config, store).utterances
    return num_folds(utterances, name_stored_target(config))


def _find_unlabelled_rest(config: RunConfig, pool: Pool, split: Split) -> Pool:
    """Return utterances outside the classes, of speakers who are trained on and not evaluated on.

    None is of a file that is evaluated on. Published lists name all that is trained on: beside
    them there is no rest.
    """
    is_listed = config.protocol.name == "folds"
    # who speaks is known of every utterance: a task of voices leaves no rest
    has_rest = config.data.unlabelled_rest and config.task not in VOICE_TASKS
    if not has_rest or config.learns_from_labels_alone or is_listed:
        return Pool((), ())
    evaluated = [pool.utterances[row] for row in (*split.validation, *split.test)]
    speakers = known_speakers(pool.utterances[row] for row in split.train)
    speakers -= known_speakers(evaluated)
    files = {(item.corpus, item.path) for item in evaluated}
    rest = []
    for corpus, members in zip(pool.corpora, pool.members, strict=True):
        may_train = may_train_unlabelled(config, corpus) & [
            item.speaker in speakers
            and (item.corpus, item.path) not in files
            and lets_train(item, config.protocol)
            for item in corpus.utterances
        ]
        rest.append(np.setdiff1d(np.flatnonzero(may_train), members))
    return Pool(pool.corpora, tuple(rest))


def _draw_auxiliary_speakers(config: RunConfig, store: Path) -> Pool:
    data, seed = config.data, config.protocol.seed
    corpora = read_corpora(config, needed_data_sets(config).auxiliary, store)
    members = [
        choose_speakers(corpus.utterances, data.auxiliary_subset, data.auxiliary_speakers, seed)
        for corpus in corpora
    ]
    return Pool(tuple(corpora), tuple(members))


def _mark_rows(config: RunConfig, *parts: list[Part]) -> tuple[list[Part], list[Part], list[Part]]:
    """Return training, unlabelled and auxiliary parts as stage 2 takes them.

    Where auxiliary rows take part in fewer phases (`training.auxiliary_phases`) they are told from
    the others, and are left out where none of their phases is left: a model without a task of
    voices has nothing to learn of them.
    """
    train, unlabelled, auxiliary = parts
    if not config.learns_from_auxiliary:
        return train, unlabelled, []
    if config.training.auxiliary_phases == "all" or not auxiliary:
        return train, unlabelled, auxiliary
    if not config.voice_tasks:
        return train, unlabelled, []
    own = ([part.marked(AUXILIARY, 0) for part in each] for each in (train, unlabelled))
    return *own, [part.marked(AUXILIARY, 1) for part in auxiliary]


def _number_speakers(config: RunConfig, trained: Iterable[Utterance]) -> tuple[str, ...]:
    """Return the classes of the speaker task: all known who train, in any corpus (M13).

    Raises:
        UserError: The model has the task, and nobody is known.
    """
    speakers = tuple(sorted(known_speakers(trained)))
    if not speakers and "speaker" in config.voice_tasks:
        raise UserError(
            "speaker: expected a training utterance whose speaker is known, found none; leave the "
            "task out with --set model.auxiliary_tasks=gender"
        )
    return speakers


def _make_labels(
    pool: Pool, task: str, numbers: np.ndarray | int, speakers: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Return class numbers of all tasks, those of a task of emotions as they are given."""
    genders = class_ids([item.gender for item in pool.utterances], GENDERS)
    voices = class_ids([item.speaker for item in pool.utterances], speakers)
    return {
        task: np.broadcast_to(np.int32(numbers), len(pool.utterances)),
        "gender": np.array(genders, np.int32),
        "speaker": np.array(voices, np.int32),
    }


def _count_classes(config: RunConfig, target: Target, speakers: tuple[str, ...]) -> dict[str, int]:
    counts = {"gender": len(GENDERS), "speaker": len(speakers)}
    return {target.task: len(target.classes)} | {task: counts[task] for task in config.tasks}


def _find_untrained(tasks: Sequence[str], train: Sequence[Part]) -> tuple[str, ...]:
    """Return the tasks of which no row of the parts has a label."""
    return tuple(task for task in tasks if not any(len(part.labelled(task).rows) for part in train))


def _tell_spellings(*parts: Part) -> list[str]:
    """Return sentences on speakers who may be one person, also those of several tables."""
    return warn_of_spellings(item for part in parts for item in part.utterances)


def _warn(
    train: Sequence[Part],
    validation: Part,
    test: Part,
    leakage: dict[str, Any],
    of_classes: Mapping[str, Mapping[str, int]],
) -> list[str]:
    """Return sentences that lessen the worth of a result; `train` is without auxiliary corpora."""
    found = []
    total = leakage["utterances"]["train"]
    left_out = total - sum(len(part.rows) for part in train)
    if left_out:
        found.append(f"{left_out} of {total} training utterances have no label and are left out")
    utterances = {
        part: [item for each in parts for item in each.utterances]
        for part, parts in zip(PARTS, (train, [validation], [test]), strict=True)
    }
    found += warn_of_classes(of_classes) + warn_of_genders(utterances)
    found += warn_of_unknown_speakers(utterances)
    found += warn_of_sentences(leakage)
    voices = shared_voices(leakage)
    if voices:
        found.append(voices)
    if leakage["shared_sound"]:
        found.append(
            "pairs of utterances that share sound and lie in different parts: "
            f"{leakage['shared_sound']}"
        )
    return found
