"""A complete run, read back: its config, its classes, and the warnings for its users."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ser_aae.config import RunConfig
from ser_aae.config.build import build_config
from ser_aae.corpus_facts import ELICITATIONS
from ser_aae.errors import DamagedError, UserError
from ser_aae.files.atomic import TRAIN_AGAIN, read_json
from ser_aae.labels import GENDERS, VOICE_TASKS
from ser_aae.results.folder import (
    CONFIG,
    NORMALISATION,
    RESULT,
    is_complete,
    is_validated,
    mend_incomplete,
    name_runs_below,
    read_plain_config,
    read_result,
)
from ser_aae.results.run_kinds import Normalisation
from ser_aae.results.text import percent

DAMAGES = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""Errors that plain values raise which are not as they were written."""


_LIMITS_OF_EMOTION = "with other speakers, rooms, languages or spontaneous emotion it may not hold"
_LIMITS = {
    "gender": "with other speakers, rooms or languages it may not hold",
    "speaker": "it takes everybody for one of the speakers that it was trained on, and in other "
    "rooms it may not hold",
}
"""Primary task to what a reader of its posteriors has to know."""


_NAME_ONE = "name one, or train it to its end"


@contextmanager
def name_damaged(path: Path) -> Iterator[None]:
    """Name the file of a run whose content is read in the block.

    Raises:
        UserError: The block raised one of `DAMAGES`: something is missing or wrong.
    """
    try:
        yield
    except DAMAGES as error:
        raise DamagedError(f"{path}: it is damaged ({error!r}); {TRAIN_AGAIN}") from error


def read_config(run: Path) -> RunConfig:
    """Return the config of a run.

    Raises:
        UserError: No run, or one that is not complete.
    """
    if not is_complete(run):
        mend = name_runs_below(run) or mend_incomplete([run], _NAME_ONE)
        raise UserError(
            f"{run}: expected the folder of a complete run (fold00-rep00 with result.json), found "
            f"none; {mend}"
        )
    return _read_stored(run)


def read_chosen_config(run: Path) -> RunConfig:
    """Return the config of a run whose best epoch is chosen, its test part scored or not.

    Raises:
        UserError: No run, or one that trains still.
    """
    if not (is_complete(run) or is_validated(run)):
        raise UserError(
            f"{run}: expected the folder of a run that has trained to its end (with result.json "
            f"or validation.json), found none; {name_runs_below(run) or _NAME_ONE}"
        )
    return _read_stored(run)


def _read_stored(run: Path) -> RunConfig:
    read_plain_config(run)  # errors of its own where it is not what a run writes
    try:
        return build_config(file=run / CONFIG, stored=True)
    except UserError as error:  # of values that are possible each by itself, but not together
        raise DamagedError(f"{run / CONFIG}: {error}") from error


def read_measured(run: Path) -> dict[str, Any]:
    """Return `normalisation.json` of a run, where `num_classes` is task to number.

    Raises:
        UserError: The file is missing, or has no such numbers.
    """
    measured = read_json(run / NORMALISATION, kind=Normalisation)
    counts = measured["num_classes"]
    with name_damaged(run / NORMALISATION):
        if not counts or min(counts.values()) < 1:
            raise ValueError(f"num_classes: expected numbers from 1, found {counts}")
    return measured


def read_classes(run: Path, config: RunConfig) -> dict[str, tuple[str, ...]]:
    """Return the names of the classes of each task, the primary task first.

    A task whose classifier is not trained is left out.

    Raises:
        UserError: `normalisation.json` is missing or damaged.
    """
    measured = read_measured(run)
    counts = measured["num_classes"]
    with name_damaged(run / NORMALISATION):
        # a run of an earlier version did not write the speakers' names
        numbers = [f"speaker {number + 1}" for number in range(counts.get("speaker", 0))]
        known: dict[str, Any] = {
            "gender": GENDERS,
            "speaker": measured.get("speakers", numbers),
            config.task: measured["classes"],
        }
        classes = {task: read_texts(known[task], task) for task in counts}
        if any(len(names) != counts[task] for task, names in classes.items()):
            raise ValueError(f"expected the names of {counts} classes, found {classes}")
        # a run of an earlier version did not write it
        for task in measured.get("untrained", ()):
            del classes[task]
        if config.task not in classes:
            raise ValueError(f"untrained: expected tasks beside {config.task}, found it")
    return classes


def read_warnings(run: Path, config: RunConfig) -> tuple[str, ...]:
    """Return sentences that a reader of posteriors of a run's model has to know.

    Raises:
        UserError: The run's result is missing or damaged.
    """
    result = read_result(run)
    with name_damaged(run / RESULT):
        # neither a path, which would say something of this machine, nor a folder of the store
        names = tuple(map(config.plain_name, config.emotional))
        several = f"{len(names)} corpora" if len(names) > 1 else ""
        # runs of an earlier version say no more than which corpora are synthetic
        stored = ", ".join(map(config.stored_name, config.emotional))
        is_synthetic = stored in (result.get("synthetic") or ())
        elicitation = result.get("elicitation", "synthetic" if is_synthetic else "")
        kind = f"{elicitation} speech" if elicitation in ELICITATIONS else several or "one corpus"
        accuracy = percent(result["unweighted_accuracy"])
        classes = read_texts(result["classes"], "classes")
        # a test part may lack a class; runs of an earlier version do not say it
        tested = read_texts(result.get("classes_scored", classes), "classes_scored")
        chance = percent(1 / len(tested))
        of = f" of {config.task}" if config.task in VOICE_TASKS else ""
        return (
            f"trained on {kind} ({', '.join(names)}), where the test part gave {accuracy} % UA{of} "
            f"(mean of the classes' recalls; guessing gives {chance}); "
            f"{_LIMITS.get(config.task, _LIMITS_OF_EMOTION)}",
            *_warn_of_levels(config),
            *read_texts(result.get("warnings", ()), "warnings", least=0),
        )


def _warn_of_levels(config: RunConfig) -> list[str]:
    """Return a sentence where recordings are normalised otherwise than most of the training was."""
    is_idle = not (config.joined or config.auxiliary)
    if config.data.normalisation == "whole" or is_idle:
        return []
    return [
        "each corpus was normalised by its own statistics in training, and a recording is by those "
        "of all of them together"
    ]


def read_texts(values: Any, of: str, least: int = 1) -> tuple[str, ...]:
    """Return a list of texts as a tuple; anything else, or too few, raises a ValueError."""
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_list or len(values) < least or not all(isinstance(each, str) for each in values):
        raise ValueError(f"{of}: expected a list of texts, at least {least}, found {values!r}")
    return tuple(values)
