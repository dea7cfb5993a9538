"""One run, from a config to a result: stage 1, stage 2, the test part scored once."""

import logging
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import tensorflow as tf

from ser_aae.batches.pipeline import measure_normalisation
from ser_aae.config import CORPORA, TABLES, RunConfig, without_idle
from ser_aae.data.mixture import mix_stage_two, steps_per_epoch
from ser_aae.data.part import Part
from ser_aae.data.run_data import RunData, assemble
from ser_aae.errors import DamagedError, UserError
from ser_aae.files.atomic import has_file, remove_partial, write_json, write_plain_json
from ser_aae.files.locks import claim, holder
from ser_aae.labels import UNLABELLED
from ser_aae.model.aae import build_model
from ser_aae.model.networks import FLOAT32
from ser_aae.progress import Show
from ser_aae.results.folder import (
    BEST_WEIGHTS,
    CONFIG,
    ENVIRONMENT,
    NORMALISATION,
    is_complete,
    is_validated,
    read_plain_config,
    read_result,
    read_validation,
    run_folder,
)
from ser_aae.results.heard_sounds import sounds_of, write_heard
from ser_aae.results.model_files import refuse_changed_model, remarks_on
from ser_aae.results.provenance import environment
from ser_aae.store.corpus import changed_shards
from ser_aae.training.callbacks import (
    HalveOnPlateau,
    Track,
    ValidationScores,
    load_weights,
    train_anew,
)
from ser_aae.training.devices import device_names, is_chief
from ser_aae.training.display import parts_of_stage_two
from ser_aae.training.divergence import DivergedError
from ser_aae.training.ending import finish, finish_unscored, remove_leftovers
from ser_aae.training.pretraining import adopt_weights, pretrain
from ser_aae.training.pretraining_key import phases_of_stage_one
from ser_aae.training.scoring import TrainedModel
from ser_aae.training.seeds import seed_everything
from ser_aae.training.stage import Stage, fit_stage
from ser_aae.training.starting import (
    Start,
    adopt_start,
    check_heard,
    read_start,
    refuse_other_input,
)
from ser_aae.training.traces import traces_given_back
from ser_aae.training.trackers import open_trackers
from ser_aae.training.verification import TrialPlan, plan_trials, verify

_log = logging.getLogger(__name__)


def train_and_evaluate(
    config: RunConfig,
    store: Path,
    runs: Path,
    show: Show = _log.info,
    score_test: bool = True,
    strategy: tf.distribute.Strategy | None = None,
) -> Path:
    """Train one fold, score its test part, and leave a run folder.

    A complete run is left as it is; an interrupted one goes on after its last epoch, with
    the outcome it would have had. One that ended without its test part is scored now. Without
    `score_test` the run ends with `validation.json`, the test part unread, as a search wants it;
    without a strategy (see `ser_aae.training.devices`) one device computes it.

    Returns:
        The run's folder.

    Raises:
        UserError: The data do not fit, the folder belongs to another config, or another process
            trains this run right now.
        DivergedError: A loss or an output became NaN or infinite.
    """
    folder = run_folder(runs, config)
    if _has_ended(folder, score_test):
        remove_leftovers(folder)
        show(f"{folder}: complete already, nothing to train")
        return folder
    with claim(folder) as held:
        if not held:
            raise UserError(
                f"{folder}: {holder(folder)} trains this run; wait until it has ended, or end it, "
                "and give the command again"
            )
        return train_claimed(config, store, runs, show, score_test, strategy)


@traces_given_back()
def train_claimed(
    config: RunConfig,
    store: Path,
    runs: Path,
    show: Show = _log.info,
    score_test: bool = True,
    strategy: tf.distribute.Strategy | None = None,
) -> Path:
    """Do what `train_and_evaluate` does, in a folder that is held already."""
    strategy = strategy or tf.distribute.get_strategy()
    folder = run_folder(runs, config)
    data, start = _read_data(config, store, runs)
    plan = plan_trials(config, store, data)
    if _has_ended(folder, score_test):
        remove_leftovers(folder)
        return folder
    _begin_folder(folder, config, data, plan)
    for warning in (*_check_trained(folder), *data.warnings):
        show(f"warning: {warning}")
    try:
        with open_trackers(config, folder, show, None if is_chief(strategy) else ()) as trackers:
            pretrained = pretrain(config, data, runs, folder, show, strategy)
            trackers.catch_up()
            trained = _build_model(config, data, folder, pretrained, start, strategy)
            if is_validated(folder):
                load_weights(trained.model, folder / BEST_WEIGHTS, train_anew(folder))
            else:
                _train_stage_two(trained, show, trackers.epoch)
            _end(_in_float32(trained), plan, score_test, show)
            trackers.finish(read_result(folder) if score_test else read_validation(folder))
    except tf.errors.DataLossError as error:
        shards = _damaged_shards([*data.parts, *(plan.parts if plan else [])])
        raise DamagedError(
            f"{', '.join(map(str, shards))}: a shard is damaged ({_reason(error)}); remove its "
            "folder and prepare the corpus again"
        ) from error
    except DivergedError as error:
        raise DivergedError(f"{folder}: {error}") from error
    return folder


def _end(trained: TrainedModel, plan: TrialPlan | None, score_test: bool, show: Show) -> None:
    """Score the test part and end the run, or leave the test part unread."""
    if score_test:
        finish(trained, verify(trained, plan, show) if plan else {}, show)
    else:
        finish_unscored(trained, show)


def _read_data(config: RunConfig, store: Path, runs: Path) -> tuple[RunData, Start | None]:
    """Return the data of a run, and the model that it starts from, if any, which is checked."""
    data = assemble(config, store)
    if not config.training.start:
        return data, None
    start = read_start(runs, config.training.start)
    refuse_other_input(start, config)
    return replace(data, warnings=[*data.warnings, *check_heard(start, data)]), start


def _check_trained(folder: Path) -> tuple[str, ...]:
    """Refuse a changed model of a run whose test part is still to be scored; return remarks."""
    if not is_validated(folder):
        return ()
    refuse_changed_model(folder)
    return remarks_on(folder)


def _reason(error: tf.errors.OpError) -> str:
    """Return what TensorFlow says of an error, without the names of its operations."""
    return re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:.*", "", str(error.message))


def _damaged_shards(parts: Iterable[Part]) -> list[Path]:
    """Return the shards that are not as they were written, all of them where none is found out."""
    sources = chain.from_iterable(part.corpus.sources for part in parts)
    corpora = {corpus.folder: corpus for corpus in sources}.values()
    changed = [path for corpus in corpora for path in changed_shards(corpus)]
    return changed or [path for corpus in corpora for path in corpus.shards]


def _has_ended(folder: Path, score_test: bool) -> bool:
    return is_complete(folder) or (not score_test and is_validated(folder))


def _begin_folder(folder: Path, config: RunConfig, data: RunData, plan: TrialPlan | None) -> None:
    """Write the config before anything else, or find the same one there."""
    parts = plan.parts if plan else []
    sources = chain.from_iterable(part.corpus.sources for part in parts)
    verified = {corpus.name: corpus.digest for corpus in sources}
    content = {**config.to_record(), CORPORA: data.digests | verified}
    remove_partial(folder)
    if has_file(folder / CONFIG):
        there = read_plain_config(folder)
        found, wanted = (without_idle(each, RunConfig) for each in (there, content))
        # the digests of the corpora say whether the data are the same, wherever a table lies now
        if found | {TABLES: None} != wanted | {TABLES: None}:
            raise UserError(
                f"{folder / CONFIG}: begun with another config or other data; remove {folder} "
                "to train anew"
            )
        return
    write_json(folder / ENVIRONMENT, environment() | {"devices": device_names()})
    write_plain_json(folder / CONFIG, content)


def _build_model(
    config: RunConfig,
    data: RunData,
    folder: Path,
    pretrained: Path | None,
    start: Start | None,
    strategy: tf.distribute.Strategy,
) -> TrainedModel:
    """Seed everything, measure the normalisation on the training part, build the model."""
    seed_everything(config)
    normalisation = measure_normalisation([*data.train, *data.mixed], config.data.normalisation)
    measured = {"mean": normalisation.mean.tolist(), "deviation": normalisation.deviation.tolist()}
    if normalisation.levels:
        measured["levels"] = {
            name: {"gain": each.gain.tolist(), "offset": each.offset.tolist()}
            for name, each in normalisation.levels.items()
        }
    names = {"classes": list(data.target.classes), "speakers": list(data.speakers)}
    untrained = {"untrained": list(data.untrained)} if data.untrained else {}
    heads = {"num_classes": data.num_classes} | untrained
    told = dict[str, str]()
    with strategy.scope():
        model = build_model(config, data.num_classes, config.training.precision)
        if pretrained is not None:
            adopt_weights(model, pretrained, data, phases_of_stage_one(config))
        if start is not None:
            told = {"name": start.name, "taken": adopt_start(model, start, data).describe()}
        model.compile(config.training, _class_shares(data, config.data.corpus_balance))
    if start is not None:
        heads["start"] = told | {
            "speakers": list(start.speakers),
            "knows_speakers": start.knows_speakers,
            "knows_sounds": start.knows_sounds,
        }
    write_json(folder / NORMALISATION, measured | names | heads)
    heard = chain.from_iterable(part.utterances for part in data.heard)
    write_heard(folder, sounds_of(heard).union(start.sounds if start else ()))
    return TrainedModel(config, folder, data, model, normalisation, told)


def _in_float32(trained: TrainedModel) -> TrainedModel:
    """Return the model, on its best weights, as whatever loads the run has it.

    So posteriors, d-vectors and pictures of a run are those that its saved or exported model gives,
    whatever the precision of its training.
    """
    config, folder, model = trained.config, trained.folder, trained.model
    if config.training.precision == FLOAT32:
        return trained
    with model.distribute_strategy.scope():
        model = build_model(config, trained.data.num_classes)
        model.compile(config.training)
    load_weights(model, folder / BEST_WEIGHTS, train_anew(folder))
    return replace(trained, model=model)


def _class_shares(data: RunData, balance: str = "size") -> dict[str, list[float]]:
    """Return the share of each class of the primary task in the labelled training utterances.

    They are those of the corpora that are scored, each of which counts alike where batches are
    drawn of them evenly. A class of which they have none labelled, as a speaker of an auxiliary
    corpus, gets the mean share: it has nothing to have a margin for.
    """
    task, classes = data.target.task, data.target.classes
    labels = [part.labels[task][part.rows] for part in data.train]
    of_each = [
        np.bincount(own[own != UNLABELLED], minlength=len(classes)).astype(np.float64)
        for own in labels
    ]
    if balance == "even":
        of_each = [own / len(part.rows) for own, part in zip(of_each, data.train, strict=True)]
    counts = np.sum(of_each, axis=0)
    if not counts.any():
        return {}
    counts = np.where(counts > 0, counts, counts[counts > 0].mean())
    return {task: (counts / counts.sum()).tolist()}


def _train_stage_two(trained: TrainedModel, show: Show, track: Track) -> None:
    config, data, folder = trained.config, trained.data, trained.folder
    if trained.start:
        show("stage 2: starts from {name}: {taken}".format(**trained.start))
    scorer = trained.scorer(data.validation)
    mixture = mix_stage_two(config, data)
    stage = Stage(
        number=2,
        told=parts_of_stage_two(data),
        epochs=config.training.epochs,
        mixture=mixture,
        steps=steps_per_epoch(mixture, config.data.segment_frames),
        normalisation=trained.normalisation,
        observed=scorer.dataset,
        scoring=[ValidationScores(scorer, trained.model.primary)],
        schedule=HalveOnPlateau(
            folder / BEST_WEIGHTS, config.training, chance=1 / len(data.target.classes)
        ),
    )
    fit_stage(trained.model, stage, config, folder, show, track)
