"""One run, from a config to a result: stage 1, stage 2, the test part scored once."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ser_aae.aae import MultitaskAAE
from ser_aae.assembly import Assembly, assemble
from ser_aae.callbacks import (
    BEST_WEIGHTS,
    Backup,
    EpochLog,
    HalveOnPlateau,
    StopOnNaN,
    SwapAverages,
    ValidationScores,
    read_backup,
)
from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.evaluate import Scorer
from ser_aae.finish import finish, finish_unscored, is_validated
from ser_aae.labels import UNLABELLED
from ser_aae.latent import latent_moments
from ser_aae.parts import Part
from ser_aae.pipeline import (
    Normalisation,
    evaluation_dataset,
    measure_normalisation,
    steps_per_epoch,
    training_dataset,
)
from ser_aae.results import (
    environment,
    is_complete,
    read_json,
    read_jsonl,
    run_folder,
    write_json,
)
from ser_aae.results.folder import write_bytes
from ser_aae.results.verification import VERIFICATION, score_trials, write_trials
from ser_aae.verification import TrialPlan, d_vectors, plan_trials, score_pairs

Show = Callable[[str], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A model with what it was trained on."""

    model: MultitaskAAE
    data: Assembly
    normalisation: Normalisation


def train_and_evaluate(
    config: RunConfig,
    store: Path,
    runs: Path,
    show: Show = _log.info,
    score_test: bool = True,
) -> Path:
    """Train one fold, score its test part, and leave a run folder.

    A complete run is left as it is; an interrupted one goes on after its last epoch, with
    the outcome it would have had. One that ended without its test part is scored now.

    Args:
        config: The run; `config.protocol.fold` says which fold.
        store: Where the prepared corpora lie.
        runs: Where run folders are made.
        show: Called with a line of text for what a person should see.
        score_test: `False` ends with `validation.json`, the test part unread: what a search does.

    Returns:
        The run's folder.

    Raises:
        UserError: The data do not fit, or the folder belongs to another config.
        DivergedError: A loss became NaN.
    """
    folder = run_folder(runs, config)
    data = assemble(config, store)
    plan = plan_trials(config, store, data)
    if is_complete(folder) or (not score_test and is_validated(folder)):
        show(f"{folder}: complete already, nothing to train")
        return folder
    _claim(folder, config, data, plan)
    for warning in data.warnings:
        show(f"warning: {warning}")
    try:
        trained = _prepare(config, data, folder)
        if is_validated(folder):
            trained.model.load_weights(folder / BEST_WEIGHTS)
        else:
            _train_stages(trained, config, folder, show)
        if score_test:
            verified = _verify(trained, config, plan, folder)
            finish(trained.model, data, partial(_scorer, trained, config), folder, show, verified)
        else:
            finish_unscored(trained.model, data, folder, show)
    except tf.errors.DataLossError as error:
        raise UserError(
            f"a shard is damaged ({error.message}); remove the folder of its corpus in {store} "
            "and prepare it again"
        ) from error
    return folder


def _claim(folder: Path, config: RunConfig, data: Assembly, plan: TrialPlan | None) -> None:
    """Write the config before anything else, or find the same one there."""
    verified = {plan.part.corpus.name: plan.part.corpus.digest} if plan else {}
    content = {**config.to_dict(), "corpora": data.digests | verified}
    if (folder / "config.json").is_file():
        if read_json(folder / "config.json") != content:
            raise UserError(
                f"{folder}: begun with another config or other data; remove the folder "
                "to train anew"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    devices = [device.name for device in tf.config.list_physical_devices()]
    write_json(folder / "environment.json", environment() | {"devices": devices})
    write_json(folder / "config.json", content)


def _prepare(config: RunConfig, data: Assembly, folder: Path) -> Trained:
    """Seed everything, measure the normalisation on the training part, build the model."""
    # not 0: with a global seed of 0 tf.data refuses seeds that are tensors
    keras.utils.set_random_seed(config.seed + 1)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    normalisation = measure_normalisation([*data.train, *data.auxiliary])
    measured = {"mean": normalisation.mean.tolist(), "deviation": normalisation.deviation.tolist()}
    names = {"classes": list(data.target.classes), "speakers": list(data.speakers)}
    write_json(folder / "normalisation.json", measured | names | {"num_classes": data.num_classes})
    shape = (config.frontend.bins, config.data.segment_frames, 1)
    model = MultitaskAAE(config.model, data.num_classes, shape, seed=config.seed)
    model.compile(config.training, _class_weights(config, data))
    return Trained(model, data, normalisation)


def _class_weights(config: RunConfig, data: Assembly) -> dict[str, list[float]]:
    """Return the weights of the primary task's classes: total / (classes * count)."""
    if config.training.class_weights == "none":
        return {}
    task, classes = data.target.task, data.target.classes
    labels = np.concatenate([part.labels[task][part.rows] for part in data.train])
    counts = np.bincount(labels[labels != UNLABELLED], minlength=len(classes))
    weights = counts.sum() / (len(classes) * np.maximum(counts, 1))
    return {task: weights.tolist()}


def _train_stages(trained: Trained, config: RunConfig, folder: Path, show: Show) -> None:
    """Stage 1 on the auxiliary corpora, where there are any; then stage 2."""
    backup = read_backup(folder) or {"stage": 1, "epoch": -1}
    _forget_epochs_after(folder, backup)
    data = trained.data
    if backup["stage"] == 1:
        if data.auxiliary and config.training.pretraining_epochs:
            _fit(trained, config, folder, 1, backup, show)
            # the emotional stage begins with the weights learnt, not with their optimisers
            trained.model.compile(config.training, _class_weights(config, data))
        backup = {"stage": 2, "epoch": -1}
    _fit(trained, config, folder, 2, backup, show)


def _fit(
    trained: Trained,
    config: RunConfig,
    folder: Path,
    stage: int,
    backup: dict[str, Any],
    show: Show,
) -> None:
    """Run the epochs of one stage that are still to be run."""
    model, training = trained.model, config.training
    epochs = training.pretraining_epochs if stage == 1 else training.epochs
    schedule = _schedule(config, folder, stage)
    first = backup["epoch"] + 1
    if first:
        model.load_weights(folder / backup["weights"])
        schedule.state = backup["schedule"]
        show(f"stage {stage}: goes on after epoch {first}")
    if first >= epochs or backup.get("ended", False):
        schedule.set_model(model)
        schedule.on_train_end()
        return
    batches, steps = _batches(trained, config, stage, first)
    model.fit(
        batches,
        steps_per_epoch=steps,
        initial_epoch=first,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=_callbacks(trained, config, folder, stage, schedule, show),
    )


def _batches(
    trained: Trained, config: RunConfig, stage: int, first: int
) -> tuple[tf.data.Dataset, int]:
    """Return the batches of a stage from its epoch `first` on, and the steps of an epoch."""
    data, size = trained.data, config.training.batch_size
    primary = data.auxiliary if stage == 1 else data.train
    auxiliary = [] if stage == 1 else data.auxiliary
    seed = config.seed * 2 + stage
    batches = training_dataset(
        primary, auxiliary, trained.normalisation, config.data, size, seed, first
    )
    return batches, steps_per_epoch(primary, config.data, size, bool(auxiliary))


def _callbacks(
    trained: Trained,
    config: RunConfig,
    folder: Path,
    stage: int,
    schedule: HalveOnPlateau,
    show: Show,
) -> list[keras.callbacks.Callback]:
    """Return what happens after each epoch, in order: the backup is of a whole epoch."""
    model = trained.model
    scorer = _scorer(trained, config, trained.data.validation)
    return [
        StopOnNaN(),
        SwapAverages(),
        ValidationScores(scorer, model.primary),
        schedule,
        EpochLog(folder, stage, lambda: latent_moments(model, scorer.dataset), show),
        SwapAverages(),
        Backup(folder, stage, schedule),
    ]


def _schedule(config: RunConfig, folder: Path, stage: int) -> HalveOnPlateau:
    """Return the schedule of a stage; stage 1 has no emotion to look at, so it takes gender's.

    Without a gender task nothing is left: validation speakers are nobody the speaker head knows.
    """
    training = config.training
    name = BEST_WEIGHTS if stage == 2 else f"stage1-{BEST_WEIGHTS}"
    monitor = "val_gender_accuracy" if "gender" in config.model.tasks else None
    if stage == 2:
        monitor = "val_unweighted_accuracy"
    return HalveOnPlateau(
        folder / name,
        training.patience_epochs,
        training.rate_factor,
        training.stop_ratio,
        monitor,
    )


def _scorer(trained: Trained, config: RunConfig, part: Part) -> Scorer:
    dataset = evaluation_dataset(
        part, trained.normalisation, config.data, config.training.batch_size
    )
    return Scorer(trained.model, dataset, part)


def _verify(
    trained: Trained, config: RunConfig, plan: TrialPlan | None, folder: Path
) -> dict[str, Any]:
    """Score the verification trials, where there are any, and return their figures."""
    if plan is None:
        return {}
    batches = _scorer(trained, config, plan.part).dataset
    trials = score_pairs(d_vectors(trained.model, batches, plan.part), plan)
    write_trials(folder / VERIFICATION, trials)
    return score_trials(trials)


def _forget_epochs_after(folder: Path, backup: dict[str, Any]) -> None:
    """Drop the lines of epochs that will be run again from the log."""
    path = folder / "epochs.jsonl"
    last = (backup["stage"], backup["epoch"])
    kept = [row for row in read_jsonl(path) if (row["stage"], row["epoch"]) <= last]
    if path.is_file():
        write_bytes(path, "".join(json.dumps(row) + "\n" for row in kept).encode())
