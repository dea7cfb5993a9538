"""Records of all runs: one row each, in a file small enough to keep with the source."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from reports.settings import shortest_settings
from reports.summary import Evaluations
from ser_aae.config import RunConfig, named_dataset, without_idle
from ser_aae.files.atomic import has_file
from ser_aae.results.folder import ENVIRONMENT, read_environment, read_plain_config
from ser_aae.results.kept_epochs import KEPT_EPOCH, PRETRAINING_EPOCHS, kept_epoch
from ser_aae.results.run_kinds import ERROR_RATES, SPEAKER_ONLY

_FIGURE_KEYS = (
    "n",
    "weighted_accuracy",
    "unweighted_accuracy",
    "macro_f1",
    "gender_accuracy",
    SPEAKER_ONLY,
    *ERROR_RATES,
)
_STORED_KEYS = (
    "validation_unweighted_accuracy",
    "speaker_accuracy",
    "epochs",
    PRETRAINING_EPOCHS,
    "seconds",
    "finished",
    "test_ids_digest",
    "predictions_sha256",
)
_COLUMN_SETTINGS = (
    "dataset",
    "joined",
    "task",
    "classes",
    "auxiliary",
    "seed",
    "model.kind",
    "protocol.name",
    "protocol.fold",
    "protocol.directory",
)
"""Settings with a column each, and the one that is a path of this machine."""


def run_records(evaluations: Evaluations) -> pd.DataFrame:
    """Return one row a complete run: settings, figures as shares, digests of data and tests.

    `settings` are those that differ from the preset named beside them. No path of a machine is
    in it, and the figures are those recomputed from the predictions.

    Raises:
        UserError: A config or an environment cannot be read.
    """
    return pd.DataFrame(
        [
            _record(run, folder.name)
            for folder, evaluation in evaluations.items()
            for run in evaluation["runs"]
        ]
    )


def _record(run: Mapping[str, Any], digest: str) -> dict[str, Any]:
    folder, stored = Path(run["folder"]), run["stored"]
    config = read_plain_config(folder)
    preset, changed = shortest_settings(without_idle(config, RunConfig), _COLUMN_SETTINGS)
    return {
        "experiment": digest,
        "dataset": named_dataset(config),
        **{name: config[name] for name in ("task", "classes")},
        "auxiliary": " ".join(config["auxiliary"]),
        "model": config["model"]["kind"],
        "protocol": config["protocol"]["name"],
        "preset": preset,
        "settings": "; ".join(f"{name}={value}" for name, value in changed.items()),
        "fold": run["fold"],
        "repetition": run["repetition"],
        "seed": config["seed"],
        **{name: run.get(name) for name in _FIGURE_KEYS},
        KEPT_EPOCH: kept_epoch(stored),
        **{name: stored.get(name) for name in _STORED_KEYS},
        **_leakage(stored.get("leakage") or {}),
        "adversary": (stored.get("adversary") or {}).get("state"),
        "synthetic": " ".join(stored.get("synthetic") or ()),
        "corpora": " ".join(f"{name}={sha}" for name, sha in (stored.get("corpora") or {}).items()),
        "commit": _commit(folder),
    }


def _leakage(check: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts of the leakage check, `None` for those that the run did not write."""
    shared = check.get("shared_speakers")
    names = {name for found in (shared or {}).values() for name in found}
    return {
        "speaker_independent": check.get("speaker_independent"),
        "shared_speakers": None if shared is None else len(names),
        "shared_utterances": check.get("shared_utterances"),
        "shared_files": check.get("shared_files"),
        "shared_sentences": check.get("shared_sentences"),
    }


def _commit(run: Path) -> str | None:
    """Return the commit a run was made at, with a mark where files had changed since."""
    state = read_environment(run).get("git") if has_file(run / ENVIRONMENT) else None
    return None if not state else f"{state['commit'][:12]}{'+' * bool(state['dirty'])}"
