"""Estimate of a grid's time by a few steps of its models, measured on this machine."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ser_aae.config import RunConfig
from ser_aae.data.run_data import RunData, assemble
from ser_aae.grid.plan import Plan
from ser_aae.progress import open_bar
from ser_aae.training.planning import StepTimes, measure_steps, plan_fold, plan_stage_one

_WEIGHTS = {"alpha": 0.5, "beta": 0.5}
"""Settings of a model that no step gets longer by, at one value for all."""

Measure = Callable[[RunConfig, Mapping[str, int]], StepTimes]
"""Takes a config and the number of classes of each task."""

Job = tuple[RunConfig, Callable[[RunConfig, RunData, StepTimes], tuple[str, float] | None]]
"""The first fold of an experiment, and what returns the seconds of one of its stages."""


def estimate_by_steps(plan: Plan, store: Path, measure: Measure | None = None) -> float:
    """Return the seconds of a plan's missing runs one after the other, if none stops early.

    A model is measured once for all runs that have it, but for its weights of losses. The data of a
    run are counted on its first fold: folds differ by a few speakers.

    Args:
        plan: What is to be trained.
        store: Store that has its corpora.
        measure: What returns the times of a model's steps; without it they are measured here.

    Raises:
        UserError: A corpus is not prepared, lacks the classes, or does not fit the protocol.
    """
    measure = measure or measure_steps
    jobs = [(config, plan_fold) for config in plan.missing]
    jobs += [(config, plan_stage_one) for config in plan.stage_ones]
    counts = Counter((_first_fold(config), function) for config, function in jobs)
    groups: dict[Any, list[Job]] = {}
    for job in counts:
        groups.setdefault(_data_of(job[0]), []).append(job)
    times: dict[Any, StepTimes] = {}
    seconds = 0.0
    with open_bar(len(counts), "estimates", "experiments") as bar:
        for group in groups.values():
            data = assemble(group[0][0], store)  # those of one group at a time are held
            for job in group:
                config, function = job
                model = _model_of(config, data)
                times[model] = times.get(model) or measure(config, data.num_classes)
                _, own = function(config, data, times[model]) or ("", 0.0)
                seconds += counts[job] * own
                bar.update()
    return seconds


def _first_fold(config: RunConfig) -> RunConfig:
    return replace(config, seed=0, protocol=replace(config.protocol, fold=0))


def _data_of(config: RunConfig) -> Any:
    """Return what a run's data depend on, as far as their number goes."""
    first = _first_fold(config)
    corpora = (first.dataset, first.auxiliary, first.verification)
    return (
        *corpora,
        first.task,
        first.classes,
        first.improvised_only,
        first.protocol,
        first.data,
        first.frontend,
        config.tasks,
        config.learns_from_labels_alone,
    )


def _model_of(config: RunConfig, data: RunData) -> Any:
    """Return what the time of a step depends on; a few speakers more or less do not count."""
    shape = (config.frontend.bins, config.data.segment_frames, config.training.batch_size)
    classes = data.num_classes[data.target.task]
    return replace(config.model, **_WEIGHTS), shape, classes, config.training.update
