"""Settings of presets, and those of a run that differ from the nearest preset."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from ser_aae.config.build import build_config
from ser_aae.config.presets import PRESETS
from ser_aae.results.folder import flatten


@cache  # a report asks for those of each preset for each run
def preset_settings(preset: str) -> Mapping[str, Any]:
    """Return every setting of a preset by dotted name, lists as text."""
    return MappingProxyType(flatten(build_config(preset=preset).to_dict()))


def shortest_settings(
    config: Mapping[str, Any], without: Iterable[str]
) -> tuple[str, dict[str, str]]:
    """Return the preset nearest to a config, and the settings that differ from it, as text.

    Args:
        config: Config as `config.json` holds it. Settings that this version does not know count as
            changed; the digests of corpora, which a run adds, are none.
        without: Settings to leave out.
    """
    left_out = set(without)
    chosen = {name: value for name, value in config.items() if name != "corpora"}
    wanted = {name: str(value) for name, value in flatten(chosen).items() if name not in left_out}
    found = {}
    for preset in PRESETS:
        begun = preset_settings(preset)
        found[preset] = {
            name: text for name, text in wanted.items() if text != str(begun.get(name))
        }
    nearest = min(found, key=lambda preset: len(found[preset]))
    return nearest, found[nearest]
