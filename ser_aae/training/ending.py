"""The end of a run: what validation showed, written alone, or with the test part scored once.

A search must not look at the test part. Its runs end with `validation.json` in the place of
`result.json`; they are not complete, and training the same config later only scores them.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ser_aae.config import TrainingConfig
from ser_aae.data.mixture import labelled_rows, mix_stage_two, steps_per_epoch
from ser_aae.data.part import Part
from ser_aae.errors import DamagedError
from ser_aae.files.atomic import TRAIN_AGAIN, read_json, write_json
from ser_aae.files.digests import digest_of_file
from ser_aae.progress import Show
from ser_aae.results.adversary import judge_adversary
from ser_aae.results.folder import (
    FILE_DIGESTS,
    PREDICTIONS,
    RESULT,
    VALIDATION,
    digest_files,
    is_complete,
    is_validated,
    read_epochs,
)
from ser_aae.results.kept_epochs import KEPT_EPOCH, PRETRAINING_EPOCHS
from ser_aae.results.predictions import score, write_predictions
from ser_aae.results.run_kinds import RUNNING, SELECTION, Validation, epoch_number
from ser_aae.store.corpus import StoredCorpus
from ser_aae.training.callbacks import remove_backup
from ser_aae.training.latent import write_examples
from ser_aae.training.pretraining_key import steps_of_stage_one
from ser_aae.training.scoring import TrainedModel, predictions_frame, score_tasks

SCHEDULE, CAP = "schedule", "epochs"
"""Ends of stage 2 in a run's record: by its schedule, or at the greatest number of epochs."""


def validation_accuracy(folder: Path) -> float:
    """Return the UA on validation speakers that chose the best epoch, of a run scored or not.

    It is what a search maximises; the figures of the test part are not looked at.

    Raises:
        UserError: The run was not trained to its end.
    """
    name = RESULT if is_complete(folder) else VALIDATION
    found = read_json(folder / name, kind=Validation).get("validation_unweighted_accuracy")
    if found is None:
        raise DamagedError(
            f"{folder / name}: expected validation_unweighted_accuracy, found none; {TRAIN_AGAIN}"
        )
    return float(found)


def finish_unscored(trained: TrainedModel, show: Show) -> None:
    """Write what validation showed, last; the test part is not looked at."""
    write_json(trained.folder / VALIDATION, _training_figures(trained, show))
    remove_backup(trained.folder)


def finish(trained: TrainedModel, verified: Mapping[str, Any], show: Show) -> None:
    """Score the test part, once, with the best epoch's weights, and write the result last.

    The result takes up `verified`, the figures and warnings of speaker verification, empty for
    none.
    """
    model, data, folder = trained.model, trained.data, trained.folder
    figures = _training_figures(trained, show)
    posteriors, segments = trained.scorer(data.test).posteriors()
    frame = predictions_frame(posteriors, segments, data.test, data.target.classes, model.primary)
    write_predictions(folder / PREDICTIONS, frame)
    others = score_tasks(posteriors, data.test, model.primary)
    batches = trained.scorer(data.validation).dataset
    write_examples(model, batches, data.validation, data.target, folder)
    result = {
        **score(frame, data.target.classes),
        "centroids": _plain(data.target.centroids),
        "corpus_centroids": _plain(data.target.corpus_centroids),
        **figures,
        "speaker_accuracy": others.get("speaker_accuracy"),
        **verified,
        "warnings": [*figures["warnings"], *verified.get("warnings", ())],
        # corpora in which no person speaks
        "synthetic": sorted({each.name for each in _corpora(data.parts) if each.synthetic}),
        **({"start": dict(trained.start)} if trained.start else {}),
        "elicitation": _elicitation(_corpora(data.train)),
        FILE_DIGESTS: digest_files(folder),
        # a changed posterior that changes no class shows in no figure
        "predictions_sha256": digest_of_file(folder / PREDICTIONS),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    write_json(folder / RESULT, result)
    remove_leftovers(folder)


def _corpora(parts: Iterable[Part]) -> list[StoredCorpus]:
    """Return the corpora of some parts."""
    return list(chain.from_iterable(part.corpus.sources for part in parts))


def _elicitation(corpora: Iterable[StoredCorpus]) -> str:
    """Return how emotions came into the speech of all corpora, `""` where they differ in that."""
    found = {corpus.facts.elicitation if corpus.facts else "" for corpus in corpora}
    return found.pop() if len(found) == 1 else ""


def _plain(array: np.ndarray | None) -> list[list[float]] | None:
    return None if array is None else array.tolist()


def remove_leftovers(folder: Path) -> None:
    """Remove what a run that has ended needs no more; a kill in its last moment leaves that."""
    if is_complete(folder) and is_validated(folder):
        (folder / VALIDATION).unlink(missing_ok=True)
    remove_backup(folder)


def _training_figures(trained: TrainedModel, show: Show) -> dict[str, Any]:
    """Return what is known of a run before its test part is scored; warn of a dead adversary."""
    epochs = read_epochs(trained.folder)
    has_adversary = "regularisation" in trained.model.phases
    adversary = judge_adversary(epochs) if has_adversary else None
    dead = [adversary["warning"]] if adversary and adversary["warning"] else []
    for warning in dead:
        show(f"warning: {warning}")
    ended_by = _find_end(epochs, trained.config.training)
    if ended_by == CAP:
        most = trained.config.training.epochs
        show(f"stage 2: ended by training.epochs = {most}, before the schedule of the rates did")
    best = max((row for row in epochs if row["stage"] == 2), key=_selection)
    stages = [row["stage"] for row in epochs]
    mixture = mix_stage_two(trained.config, trained.data)
    length, task = trained.config.data.segment_frames, trained.data.target.task
    steps = steps_of_stage_one(trained.config, trained.data.pretraining)
    return {
        "leakage": trained.data.leakage,
        "validation_unweighted_accuracy": best["validation"][RUNNING],
        KEPT_EPOCH: epoch_number(best),
        "epochs": len(epochs),
        PRETRAINING_EPOCHS: stages.count(1),
        "ended_by": ended_by,
        "pretraining_updates": stages.count(1) * steps,
        "updates": stages.count(2) * steps_per_epoch(mixture, length),
        "labelled_rows": round(labelled_rows(mixture, task, length), 2),
        "seconds": round(sum(row["seconds"] for row in epochs), 1),
        # of those, what runs that share their stage 1 spend once
        "pretraining_seconds": round(sum(row["seconds"] for row in epochs if row["stage"] == 1), 1),
        "adversary": adversary,
        "corpora": trained.data.digests,
        # a changed weight changes posteriors, and nothing else would say so
        FILE_DIGESTS: digest_files(trained.folder),
        "warnings": trained.data.warnings + dead,
    }


def _selection(row: Mapping[str, Any]) -> float:
    """Return the figure that an epoch was chosen by; lines of before have one name for both."""
    figures = row["validation"]
    return float(figures.get(SELECTION, figures[RUNNING]))


def _find_end(epochs: Sequence[Mapping[str, Any]], training: TrainingConfig) -> str:
    """Return what ended stage 2: its schedule (Sec. 4.3), or the greatest number of epochs."""
    rows = [row["learning_rates"] for row in epochs if row["stage"] == 2]
    first, last = (max(rates.values()) for rates in (rows[0], rows[-1]))
    return SCHEDULE if last < training.stop_ratio * first else CAP
