"""Sections that compare experiments on the same utterances with one of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from reports.commands import evaluate_command
from reports.filling import synthetic_corpora
from reports.page import Section
from reports.paired_tests import compare, comparison_columns
from reports.settings import shortest_settings
from reports.summary import Evaluations, interval_text, mean_text, summarise
from reports.titles import comparison_title, experiment_title
from ser_aae.config import RunConfig, stored_dataset, without_idle
from ser_aae.config.kinds import KINDS
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.results.folder import flatten, read_plain_config
from ser_aae.results.text import count_of

_SHARED_SETTINGS = ("dataset", "task", "classes", "improvised_only")
"""Settings, beside those of the protocol, that experiments on the same utterances share."""

_LOCAL_SETTINGS = ("seed", "protocol.fold", "protocol.directory")
"""Settings that differ within an experiment, or say where on a disk something lies."""

Configs = Mapping[Path, Mapping[str, Any]]
"""Folder of an experiment to the config of its first run."""


def compared_sections(
    evaluations: Evaluations, corpora: Mapping[str, CorpusFacts] | None = None
) -> list[Section]:
    """Return a section for each group of experiments that share data set, task and protocol.

    An experiment that stands alone has none: its own section tells what there is.
    """
    return [
        _section(configs, evaluations, corpora or {})
        for configs in _group(evaluations)
        if len(configs) > 1
    ]


def experiments_section(
    evaluations: Evaluations, corpora: Mapping[str, CorpusFacts] | None = None
) -> Section:
    """Return the section that a reader sees first: a row for each experiment.

    The difference and its p over folds are to the experiment that others on the same utterances
    are compared with.
    """
    rows = []
    for configs in _group(evaluations):
        reference = _choose_reference(configs, _departures(configs)[1])
        for folder, config in configs.items():
            ua = summarise(evaluations[folder])
            is_reference = folder == reference
            found = None if is_reference else compare(evaluations[folder], evaluations[reference])
            compared = comparison_columns(found, is_reference=is_reference and len(configs) > 1)
            rows.append(
                {
                    "experiment": experiment_title(config, corpora or {}),
                    "name": folder.name,
                    "UA": mean_text(ua),
                    "95 % interval": interval_text(ua.interval),
                    "n": str(ua.n),
                    "speakers": str(ua.speakers),
                    "difference": compared["difference"],
                    "p": compared["p over folds"],
                }
            )
    return Section("Results", tables=[("Each experiment, in per cent", pd.DataFrame(rows), "")])


def _group(evaluations: Evaluations) -> list[Configs]:
    """Return the experiments in groups that share data set, task and protocol."""
    groups: dict[tuple[str, ...], dict[Path, Mapping[str, Any]]] = {}
    for folder, evaluation in evaluations.items():
        config = read_plain_config(Path(evaluation["runs"][0]["folder"]))
        groups.setdefault(_shared_settings(config), {})[folder] = config
    return list(groups.values())


def _choose_reference(configs: Configs, own: Mapping[Path, Sequence[str]]) -> Path:
    """Return the multi-task model; of several, or without one, that with fewest settings of own."""
    return min(own, key=lambda f: (configs[f]["model"]["kind"] != "mtl", len(own[f])))


def _shared_settings(config: dict[str, Any]) -> tuple[str, ...]:
    """Return the settings that two experiments must share to be compared, as text."""
    return tuple(
        f"{name}={value}"
        for name, value in flatten(config | {"dataset": stored_dataset(config)}).items()
        if name not in _LOCAL_SETTINGS
        and (name in _SHARED_SETTINGS or name.startswith("protocol."))
    )


def _section(
    configs: Configs, evaluations: Evaluations, corpora: Mapping[str, CorpusFacts]
) -> Section:
    common, own = _departures(configs)
    reference = _choose_reference(configs, own)
    against = ", ".join((_model(configs[reference]), *own[reference]))
    found = {
        folder: comparison_columns(
            None if folder == reference else compare(evaluations[folder], evaluations[reference]),
            is_reference=folder == reference,
        )
        for folder in configs
    }
    rows = [
        {"model": _model(configs[folder]), "name": folder.name}
        | {"settings of its own": ", ".join(own[folder]) or "-"}
        | _figures(evaluations[folder])
        | {name: tested[name] for name in ("difference", "p over folds")}
        for folder, tested in found.items()
    ]
    behind = [
        {"model": _model(configs[folder]), "name": folder.name}
        | _sample(evaluations[folder])
        | {name: text for name, text in tested.items() if name not in rows[0]}
        | {"command": evaluate_command(folder)}
        for folder, tested in found.items()
    ]
    section = Section(title=comparison_title(configs[reference], corpora))
    synthetic = any(synthetic_corpora(evaluations[folder]) for folder in configs)
    section.badges = [
        *(["synthetic"] if synthetic else []),
        *dict.fromkeys(evaluations[folder]["independence"] for folder in configs),
    ]
    counted = count_of(len(rows), "experiment")
    section.lead = f"{counted} on the same utterances, each against {against}."
    section.tables = [("UA and WA in per cent", pd.DataFrame(rows).astype(str), "")]
    section.notes = [(f"All with {', '.join(common)}.", "")] if common else []
    heading = "What the figures are over, tests over runs, and commands"
    section.details = [(heading, pd.DataFrame(behind).astype(str))]
    return section


def _departures(configs: Configs) -> tuple[list[str], dict[Path, list[str]]]:
    """Return the departures from presets that all share, and those that each has alone."""
    without = (*_SHARED_SETTINGS, *_LOCAL_SETTINGS, "model.kind")
    found = {}
    for folder, config in configs.items():
        protocol = (name for name in flatten(config) if name.startswith("protocol."))
        preset, changed = shortest_settings(without_idle(config, RunConfig), (*without, *protocol))
        texts = [f"{name}={value}" for name, value in changed.items()]
        found[folder] = [*([] if preset == "default" else [f"preset {preset}"]), *texts]
    first = next(iter(found.values()))
    common = [text for text in first if all(text in texts for texts in found.values())]
    own = {f: [text for text in texts if text not in common] for f, texts in found.items()}
    return common, own


def _figures(evaluation: Mapping[str, Any]) -> dict[str, str]:
    ua, wa = summarise(evaluation), summarise(evaluation, "weighted_accuracy")
    return {
        "UA": mean_text(ua),
        "95 % interval of UA": interval_text(ua.interval),
        "WA": mean_text(wa),
    }


def _sample(evaluation: Mapping[str, Any]) -> dict[str, str]:
    ua = summarise(evaluation)
    return {
        "n": str(ua.n),
        "speakers": str(ua.speakers),
        "folds run": ua.folds,
        "repetitions": str(ua.repetitions),
        "spread": ua.spread,
    }


def _model(config: Mapping[str, Any]) -> str:
    kind = config["model"]["kind"]
    return KINDS[kind].title if kind in KINDS else kind
