"""Cells of a table and points of a figure: the names of each, and its config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ser_aae.config import RunConfig
from ser_aae.config.fields import with_settings
from ser_aae.config.kinds import KINDS
from ser_aae.experiments.setup import Setup
from ser_aae.experiments.tuned import ALPHA, BETA
from ser_aae.labels import CLUSTERS, LEVELS

UA, WA = "unweighted_accuracy", "weighted_accuracy"

PAPERS_WEIGHTS = {
    ("categorical", "aae"): (0.4, 0.6),
    ("categorical", "ae"): (0.3, 0.7),
    ("dimensional", "aae"): (0.3, 0.7),
    ("dimensional", "ae"): (0.6, 0.4),
}
"""Alpha and beta that the paper chose on validation data (Sec. 5.1)."""


@dataclass(frozen=True)
class Cell:
    """One number of a table, or one point of a figure.

    Attributes:
        row: Name of its row, as in the paper.
        column: Name of its column; in a figure, of its line or bar.
        config: Config of fold 0 and seed 0; its other runs differ in those alone.
        score: Name of the score of a result that it shows.
        panel: Part of a figure or table it stands in, `""` where there is one part.
        x: Place on the horizontal axis, `None` in a table.
    """

    row: str
    column: str
    config: RunConfig
    score: str = UA
    panel: str = ""
    x: float | None = None


@dataclass(frozen=True)
class Artefact:
    """A table or figure.

    Attributes:
        cells: Cells in the order of the paper; none where nothing is trained.
        notes: Departures from the paper, a sentence each.
        reference: Row or column that the others beside it are tested against, `""` where
            nothing is compared.
    """

    name: str
    title: str
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    reference: str = ""


def cell_config(
    setup: Setup, dataset: str, kind: str = "mtl", own: Mapping[str, Any] | None = None
) -> RunConfig:
    """Return the config of a cell: base, budget, the paper's settings, a search's, its own.

    A model that learns from labels alone gets a corpus without emotions for a supervised stage 1
    (`training.pretraining`) alone: nothing else of it could learn from such a corpus. `own` has the
    cell's own settings by dotted name.
    """
    own = own or {}
    task = own.get("task", "emotion")
    based = setup.budget.apply(setup.base)
    model = replace(based, task=task, model=replace(setup.base.model, kind=kind))
    learns = based.is_pretrained_supervised or model.learns_from_auxiliary
    has_auxiliary = setup.auxiliary and learns
    values: dict[str, Any] = {
        "dataset": setup.stored_name(dataset),
        "auxiliary": (setup.stored_name(setup.auxiliary),) if has_auxiliary else (),
        "task": "emotion",  # whatever the base has: one taken from a search has a task too
        "seed": 0,
        "protocol.fold": 0,
        "model.kind": kind,
        # the paper trains on utterances of its classes and of the auxiliary corpus alone
        "data.unlabelled_rest": False,
        # only a model with a speaker classifier can verify: Fig. 4 asks for it
        "verification": "",
        "verification_subset": "",
    }
    if has_auxiliary:
        values |= _papers_selection(setup)
    values |= _papers_weights(setup, kind, task) | setup.tuned.settings_for(task, kind)
    config = with_settings(based, values | own)
    return replace(config, tables=setup.tables_of(config.datasets))


def stage_one_notes(setup: Setup, cells: Sequence[Cell]) -> tuple[str, ...]:
    """Return a note on a stage 1 that all models of a comparison have alike, if they have one."""
    pretrained = [cell.config for cell in cells if cell.config.auxiliary]
    if not pretrained or not all(config.is_pretrained_supervised for config in pretrained):
        return ()
    training = pretrained[0].training
    updates, epochs = training.pretraining_updates, training.pretraining_epochs
    length = f"{updates} updates" if updates else f"{epochs} epochs"
    return (
        f"Every model begins with {length} of gender and speaker classification on "
        f"{setup.title_of(pretrained[0].auxiliary[0])} alone (Sec. 4.3): the same data, loss and "
        "number of updates. Models with the encoder share the outcome; the trunk of the CNN has "
        "another shape, and an outcome of its own.",
    )


def updates_notes(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Return a note on the equal updates of all models of an artefact, if they are equal."""
    configs = [cell.config for cell in cells]
    rows = sorted({config.data.labelled_rows for config in configs})
    if 0 in rows:
        return ()
    told, room = " or ".join(map(str, rows)), configs[0].training.batch_size - rows[0]
    return (
        "Every model makes the same number of updates in an epoch of stage 2, and draws "
        f"{told} rows with a label in each of them, whatever the share of labels and the number of "
        f"auxiliary speakers. Up to {room} rows without a label come on top, for models that learn "
        "from them. Each model's own validation chooses its epoch, and its own schedule may end it "
        f"before the {configs[0].training.epochs} epochs.",
    )


def _papers_selection(setup: Setup) -> dict[str, str | int]:
    """Return the paper's choice of the auxiliary corpus, as far as the base leaves it open."""
    facts = setup.facts_of(setup.auxiliary)
    # a number of 0 is all of them, so it is no limit
    most = setup.max_auxiliary_speakers or facts.speakers
    papers = {
        "data.auxiliary_subset": facts.subset,
        "data.auxiliary_speakers": min(facts.speakers, most),
    }
    return {name: value for name, value in papers.items() if setup.leaves_to_paper(name)}


def _papers_weights(setup: Setup, kind: str, task: str) -> dict[str, float]:
    """Return the paper's alpha and beta, if the base leaves both open."""
    return stated_weights(kind, task) if setup.leaves_to_paper(ALPHA, BETA) else {}


def stated_weights(kind: str, task: str) -> dict[str, float]:
    """Return the alpha and beta that the paper states for a model, by dotted name, if it does."""
    if not KINDS[kind].reconstructs:
        return {}
    # those of gender and speaker as primary tasks are stated nowhere
    emotion = "dimensional" if task in (*LEVELS, *CLUSTERS) else "categorical"
    alpha, beta = PAPERS_WEIGHTS[emotion, KINDS[kind].family]
    return {ALPHA: alpha, BETA: beta}
