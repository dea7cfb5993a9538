"""Run folders: their layout, the names of their files, finding and tabulating them.

```
<runs>/<dataset>-<task>-<model>-<protocol>/<digest>/fold03-rep07/
  config.json          the whole RunConfig, written before training
  environment.json     commit, versions, machine
  normalisation.json   mean and deviation of the training part, classes and speakers
  heard.txt            a digest of the sound of all that is trained on or selected by
  epochs.jsonl         one line an epoch
  tensorboard/         the same for TensorBoard
  pretraining.json     with auxiliary corpora: facts that its stage 1 depends on
  best.weights.h5      the best epoch's weights
  backup.json          while it trains: what it goes on from, with backup-stage2-0041.weights.h5
  next-best.weights.h5 for a moment: weights of a new best epoch of which no backup knows yet
  validation.json      of a search's run: scores of validation, until the test part is scored
  predictions.parquet  one row a test utterance; every score is computed from these
  verification.parquet optional: one row a trial of speaker verification, see `.trials`
  examples.npz         optional: a segment and codes z, for the report's pictures
  result.json          the scores, and digests of model and predictions; written last, by rename:
                       its presence means complete

<runs>/starts/<digest>/weights.npz   weights that runs start from (`training.start`), and what they
are of; the digest is of both

docs/damage.md says what is noticed of each when it is read back.

<runs>/pretraining/<digest>/
  pretraining.json     facts that stage 1 depends on; the digest is of these
  epochs.jsonl         one line an epoch
  tensorboard/, backup.json, backup-stage1-0004.weights.h5   as above
  weights.npz          the averaged weights; written last, by rename: its presence means complete
```
The folds and repetitions of one experiment lie side by side under its digest: fold 3 and seed 7
above, both counted from 0.
"""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ser_aae.config import TABLES, RunConfig, complete_stored
from ser_aae.config.fields import check_stored, values_by_name
from ser_aae.errors import DamagedError, UserError
from ser_aae.files.atomic import TRAIN_AGAIN, has_file, read_json, read_jsonl
from ser_aae.files.digests import digest_of_file
from ser_aae.results.run_kinds import Environment, Epoch, Result, Validation

if TYPE_CHECKING:
    import pandas as pd

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
NORMALISATION = "normalisation.json"
HEARD = "heard.txt"
EPOCHS = "epochs.jsonl"
TENSORBOARD = "tensorboard"
BEST_WEIGHTS = "best.weights.h5"
NEXT_BEST_WEIGHTS = "next-best.weights.h5"
BACKUP = "backup.json"
BACKUP_WEIGHTS = "backup-*.weights.h5"
"""Pattern of the weights that a backup names."""

VALIDATION = "validation.json"
PREDICTIONS = "predictions.parquet"
VERIFICATION = "verification.parquet"
EXAMPLES = "examples.npz"
RESULT = "result.json"

FILE_DIGESTS = "files_sha256"
"""Key of a run's record with the digests of its other files."""

PRETRAINING = "pretraining"
"""Folder below the runs that holds the weights that they begin with."""

STAGE_ONE = "pretraining.json"
STAGE_ONE_WEIGHTS = START_WEIGHTS = "weights.npz"

_STARTS = "starts"

_DIGESTED = (
    *(CONFIG, ENVIRONMENT, EPOCHS, NORMALISATION, HEARD),
    *(BEST_WEIGHTS, VERIFICATION, EXAMPLES),
)
"""Files whose digests the run's record has. The predictions have a digest of their own there."""

_RUN_NAME = re.compile(r"fold\d+-rep\d+")


def read_plain_config(folder: Path) -> dict[str, Any]:
    """Read the config of a run as plain values.

    A setting that did not exist when the run was begun has the value that `before` says.

    Raises:
        DamagedError: No such file, no JSON object in it, a setting that is missing or cannot be,
            or another file than the run ended with.
    """
    path = folder / CONFIG
    plain = read_json(path)
    try:
        check_stored(plain)
    except UserError as error:
        raise DamagedError(f"{path}: {error}; {TRAIN_AGAIN}") from error
    refuse_changed(folder, CONFIG)
    return complete_stored(plain, RunConfig)


def read_result(folder: Path) -> dict[str, Any]:
    """Read `result.json` of a complete run.

    Raises:
        DamagedError: No such file, or a value in it that is none for its key.
    """
    return read_json(folder / RESULT, kind=Result)


def read_record(folder: Path) -> dict[str, Any]:
    """Read what a run wrote down at its end: its result, or what validation showed before it.

    Raises:
        DamagedError: No such file, or a value in it that is none for its key.
    """
    if is_complete(folder):
        return read_result(folder)
    return read_json(folder / VALIDATION, kind=Validation)


def read_validation(folder: Path) -> dict[str, Any]:
    """Read `validation.json` of a run that waits for its test part to be scored.

    Raises:
        DamagedError: As `read_result`.
    """
    return read_json(folder / VALIDATION, kind=Validation)


def read_environment(folder: Path) -> dict[str, Any]:
    """Read `environment.json` of a run.

    Raises:
        DamagedError: As `read_result`.
    """
    refuse_changed(folder, ENVIRONMENT)
    return read_json(folder / ENVIRONMENT, kind=Environment)


def read_epochs(folder: Path) -> list[dict[str, Any]]:
    """Read the log of a run that has ended, a row an epoch.

    Raises:
        DamagedError: No such file, a line that is none of a log, fewer or more lines than the run
            had epochs, or another file than it ended with.
    """
    path = folder / EPOCHS
    rows = read_jsonl(path, TRAIN_AGAIN, Epoch)
    stated = None
    if is_complete(folder):
        stated = read_result(folder).get("epochs")
    elif is_validated(folder):
        stated = read_validation(folder).get("epochs")
    if not rows or stated not in (None, len(rows)):
        wanted = "a line an epoch" if stated is None else f"the lines of {stated} epochs"
        raise DamagedError(f"{path}: expected {wanted}, found {len(rows)}; {TRAIN_AGAIN}")
    refuse_changed(folder, EPOCHS)
    return rows


def digest_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the files of a run that are there, by name, for its record."""
    there = (name for name in _DIGESTED if (folder / name).is_file())
    return {name: digest_of_file(folder / name) for name in there}


def written_digests(folder: Path) -> Mapping[str, str]:
    """Return the digests that a run wrote when it ended, by file; earlier versions wrote fewer.

    A digest notices damage and mix-ups. Whoever changes a file on purpose can change its digest
    too.
    """
    if is_complete(folder):
        record = read_result(folder)
    elif is_validated(folder):
        record = read_validation(folder)
    else:
        return {}
    return dict(record.get(FILE_DIGESTS, {}))


def refuse_changed(folder: Path, name: str) -> None:
    """Refuse a file that is not the one that a run ended with, where the run says so.

    A file that is missing is left to its reader.

    Raises:
        DamagedError: It was damaged or changed.
    """
    path, written = folder / name, written_digests(folder).get(name)
    if written is not None and path.is_file() and (found := digest_of_file(path)) != written:
        raise DamagedError(
            f"{path}: it is damaged, or was changed since the run ended (its SHA-256 is "
            f"{found[:12]}..., the run's record says {written[:12]}...); remove the folder and "
            f"{TRAIN_AGAIN}"
        )


def run_name(fold: int, seed: int) -> str:
    """Return the name of a run's folder, e.g. `fold03-rep07`."""
    return f"fold{fold:02d}-rep{seed:02d}"


def run_folder(runs: Path, config: RunConfig) -> Path:
    """Return where a run lies; nothing is made."""
    experiment = f"{config.title}-{config.task}-{config.model.kind}-{config.protocol.name}"
    return runs / experiment / config.digest() / run_name(config.protocol.fold, config.seed)


def start_file(runs: Path, digest: str) -> Path:
    """Return where the weights of a digest lie that runs start from."""
    return runs / _STARTS / digest / START_WEIGHTS


def is_complete(folder: Path) -> bool:
    """Return whether a run has ended: `result.json` is written last."""
    return has_file(folder / RESULT)


def is_validated(folder: Path) -> bool:
    """Return whether a run was trained to its end and waits for its test part to be scored."""
    return has_file(folder / VALIDATION)


def backup_weights(stage: int, epoch: int) -> str:
    """Return the name of the weights after an epoch of a stage, both counted as in the log."""
    return BACKUP_WEIGHTS.replace("*", f"stage{stage}-{epoch:04d}")


def find_runs(runs: Path) -> list[Path]:
    """Return the folders of all runs below, begun or complete, sorted by path.

    Raises:
        UserError: A folder below may not be read: what lies in it would be missing without a word.
    """
    return sorted(place for place in find_with(runs, CONFIG) if _RUN_NAME.fullmatch(place.name))


def find_with(runs: Path, *names: str) -> set[Path]:
    """Return the folders, at any depth, that hold one of some files.

    There are none where `runs` is not there.

    Raises:
        UserError: A folder may not be read.
    """

    def refuse_unreadable(error: OSError) -> None:
        # a folder that has just gone is another process'; a disk's own one holds no runs
        if isinstance(error, PermissionError) and Path(error.filename).name != "lost+found":
            raise UserError(
                f"{error.filename}: expected a folder that may be read, found one that may not "
                f"({error.strerror}), so that runs in it would be missing; give yourself the right "
                "to read it, or move it away"
            ) from error

    walked = os.walk(runs, onerror=refuse_unreadable)
    return {Path(place) for place, _, files in walked if not set(names).isdisjoint(files)}


def find_experiments(runs: Path) -> list[Path]:
    """Return the folders that hold the folds of one experiment, sorted by path."""
    return sorted({run.parent for run in find_runs(runs)})


def mend_incomplete(begun: Iterable[Path], otherwise: str) -> str:
    """Return what completes runs that have begun, `otherwise` where none waits to be scored."""
    if any(map(is_validated, begun)):
        return (
            "a test part is unread, and the same ser-aae train without --validation-only scores it"
        )
    return otherwise


def name_runs_below(folder: Path) -> str:
    """Return what to name in the place of a folder that is no run but holds some; else "".

    Raises:
        UserError: A folder below may not be read.
    """
    below = [str(run) for run in find_runs(folder) if run != folder and is_complete(run)]
    if not below:
        return ""
    more = f" and {len(below) - 1} more" if len(below) > 1 else ""
    return f"name one of the runs in it: {below[0]}{more}"


def load_runs(runs: Path, without: Collection[Path] = ()) -> "pd.DataFrame":
    """Return one row a complete run, but of experiments that are to be left out.

    Columns: `folder`, `experiment` (the digest), `fold`, `repetition`; every setting of the
    config under its dotted name (`model.alpha`), lists joined by commas; every single value
    of `result.json` under its key (`unweighted_accuracy`).

    Raises:
        UserError: A run's config or result cannot be read.
    """
    # here, for nothing else that names the files of a run needs half of its memory
    import pandas as pd

    rows = []
    for folder in find_runs(runs):
        if folder.parent not in without and is_complete(folder):
            config = read_plain_config(folder)
            config.pop(TABLES, None)
            scalars = {
                key: value
                for key, value in read_result(folder).items()
                if not isinstance(value, list | dict)
            }
            place = {"folder": str(folder), "experiment": folder.parent.name}
            rows.append(place | fold_and_seed(folder, config) | flatten(config) | scalars)
    return pd.DataFrame(rows)


def fold_and_seed(folder: Path, config: Mapping[str, Any]) -> dict[str, int]:
    """Return `fold` and `repetition` of a run, from its config.

    Raises:
        UserError: The folder is named after others: it was renamed.
    """
    fold, seed = config["protocol"]["fold"], config["seed"]
    if folder.name != run_name(fold, seed):
        raise UserError(
            f"{folder}: its config says fold {fold} and seed {seed}; rename the folder "
            f"to {run_name(fold, seed)}"
        )
    return {"fold": fold, "repetition": seed}


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a nested config by dotted name, lists joined by commas."""
    return {
        name: ",".join(map(str, value)) if isinstance(value, list | tuple) else value
        for name, value in values_by_name(config).items()
    }
