"""Building a RunConfig: preset, then a YAML file, then flags, then `--set`; the last one counts.

Every value arrives as text, from YAML too, and is read by the type of the field it is for. So
`1e-4` is a number (YAML 1.1 alone calls it text), and a mistake is told in the same words
wherever it was made.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ser_aae.config import FrontEndConfig, RunConfig, complete_stored
from ser_aae.config_fields import Given, groups, read_value, values_by_name, with_settings
from ser_aae.datasets import given_path, stored_name
from ser_aae.errors import UserError
from ser_aae.presets import PRESETS

FREQUENCY_POOLS, TIME_POOLS = 8, 16
"""What the encoder's three pools shrink a segment by: `ser_aae.networks.POOLS` multiplied up."""

_NOT_CHOSEN = ("corpora",)
"""What the config.json of a run holds beside the config: the digests of what it was trained on."""


def build_config(
    preset: str = "default",
    file: Path | None = None,
    flags: Iterable[Given] = (),
    assignments: Iterable[str] = (),
    required: Iterable[str] = (),
    stored: bool = False,
) -> RunConfig:
    """Return the config that all sources make together.

    Args:
        preset: One of `ser_aae.presets.PRESETS`.
        file: YAML (or JSON, which is YAML) with the fields of RunConfig; the `config.json` of
            a run is one, and is known by the digests of its corpora.
        flags: What single flags of the command line say.
        assignments: `KEY=VALUE`, as in `model.alpha=0.4`.
        required: Settings that have to be given, whatever their default.
        stored: Whether this program wrote the file: a setting that it lacks did not exist then
            and has its value of before. In a file of the user's it has its default.

    Raises:
        UserError: An unknown preset or field, a value that is none for its field, settings
            that contradict each other or are missing, or a file that cannot be read.
    """
    if preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise UserError(f"--preset: expected one of {known}, got {preset!r}")
    values: dict[str, Any] = dict(PRESETS[preset])
    if file and (stored or _is_of_a_run(file)):
        values |= values_by_name(complete_stored({}, RunConfig))
    given = [*(read_file(file) if file else ()), *flags, *map(parse_assignment, assignments)]
    for item in given:
        values[item.key] = read_value(item)
    for key in required:
        if key not in values:
            raise UserError(f"expected --{key}, or {key} in the file of --config; got neither")
    config = _with_plain_names(with_settings(RunConfig(), values))
    _check_frontend(config.frontend)
    if config.auxiliary and config.model.learns_from_labels_alone:
        raise UserError(
            f"auxiliary: expected none, for {config.model.kind} without other tasks learns from "
            f"labels of {config.task} alone, got {', '.join(config.auxiliary)}; leave it out or "
            "take another model.kind"
        )
    if config.data.segment_frames % TIME_POOLS:
        raise UserError(
            f"data.segment_frames: expected a multiple of {TIME_POOLS}, which the encoder's "
            f"pools shrink time by, got {config.data.segment_frames}"
        )
    return config


def parse_assignment(text: str) -> Given:
    """Return what `KEY=VALUE` says.

    Raises:
        UserError: It has no `=`.
    """
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise UserError(f"--set: expected KEY=VALUE, as in model.alpha=0.4, got {text!r}")
    return Given(key, value, f"--set {key}")


def read_file(path: Path) -> list[Given]:
    """Return the settings of a YAML file, each with its line.

    Raises:
        UserError: The file cannot be read, is no YAML mapping, or says something twice.
    """
    root = _compose(path)
    if root is None:
        return []
    given = list(_settings_below(root, "", path))
    first: dict[str, Given] = {}
    for item in given:
        if first.setdefault(item.key, item) is not item:
            raise UserError(f"{item.where}: said already, at {first[item.key].where}; remove one")
    return given


def _is_of_a_run(path: Path) -> bool:
    """Return whether a file is the config.json of a run: no other names what it was made from."""
    root = _compose(path)
    return isinstance(root, yaml.MappingNode) and any(
        name.value in _NOT_CHOSEN for name, _ in root.value
    )


def _compose(path: Path) -> yaml.Node | None:
    """Return the nodes of a YAML file, which know their lines; `None` for an empty one."""
    try:
        root: yaml.Node | None = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    except OSError as error:
        raise UserError(f"--config {path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: expected UTF-8 text ({error}); save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{path}{line}: expected YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: expected YAML: {error}") from error
    return root


def _settings_below(node: yaml.Node, prefix: str, path: Path) -> Iterator[Given]:
    """Yield the settings below a node; groups nest as RunConfig does."""
    if not isinstance(node, yaml.MappingNode):
        raise UserError(
            f"{path}:{node.start_mark.line + 1}: expected settings, each with its name"
            f"{f', below {prefix[:-1]}' if prefix else ''}, as in `model: {{alpha: 0.4}}`"
        )
    for name, value in node.value:
        key = f"{prefix}{name.value}"
        if key in groups():
            yield from _settings_below(value, f"{key}.", path)
        elif key not in _NOT_CHOSEN:
            yield Given(key, _texts(value), f"{path}:{name.start_mark.line + 1}: {key}")


def _texts(node: yaml.Node) -> str | tuple[str, ...]:
    """Return a value as text; one that is no single value keeps the look that it has in YAML."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return tuple(str(item.value) for item in node.value)
    return "a mapping"


def _check_frontend(frontend: FrontEndConfig) -> None:
    """Refuse settings that are possible each by itself, but not together.

    Raises:
        UserError: A spectrogram could not be computed, or would lose part of its windows.
    """
    samples = round(frontend.window_ms * frontend.sample_rate_hz / 1000)
    if frontend.fft_size < samples:
        raise UserError(
            f"frontend.fft_size: expected at least the {samples} samples of a window of "
            f"{frontend.window_ms:g} ms, got {frontend.fft_size}"
        )
    if round(frontend.shift_ms * frontend.sample_rate_hz / 1000) < 1:
        raise UserError(
            f"frontend.shift_ms: expected one sample at least, {1000 / frontend.sample_rate_hz:g} "
            f"ms, got {frontend.shift_ms:g}"
        )
    most = frontend.fft_size // 2
    if frontend.bins % FREQUENCY_POOLS or not 2 * FREQUENCY_POOLS <= frontend.bins <= most:
        raise UserError(
            f"frontend.bins: expected a multiple of {FREQUENCY_POOLS}, which the encoder's pools "
            f"shrink frequency by, from {2 * FREQUENCY_POOLS} to half of fft_size ({most}), got "
            f"{frontend.bins}"
        )


def _with_plain_names(config: RunConfig) -> RunConfig:
    """Call corpora as their folders are called, so that `RAVDESS` and `ravdess` are one run."""
    return replace(
        config,
        dataset=_plain_name(config.dataset),
        auxiliary=tuple(_plain_name(name) for name in config.auxiliary),
        verification=_plain_name(config.verification),
        protocol=replace(config.protocol, target=_plain_name(config.protocol.target)),
    )


def _plain_name(dataset: str) -> str:
    return stored_name(dataset) if given_path(dataset) is None else dataset
