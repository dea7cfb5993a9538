"""Kinds of a run's JSON files: the keys that are read of each, with their types.

Whatever an earlier version did not write has a default.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import model_validator

from ser_aae.files.records import Record

ALONE = {"_of_corpus": "verified corpus alone", "_of_test_part": "test part alone"}
"""Ending of the scores of one population to words for it; those of both have no ending."""
ERROR_RATE, NUM_TRIALS = "equal_error_rate", "verification_trials"
"""Scores that each population has too, with its ending."""
ERROR_RATES = (ERROR_RATE, *(ERROR_RATE + ending for ending in ALONE))
"""Equal error rates of speaker verification: over both populations, and of each alone."""
SPEAKER_ONLY = "speaker_only_unweighted_accuracy"
"""Score of whoever knows the speaker alone. Of a task of voices that is to know the answer: what is
computed of a run again leaves the score out there, and so do all tables."""
UA_OVER_CORPORA = "unweighted_accuracy_over_corpora"
OVER_CORPORA = {
    UA_OVER_CORPORA: "unweighted_accuracy",
    "weighted_accuracy_over_corpora": "weighted_accuracy",
}
"""Mean over corpora, each of which counts alike, to the score that it is of."""
RUNNING = "running_unweighted_accuracy"
"""Key, in a line of `epochs.jsonl`, of the mean UA of the epochs that are compared."""
SELECTION = "selection_unweighted_accuracy"
"""Key of that mean with the epochs that have not run yet; the best epoch has most of it."""

EPOCH_NUMBER = "number"
"""Key of a line of `epochs.jsonl`: the epoch's number in its stage, from 1."""
_FORMER_NUMBER = "epoch"
"""Key of lines of before for the epoch's number, from 0."""


def epoch_number(row: Mapping[str, Any]) -> int:
    """Return the number of a log's row in its stage, from 1, whichever version wrote it."""
    return row[EPOCH_NUMBER] if EPOCH_NUMBER in row else row[_FORMER_NUMBER] + 1


class Leakage(Record):
    """Findings of the leakage check, see `ser_aae.protocols.leakage.check_leakage`."""

    speaker_independent: bool | None = None
    folds: int | None = None
    shared_speakers: dict[str, list[str]] | None = None
    shared_utterances: int | None = None
    shared_files: int | None = None
    shared_sentences: float | None = None
    known_by_sound: bool | None = None
    copies: dict[str, int] | None = None


class Adversary(Record):
    """Judgement on the adversary, see `ser_aae.results.adversary`."""

    state: str
    warning: str | None = None


class Validation(Record):
    """`validation.json`, which a search's run ends with; the part of `result.json` without test."""

    validation_unweighted_accuracy: float | None = None
    best_epoch: int | None = None
    kept_epoch: int | None = None
    epochs: int | None = None
    pretraining_epochs: int | None = None
    ended_by: str | None = None
    pretraining_updates: int | None = None
    updates: int | None = None
    labelled_rows: float | None = None
    seconds: float | None = None
    pretraining_seconds: float | None = None
    adversary: Adversary | None = None
    corpora: dict[str, str] | None = None
    warnings: list[str] | None = None
    leakage: Leakage | None = None
    files_sha256: Mapping[str, str] = {}


class Result(Validation):
    """`result.json`; the scores are compared with those of the predictions wherever shown."""

    unweighted_accuracy: float | None = None
    equal_error_rate: float | None = None
    equal_error_rate_of_corpus: float | None = None
    equal_error_rate_of_test_part: float | None = None
    verification_trials: int | None = None
    verification_test_speakers: int | None = None
    speaker_accuracy: float | None = None
    by_corpus: Mapping[str, Mapping[str, float]] = {}
    unweighted_accuracy_over_corpora: float | None = None
    weighted_accuracy_over_corpora: float | None = None
    classes: list[str] | None = None
    start: Mapping[str, str] | None = None
    centroids: list[list[float]] | None = None
    corpus_centroids: list[list[float]] | None = None
    synthetic: list[str] | None = None
    elicitation: str | None = None
    predictions_sha256: str | None = None
    verification_digest: str | None = None
    finished: str | None = None


class GitState(Record):
    """The state of the source that a run was made with."""

    commit: str
    dirty: bool


class Environment(Record):
    """`environment.json`."""

    git: GitState | None = None
    packages: Mapping[str, str | None] = {}
    python: str | None = None
    platform: str | None = None
    cpu_count: int | None = None
    devices: Sequence[str] = ()


class Epoch(Record):
    """A line of `epochs.jsonl`; one of before has its number under another key."""

    stage: int
    number: int
    seconds: float = 0.0
    learning_rates: Mapping[str, float] = {}
    train: Mapping[str, float] = {}
    validation: Mapping[str, float] = {}
    latent: Mapping[str, float] = {}

    @model_validator(mode="before")
    @classmethod
    def take_former_number(cls, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take a number from 0 for one from 1, so that it is checked alike."""
        if EPOCH_NUMBER in content or _FORMER_NUMBER not in content:
            return content
        return {**content, EPOCH_NUMBER: content[_FORMER_NUMBER]}


class Backup(Record):
    """`backup.json`: where an interrupted stage stands, with digests of its log and weights."""

    stage: int
    epoch: int
    weights: str
    ended: bool
    schedule: Mapping[str, Any] = {}
    log: str | None = None
    sha256: Mapping[str, str] = {}


class StageOne(Record):
    """`pretraining.json`: what stage 1 follows from, and the digests of its outcome."""

    sha256: Mapping[str, str] = {}


class StartNote(Record):
    """What a run took over of the model that it starts from."""

    name: str
    taken: str
    speakers: Sequence[str] = ()
    knows_speakers: bool = False
    knows_sounds: bool = False


class Normalisation(Record):
    """`normalisation.json`."""

    mean: Sequence[float] = ()
    deviation: Sequence[float] = ()
    levels: Mapping[str, Mapping[str, Sequence[float]]] = {}
    num_classes: dict[str, int]
    classes: list[str] | None = None
    speakers: list[str] | None = None
    untrained: Sequence[str] = ()
    start: StartNote | None = None
