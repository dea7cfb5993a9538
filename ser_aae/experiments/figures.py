"""Figures 2 to 5 as points, and a curve that the paper does not have."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ser_aae.config import RunConfig
from ser_aae.config.kinds import KINDS
from ser_aae.experiments.cells import (
    UA,
    WA,
    Artefact,
    Cell,
    cell_config,
    stage_one_notes,
    updates_notes,
)
from ser_aae.experiments.setup import Setup, thin
from ser_aae.experiments.tables import secondary_config
from ser_aae.experiments.weight_sweeps import FIGURE_5, WEIGHT_SWEEPS

GROUPS = {
    "emotion": "categorical",
    "activation": "activation",
    "valence": "valence",
    "clusters-3": "3 clusters",
}
"""Primary task to its group of bars in Fig. 3, and to its panel in Fig. 5."""

FRACTIONS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Labelled shares of the training part in the semi-supervised experiment."""

STEPS_OF_SPEAKERS = 9
"""Fig. 4 goes from none to 900 auxiliary speakers in steps of a hundred."""


class _Reading(NamedTuple):
    """A panel of Fig. 4, in one of its readings.

    Attributes:
        title: Text over it.
        kind: `model.kind` of its models.
        own: Their task and protocol, by dotted name.
        score: Score that it shows.
        verifies: Whether its models verify speakers.
    """

    title: str
    kind: str
    own: Mapping[str, Any]
    score: str
    verifies: bool


_LOSO = {"protocol.name": "loso"}
_GENDER = {"task": "gender", "protocol.name": "speaker-kfold", "protocol.folds": 5}
"""Groups of speakers: in `loso` a single speaker, of one gender, would choose the epoch."""
_SPEAKER = {"task": "speaker", "protocol.name": "10-fold"}

_OF_EMOTION = _Reading("emotion recognition", "mtl", _LOSO, UA, verifies=True)
_SINGLE_TASKS = (
    _OF_EMOTION,
    _Reading("gender classification", "stl", _GENDER, WA, verifies=False),
    _Reading("speaker identification", "stl", _SPEAKER, WA, verifies=True),
    _Reading("speaker verification", "stl", _SPEAKER, "equal_error_rate", verifies=True),
)
_MULTITASK = (
    _OF_EMOTION,
    _Reading("gender classification", "mtl", _LOSO, "gender_accuracy", verifies=True),
    _Reading(
        *("speaker identification", "mtl", {"protocol.name": "10-fold"}, "speaker_accuracy"),
        verifies=False,
    ),
    _Reading("speaker verification", "mtl", _LOSO, "equal_error_rate", verifies=True),
)


def figure_2(setup: Setup) -> Artefact:
    """Three clusters in the valence-activation plane, of the last corpus named."""
    dataset = setup.datasets[-1]
    config = secondary_config(setup, dataset, "Both", "clusters-3")
    title = f"Three clusters of {setup.title_of(dataset)} in the valence-activation plane"
    note = {
        "corpus": "Clusters are fitted once, on the ratings of the corpus, and are every fold's.",
        "training": "Clusters are fitted on the training part of each fold, and numbered as the "
        "corpus' nearest; the centroids drawn are those of fold 0.",
    }[config.data.clusters]
    cell = Cell("clusters", setup.title_of(dataset), config)
    return Artefact("figure-2", title, (cell,), (note,))


def figure_3(setup: Setup) -> Artefact:
    """Single-task CNN, AE and AAE against the multi-task model (Sec. 5.1)."""
    cells = tuple(
        Cell(
            group,
            kind.upper(),
            cell_config(setup, dataset, kind, {"protocol.name": "loso", "task": task}),
            panel=setup.title_of(dataset),
        )
        for dataset in setup.datasets
        for task, group in GROUPS.items()
        for kind in ("cnn", "ae", "stl", "mtl")
    )
    title = "Multi-task against single-task, UA %"
    notes = (*stage_one_notes(setup, cells), *_steps_notes(setup, cells, "AE, STL and MTL"))
    return Artefact("figure-3", title, cells, notes, reference="MTL")


def figure_4(setup: Setup) -> Artefact:
    """Four scores against the number of auxiliary speakers (Sec. 6.2).

    Gender and speaker are of models of that task alone, as the paper has it.
    """
    cells = _speakers_cells(setup, _SINGLE_TASKS)
    notes = (
        "Panels (b) to (d) are computed in the single tasks, as the paper has it (Sec. 6.2): the "
        f"one task of the model ({KINDS['stl'].title}) is gender or speaker, and its epoch is "
        "chosen by the validation UA of that task. figure-4-multitask has the other reading, the "
        "multi-task model, whose epoch is chosen by the emotion. Both show the share of utterances "
        "that are right (WA).",
        "Gender and speaker are trained and tested on all utterances, whatever their emotion. "
        "Speakers can be identified only where they were trained on: (c) is 10-fold, and (d) is of "
        "the same models. Gender is tested on five groups of speakers: with one left out, a single "
        "other speaker, of one gender, would choose the epoch.",
        *_verification_notes(setup),
        *_speakers_notes(setup, cells),
    )
    return Artefact("figure-4", "More auxiliary speakers", cells, notes, reference="0")


def figure_4_multitask(setup: Setup) -> Artefact:
    """Fig. 4 in its other reading: all four scores are of the multi-task model."""
    cells = _speakers_cells(setup, _MULTITASK)
    notes = (
        "All panels are of the multi-task model, whose epoch is chosen by the emotion; the paper "
        "measures gender and speakers on models of that task alone, as figure-4 does.",
        "Speakers can be identified only where they were trained on: that panel is 10-fold, the "
        "others leave one speaker out.",
        *_verification_notes(setup),
        *_speakers_notes(setup, cells),
    )
    title = "More auxiliary speakers, in the multi-task model"
    return Artefact("figure-4-multitask", title, cells, notes, reference="0")


def figure_5(setup: Setup) -> Artefact:
    """UA against alpha, then against beta (Sec. 6.3)."""
    cells = tuple(
        Cell(
            f"{sweep.varied} {x:g}",
            f"{setup.title_of(dataset)}, {sweep.varied}",
            cell_config(
                setup,
                dataset,
                own={"protocol.name": "loso", "task": task}
                | {f"model.{name}": value for name, value in sweep.point(x).items()},
            ),
            panel=GROUPS[task],
            x=x,
        )
        for task in ("emotion", "activation", "valence")
        for dataset in setup.datasets
        for sweep in WEIGHT_SWEEPS
        for x in thin(sweep.values, setup.budget.points)
    )
    return Artefact(FIGURE_5, "Weights alpha and beta, UA %", cells, updates_notes(cells))


def semi_supervised(setup: Setup) -> Artefact:
    """UA against the share of training utterances that keep their emotion."""
    loso = {"protocol.name": "loso"}
    cells = tuple(
        Cell(
            f"{fraction:g}",
            KINDS[kind].title,
            cell_config(setup, dataset, kind, loso | {"data.labelled_fraction": fraction}),
            panel=setup.title_of(dataset),
            x=fraction,
        )
        for dataset in setup.datasets
        for kind in ("cnn", "mtl")
        for fraction in thin(FRACTIONS, setup.budget.points)
    )
    title = "UA % against the labelled share"
    notes = (
        "Labels are hidden in the training part alone. Validation keeps all of its own at every "
        "share and chooses the epoch by them: more labels than there would be where few are.",
        f"{KINDS['cnn'].title} trains on the labelled utterances alone, in as many steps at every "
        "share.",
        *stage_one_notes(setup, cells),
        *_steps_notes(setup, cells, KINDS["mtl"].title),
    )
    return Artefact("semi-supervised", title, cells, notes, reference=KINDS["mtl"].title)


def _steps_notes(setup: Setup, cells: Sequence[Cell], others: str) -> tuple[str, ...]:
    """Return a note on the updates of the models of a comparison, equal to the CNN's or beyond."""
    if equal := updates_notes(cells):
        return equal
    mixed = [
        cell.config
        for cell in cells
        if cell.config.auxiliary and not cell.config.learns_from_labels_alone
    ]
    if not mixed:
        return ()
    shares = sorted({config.data.auxiliary_ratio for config in mixed})
    told = " or ".join(f"{share:.0%}" for share in shares)
    return (
        f"Models differ in their number of updates. {KINDS['cnn'].title} gets no speech without "
        f"emotions in stage 2; {others} take {told} of each batch of stage 2 from "
        f"{setup.title_of(mixed[0].auxiliary[0])}, so that an epoch, which visits each emotional "
        f"segment once, has about {' or '.join(f'{1 / (1 - s):.2g}' for s in shares)} times as "
        f"many steps, after {mixed[0].training.pretraining_epochs} epochs of stage 1.",
    )


def _speakers_notes(setup: Setup, cells: Sequence[Cell]) -> tuple[str, ...]:
    """Return notes on what the points differ in, beside their auxiliary speakers."""
    updates, equal = cells[-1].config.training.pretraining_updates, updates_notes(cells)
    if not setup.auxiliary:
        return equal
    if not (updates and equal):
        return (
            "Points differ in more than speakers: 0 has no stage 1, and an epoch has more steps "
            "where there are more speakers.",
        )
    return (
        f"Points differ in auxiliary speakers alone: stage 1 makes {updates} updates each; at 0, "
        "without auxiliary speech, on speakers and genders of the fold's own training part.",
        *equal,
    )


def _verification_notes(setup: Setup) -> tuple[str, ...]:
    if not setup.auxiliary:
        return ()
    verified, subset = _verification_corpus(setup)
    where = f"{setup.title_of(verified)} ({subset})" if subset else setup.title_of(verified)
    if not setup.base.verification_test_part:
        return (
            "The paper enrols and verifies LibriSpeech's test speakers together with the test sets "
            f"of IEMOCAP or MSP-IMPROV; here those of {where} alone are. So the lines of the last "
            "panel differ in what the models were trained on, and not in whom they verify.",
        )
    return (
        f"As in the paper the speakers of {where} are verified together with the test part (Sec. "
        "5). In leave-one-speaker-out that is one speaker, who is tried against those of the other "
        "corpus: its recordings are told apart more easily than voices. A speaker of the test part "
        f"without more than {_enrolment(setup)} utterances is left out.",
    )


def _enrolment(setup: Setup) -> int:
    return setup.budget.apply(setup.base).enrolment_utterances


def _speakers_cells(setup: Setup, readings: Sequence[_Reading]) -> tuple[Cell, ...]:
    most = setup.max_auxiliary_speakers
    steps = {most * step // STEPS_OF_SPEAKERS for step in range(STEPS_OF_SPEAKERS + 1)}
    return tuple(
        Cell(
            str(count),
            setup.title_of(dataset),
            _speakers_config(setup, dataset, count, reading),
            reading.score,
            reading.title,
            float(count),
        )
        for reading in readings
        for dataset in setup.datasets
        for count in thin(sorted(steps), setup.budget.points)
    )


def _speakers_config(setup: Setup, dataset: str, count: int, reading: _Reading) -> RunConfig:
    own: dict[str, Any] = {**reading.own, "data.auxiliary_speakers": count}
    if reading.verifies and setup.auxiliary:
        own["verification"], own["verification_subset"] = _verification_corpus(setup)
    if not count:
        own["auxiliary"] = ()  # a number of 0 would be all of them
        if setup.auxiliary and setup.budget.apply(setup.base).training.pretraining_steps:
            own["training.pretraining_data"] = "training"
    return cell_config(setup, dataset, reading.kind, own)


def _verification_corpus(setup: Setup) -> tuple[str, str]:
    """Return the corpus whose speakers are verified, and the subset of it."""
    verified = setup.base.verification or setup.stored_name(setup.auxiliary)
    if setup.leaves_to_paper("verification_subset"):
        return verified, setup.facts_of(verified).verification_subset
    return verified, setup.base.verification_subset
