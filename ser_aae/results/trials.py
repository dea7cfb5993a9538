"""Trials of speaker verification: their schema, writing, reading and scoring (P11).

Trials are of the speakers of a verified corpus, and of those of the test part together with them.
"""

import hashlib
from pathlib import Path
from typing import Any

import audmetric
import numpy as np
import pandas as pd

from ser_aae.results.metrics import equal_error_rate
from ser_aae.results.parquet import read_table, refuse_missing, refuse_rows, write_table
from ser_aae.results.run_kinds import ALONE, ERROR_RATE, NUM_TRIALS

COLUMNS = ("enrolled", "corpus", "utterance_id", "speaker", "score", "target")
PART_COLUMNS = ("enrolled_part", "tested_part")
"""Columns of trials of two populations; trials without them are of the verified corpus alone."""
VERIFIED, TEST = "verified corpus", "test part"
"""Populations, as those columns name them."""
TRIALS_DIGEST = "verification_digest"
"""Key of the SHA-256 of the trials in `result.json`; runs of an earlier version have none."""


def write_trials(path: Path, trials: pd.DataFrame) -> None:
    """Write `verification.parquet`, whole or not at all.

    It has one row a pair: the speaker `enrolled`; the tested utterance's `corpus`, `utterance_id`
    and `speaker`; `score`, the higher the likelier the same speaker; `target`, whether it is; and,
    where speakers of the test part are verified too, the population of either side (`VERIFIED` or
    `TEST`) as `enrolled_part` and `tested_part`.

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

    A speaker who is alone in the test part has no impostor there. The test part alone is then all
    trials with this speaker on either side, of which those against the verified corpus are easier
    than among speakers of one corpus: another microphone and another room tell them apart.

    Returns:
        `equal_error_rate` in [0, 1] over all trials, `verification_trials` and
        `verification_targets` (how many pairs, and how many of one speaker),
        `verification_speakers` (enrolled) and `verification_digest`: equal digests, equal pairs
        with equal scores. Of trials of two populations also rate and number of trials of each
        alone, with the endings of `ALONE`, and `verification_test_speakers`.

    Raises:
        UserError: Only targets or only impostors.
    """
    scores = _rate(trials) | {
        "verification_targets": int(trials["target"].sum()),
        "verification_speakers": int(trials["enrolled"].nunique()),
        TRIALS_DIGEST: _digest(trials),
    }
    if not _has_populations(trials):
        return scores
    own = trials["enrolled_part"] == TEST
    tested = trials["tested_part"] == TEST
    of_test = trials[own & tested]
    if of_test["target"].all():
        of_test = trials[own | tested]
    alone = (trials[~own & ~tested], of_test)
    for ending, part in zip(ALONE, alone, strict=True):
        scores |= {f"{name}{ending}": value for name, value in _rate(part).items()}
    return scores | {"verification_test_speakers": int(trials.loc[own, "enrolled"].nunique())}


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


def _rate(trials: pd.DataFrame) -> dict[str, Any]:
    """Return the equal error rate of some trials, and their number."""
    targets, scores = trials["target"].to_numpy(bool), trials["score"].to_numpy(np.float64)
    rate = equal_error_rate(targets.tolist(), scores.tolist())
    return {ERROR_RATE: rate, NUM_TRIALS: len(trials)}


def _has_populations(trials: pd.DataFrame) -> bool:
    return any(name in trials for name in PART_COLUMNS)


def _digest(trials: pd.DataFrame) -> str:
    """Return the SHA-256 over the pairs, whatever their order and however they are stored.

    The error rate depends on the order of the scores alone, and not even on all of that.
    """
    parts = PART_COLUMNS if _has_populations(trials) else ()
    plain = trials[[*COLUMNS, *parts]].astype({"score": np.float64, "target": bool})
    rows = plain.sort_values(["enrolled", "corpus", "utterance_id"])
    return hashlib.sha256(rows.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def _check(trials: pd.DataFrame, path: Path) -> None:
    """Refuse trials that are not what `write_trials` describes."""
    columns = (*COLUMNS, *(PART_COLUMNS if _has_populations(trials) else ()))
    refuse_missing(path, trials, columns)
    is_target = trials["enrolled"] == trials["speaker"]
    wrong = {
        "expected a number as score": ~np.isfinite(trials["score"].to_numpy(np.float64)),
        "expected target to say whether enrolled and speaker are one": (
            trials["target"].to_numpy(bool) != is_target.to_numpy(bool)
        ),
        "expected a pair to stand once": trials.duplicated(["enrolled", "corpus", "utterance_id"]),
    }
    for name in columns[len(COLUMNS) :]:
        wrong[f"expected {VERIFIED} or {TEST} as {name}"] = ~trials[name].isin((VERIFIED, TEST))
    refuse_rows(path, trials, wrong, columns)
