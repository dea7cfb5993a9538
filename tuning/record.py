"""Record of a search for people and for the report, written anew after each trial."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ser_aae.config import TABLES
from ser_aae.config.fields import settings as known_settings
from ser_aae.config.fields import values_by_name
from ser_aae.experiments.tuned import join_documents
from ser_aae.files.atomic import remove_partial, write_bytes, write_json, written_whole
from ser_aae.files.digests import digest_of_plain
from ser_aae.results.folder import run_folder, run_name
from ser_aae.results.search_folder import (
    BEST,
    OBJECTIVE,
    SEARCHES,
    TRIALS,
    rank_trials,
    read_trials,
)
from ser_aae.results.text import count_of
from tuning.definition import Search
from tuning.hypermodel import trial_config
from tuning.oracles import COMPLETED, DurableOracle

TENSORBOARD = "tensorboard"


def record(search: Search, oracle: DurableOracle, folder: Path, runs: Path) -> None:
    """Write `trials.json`, `best.yaml` and TensorBoard's HParams of the trials there are.

    Trials stand in the order of their beginning: of several workers chance decides which ends
    first. Folders of trials are written relative to `runs`.
    """
    ended = [name for name in oracle.start_order if name in oracle.end_order]
    rows = [_row(search, oracle, name, runs) for name in ended]
    best = next(iter(rank_trials(rows)), None)
    begun = [
        {"trial": name, "status": oracle.trials[name].status, **_settings(search, oracle, name)}
        for name in oracle.start_order
        if name not in oracle.end_order
    ]
    write_json(
        folder / TRIALS,
        {"best": best["trial"] if best else None, "trials": rows, "not_completed": begun},
    )
    if best:
        write_bytes(folder / BEST, _best_yaml(search, oracle, best, len(rows)).encode())
    _write_hparams(search, rows, folder / TENSORBOARD)


def join_best(artefact: str, folders: Sequence[Path], runs: Path) -> Path:
    """Write what several searches for an artefact have chosen as one file; return its path.

    `ser-aae reproduce --tuned` takes it. The same searches write the same file.
    """
    names = [folder.relative_to(runs).as_posix() for folder in folders]
    path = runs / SEARCHES / f"{artefact}-{digest_of_plain(names, 8)}.yaml"
    documents = [(folder / BEST).read_text(encoding="utf-8") for folder in folders]
    write_bytes(path, join_documents(documents).encode())
    return path


def _settings(search: Search, oracle: DurableOracle, name: str) -> dict[str, Any]:
    values = oracle.trials[name].hyperparameters.values
    dimensions = search.space.dimensions
    return {
        "values": {item.name: item.values[values[item.name]] for item in dimensions},
        "epochs": trial_config(search, values).training.epochs,
        "seeds": list(search.seeds),
    }


def _row(search: Search, oracle: DurableOracle, name: str, runs: Path) -> dict[str, Any]:
    trial = oracle.trials[name]
    found = [
        {
            "folder": run_folder(runs, config).relative_to(runs).as_posix(),
            "fold": config.protocol.fold,
            "seed": config.seed,
            OBJECTIVE: trial.metrics.get_last_value(run_name(config.protocol.fold, config.seed)),
        }
        for config in search.runs_of(trial_config(search, trial.hyperparameters.values))
    ]
    return {
        "trial": name,
        "status": COMPLETED,
        **_settings(search, oracle, name),
        "objective": trial.score,
        "runs": found,
    }


def _best_yaml(search: Search, oracle: DurableOracle, best: dict[str, Any], count: int) -> str:
    """Return the settings of the best trial that differ from the defaults, and all searched."""
    searched = [key for item in search.space.dimensions for key in item.keys]
    values = oracle.trials[best["trial"]].hyperparameters.values
    plain = values_by_name(trial_config(search, values).to_dict())
    nested: dict[str, Any] = {}
    for key, (item, _) in known_settings().items():
        default = list(item.default) if isinstance(item.default, tuple) else item.default
        if key not in searched and plain[key] == default:
            continue
        group, dot, leaf = key.rpartition(".")
        (nested.setdefault(group, {}) if dot else nested)[leaf] = plain[key]
    if search.config.tables:
        nested[TABLES] = search.config.to_record()[TABLES]
    head = [
        f"# the best of {count_of(count, 'trial')} by {search.algorithm} search: "
        f"trial {best['trial']}, UA {100 * best['objective']:.2f} on validation speakers",
        f"# mean over {count_of(len(best['runs']), 'run')}: "
        + ", ".join(run_name(run["fold"], run["seed"]) for run in best["runs"]),
        f"# searched: {', '.join(searched)}",
    ]
    return "\n".join(head) + "\n" + yaml.safe_dump(nested, sort_keys=False)


def _write_hparams(search: Search, rows: Iterable[dict[str, Any]], folder: Path) -> None:
    """Write the trials for TensorBoard's HParams page, a folder each, each once."""
    # Keras Tuner has loaded TensorFlow by now; this module alone would not need it
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    remove_partial(folder)
    with _write_once(folder / "space") as place:
        if place:
            api.hparams_config(
                hparams=[
                    api.HParam(item.name, api.Discrete(list(item.values)))
                    for item in search.space.dimensions
                ],
                metrics=[api.Metric(OBJECTIVE, display_name="validation UA")],
            )
    for row in rows:
        with _write_once(folder / f"trial-{row['trial']}") as place:
            if place:
                api.hparams(row["values"], trial_id=row["trial"])
                tf.summary.scalar(OBJECTIVE, row["objective"], step=0)


@contextmanager
def _write_once(folder: Path) -> Iterator[bool]:
    """Give whether a folder of TensorBoard's has to be written; it is there whole or not at all."""
    import tensorflow as tf

    if folder.is_dir():
        yield False
        return
    with (
        written_whole(folder) as temporary,
        tf.summary.create_file_writer(str(temporary)).as_default(),
    ):
        yield True


def best_line(search: Search, folder: Path) -> str | None:
    """Return one line on the best trial so far, `None` before the first has completed."""
    content = read_trials(folder)
    row = next((r for r in content["trials"] if r["trial"] == content["best"]), None)
    if row is None:
        return None
    words = [f"{k} {row['values'][d.name]}" for d in search.space.dimensions for k in d.keys]
    return f"best so far: UA {100 * row['objective']:.2f}, trial {row['trial']}: {', '.join(words)}"
