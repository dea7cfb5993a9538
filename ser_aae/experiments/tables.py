"""Tables 2 to 6 as cells, and a table on a corpus that is free to have."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ser_aae.config import RunConfig
from ser_aae.config.datasets import given_path
from ser_aae.config.kinds import KINDS
from ser_aae.errors import UserError
from ser_aae.experiments.cells import UA, WA, Artefact, Cell, cell_config, stage_one_notes
from ser_aae.experiments.setup import Setup

SECONDARY: Mapping[str, tuple[str, ...]] = {
    "None": (),
    "Gender": ("gender",),
    "Speaker": ("speaker",),
    "Both": ("gender", "speaker"),
}
"""Row of Tables 5 and 6 to the auxiliary tasks; `None` is the single-task model."""

DIMENSIONS = {
    "activation": "Activation",
    "valence": "Valence",
    "clusters-3": "3 clusters",
    "clusters-5": "5 clusters",
}
PARTS = {
    "individual levels": ("activation", "valence"),
    "joint activation-valence space": ("clusters-3", "clusters-5"),
}
"""The halves of Table 6."""

_ACCURACIES = (("WA", WA), ("UA", UA))

_RAVDESS_KINDS = ("cnn", "ae", "stl", "mtl")

_NOTE_ON_NONE = "The row None is not in the paper's table; it is the single-task model of Table 3."


def table_2(_setup: Setup) -> Artefact:
    """Levels of activation and valence: counted on the corpora, nothing is trained."""
    return Artefact("table-2", "Three levels of activation and valence", ())


def table_3(setup: Setup) -> Artefact:
    """Models under 10-fold cross-validation and leave-one-speaker-out (Sec. 5.2)."""
    rows = (
        *(("10-fold", kind) for kind in ("cnn-mtl", "ae-mtl", "mtl")),
        *(("loso", kind) for kind in ("mtl", "stl")),
    )
    cells = tuple(
        Cell(
            KINDS[kind].title,
            setup.title_of(dataset),
            cell_config(setup, dataset, kind, {"protocol.name": protocol}),
            panel=protocol,
        )
        for protocol, kind in rows
        for dataset in setup.datasets
    )
    title = "Categorical emotions, UA %"
    notes = stage_one_notes(setup, cells)
    return Artefact("table-3", title, cells, notes, reference=KINDS["mtl"].title)


def table_4(setup: Setup) -> Artefact:
    """Trained on the first corpus, tested on the second (Sec. 5.3).

    Raises:
        UserError: There is one corpus.
    """
    if len(setup.datasets) < 2:
        raise UserError(
            f"table-4: expected two corpora, trained on and tested on, got {setup.datasets[0]}"
        )
    source, target = setup.datasets[:2]
    own = setup.stored_name(target)
    # an alias stays as it is typed: the digests of stored runs are made with it
    named = target if given_path(target) or target.casefold() == own else own
    shared = {"protocol.name": "cross-corpus", "protocol.target": named}
    rows = {"Proposed": "shared", "Proposed, selection and test apart by speaker": "apart"}
    cells = (
        Cell(row, "UA", cell_config(setup, source, own=shared | {"protocol.target_speakers": way}))
        for row, way in rows.items()
    )
    note = (
        "The paper does not say whether the 30 % of the target that select parameters share "
        "speakers with the 70 % that are tested; both readings are run."
    )
    title = f"Cross-corpus, {setup.title_of(source)} to {setup.title_of(target)}, UA %"
    return Artefact("table-4", title, tuple(cells), (note,))


def table_5(setup: Setup) -> Artefact:
    """Auxiliary tasks beside categorical emotions (Sec. 6.1)."""
    cells = tuple(
        Cell(
            row, f"{setup.title_of(dataset)} {short}", secondary_config(setup, dataset, row), score
        )
        for row in SECONDARY
        for dataset in setup.datasets
        for short, score in _ACCURACIES
    )
    title = "Auxiliary tasks beside categorical emotions"
    return Artefact(
        "table-5", title, cells, (_NOTE_ON_NONE, *stage_one_notes(setup, cells)), reference="Both"
    )


def table_6(setup: Setup) -> Artefact:
    """Auxiliary tasks beside levels and clusters of activation and valence (Sec. 6.1)."""
    cells = tuple(
        Cell(
            row,
            f"{setup.title_of(dataset)} {DIMENSIONS[task]}",
            secondary_config(setup, dataset, row, task),
            panel=part,
        )
        for part, tasks in PARTS.items()
        for row in SECONDARY
        for dataset in setup.datasets
        for task in tasks
    )
    notes = (_NOTE_ON_NONE.replace("Table 3", "Fig. 3"), *stage_one_notes(setup, cells))
    title = "Auxiliary tasks beside dimensional emotions, UA %"
    return Artefact("table-6", title, cells, notes, reference="Both")


def ravdess(setup: Setup) -> Artefact:
    """Four models on real speech that is free to have: RAVDESS, six folds of four actors."""
    alone = replace(setup, datasets=(), auxiliary="")
    shared = {"protocol.name": "speaker-kfold", "protocol.folds": 6, "classes": "four"}
    rows = {
        KINDS[kind].title: cell_config(alone, "ravdess", kind, shared) for kind in _RAVDESS_KINDS
    }
    with_more = replace(alone, auxiliary="urdu")
    more = cell_config(with_more, "ravdess", own={**shared, "data.unlabelled_rest": True})
    rows["AAE, multi-task, more speech"] = more
    share = more.data.auxiliary_ratio
    cells = tuple(
        Cell(row, short, config, score)
        for row, config in rows.items()
        for short, score in _ACCURACIES
    )
    notes = (
        "Not in the paper. The last row adds what only this method can use: the other four "
        "emotions of RAVDESS without their labels, and URDU's speakers and genders. Of each batch "
        f"of its second stage a share of {share:g} is such speech, so an epoch of it has "
        f"{1 / (1 - share):.3g} times the steps of the others.",
        *_weights_notes(setup, [rows[KINDS[kind].title] for kind in _RAVDESS_KINDS]),
    )
    title = "RAVDESS, four classes, six folds of speakers"
    return Artefact("ravdess", title, cells, notes, reference=KINDS["mtl"].title)


def _weights_notes(setup: Setup, configs: Sequence[RunConfig]) -> tuple[str, ...]:
    """Return a note on the origin of alpha and beta, unless each model has its own."""
    papers = "the paper tunes alpha and beta for AE and AAE apart."
    found = [setup.tuned.outcome_for(config.task, config.model.kind) for config in configs]
    searched = list(dict.fromkeys(outcome.kind for outcome in found if outcome))
    if len(searched) == 1:
        return (
            f"The search was of {KINDS[searched[0]].title}. The other models inherit what it "
            "chose, but alpha and beta only where they are of its family, and the base's "
            f"otherwise; {papers}",
        )
    if searched:
        named = "; ".join(KINDS[kind].title for kind in searched)
        return (f"Each of these models has a search of its own: {named}.",)
    if len({(config.model.alpha, config.model.beta) for config in configs}) > 1:
        return ()
    return (
        "All models have the same settings, alpha and beta included. Those of the preset default "
        f"were chosen with the multi-task model, and CNN and AE inherit them; {papers}",
    )


def secondary_config(setup: Setup, dataset: str, row: str, task: str = "emotion") -> RunConfig:
    """Return the config of a row of Table 5 or 6."""
    own = {"protocol.name": "loso", "task": task}
    if not SECONDARY[row]:
        return cell_config(setup, dataset, "stl", own)
    return cell_config(setup, dataset, own={**own, "model.auxiliary_tasks": SECONDARY[row]})
