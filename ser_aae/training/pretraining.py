"""Stage 1, on the auxiliary corpora alone (Sec. 4.3): computed once for all runs that share it.

It is a training of its own, with nothing of the emotional corpus in it: normalised by the auxiliary
corpora, with a speaker head over their speakers, for a number of epochs that nothing chooses. So
no fold, task or protocol changes it, and no validation or test speaker comes near it. Its outcome
lies beside the runs; a run takes over the weights, and begins stage 2 with heads of its own where
the heads differ. A run that has just computed the outcome reads it from the file like any other.

`ser_aae.results.folder` lists the files of its folder.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ser_aae.batches.pipeline import evaluation_dataset, measure_normalisation
from ser_aae.config import RunConfig
from ser_aae.data.mixture import Share
from ser_aae.data.part import Part
from ser_aae.data.run_data import RunData
from ser_aae.errors import DamagedError
from ser_aae.files.atomic import (
    has_file,
    read_json,
    read_jsonl,
    remove,
    remove_partial,
    write_bytes,
    write_json,
)
from ser_aae.files.damage import damage_told
from ser_aae.files.digests import digest_of_file, digest_of_plain
from ser_aae.files.locks import claim, holder
from ser_aae.labels import GENDERS, UNLABELLED, VOICE_TASKS
from ser_aae.model.aae import MultitaskAAE, build_model
from ser_aae.progress import Show
from ser_aae.results.folder import (
    EPOCHS,
    PRETRAINING,
    STAGE_ONE,
    STAGE_ONE_WEIGHTS,
    is_validated,
)
from ser_aae.results.run_kinds import Epoch, StageOne, epoch_number
from ser_aae.results.tracking import chosen_trackers
from ser_aae.training.callbacks import read_backup, remove_backup
from ser_aae.training.devices import device_names, is_on_several_hosts
from ser_aae.training.latent import MOMENT_BATCHES
from ser_aae.training.pretraining_key import (
    STAND_IN,
    config_of_stage_one,
    describe_stage_one,
    phases_of_stage_one,
    steps_of_stage_one,
)
from ser_aae.training.seeds import seed_everything
from ser_aae.training.stage import Stage, fit_stage
from ser_aae.training.trackers import open_trackers
from ser_aae.utterance import known_speakers

_SPEAKER_LOGITS = "speaker/speaker_logits/"


def pretrain(
    config: RunConfig,
    data: RunData,
    runs: Path,
    folder: Path,
    show: Show,
    strategy: tf.distribute.Strategy,
) -> Path | None:
    """Return the folder with the outcome of a run's stage 1; compute it where nobody has.

    Of several processes that need the same one, one computes it and the others wait. Where it
    is interrupted, the next one goes on after its last epoch. What cannot be read of it is told,
    and computed again.

    The folder of the run gets the description and the log of stage 1. A stage 1 that cannot be
    repeated to the bit, that several hosts compute together, or that is on the run's own training
    part, lies there.

    Returns:
        `None` for a run without stage 1, or that is beyond it.
    """
    backup = read_backup(folder)
    is_beyond = is_validated(folder) or (backup and backup["stage"] == 2)
    if is_beyond or not config.has_stage_one:
        return None
    replicas = strategy.num_replicas_in_sync
    description = describe_stage_one(config, data, device_names(), replicas)
    is_repeatable = config.training.deterministic and not is_on_several_hosts(strategy)
    # one on a training part is of that fold alone: another one's may hold its test speakers
    is_shared = is_repeatable and bool(data.auxiliary)
    place = (runs if is_shared else folder) / PRETRAINING / digest_of_plain(description, 16)
    with ExitStack() as claims:
        if not claims.enter_context(claim(place)):
            show(f"stage 1: waits for {holder(place)}, which computes it ({place})")
            claims.enter_context(claim(place, wait=True))
        try:
            _find_or_compute(place, description, config, data, strategy, show)
        except DamagedError as error:
            problem = str(error).rpartition("; ")[0]  # without the advice, which is taken here
            show(f"stage 1: computed again, for {problem}")
            _clear(place)
            _find_or_compute(place, description, config, data, strategy, show)
    for name in (STAGE_ONE, EPOCHS):
        write_bytes(folder / name, (place / name).read_bytes())
    return place


def adopt_weights(model: MultitaskAAE, place: Path, data: RunData, phases: Sequence[str]) -> None:
    """Give a model the weights of a stage 1 of some phases, but those of a head for emotions.

    Networks that take no part in these phases begin as they are. A speaker of stage 1 keeps what
    the speaker head has learnt of them; the speakers that the run adds begin as they are.

    Raises:
        DamagedError: The weights are not those of such a model. Their digests are compared before,
            but an outcome of an earlier version has none.
    """
    path = place / STAGE_ONE_WEIGHTS
    columns = [data.speakers.index(name) for name in speakers_of_stage_one(data)]
    with np.load(path) as found:
        for name, weight in _shared_weights(model, phases):
            value = found[name] if name in found.files else np.array(np.nan)
            width = len(columns) if name.startswith(_SPEAKER_LOGITS) else weight.shape[-1]
            if value.shape != (*weight.shape[:-1], width) or not np.isfinite(value).all():
                raise DamagedError(
                    f"{path}: expected finite numbers of shape {(*weight.shape[:-1], width)} in "
                    f"{name}, found none; remove {place} and give the same command again"
                )
            if name.startswith(_SPEAKER_LOGITS):
                present = weight.numpy()
                present[..., columns] = value
                value = present
            weight.assign(value)


def speakers_of_stage_one(data: RunData) -> list[str]:
    """Return the speakers of stage 1, in the order of their class numbers."""
    return sorted(known_speakers(item for part in data.pretraining for item in part.utterances))


def _find_or_compute(
    place: Path,
    description: dict[str, Any],
    config: RunConfig,
    data: RunData,
    strategy: tf.distribute.Strategy,
    show: Show,
) -> None:
    """Leave the outcome of stage 1 in a folder that is held.

    Raises:
        DamagedError: Something of an outcome, or of an interrupted training, cannot be read.
    """
    if has_file(place / STAGE_ONE_WEIGHTS):
        _check(place, config)
        remove_backup(place)  # a kill in the last moment leaves it
        show(f"stage 1: found in {place}")
        return
    remove_partial(place)
    write_json(place / STAGE_ONE, description)
    weights = _compute(place, config, data, strategy, show)
    digests = {
        EPOCHS: digest_of_file(place / EPOCHS),
        STAGE_ONE_WEIGHTS: hashlib.sha256(weights).hexdigest(),
    }
    write_json(place / STAGE_ONE, description | {"sha256": digests})
    write_bytes(place / STAGE_ONE_WEIGHTS, weights)
    remove_backup(place)


def _check(place: Path, config: RunConfig) -> None:
    """Refuse an outcome whose files are not as they were written."""
    path, again = place / STAGE_ONE_WEIGHTS, "compute it again"
    stated = read_json(place / STAGE_ONE, "a file of stage 1", again, StageOne)
    # an outcome of an earlier version has no digests
    for name, digest in stated.get("sha256", {}).items():
        if not has_file(place / name) or digest_of_file(place / name) != digest:
            raise DamagedError(
                f"{place / name}: gone, or changed since it was written, by its SHA-256 in "
                f"{STAGE_ONE}; {again}"
            )
    # opened here: NumPy leaves the file open where it is no archive
    with damage_told(path, again), path.open("rb") as stream, np.load(stream) as found:
        for name in found.files:
            found[name]  # read whole, by which its checksum is compared
    rows = read_jsonl(place / EPOCHS, again, Epoch)
    wanted = config.training.pretraining_epochs
    numbers = [(row["stage"], epoch_number(row)) for row in rows]
    if numbers != [(1, number) for number in range(1, wanted + 1)]:
        raise DamagedError(
            f"{place / EPOCHS}: expected the lines of {wanted} epochs, found {len(rows)}; {again}"
        )


def _clear(place: Path) -> None:
    """Remove what there is of a stage 1."""
    for path in place.iterdir():
        remove(path)


def _compute(
    place: Path, config: RunConfig, data: RunData, strategy: tf.distribute.Strategy, show: Show
) -> bytes:
    """Train stage 1 in a folder that is held, and return its weights as an archive of NumPy's."""
    config = config_of_stage_one(config)
    seed_everything(config)
    with strategy.scope():
        model, stage = _build_stage(config, data)
    # other trackers are told by each run that begins with it
    names = [name for name in chosen_trackers() if name == "tensorboard"]
    with open_trackers(config, place, show, names) as trackers:
        fit_stage(model, stage, config, place, show, trackers.epoch)
    model.swap_averages()
    content = io.BytesIO()
    np.savez(
        content, **{name: weight.numpy() for name, weight in _shared_weights(model, model.phases)}
    )
    return content.getvalue()


def _build_stage(config: RunConfig, data: RunData) -> tuple[MultitaskAAE, Stage]:
    """Return an untrained model of the auxiliary tasks, and what it is trained on."""
    sizes = {"gender": len(GENDERS), "speaker": len(speakers_of_stage_one(data))}
    counts = {STAND_IN: 2} | {task: sizes[task] for task in config.tasks}
    model = build_model(config, counts, config.training.precision, phases_of_stage_one(config))
    model.compile(config.training)
    parts = _number_speakers(data)
    normalisation = measure_normalisation(parts)
    size = config.training.batch_size
    first = evaluation_dataset(parts[0], normalisation, config.data, size).take(MOMENT_BATCHES)
    # kept: finding a corpus' first rows among its shards may take long
    segments = np.concatenate([segments.numpy() for segments, *_ in first])
    observed = tf.data.Dataset.from_tensor_slices((segments,)).batch(size)
    return model, Stage(
        number=1,
        told={"training": parts},
        epochs=config.training.pretraining_epochs,
        mixture=[Share(parts, size)],
        steps=steps_of_stage_one(config, parts),
        normalisation=normalisation,
        observed=observed,
    )


def _number_speakers(data: RunData) -> list[Part]:
    """Return the parts of stage 1 with the speakers numbered among themselves."""
    numbers = np.full(len(data.speakers) + 1, UNLABELLED, np.int32)
    speakers = speakers_of_stage_one(data)
    numbers[[data.speakers.index(name) for name in speakers]] = np.arange(len(speakers))
    return [
        replace(
            part,
            labels={
                STAND_IN: np.full(len(part.corpus.utterances), UNLABELLED, np.int32),
                "gender": part.labels["gender"],
                # an unknown speaker has number -1, which is the last of the table
                "speaker": numbers[part.labels["speaker"]],
            },
        )
        for part in data.pretraining
    ]


def _shared_weights(
    model: MultitaskAAE, phases: Sequence[str]
) -> Iterator[tuple[str, "tf.Variable"]]:
    """Yield the weights that go from a stage 1 of some phases to stage 2, with their names.

    A name is that of network, layer and weight.
    """
    networks = [model.encoder]
    if "reconstruction" in phases:
        networks.append(model.decoder)
    if "regularisation" in phases:
        networks.append(model.discriminator)
    networks += [head for task, head in model.classifiers.items() if task in VOICE_TASKS]
    for network in networks:
        for layer in network.layers:
            for weight in layer.weights:
                yield f"{network.name}/{layer.name}/{weight.name}", weight
