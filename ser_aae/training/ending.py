"""How a run ends: what validation showed, written alone, or with the test part scored once.

A search must not look at the test part. Its runs end with `validation.json` in the place of
`result.json`; they are not complete, and training the same config later only scores them.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ser_aae.data.part import Part
from ser_aae.data.run_data import RunData
from ser_aae.files.atomic import read_json, read_jsonl, write_json
from ser_aae.files.digests import digest_of_file
from ser_aae.model.aae import MultitaskAAE
from ser_aae.progress import Show
from ser_aae.results import is_complete, score, write_predictions
from ser_aae.results.adversary import judge_adversary
from ser_aae.results.folder import EPOCHS, PREDICTIONS, RESULT, VALIDATION
from ser_aae.training.callbacks import SELECTION, remove_backup
from ser_aae.training.examples import draw_examples
from ser_aae.training.scoring import Scorer, predictions_frame, score_tasks


def validation_accuracy(folder: Path) -> float:
    """Return the UA on validation speakers that chose the best epoch, of a run scored or not.

    It is what a search maximises; the figures of the test part are not looked at.

    Raises:
        UserError: The run was not trained to its end.
    """
    name = RESULT if is_complete(folder) else VALIDATION
    return float(read_json(folder / name)["validation_unweighted_accuracy"])


def finish_unscored(model: MultitaskAAE, data: RunData, folder: Path, show: Show) -> None:
    """Write what validation showed, last; the test part is not looked at.

    Args:
        model: Trained; its best weights are in the folder.
        data: What it was trained on.
        folder: The run folder.
        show: Called with a line of text for what a person should see.
    """
    write_json(folder / VALIDATION, _trained_figures(model, data, folder, show))
    remove_backup(folder)


def finish(
    model: MultitaskAAE,
    data: RunData,
    scorer: Callable[[Part], Scorer],
    folder: Path,
    show: Show,
    verified: Mapping[str, Any],
) -> None:
    """Score the test part, once, and write the result last.

    Args:
        model: With the best epoch's weights.
        data: What it was trained on.
        scorer: Gives what scores a part.
        folder: The run folder.
        show: Called with a line of text for what a person should see.
        verified: Figures of speaker verification, which go into the result; empty for none.
    """
    figures = _trained_figures(model, data, folder, show)
    posteriors, segments = scorer(data.test).posteriors()
    frame = predictions_frame(posteriors, segments, data.test, data.target.classes, model.primary)
    write_predictions(folder / PREDICTIONS, frame)
    others = score_tasks(posteriors, data.test, model.primary)
    draw_examples(model, scorer(data.validation).dataset, data.validation, data.target, folder)
    facts = data.train[0].corpus.facts
    result = {
        **score(frame, data.target.classes),
        "leakage": data.leakage,
        "centroids": None if data.target.centroids is None else data.target.centroids.tolist(),
        **figures,
        "speaker_accuracy": others.get("speaker_accuracy"),
        **verified,
        "synthetic": _synthetic(data),
        "elicitation": facts.elicitation if facts else "",
        # a changed posterior that changes no class shows in no figure
        "predictions_sha256": digest_of_file(folder / PREDICTIONS),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    write_json(folder / RESULT, result)
    (folder / VALIDATION).unlink(missing_ok=True)
    remove_backup(folder)


def _trained_figures(
    model: MultitaskAAE, data: RunData, folder: Path, show: Show
) -> dict[str, Any]:
    """Return what is known of a run before its test part is scored; warn of a dead adversary."""
    epochs = read_jsonl(folder / EPOCHS)
    adversary = judge_adversary(epochs) if "regularisation" in model.phases else None
    dead = [adversary["warning"]] if adversary and adversary["warning"] else []
    for warning in dead:
        show(f"warning: {warning}")
    stage2 = [row for row in epochs if row["stage"] == 2]
    best = max(stage2, key=lambda row: row["validation"][SELECTION])
    return {
        "validation_unweighted_accuracy": best["validation"][SELECTION],
        "best_epoch": best["epoch"],
        "epochs": len(epochs),
        "seconds": round(sum(row["seconds"] for row in epochs), 1),
        # of those, what runs that share their stage 1 spend once
        "pretraining_seconds": round(sum(row["seconds"] for row in epochs if row["stage"] == 1), 1),
        "adversary": adversary,
        "corpora": data.digests,
        "warnings": data.warnings + dead,
    }


def _synthetic(data: RunData) -> list[str]:
    """Return the corpora in which no person speaks, of all that take part."""
    return sorted({part.corpus.name for part in data.parts if part.corpus.synthetic})
