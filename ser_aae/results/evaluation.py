"""Recomputing every score from the predictions, for one run or for all folds of an experiment."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_aae.config import TABLES, RunConfig, named_dataset, without_idle
from ser_aae.errors import UserError
from ser_aae.files.atomic import has_file
from ser_aae.labels import VOICE_TASKS
from ser_aae.protocols.leakage import independence
from ser_aae.results.folder import (
    CONFIG,
    PREDICTIONS,
    RESULT,
    VERIFICATION,
    find_runs,
    flatten,
    fold_and_seed,
    is_complete,
    mend_incomplete,
    read_plain_config,
    read_result,
    refuse_changed,
    run_name,
)
from ser_aae.results.predictions import (
    classes_of,
    read_predictions,
    score,
    score_ensemble,
)
from ser_aae.results.run_kinds import ERROR_RATE, ERROR_RATES, OVER_CORPORA, SPEAKER_ONLY
from ser_aae.results.trials import TRIALS_DIGEST, read_trials, score_trials

SCORES = (
    "unweighted_accuracy",
    "weighted_accuracy",
    "macro_f1",
    "gender_accuracy",
    SPEAKER_ONLY,
    *OVER_CORPORA,
    *ERROR_RATES,
)
"""Scores that are averaged over folds and repetitions."""

Evaluated = tuple[dict[str, Any], pd.DataFrame]
"""A run as `evaluate_run` returns it, and its predictions."""

_PER_RUN = {"seed", "protocol.fold", TABLES}
"""Settings that may differ between runs of one experiment; of an earlier version, tables lack."""


def evaluate(folder: Path) -> dict[str, Any]:
    """Recompute the scores of a run, or of all folds of an experiment (P5).

    Raises:
        UserError: Neither of the two, nothing complete in it, files that cannot be read, or
            a stored score that the predictions do not give.
    """
    return evaluate_answers(folder)[0]


def evaluate_answers(folder: Path) -> tuple[dict[str, Any], list[pd.DataFrame]]:
    """Return what `evaluate` does, and beside it the predictions of each run.

    Raises:
        UserError: As there.
    """
    if (folder / CONFIG).is_file():
        run, predictions = _evaluate_run(folder)
        return run, [predictions]
    if any(run.parent == folder for run in find_runs(folder)):
        return evaluate_with_predictions(folder)
    raise UserError(
        f"{folder}: expected a run (it holds {CONFIG}) or a folder of folds (fold00-rep00, ...); "
        "name one of those below it"
    )


def evaluate_run(folder: Path) -> dict[str, Any]:
    """Recompute the scores of one run and compare them with its `result.json`.

    Returns:
        Scores as of `score`, and `kind` (`"run"`), `folder`, `name`, `fold`,
        `repetition`, and `stored`: all of `result.json`. `SPEAKER_ONLY` is left out of a task of
        voices, here and in `evaluate_with_predictions`.

    Raises:
        UserError: Incomplete, unreadable, or a score that disagrees.
    """
    return _evaluate_run(folder)[0]


def evaluate_experiment(folder: Path) -> dict[str, Any]:
    """Recompute the scores of all folds and repetitions in a folder (P5).

    Returns:
        The first answer of `evaluate_with_predictions`.

    Raises:
        UserError: As there.
    """
    return evaluate_with_predictions(folder)[0]


def evaluate_with_predictions(folder: Path) -> tuple[dict[str, Any], list[pd.DataFrame]]:
    """Recompute the scores of an experiment, and return the predictions of its runs beside them.

    Returns:
        The experiment's settings; `runs`: scores of each complete run; `repetitions`: for each,
        the scores of its folds' predictions taken together, and `over_folds` (mean and
        deviation); `over_repetitions`: mean and deviation of the pooled scores of those
        repetitions that have all folds; `corpora_over_repetitions`: the same for each corpus, where
        they test several; `ensemble`: scores of those as one, with their
        posteriors averaged, where there are two or more; `missing` and `incomplete` runs by name.
        Beside it the predictions of each of its `runs`.

    Raises:
        UserError: No complete run, runs of different configs, an utterance in the test
            parts of two folds of one repetition, or whatever `evaluate_run` refuses.
    """
    begun = [run for run in find_runs(folder) if run.parent == folder]
    evaluated = [_evaluate_run(run) for run in begun if is_complete(run)]
    if not evaluated:
        raise UserError(
            f"{folder}: expected at least one complete run, found {len(begun)} begun and none "
            f"complete; {mend_incomplete(begun, 'train one to its end')}"
        )
    evaluated.sort(key=lambda item: (item[0]["repetition"], item[0]["fold"]))
    config = _common_config([Path(run["folder"]) for run, _ in evaluated])
    expected = _folds_expected(config, evaluated)
    repetitions = _repetitions(evaluated, expected, config["task"])
    whole = [item for item in repetitions if item["complete"]]
    members = [_pool(evaluated, item["repetition"]) for item in whole]
    together = score_ensemble(members, evaluated[0][0]["classes"])
    evaluation = {
        "kind": "folds",
        "folder": str(folder),
        "dataset": named_dataset(config),
        "task": config["task"],
        "model": config["model"]["kind"],
        "protocol": config["protocol"]["name"],
        "speaker_independent": _agreement("speaker_independent", evaluated),
        "independence": independence(run["stored"].get("leakage") or {} for run, _ in evaluated),
        "classes": evaluated[0][0]["classes"],
        "runs": [run for run, _ in evaluated],
        "repetitions": repetitions,
        "over_repetitions": spread(whole),
        "corpora_over_repetitions": _spread_corpora(whole),
        "ensemble": together and _leave_out_known(together, config["task"]),
        "folds_expected": expected,
        "missing": _missing_runs(begun, [item["repetition"] for item in repetitions], expected),
        "incomplete": [run.name for run in begun if not is_complete(run)],
    }
    return evaluation, [frame for _, frame in evaluated]


def spread(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return mean, sample deviation and count of each of `SCORES` over rows of scores.

    The deviation (over n - 1) of a single row is `None`, and so is the mean of none.
    """
    out = {}
    for name in SCORES:
        values = [row[name] for row in rows if row.get(name) is not None]
        out[name] = {
            "mean": float(np.mean(values)) if values else None,
            "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            "n": len(values),
        }
    return out


def _spread_corpora(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what `spread` gives for each corpus, over rows that all score several."""
    scored = [row.get("by_corpus", {}) for row in rows]
    names = sorted(set.intersection(*map(set, scored))) if scored else []
    return {name: spread([each[name] for each in scored]) for name in names}


def _agreement(key: str, evaluated: Iterable[Evaluated]) -> Any:
    """Return a finding of the leakage checks of all runs, `None` where they differ or lack it."""
    found = {(run["stored"].get("leakage") or {}).get(key) for run, _ in evaluated}
    return found.pop() if len(found) == 1 else None


def _evaluate_run(folder: Path) -> Evaluated:
    config = read_plain_config(folder)
    if not is_complete(folder):
        mend = mend_incomplete([folder], "train it again")
        raise UserError(f"{folder}: the run is not complete ({RESULT} is missing); {mend}")
    stored = read_result(folder)
    predictions = read_predictions(folder / PREDICTIONS)
    scores = score(predictions, classes_of(predictions))
    _compare(folder, stored, scores, PREDICTIONS)
    # a stored rate without trials, or trials without a rate, raises too
    if ERROR_RATE in stored or has_file(folder / VERIFICATION):
        verified = score_trials(read_trials(folder / VERIFICATION))
        refuse_changed(folder, VERIFICATION)
        if TRIALS_DIGEST not in stored:  # of a run before there was one
            del verified[TRIALS_DIGEST]
        _compare(folder, stored, verified, VERIFICATION)
        scores |= verified
    scores = _leave_out_known(scores, config["task"])
    place = {"kind": "run", "folder": str(folder), "name": folder.name}
    scores["speakers"] = predictions["speaker"].nunique()
    return place | fold_and_seed(folder, config) | scores | {"stored": stored}, predictions


def _leave_out_known(scores: Mapping[str, Any], task: str) -> dict[str, Any]:
    """Return scores without that of knowing the speaker, where that is to know the answer."""
    known = (SPEAKER_ONLY,) if task in VOICE_TASKS else ()
    return {name: value for name, value in scores.items() if name not in known}


def _compare(
    folder: Path, stored: Mapping[str, Any], scores: Mapping[str, Any], source: str
) -> None:
    """Refuse a result that differs from the scores computed from one of its sources."""
    for name, value in scores.items():
        if not _is_equal(stored.get(name), value):
            raise UserError(
                f"{folder / source}: {name}: {RESULT} says {stored.get(name)}, {source} gives "
                f"{value}; one of the two was changed after the run: train it again"
            )


def _is_equal(stored: object, computed: object) -> bool:
    if isinstance(stored, Mapping) and isinstance(computed, Mapping):
        return stored.keys() == computed.keys() and all(
            _is_equal(stored[key], computed[key]) for key in computed
        )
    if isinstance(stored, int | float) and isinstance(computed, int | float):
        return math.isclose(float(stored), float(computed), rel_tol=0, abs_tol=1e-9)
    return stored == computed


def _common_config(runs: Sequence[Path]) -> dict[str, Any]:
    """Return the config the runs share; refuse runs of different experiments in one folder."""
    first = read_plain_config(runs[0])
    wanted = flatten(without_idle(first, RunConfig))
    for run in runs[1:]:
        other = flatten(without_idle(read_plain_config(run), RunConfig))
        for key in sorted((wanted | other).keys() - _PER_RUN):
            if other.get(key) != wanted.get(key):
                raise UserError(
                    f"{run / CONFIG}: {key} is {other.get(key)!r}, in {runs[0].name} beside it "
                    f"{wanted.get(key)!r}; runs of two experiments are not pooled: move one of them"
                )
    return first


def _folds_expected(config: Mapping[str, Any], evaluated: Sequence[Evaluated]) -> int | None:
    """Return how many folds there are: as the leakage check wrote, else as the config implies."""
    written = _agreement("folds", evaluated)
    if written is not None:
        return int(written)
    protocol = config["protocol"]
    known = {"speaker-kfold": protocol.get("folds"), "10-fold": 10, "cross-corpus": 1}
    return known.get(protocol["name"])


def _repetitions(
    evaluated: Sequence[Evaluated], expected: int | None, task: str
) -> list[dict[str, Any]]:
    rows = []
    for seed in sorted({run["repetition"] for run, _ in evaluated}):
        runs = [run for run, _ in evaluated if run["repetition"] == seed]
        pooled = _pool(evaluated, seed)
        over_folds = spread(runs)
        rows.append(
            {"repetition": seed, "folds": len(runs), "complete": len(runs) == expected}
            | _leave_out_known(score(pooled, runs[0]["classes"]), task)
            # trials of two models have no common scale: rates are averaged, trials not pooled
            | {name: over_folds[name]["mean"] for name in ERROR_RATES}
            | {"speakers": pooled["speaker"].nunique(), "over_folds": over_folds}
        )
    return rows


def _pool(evaluated: Iterable[Evaluated], seed: int) -> pd.DataFrame:
    """Return the predictions of all folds of a repetition."""
    pooled = pd.concat(
        [frame.assign(_run=run["folder"]) for run, frame in evaluated if run["repetition"] == seed]
    )
    twice = pooled[pooled.duplicated(["corpus", "utterance_id"], keep=False)]
    if len(twice):
        name = twice["utterance_id"].iloc[0]
        both = [Path(run) for run in twice.loc[twice["utterance_id"] == name, "_run"]]
        raise UserError(
            f"{both[0].parent}: utterance {name} is in the test parts of "
            f"{' and '.join(run.name for run in both)}; folds of one repetition share none: train "
            "them again"
        )
    return pooled


def _missing_runs(begun: Sequence[Path], seeds: Sequence[int], expected: int | None) -> list[str]:
    names = {run.name for run in begun}
    wanted = [run_name(fold, seed) for seed in seeds for fold in range(expected or 0)]
    return [name for name in wanted if name not in names]
