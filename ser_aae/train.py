"""One run, from a config to a result: stage 1, stage 2, the test part scored once."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ser_aae.aae import MultitaskAAE
from ser_aae.adversary import judge_adversary
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
    remove_backup,
)
from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.evaluate import Scorer, predictions_frame, score_tasks
from ser_aae.examples import draw_examples
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
    score,
    write_json,
    write_predictions,
)
from ser_aae.results.folder import write_bytes

Show = Callable[[str], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A model with what it was trained on."""

    model: MultitaskAAE
    data: Assembly
    normalisation: Normalisation


def train_and_evaluate(config: RunConfig, store: Path, runs: Path, show: Show = _log.info) -> Path:
    """Train one fold, score its test part, and leave a run folder.

    A complete run is left as it is; an interrupted one goes on after its last epoch, with
    the outcome it would have had.

    Args:
        config: The run; `config.protocol.fold` says which fold.
        store: Where the prepared corpora lie.
        runs: Where run folders are made.
        show: Called with a line of text for what a person should see.

    Returns:
        The run's folder.

    Raises:
        UserError: The data do not fit, or the folder belongs to another config.
        DivergedError: A loss became NaN.
    """
    folder = run_folder(runs, config)
    data = assemble(config, store)
    if is_complete(folder):
        show(f"{folder}: complete already, nothing to train")
        return folder
    _claim(folder, config, data)
    for warning in data.warnings:
        show(f"warning: {warning}")
    try:
        trained = _prepare(config, data, folder)
        _train_stages(trained, config, folder, show)
        _finish(trained, config, folder, show)
    except tf.errors.DataLossError as error:
        raise UserError(
            f"a shard is damaged ({error.message}); remove the folder of its corpus in {store} "
            "and prepare it again"
        ) from error
    return folder


def _claim(folder: Path, config: RunConfig, data: Assembly) -> None:
    """Write the config before anything else, or find the same one there."""
    content = {**config.to_dict(), "corpora": data.digests}
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
    write_json(
        folder / "normalisation.json",
        {
            "mean": normalisation.mean.tolist(),
            "deviation": normalisation.deviation.tolist(),
            "classes": list(data.target.classes),
            "num_classes": data.num_classes,
        },
    )
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
    """Return the schedule of a stage; stage 1 has no emotion to look at, so it takes gender's."""
    training = config.training
    name = BEST_WEIGHTS if stage == 2 else f"stage1-{BEST_WEIGHTS}"
    monitor = "val_unweighted_accuracy" if stage == 2 else "val_gender_accuracy"
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


def _forget_epochs_after(folder: Path, backup: dict[str, Any]) -> None:
    """Drop the lines of epochs that will be run again from the log."""
    path = folder / "epochs.jsonl"
    last = (backup["stage"], backup["epoch"])
    kept = [row for row in read_jsonl(path) if (row["stage"], row["epoch"]) <= last]
    if path.is_file():
        write_bytes(path, "".join(json.dumps(row) + "\n" for row in kept).encode())


def _finish(trained: Trained, config: RunConfig, folder: Path, show: Show) -> None:
    """Score the test part, once, and write the result last."""
    data, model = trained.data, trained.model
    epochs = read_jsonl(folder / "epochs.jsonl")
    adversary = judge_adversary(epochs) if "regularisation" in model.phases else None
    dead = [adversary["warning"]] if adversary and adversary["warning"] else []
    for warning in dead:
        show(f"warning: {warning}")
    posteriors, segments = _scorer(trained, config, data.test).posteriors()
    frame = predictions_frame(posteriors, segments, data.test, data.target.classes, model.primary)
    write_predictions(folder / "predictions.parquet", frame)
    others = score_tasks(posteriors, data.test, model.primary)
    validation = _scorer(trained, config, data.validation)
    draw_examples(model, validation.dataset, data.validation, data.target, folder)
    stage2 = [row for row in epochs if row["stage"] == 2]
    best = max(stage2, key=lambda row: row["validation"]["unweighted_accuracy"])
    result = {
        **score(frame, data.target.classes),
        "leakage": data.leakage,
        "centroids": None if data.target.centroids is None else data.target.centroids.tolist(),
        "validation_unweighted_accuracy": best["validation"]["unweighted_accuracy"],
        "best_epoch": best["epoch"],
        "epochs": len(epochs),
        "seconds": round(sum(row["seconds"] for row in epochs), 1),
        "adversary": adversary,
        "speaker_accuracy": others.get("speaker_accuracy"),
        "corpora": data.digests,
        "warnings": data.warnings + dead,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    write_json(folder / "result.json", result)
    remove_backup(folder)
