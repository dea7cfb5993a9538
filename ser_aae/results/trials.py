"""Trials of speaker verification: their schema, writing, reading and scoring (P11)."""

import hashlib
from pathlib import Path
from typing import Any

import audmetric
import numpy as np
import pandas as pd

from ser_aae.results.metrics import equal_error_rate
from ser_aae.results.parquet import read_table, refuse_missing, refuse_rows, write_table

COLUMNS = ("enrolled", "corpus", "utterance_id", "speaker", "score", "target")
TRIALS_DIGEST = "verification_digest"
"""Key of the SHA-256 of the trials in `result.json`; runs of an earlier version have none."""


def write_trials(path: Path, trials: pd.DataFrame) -> None:
    """Write `verification.parquet`, whole or not at all.

    It has one row a pair: the speaker `enrolled`; the tested utterance's `corpus`, `utterance_id`
    and `speaker`; `score`, the higher the likelier the same speaker; `target`, whether it is.

    Raises:
        UserError: A column is missing, or rows contradict themselves.
    """
    _check(trials, path)
    write_table(path, trials)


def read_trials(path: Path) -> pd.DataFrame:
    """Read `verification.parquet`.

    Raises:
        UserError: No file, a damaged one, a column missing, or rows that contradict themselves.
    """
    trials = read_table(path, "verification trials")
    _check(trials, path)
    return trials


def score_trials(trials: pd.DataFrame) -> dict[str, Any]:
    """Return the scores of verification as plain values.

    Returns:
        `equal_error_rate` in [0, 1], `verification_trials` and `verification_targets` (how many
        pairs, and how many of one speaker), `verification_speakers` (enrolled) and
        `verification_digest`: equal digests, equal pairs with equal scores.

    Raises:
        UserError: Only targets or only impostors.
    """
    targets, scores = trials["target"].to_numpy(bool), trials["score"].to_numpy(np.float64)
    return {
        "equal_error_rate": equal_error_rate(targets.tolist(), scores.tolist()),
        "verification_trials": len(trials),
        "verification_targets": int(targets.sum()),
        "verification_speakers": int(trials["enrolled"].nunique()),
        TRIALS_DIGEST: _digest(trials),
    }


def det_curve(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the detection error tradeoff: what each threshold accepts and misses.

    Returns:
        Columns `threshold` (ascending), `false_match_rate` (impostors accepted) and
        `false_non_match_rate` (targets refused), shares in [0, 1]; a pair of rates that many
        thresholds share stands once, with the lowest of them.
    """
    accepted, missed, thresholds = audmetric.detection_error_tradeoff(
        trials["target"].to_numpy(bool).tolist(), trials["score"].to_numpy(np.float64).tolist()
    )
    curve = pd.DataFrame(
        {"threshold": thresholds, "false_match_rate": accepted, "false_non_match_rate": missed}
    )
    return curve.drop_duplicates(
        ["false_match_rate", "false_non_match_rate"], ignore_index=True
    ).astype(np.float64)


def _digest(trials: pd.DataFrame) -> str:
    """Return the SHA-256 over the pairs, whatever their order and however they are stored.

    The error rate depends on the order of the scores alone, and not even on all of that.
    """
    plain = trials[list(COLUMNS)].astype({"score": np.float64, "target": bool})
    rows = plain.sort_values(["enrolled", "corpus", "utterance_id"])
    return hashlib.sha256(rows.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def _check(trials: pd.DataFrame, path: Path) -> None:
    """Refuse trials that are not what `write_trials` describes."""
    refuse_missing(path, trials, COLUMNS)
    is_target = trials["enrolled"] == trials["speaker"]
    wrong = {
        "expected a number as score": ~np.isfinite(trials["score"].to_numpy(np.float64)),
        "expected target to say whether enrolled and speaker are one": (
            trials["target"].to_numpy(bool) != is_target.to_numpy(bool)
        ),
        "expected a pair to stand once": trials.duplicated(["enrolled", "corpus", "utterance_id"]),
    }
    refuse_rows(path, trials, wrong, COLUMNS)
