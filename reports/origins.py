"""Line under a table or figure beside the paper's: the settings and the training of our figures."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd

from reports.filling import Filled, Filling
from reports.settings import preset_settings
from ser_aae.config import RunConfig, without_idle
from ser_aae.config.presets import PRESETS
from ser_aae.experiments.cells import stated_weights
from ser_aae.experiments.tuned import WEIGHTS
from ser_aae.experiments.weight_sweeps import FIGURE_5
from ser_aae.results.folder import flatten
from ser_aae.results.text import count_of

PAPER = "paper"

_WHAT_IS_RUN = (
    "dataset",
    "joined",
    "auxiliary",
    "task",
    "classes",
    "improvised_only",
    "seed",
    "model.kind",
    "data.auxiliary_subset",
    "data.auxiliary_speakers",
    "data.labelled_fraction",
)
"""Settings that say what an artefact measures, and are no choice of method; `protocol.` and
`verification` too."""
_OPEN = ("protocol.", "verification")
_MOST_NAMED = 4
"""Settings that the line names; a table below has all."""

Varied = Mapping[str, Sequence[str]]
"""Setting to the values that it has in the cells of an artefact."""


def origin_line(filling: Filling) -> str:
    """Return what our figures are made of in one line, with the values of all cells; `""` for none.

    It names preset, update, front end, stage 1, class balance, and the updates that the runs made.
    """
    if not filling.cells:
        return ""
    configs = [item.cell.config for item in filling.cells]

    def told(describe: Callable[[RunConfig], str]) -> str:
        return " or ".join(dict.fromkeys(map(describe, configs)))

    parts = (
        _describe_preset(filling),
        f"update {told(lambda config: config.training.update)}",
        f"front end {told(_describe_frontend)}",
        f"stage 1 {told(lambda config: _describe_stage_one(config, filling))}",
        told(_describe_balance),
        _describe_updates(filling.cells),
    )
    return f"Ours: {'; '.join(parts)}. {_count_departures(filling)}"


def departures_table(filling: Filling) -> pd.DataFrame:
    """Return a row for each setting of the cells that is not the paper's, or not the preset's.

    Columns are the setting, its values in the cells, that of the preset `paper`, and that of the
    preset on the line. Alpha and beta that the paper states for a model are the paper's.
    """
    nearest, others = _nearest_preset(filling)
    departing = _departures(filling, PAPER)
    values = _values(filling.cells)
    rows = [
        {
            "setting": name,
            "ours": " or ".join(values[name]),
            PAPER: str(preset_settings(PAPER)[name]),
            **({} if nearest == PAPER else {nearest: str(preset_settings(nearest)[name])}),
        }
        for name in values
        if name in departing or name in others
    ]
    return pd.DataFrame(rows).astype(str)


def departures_text(filling: Filling) -> str:
    """Return the departures from the preset `paper` as text, `""` where there are none."""
    values, paper = _values(filling.cells), preset_settings(PAPER)
    told = [
        f"{name} {' or '.join(values[name])} (paper: {paper[name]})"
        for name in _departures(filling, PAPER)
    ]
    return f"Departures from the preset {PAPER}: {'; '.join(told)}." if told else ""


def _describe_preset(filling: Filling) -> str:
    nearest, others = _nearest_preset(filling)
    if not others:
        return f"preset {nearest}"
    return f"no preset, differs from {nearest} in {_name_some(others)}"


def _describe_frontend(config: RunConfig) -> str:
    return f"{config.frontend.scale}, {config.frontend.bins} bands"


def _describe_balance(config: RunConfig) -> str:
    training = config.training
    return f"class_weights {training.class_weights}, logit_adjustment {training.logit_adjustment:g}"


def _describe_stage_one(config: RunConfig, filling: Filling) -> str:
    if not config.has_stage_one:
        return "none"
    epochs, updates = config.training.pretraining_epochs, config.training.pretraining_updates
    phases = {"supervised": "supervised", "all": "in all phases"}[config.training.pretraining]
    corpora = " and ".join(map(filling.setup.title_of, config.auxiliary)) or "the training part"
    length = f"{updates:,} updates" if updates else count_of(epochs, "epoch")
    return f"{phases} on {corpora}, {length}"


def _describe_updates(cells: Iterable[Filled]) -> str:
    """Return the number of updates that the runs wrote down; those of before wrote epochs alone."""
    # cells that show two figures of an experiment have the same runs
    runs = [
        run for stored in {item.folder: item.stored for item in cells}.values() for run in stored
    ]
    if not runs:
        return "updates: nothing was run yet"
    known = [run for run in runs if run.get("updates") is not None]
    if not known:
        epochs = [run["epochs"] for run in runs if run.get("epochs") is not None]
        told = f" ({_range(epochs)} epochs)" if epochs else ""
        return f"updates: the runs did not write them down{told}"
    first = [run.get("pretraining_updates") or 0 for run in known]
    text = f"updates: {_range([run['updates'] for run in known])} of stage 2 a run"
    if any(first):
        text += f" after {_range(first)} of stage 1"
    rows = [run["labelled_rows"] for run in known if run.get("labelled_rows") is not None]
    if rows:
        text += f", with {_range(rows)} labelled rows in each"
    if len(known) < len(runs):
        text += (
            f" ({len(runs) - len(known)} of {count_of(len(runs), 'run')} did not write them down)"
        )
    return text


def _count_departures(filling: Filling) -> str:
    departing = _departures(filling, PAPER)
    if not departing:
        return f"No setting departs from the preset {PAPER}."
    counted = count_of(len(departing), "setting")
    return f"Departs from the preset {PAPER} in {counted}: {_name_some(departing)}."


def _nearest_preset(filling: Filling) -> tuple[str, list[str]]:
    """Return the preset that the fewest settings of the cells differ from, and these settings."""
    found = {preset: _departures(filling, preset) for preset in PRESETS}
    nearest = min(found, key=lambda preset: len(found[preset]))
    return nearest, found[nearest]


def _departures(filling: Filling, preset: str) -> list[str]:
    """Return the settings in which a cell differs from a preset, but for what the axis varies."""
    begun = preset_settings(preset)
    swept = WEIGHTS if filling.artefact.name == FIGURE_5 else ()
    found: dict[str, None] = {}
    for config in (item.cell.config for item in filling.cells):
        stated = stated_weights(config.model.kind, config.task)
        for name, value in _method(config).items():
            if name not in swept and value not in (begun[name], stated.get(name)):
                found[name] = None
    return list(found)


def _values(cells: Iterable[Filled]) -> Varied:
    """Return the values of each setting in the cells, in the order in which they come."""
    values: dict[str, dict[str, None]] = {}
    for item in cells:
        for name, value in _method(item.cell.config).items():
            values.setdefault(name, {})[str(value)] = None
    return {name: list(each) for name, each in values.items()}


def _method(config: RunConfig) -> dict[str, object]:
    """Return the settings of a cell that are a choice of method and act on it."""
    values = flatten(without_idle(config.to_dict(), RunConfig))
    return {
        name: value
        for name, value in values.items()
        if name not in _WHAT_IS_RUN and not name.startswith(_OPEN)
    }


def _range(numbers: Sequence[float]) -> str:
    return " to ".join(f"{end:,g}" for end in dict.fromkeys((min(numbers), max(numbers))))


def _name_some(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED} more, listed below"
