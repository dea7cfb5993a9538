"""The cells of a table and the points of a figure: what each is called, and its config."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ser_aae.config import RunConfig
from ser_aae.config.fields import with_settings
from ser_aae.config.kinds import KINDS
from ser_aae.experiments.setup import ALPHA, BETA, Setup, leaves_weights_open

UA, WA = "unweighted_accuracy", "weighted_accuracy"


WEIGHTS = {
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
        row: What its row is called, as in the paper.
        column: What its column is called; in a figure, its line or bar.
        config: Of fold 0 and seed 0; the others differ in those alone.
        figure: Which of the figures of a result it shows.
        panel: Part of a figure or table it stands in, `""` where there is one part.
        x: Where it stands on the horizontal axis, `None` in a table.
    """

    row: str
    column: str
    config: RunConfig
    figure: str = UA
    panel: str = ""
    x: float | None = None


@dataclass(frozen=True)
class Artefact:
    """A table or figure.

    Attributes:
        name: `"table-3"`, `"figure-5"`.
        title: What it shows.
        cells: In the order of the paper; none where nothing is trained for it.
        notes: Where it departs from the paper, a sentence each.
        reference: The row or column that the others beside it are tested against, `""` where
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
    """Return the config of a cell: the setup's base, its budget, what a search chose, its own.

    Args:
        setup: Base, auxiliary corpus and budget.
        dataset: The corpus.
        kind: One of `ser_aae.config.kinds.KINDS`. One that learns from labels alone gets no corpus
            without emotions: nothing of it could learn from that.
        own: The cell's own settings by dotted name.
    """
    own = own or {}
    model = replace(setup.base.model, kind=kind)
    has_auxiliary = setup.auxiliary and not model.learns_from_labels_alone
    values: dict[str, Any] = {
        "dataset": setup.stored_name(dataset),
        "auxiliary": (setup.stored_name(setup.auxiliary),) if has_auxiliary else (),
        # what an experiment is about, its cell says: a base taken from a search has a task too
        "task": "emotion",
        "seed": 0,
        "protocol.fold": 0,
        "model.kind": kind,
        # the paper has utterances of its classes and the auxiliary corpus, and no others
        "data.unlabelled_rest": False,
        # only a model with a speaker classifier can verify: Fig. 4 asks for it by itself
        "verification": "",
        "verification_subset": "",
    }
    if has_auxiliary:
        values |= _selected(setup)
    task = own.get("task", "emotion")
    values |= _paper_weights(setup, kind, task) | setup.tuned.settings_for(task, kind)
    config = with_settings(setup.budget.apply(setup.base), values | own)
    return replace(config, tables=setup.tables_of(config.datasets))


def _selected(setup: Setup) -> dict[str, str | int]:
    """Return what is taken of the auxiliary corpus: as the base says, else as the paper says."""
    paper = setup.facts_of(setup.auxiliary)
    # a number of 0 is all of them, so it is no limit
    most = setup.max_auxiliary_speakers or paper.speakers
    papers = {
        "data.auxiliary_subset": paper.subset,
        "data.auxiliary_speakers": min(paper.speakers, most),
    }
    return {key: setup.given_or(key, value) for key, value in papers.items()}


def _paper_weights(setup: Setup, kind: str, task: str) -> dict[str, float]:
    """Return the paper's alpha and beta, if the base follows the paper and leaves them open."""
    if not leaves_weights_open(setup.base) or setup.decisive & {ALPHA, BETA}:
        return {}
    if not KINDS[kind].reconstructs:
        return {}
    emotion = "categorical" if task == "emotion" else "dimensional"
    alpha, beta = WEIGHTS[emotion, KINDS[kind].family]
    return {ALPHA: alpha, BETA: beta}
