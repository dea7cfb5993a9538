"""Stage 1, on the auxiliary corpora alone (Sec. 4.1.3): computed once for all runs that share it.

It is a training of its own, with nothing of the emotional corpus in it: normalised by the auxiliary
corpora, with a speaker head over their speakers, for a number of epochs that nothing chooses. So
no fold, task or protocol changes it, and no validation or test speaker comes near it. Its outcome
lies beside the runs; a run takes over the weights, and begins stage 2 with heads of its own where
they differ. Whether it finds the outcome or computes it makes no difference: it reads it from
the same file.

`ser_aae.results.folder` lists the files of its folder.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from ser_aae.batches.pipeline import evaluation_dataset, measure_normalisation
from ser_aae.config import RunConfig
from ser_aae.data.part import Part
from ser_aae.data.run_data import RunData
from ser_aae.files.atomic import remove_partial, write_bytes, write_json
from ser_aae.files.locks import claim, holder
from ser_aae.labels import PRIMARY_TASKS, UNLABELLED
from ser_aae.model.aae import MultitaskAAE
from ser_aae.progress import Show
from ser_aae.results.folder import PRETRAINING, STAGE_ONE, STAGE_ONE_WEIGHTS
from ser_aae.training.callbacks import remove_backup
from ser_aae.training.devices import is_on_several_hosts, open_strategy
from ser_aae.training.pretraining_key import describe_stage_one, digest_of
from ser_aae.training.seeds import seed_everything
from ser_aae.training.stage import Stage, fit_stage

_STAND_IN = PRIMARY_TASKS[0]
"""The primary task has no label in stage 1, whichever it is: a head that never moves stands in."""

_LOGITS = "speaker/speaker_logits/"
_OBSERVED = 4
"""Batches that the latent code is described on after each epoch."""


def pretrain(
    config: RunConfig,
    data: RunData,
    runs: Path,
    folder: Path,
    show: Show,
    strategy: tf.distribute.Strategy | None = None,
) -> Path | None:
    """Return the folder with the outcome of a run's stage 1; compute it where nobody has.

    Of several processes that need the same one, one computes it and the others wait. Where it
    is interrupted, the next one goes on after its last epoch.

    Args:
        config: The run.
        data: What it is trained on.
        runs: Where run folders lie.
        folder: The run's own; a stage 1 that cannot be repeated to the bit, or that several
            hosts compute together, lies there.
        show: Called with a line of text for what a person should see.
        strategy: Where it is computed, see `ser_aae.training.devices`; one device where absent.

    Returns:
        `None` where there is no stage 1.
    """
    if not (data.auxiliary and config.training.pretraining_epochs):
        return None
    strategy = strategy or open_strategy("one")
    devices = [device.name for device in tf.config.list_physical_devices()]
    description = describe_stage_one(config, data, devices, strategy.num_replicas_in_sync)
    is_shared = config.training.deterministic and not is_on_several_hosts(strategy)
    shared = runs if is_shared else folder
    place = shared / PRETRAINING / digest_of(description)

    def compute() -> None:
        _complete(place, description, config, data, strategy, show)

    with claim(place) as held:
        if held:
            compute()
            return place
    show(f"stage 1: waits for {holder(place)}, which computes it ({place})")
    with claim(place, wait=True):
        compute()
    return place


def adopt(model: MultitaskAAE, place: Path, data: RunData) -> None:
    """Give a model the weights of stage 1, all but those of its primary classifier.

    A speaker of the auxiliary corpora keeps what the speaker head has learnt of them; the
    speakers that the run adds begin as they are.
    """
    columns = [data.speakers.index(name) for name in auxiliary_speakers(data)]
    with np.load(place / STAGE_ONE_WEIGHTS) as found:
        for name, weight in _shared_weights(model):
            value = found[name]
            if name.startswith(_LOGITS):
                present = weight.numpy()
                present[..., columns] = value
                value = present
            weight.assign(value)


def auxiliary_speakers(data: RunData) -> list[str]:
    """Return the speakers of stage 1, in the order of their class numbers."""
    parts = data.auxiliary
    return sorted({part.corpus.utterances[row].speaker for part in parts for row in part.rows})


def _complete(
    place: Path,
    description: dict[str, object],
    config: RunConfig,
    data: RunData,
    strategy: tf.distribute.Strategy,
    show: Show,
) -> None:
    """Leave the outcome in a folder that is held."""
    if (place / STAGE_ONE_WEIGHTS).is_file():
        show(f"stage 1: found in {place}")
        return
    remove_partial(place)
    write_json(place / STAGE_ONE, description)
    seed_everything(config)
    with strategy.scope():
        model, stage = _begin(config, data)
    fit_stage(model, stage, config, place, show)
    model.swap_averages()
    content = io.BytesIO()
    np.savez(content, **{name: weight.numpy() for name, weight in _shared_weights(model)})
    write_bytes(place / STAGE_ONE_WEIGHTS, content.getvalue())
    remove_backup(place)


def _begin(config: RunConfig, data: RunData) -> tuple[MultitaskAAE, Stage]:
    """Return an untrained model of the auxiliary tasks, and what it is trained on."""
    parts = _parts(data)
    speakers = auxiliary_speakers(data)
    counts = {task: data.num_classes[task] for task in config.model.tasks}
    if "speaker" in counts:
        counts["speaker"] = len(speakers)
    shape = (config.frontend.bins, config.data.segment_frames, 1)
    model = MultitaskAAE(config.model, {_STAND_IN: 2} | counts, shape, seed=config.seed)
    model.compile(config.training)
    normalisation = measure_normalisation(parts)
    size = config.training.batch_size
    first = evaluation_dataset(parts[0], normalisation, config.data, size).take(_OBSERVED)
    # kept: finding a corpus' first rows among its shards may take long
    segments = np.concatenate([segments.numpy() for segments, *_ in first])
    observed = tf.data.Dataset.from_tensor_slices((segments,)).batch(size)
    epochs = config.training.pretraining_epochs
    return model, Stage(1, epochs, parts, [], 0.0, normalisation, observed)


def _parts(data: RunData) -> list[Part]:
    """Return the auxiliary parts with the speakers numbered among themselves."""
    numbers = np.full(len(data.speakers) + 1, UNLABELLED, np.int32)
    speakers = auxiliary_speakers(data)
    numbers[[data.speakers.index(name) for name in speakers]] = np.arange(len(speakers))
    return [
        Part(
            part.corpus,
            part.rows,
            {
                _STAND_IN: np.full(len(part.corpus.utterances), UNLABELLED, np.int32),
                "gender": part.labels["gender"],
                # one that is unknown has number -1, which is the last of the table
                "speaker": numbers[part.labels["speaker"]],
            },
        )
        for part in data.auxiliary
    ]


def _shared_weights(model: MultitaskAAE) -> Iterator[tuple[str, "tf.Variable"]]:
    """Yield the weights that go from stage 1 to stage 2, by network, layer and name."""
    networks = [model.encoder]
    if "reconstruction" in model.phases:
        networks.append(model.decoder)
    if "regularisation" in model.phases:
        networks.append(model.discriminator)
    networks += [head for task, head in model.classifiers.items() if task != model.primary]
    for network in networks:
        for layer in network.layers:
            for weight in layer.weights:
                yield f"{network.name}/{layer.name}/{weight.name}", weight
