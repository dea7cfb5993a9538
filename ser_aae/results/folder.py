"""The layout of run folders: names, atomic writing, finding and tabulating."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ser_aae.config import TABLES, RunConfig
from ser_aae.errors import UserError

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
EPOCHS = "epochs.jsonl"
PREDICTIONS = "predictions.parquet"
EXAMPLES = "examples.npz"
RESULT = "result.json"

_RUN_NAME = re.compile(r"fold\d+-rep\d+")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all; its folder is made where missing.

    Raises:
        ValueError: The content holds NaN or infinity, which JSON cannot say.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename: never half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def append_jsonl(path: Path, row: Mapping[str, Any]) -> None:
    """Append one line of JSON, in a single write; the file is made where missing.

    Raises:
        ValueError: The row holds NaN or infinity, which JSON cannot say.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(line)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        UserError: No such file, or no JSON object in it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: expected a file of a run, found none; train the run again"
        ) from error
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error}); train the run again") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a JSON object; train the run again")
    return content


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines; an absent file has none.

    Raises:
        UserError: A line is not JSON. A last line without its end is left out instead: a
            run that was interrupted leaves one.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            break
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise UserError(f"{path}:{number}: not JSON ({error}); remove the line") from error
    return rows


def run_name(fold: int, seed: int) -> str:
    """Return the name of a run's folder, e.g. `fold03-rep07`."""
    return f"fold{fold:02d}-rep{seed:02d}"


def run_folder(runs: Path, config: RunConfig) -> Path:
    """Return where a run lies; nothing is made."""
    dataset = config.stored_name(config.dataset)
    experiment = f"{dataset}-{config.task}-{config.model.kind}-{config.protocol.name}"
    return runs / experiment / config.digest() / run_name(config.protocol.fold, config.seed)


def is_complete(folder: Path) -> bool:
    """Return whether a run has ended: `result.json` is written last."""
    return (folder / RESULT).is_file()


def find_runs(runs: Path) -> list[Path]:
    """Return the folders of all runs below, begun or complete, sorted by path."""
    found = runs.rglob(CONFIG) if runs.is_dir() else ()
    return sorted(path.parent for path in found if _RUN_NAME.fullmatch(path.parent.name))


def find_experiments(runs: Path) -> list[Path]:
    """Return the folders that hold the folds of one experiment, sorted by path."""
    return sorted({run.parent for run in find_runs(runs)})


def load_runs(runs: Path) -> pd.DataFrame:
    """Return one row a complete run.

    Columns: `folder`, `experiment` (the digest), `fold`, `repetition`; every setting of the
    config under its dotted name (`model.alpha`), lists joined by commas; every single value
    of `result.json` under its key (`unweighted_accuracy`).

    Raises:
        UserError: A run's config or result cannot be read.
    """
    rows = []
    for folder in find_runs(runs):
        if is_complete(folder):
            config = read_json(folder / CONFIG)
            config.pop(TABLES, None)
            scalars = {
                key: value
                for key, value in read_json(folder / RESULT).items()
                if not isinstance(value, list | dict)
            }
            place = {"folder": str(folder), "experiment": folder.parent.name}
            rows.append(place | fold_and_seed(folder, config) | dict(flatten(config)) | scalars)
    return pd.DataFrame(rows)


def fold_and_seed(folder: Path, config: Mapping[str, Any]) -> dict[str, int]:
    """Return `fold` and `repetition` of a run, from its config.

    Raises:
        UserError: They are missing, or the folder is named after others: it was renamed.
    """
    try:
        fold, seed = config["protocol"]["fold"], config["seed"]
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{folder / CONFIG}: expected protocol.fold and seed, found no {error}"
        ) from error
    if folder.name != run_name(fold, seed):
        raise UserError(
            f"{folder}: its config says fold {fold} and seed {seed}; rename the folder "
            f"to {run_name(fold, seed)}"
        )
    return {"fold": fold, "repetition": seed}


def flatten(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of a nested config as dotted names and single values."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", ",".join(str(item) for item in value)
        else:
            yield f"{prefix}{key}", value
