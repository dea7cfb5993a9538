"""The key of stage 1: all that its outcome depends on; runs that agree in it share the outcome.

Stage 1 sees the auxiliary corpora and nothing else (`ser_aae.training.pretraining`), so neither the
emotional corpus, its task, protocol and fold nor the settings of stage 2 are in the key. Every
setting is, a new one included, that is not declared as without influence (`stage_one` of
`ser_aae.config.setting`).
"""

import hashlib
import os
import platform
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ser_aae.config import ModelConfig, RunConfig, TrainingConfig
from ser_aae.config.fields import settings
from ser_aae.config.kinds import KINDS
from ser_aae.data.mixture import Share, steps_per_epoch
from ser_aae.data.part import Part
from ser_aae.data.run_data import RunData
from ser_aae.labels import PRIMARY_TASKS, VOICE_TASKS
from ser_aae.results.folder import flatten
from ser_aae.results.provenance import environment

VERSION = 1
"""Raised by a person when stage 1 computes something else from the same settings and data: in its
losses, networks, optimisers, batches, augmentation, draws or normalisation."""

_PACKAGES = ("tensorflow", "tensorflow-io", "keras", "numpy")


STAND_IN = PRIMARY_TASKS[0]
"""Primary task of stage 1: without any label, so that its head never moves."""

_SUPERVISED = ("classification",)
"""Phases of a stage 1 that is supervised."""


def phases_of_stage_one(config: RunConfig) -> tuple[str, ...]:
    """Return the phases that stage 1 of a run is trained in."""
    is_supervised = config.training.pretraining == "supervised"
    return _SUPERVISED if is_supervised else config.model.traits.phases


def steps_of_stage_one(config: RunConfig, parts: Sequence[Part]) -> int:
    """Return the steps of each epoch of a stage 1 on some parts.

    An epoch visits each segment once; with `training.pretraining_steps` all epochs together make so
    many steps, or the next multiple of the epochs, whatever the parts.
    """
    training = config.training
    one_pass = [Share(parts, training.batch_size)]
    return training.pretraining_epoch_steps or steps_per_epoch(one_pass, config.data.segment_frames)


def config_of_stage_one(config: RunConfig) -> RunConfig:
    """Return the config that stage 1 of a run is computed by.

    A supervised stage 1 (Sec. 4.3) classifies gender and speaker whatever the run's model is for,
    so that all kinds with the same trunk share its outcome: what else the kinds differ in, and what
    only phases ask for that it lacks, is the same for all of them here. Of a run whose primary task
    is gender or speaker that task is one of stage 1 as well.
    """
    if config.training.pretraining != "supervised":
        return config if config.task not in VOICE_TASKS else _with_stand_in(config)
    model, usual = config.model, ModelConfig()
    of_phases = ("alpha", "reconstruction", "adversarial", "adversarial_weight")
    of_adversary = [each.name for each in fields(usual) if each.name.startswith("discriminator_")]
    common = {name: getattr(usual, name) for name in (*of_phases, *of_adversary)}
    kind = "mtl" if model.traits.trunk == "encoder" else "cnn-mtl"
    tasks = usual.auxiliary_tasks
    rates = TrainingConfig()
    return replace(
        config,
        task=STAND_IN,
        # beta 0 leaves eq. (2) the sum of the losses of gender and speaker
        model=replace(model, **common, kind=kind, beta=0.0, auxiliary_tasks=tasks),
        training=replace(
            config.training,
            update=rates.update,
            generator_rate_ratio=rates.generator_rate_ratio,
            discriminator_rate_ratio=rates.discriminator_rate_ratio,
        ),
    )


def _with_stand_in(config: RunConfig) -> RunConfig:
    """Return the config of a multi-task model of emotions that has a run's tasks beside them.

    A single-task model's loss has the weight that it has in stage 2, eq. (2).
    """
    kind, beta = config.model.traits, config.model.beta
    tasks = tuple(task for task in VOICE_TASKS if task in config.voice_tasks)
    sibling = next(
        each.name for each in KINDS.values() if each.family == kind.family and each.is_multitask
    )
    own = {"kind": sibling, "auxiliary_tasks": tasks, "beta": beta if config.tasks else 1.0 - beta}
    return replace(config, task=STAND_IN, model=replace(config.model, **own))


def settings_of_stage_one(config: RunConfig) -> dict[str, Any]:
    """Return the settings that stage 1 depends on, by dotted name."""
    known = settings()
    return {
        name: value
        for name, value in flatten(config_of_stage_one(config).identity()).items()
        if known[name][0].metadata["stage_one"]
    }


def describe_stage_one(
    config: RunConfig, data: RunData, devices: Sequence[str], replicas: int = 1
) -> dict[str, Any]:
    """Return everything that the outcome of stage 1 follows from, to the bit.

    `devices` are all that TensorFlow knows of; `replicas` of them part a batch between them.
    """
    corpora = [
        {
            "name": part.corpus.name,
            "digest": part.corpus.digest,
            "rows": hashlib.sha256(part.rows.astype("<i8").tobytes()).hexdigest()[:16],
        }
        for part in data.pretraining
    ]
    packages = environment()["packages"]
    return {
        "settings": settings_of_stage_one(config),
        "corpora": corpora,
        "version": VERSION,
        "packages": {name: packages[name] for name in _PACKAGES},
        "processor": _processor(),
        # more threads take sums in another order
        "threads": os.environ.get("TF_NUM_INTRAOP_THREADS") or str(os.cpu_count()),
        "devices": list(devices),
        "replicas": replicas,
    }


def _processor(table: Path = Path("/proc/cpuinfo")) -> str:
    """Return the name of the processor, by whose abilities kernels are chosen."""
    names = []
    if table.is_file():
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{platform.machine()} {names[0] if names else platform.processor()}".strip()
