"""Predictions on the test part: their schema, writing, reading and scoring."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_aae.errors import UserError
from ser_aae.labels import GENDERS
from ser_aae.results import metrics
from ser_aae.results.parquet import read_table, refuse_missing, refuse_rows, write_table
from ser_aae.results.run_kinds import OVER_CORPORA

REQUIRED = ("utterance_id", "corpus", "speaker", "gender", "truth", "predicted", "segments")
POSTERIOR = "p_"
MOST_CONFUSED = 24
"""Classes of which a confusion matrix is made, at most: it grows with their square, and nobody
could read one of hundreds of speakers."""

_TEST_ROW = ["corpus", "utterance_id", "speaker", "gender", "truth"]
_TOLERANCE = 1e-4
"""Posteriors may have been summed in single precision."""


def classes_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes, in the order of the posterior columns `p_<class>`."""
    return tuple(
        name.removeprefix(POSTERIOR) for name in frame.columns if name.startswith(POSTERIOR)
    )


def write_predictions(path: Path, frame: pd.DataFrame) -> None:
    """Write `predictions.parquet`, whole or not at all.

    It has one row a test utterance: `REQUIRED`, a column `p_<class>` for each class in their
    order, and optionally `gender_predicted` (`"F"`, `"M"` or null).

    Raises:
        UserError: A column is missing, or rows contradict themselves.
    """
    _check(frame, path)
    write_table(path, frame)


def read_predictions(path: Path) -> pd.DataFrame:
    """Read `predictions.parquet`.

    Raises:
        UserError: No file, a damaged one, a column missing, or rows that contradict themselves.
    """
    frame = read_table(path, "predictions")
    _check(frame, path)
    return frame


def score(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, Any]:
    """Return every score of the predictions of one run or several, shares in [0, 1].

    Returns:
        `n`, `classes`, `classes_scored` (those with truth; UA and F1 are over them),
        `weighted_accuracy`, `unweighted_accuracy`, `macro_f1`, `per_class_recall`,
        `gender_accuracy` (or `None`), `speaker_only_unweighted_accuracy`, `chance` (UA of
        guessing), `test_ids_digest`, and of `MOST_CONFUSED` classes at most their `confusion`; of
        utterances of several corpora `by_corpus`, for each its `n`, number of `speakers`, `chance`
        and two accuracies, and the means of these over the corpora (`OVER_CORPORA`).

    Raises:
        UserError: No rows, or a class outside `classes`.
    """
    truth, predicted = list(predictions["truth"]), list(predictions["predicted"])
    unweighted, scored = metrics.unweighted_accuracy(truth, predicted, classes)
    few = len(classes) <= MOST_CONFUSED
    confusion = {"confusion": metrics.confusion(truth, predicted, classes)} if few else {}
    return {
        "n": len(predictions),
        "classes": list(classes),
        "classes_scored": list(scored),
        "weighted_accuracy": metrics.weighted_accuracy(truth, predicted),
        "unweighted_accuracy": unweighted,
        "macro_f1": metrics.macro_f1(truth, predicted, classes)[0],
        "per_class_recall": metrics.class_recalls(truth, predicted, classes),
        **confusion,
        "gender_accuracy": _gender_accuracy(predictions),
        "speaker_only_unweighted_accuracy": metrics.speaker_only_unweighted_accuracy(
            list(predictions["speaker"]), truth, classes
        ),
        "chance": 1 / len(scored),
        "test_ids_digest": _ids_digest(predictions),
        **_score_corpora(predictions, classes),
    }


def _score_corpora(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, Any]:
    """Return the scores of each corpus and their means, where there are several corpora."""
    if predictions["corpus"].nunique() < 2:
        return {}
    scores = {}
    for corpus, own in predictions.groupby("corpus", sort=True):
        truth, predicted = list(own["truth"]), list(own["predicted"])
        unweighted, scored = metrics.unweighted_accuracy(truth, predicted, classes)
        scores[str(corpus)] = {
            "n": len(own),
            "speakers": int(own["speaker"].nunique()),
            "unweighted_accuracy": unweighted,
            "weighted_accuracy": metrics.weighted_accuracy(truth, predicted),
            "chance": 1 / len(scored),
        }
    means = {
        over: float(np.mean([own[name] for own in scores.values()]))
        for over, name in OVER_CORPORA.items()
    }
    return {"by_corpus": scores} | means


def score_ensemble(
    repetitions: Sequence[pd.DataFrame], classes: Sequence[str]
) -> dict[str, Any] | None:
    """Return the scores of an ensemble whose members are the repetitions.

    An utterance's posterior is the mean over the repetitions, each of which tested it with a
    model that had not been trained on it; nothing is chosen or weighed. Of two classes with the
    same mean the first is predicted.

    Returns:
        `members`, how many, and what `score` gives; `None` for fewer than two, or where they
        were not tested on the same utterances, as with a test part that the seed draws.
    """
    names = [f"{POSTERIOR}{name}" for name in classes]
    members = [frame.set_index(_TEST_ROW)[names].sort_index() for frame in repetitions]
    if len(members) < 2 or not all(each.index.equals(members[0].index) for each in members[1:]):
        return None
    mean = sum(members[1:], members[0]) / len(members)
    predicted = mean.idxmax(axis=1).str.removeprefix(POSTERIOR)
    answers = mean.assign(predicted=predicted).reset_index()
    return {"members": len(members)} | score(answers, classes)


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
    ids = sorted(predictions["corpus"].astype(str) + "\t" + predictions["utterance_id"].astype(str))
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def _check(frame: pd.DataFrame, path: Path) -> None:
    """Refuse predictions that are not what `write_predictions` describes."""
    classes = classes_of(frame)
    lacking = () if len(classes) > 1 else (f"{POSTERIOR}<class> for two classes or more",)
    refuse_missing(path, frame, (*REQUIRED, *lacking))
    if frame.empty:
        raise UserError(f"{path}: expected a row for each test utterance, found none")
    one_of = f"expected one of {', '.join(classes)}"
    wrong = {
        f"column {name}: {one_of}": ~frame[name].isin(classes) for name in ("truth", "predicted")
    }
    wrong |= {f"column {name}: expected a value": frame[name].isna() for name in REQUIRED}
    wrong["expected one row an utterance"] = frame.duplicated(["corpus", "utterance_id"])
    refuse_rows(path, frame, wrong, REQUIRED)
    _check_posteriors(frame, classes, path)


def _check_posteriors(frame: pd.DataFrame, classes: tuple[str, ...], path: Path) -> None:
    """Refuse posteriors that are no shares of one, or that contradict the predicted class."""
    columns = [f"{POSTERIOR}{name}" for name in classes]
    posteriors = frame[columns].to_numpy(np.float64)
    chosen = posteriors[np.arange(len(frame)), [classes.index(c) for c in frame["predicted"]]]
    wrong = {
        "expected posteriors from 0 to 1": ~(
            np.isfinite(posteriors) & (posteriors >= 0) & (posteriors <= 1 + _TOLERANCE)
        ).all(axis=1),
        "expected a sum of 1": np.abs(posteriors.sum(axis=1) - 1) > len(classes) * _TOLERANCE,
        "expected `predicted` to be the most probable class": (
            chosen < posteriors.max(axis=1) - _TOLERANCE
        ),
    }
    refuse_rows(path, frame, wrong, ["utterance_id", "predicted", *columns])
