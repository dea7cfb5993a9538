"""Settings of a RunConfig by dotted name: reading, changing and listing their values."""

import difflib
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from ser_aae.config import RunConfig, Varied
from ser_aae.config.declaration import expected, read_text
from ser_aae.errors import UserError


@dataclass(frozen=True)
class Given:
    """One setting as the user wrote it.

    Attributes:
        key: Dotted name of the field, `"model.alpha"`.
        text: Its value, several where the field takes several.
        where: Beginning of an error: `"--epochs"`, `"mine.yaml:3: model.alpha"`.
    """

    key: str
    text: str | tuple[str, ...]
    where: str


def groups() -> Mapping[str, type]:
    """Return the groups of settings: `"model"` to ModelConfig and so on."""
    return _groups_of(RunConfig)


def settings() -> Mapping[str, tuple[Field[Any], Any]]:
    """Return every setting by its dotted name, with its type."""
    return _settings_of(RunConfig)


@cache
def _groups_of(config: type) -> Mapping[str, type]:
    types = typing.get_type_hints(config)
    return MappingProxyType({name: kind for name, kind in types.items() if is_dataclass(kind)})


@cache  # types are read from text, and a report asks for each value of each run
def _settings_of(config: type) -> Mapping[str, tuple[Field[Any], Any]]:
    found = {}
    nested = {f"{name}.": group for name, group in _groups_of(config).items()}
    for prefix, group in {"": config, **nested}.items():
        types = typing.get_type_hints(group)
        for item in fields(group):
            if item.metadata:
                found[f"{prefix}{item.name}"] = (item, types[item.name])
    return MappingProxyType(found)


def with_settings(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """Return a config with settings changed by dotted name: `{"model.alpha": 0.4}`.

    Values are of the type of their field, lists for tuples; text is no number here.

    Raises:
        UserError: A name that is no setting, or a value that is none for its field.
    """
    inner: dict[str, dict[str, Any]] = {}
    outer: dict[str, Any] = {}
    for name, value in values.items():
        group, dot, leaf = name.rpartition(".")
        (inner.setdefault(group, {}) if dot else outer)[leaf] = _check(name, value)
    changed = {name: replace(getattr(config, name), **own) for name, own in inner.items()}
    return replace(config, **changed, **outer)


def get(config: RunConfig, key: str) -> Any:
    """Return the value of a setting by its dotted name."""
    group, dot, leaf = key.rpartition(".")
    return getattr(getattr(config, group) if dot else config, leaf)


def values_by_name(plain: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested plain settings by dotted name, as `with_settings` takes them."""
    found: dict[str, Any] = {}
    for key, value in plain.items():
        if isinstance(value, Mapping):
            found |= values_by_name(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def check_stored(plain: Mapping[str, Any]) -> None:
    """Refuse stored settings that this program cannot have stored.

    Raises:
        UserError: A setting is missing that there always was, for it has no value of `before`; or
            it has a value that is none for it.
    """
    values = values_by_name(plain)
    for name, (item, kind) in settings().items():
        if name in values:
            _check(name, values[name])
        elif item.metadata["before"] is MISSING:
            raise UserError(f"{name}: expected {expected(kind, item)}, found none")


def _check(key: str, value: Any) -> Any:
    several = isinstance(value, tuple | list)
    read = read_value(Given(key, tuple(map(str, value)) if several else str(value), key))
    pairs = zip(value, read, strict=True) if several else [(value, read)]
    if any(isinstance(came, str) != isinstance(wanted, str) for came, wanted in pairs):
        item, kind = settings()[key]
        raise UserError(f"{key}: expected {expected(kind, item)}, got {value!r}")
    return read


def woken_settings(config: RunConfig, changes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings of a config that have an effect under some change of others alone.

    Whoever names runs that are made of a config by changes names these beside the config.

    Args:
        config: The config, whose own name leaves them out.
        changes: Values of other settings by dotted name, each of which makes a run.

    Returns:
        Their values by dotted name.
    """
    own = values_by_name(config.named())
    found: dict[str, Any] = {}
    for change in changes:
        changed = values_by_name(with_settings(config, change).named())
        found |= {key: changed[key] for key in changed.keys() - own.keys() - change.keys()}
    return found


def search_dimensions() -> dict[Varied, tuple[str, ...]]:
    """Return the dimensions that a search can have, each with the settings that it varies."""
    keys: dict[Varied, tuple[str, ...]] = {}
    for key, (item, _) in settings().items():
        if varied := item.metadata["varied"]:
            keys[varied] = (*keys.get(varied, ()), key)
    return keys


def choices(key: str) -> tuple[str, ...]:
    """Return the words that a setting can be."""
    return tuple(settings()[key][0].metadata["choices"])


def read_value(given: Given) -> Any:
    """Return the value of a setting, of the type of its field and within its range.

    Raises:
        UserError: No such field, or no such value for it.
    """
    known = settings()
    if given.key not in known:
        raise UserError(f"{given.where}: there is no such setting{nearest(given.key, known)}")
    item, kind = known[given.key]
    value = read_text(given.text, kind, item)
    if value is None:
        came = repr(given.text) if isinstance(given.text, str) else f"[{', '.join(given.text)}]"
        raise UserError(f"{given.where}: expected {expected(kind, item)}, got {came}")
    return value


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean ...?"` for the nearest known name, whatever group it is in."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    if not near:
        leaves = {full.rpartition(".")[2]: full for full in names}
        leaf = difflib.get_close_matches(name.rpartition(".")[2], leaves, n=1)
        near = [leaves[leaf[0]]] if leaf else []
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"
