"""Predictions on the test part: their schema, writing, reading and scoring."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_aae.errors import UserError
from ser_aae.files.atomic import written_whole
from ser_aae.labels import GENDERS
from ser_aae.results import metrics

REQUIRED = (
    "utterance_id",
    "corpus",
    "speaker",
    "gender",
    "truth",
    "predicted",
    "segments",
)
POSTERIOR = "p_"
_TOLERANCE = 1e-4
"""Posteriors may have been summed in single precision."""


def classes_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes, in the order of the posterior columns `p_<class>`."""
    return tuple(
        name.removeprefix(POSTERIOR) for name in frame.columns if name.startswith(POSTERIOR)
    )


def write_predictions(path: Path, frame: pd.DataFrame) -> None:
    """Write `predictions.parquet`, whole or not at all.

    Args:
        path: The file; its folder is made where missing.
        frame: One row a test utterance: `REQUIRED`, a column `p_<class>` for each class in
            their order, and optionally `gender_predicted` (`"F"`, `"M"` or null).

    Raises:
        UserError: A column is missing, or rows contradict themselves.
    """
    _check(frame, path)
    with written_whole(path) as temporary:
        frame.to_parquet(temporary, index=False)


def read_predictions(path: Path) -> pd.DataFrame:
    """Read `predictions.parquet`.

    Raises:
        UserError: No file, a damaged one, a column missing, or rows that contradict
            themselves.
    """
    if not path.is_file():
        raise UserError(f"{path}: expected predictions, found no file; train the run again")
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: damaged ({error}); train the run again") from error
    _check(frame, path)
    return frame


def score(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, Any]:
    """Return every figure of a set of predictions as plain values, shares in [0, 1].

    Args:
        predictions: As `read_predictions` returns them, of one run or several.
        classes: In the order of the confusion matrix.

    Returns:
        `n`, `classes`, `classes_scored` (those with truth; UA and F1 are over them),
        `weighted_accuracy`, `unweighted_accuracy`, `macro_f1`, `per_class_recall`,
        `confusion`, `gender_accuracy` (or `None`), `speaker_only_unweighted_accuracy`,
        `chance` (UA of guessing) and `test_ids_digest`.

    Raises:
        UserError: No rows, or a class outside `classes`.
    """
    truth, predicted = list(predictions["truth"]), list(predictions["predicted"])
    unweighted, scored = metrics.unweighted_accuracy(truth, predicted, classes)
    return {
        "n": len(predictions),
        "classes": list(classes),
        "classes_scored": list(scored),
        "weighted_accuracy": metrics.weighted_accuracy(truth, predicted),
        "unweighted_accuracy": unweighted,
        "macro_f1": metrics.macro_f1(truth, predicted, classes)[0],
        "per_class_recall": metrics.class_recalls(truth, predicted, classes),
        "confusion": metrics.confusion(truth, predicted, classes),
        "gender_accuracy": _gender_accuracy(predictions),
        "speaker_only_unweighted_accuracy": metrics.speaker_only_unweighted_accuracy(
            list(predictions["speaker"]), truth, classes
        ),
        "chance": 1 / len(scored),
        "test_ids_digest": _ids_digest(predictions),
    }


def _gender_accuracy(predictions: pd.DataFrame) -> float | None:
    if "gender_predicted" not in predictions:
        return None
    known = predictions["gender"].isin(GENDERS) & predictions["gender_predicted"].notna()
    rows = predictions[known]
    if rows.empty:
        return None
    return metrics.weighted_accuracy(list(rows["gender"]), list(rows["gender_predicted"]))


def _ids_digest(predictions: pd.DataFrame) -> str:
    """Return the SHA-256 over the sorted names: equal digests, equal test parts."""
    ids = sorted(
        f"{corpus}\t{name}"
        for corpus, name in zip(predictions["corpus"], predictions["utterance_id"], strict=True)
    )
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def _check(frame: pd.DataFrame, path: Path) -> None:
    """Refuse predictions that are not what `write_predictions` describes."""
    missing = [name for name in REQUIRED if name not in frame]
    classes = classes_of(frame)
    if missing or len(classes) < 2:
        lacking = ", ".join(missing) or "p_<class> for two classes or more"
        raise UserError(
            f"{path}: expected the columns {', '.join(REQUIRED)} and p_<class>; missing: {lacking}"
        )
    if frame.empty:
        raise UserError(f"{path}: expected a row for each test utterance, found none")
    for name in ("truth", "predicted"):
        outside = frame.loc[~frame[name].isin(classes), name]
        if len(outside):
            raise UserError(
                f"{path}: column {name}: expected one of {', '.join(classes)}, found "
                f"{outside.iloc[0]!r} in row {outside.index[0]}"
            )
    for name in REQUIRED:
        if frame[name].isna().any():
            raise UserError(f"{path}: column {name}: expected a value in every row, found none")
    twice = frame.duplicated(["corpus", "utterance_id"])
    if twice.any():
        name = frame.loc[twice, "utterance_id"].iloc[0]
        raise UserError(f"{path}: expected one row an utterance, found two of {name}")
    _check_posteriors(frame, classes, path)


def _check_posteriors(frame: pd.DataFrame, classes: tuple[str, ...], path: Path) -> None:
    """Refuse posteriors that are no shares of one, or that contradict the predicted class."""
    columns = [f"{POSTERIOR}{name}" for name in classes]
    posteriors = frame[columns].to_numpy(np.float64)
    chosen = posteriors[np.arange(len(frame)), [classes.index(c) for c in frame["predicted"]]]
    wrong = {
        "expected numbers from 0 to 1": ~(
            np.isfinite(posteriors) & (posteriors >= 0) & (posteriors <= 1 + _TOLERANCE)
        ).all(axis=1),
        "expected a sum of 1": np.abs(posteriors.sum(axis=1) - 1) > len(classes) * _TOLERANCE,
        "expected `predicted` to be the most probable class": (
            chosen < posteriors.max(axis=1) - _TOLERANCE
        ),
    }
    for expected, rows in wrong.items():
        if rows.any():
            row = int(np.argmax(rows))
            raise UserError(
                f"{path}: columns {', '.join(columns)}: {expected}, found "
                f"{posteriors[row].tolist()} for {frame['utterance_id'].iloc[row]}, predicted "
                f"{frame['predicted'].iloc[row]}"
            )
