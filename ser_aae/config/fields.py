"""The settings of a RunConfig by dotted name: reading, changing and listing their values."""

import difflib
import math
import typing
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass, replace
from typing import Any

from ser_aae.config import RunConfig, Varied
from ser_aae.errors import UserError

_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Given:
    """One setting as the user wrote it.

    Attributes:
        key: Dotted name of the field, `"model.alpha"`.
        text: Its value, several where the field takes several.
        where: What an error begins with: `"--epochs"`, `"mine.yaml:3: model.alpha"`.
    """

    key: str
    text: str | tuple[str, ...]
    where: str


def groups() -> dict[str, type]:
    """Return the groups of settings, `"model"` to ModelConfig and so on."""
    types = typing.get_type_hints(RunConfig)
    return {name: kind for name, kind in types.items() if is_dataclass(kind)}


def settings() -> dict[str, tuple[Field[Any], Any]]:
    """Return every setting by its dotted name, with its type."""
    found = {}
    for prefix, group in {"": RunConfig, **{f"{k}.": v for k, v in groups().items()}}.items():
        types = typing.get_type_hints(group)
        for item in fields(group):
            if item.metadata:
                found[f"{prefix}{item.name}"] = (item, types[item.name])
    return found


def with_settings(config: RunConfig, values: Mapping[str, Any], where: str = "") -> RunConfig:
    """Return a config with settings changed by dotted name: `{"model.alpha": 0.4}`.

    Args:
        config: What is changed.
        values: Of the type of their field, lists for tuples; text is no number here.
        where: Where they stand, for errors.

    Raises:
        UserError: A name that is no setting, or a value that is none for its field.
    """
    inner: dict[str, dict[str, Any]] = {}
    outer: dict[str, Any] = {}
    for name, value in values.items():
        group, dot, leaf = name.rpartition(".")
        checked = _check(name, value, f"{where}: {name}" if where else name)
        (inner.setdefault(group, {}) if dot else outer)[leaf] = checked
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


def _check(key: str, value: Any, where: str) -> Any:
    """Return a value as its field holds it.

    Raises:
        UserError: No such field, or a value of another type or out of its range.
    """
    several = isinstance(value, tuple | list)
    read = read_value(Given(key, tuple(map(str, value)) if several else str(value), where))
    pairs = zip(value, read, strict=True) if several else [(value, read)]
    if any(isinstance(came, str) != isinstance(wanted, str) for came, wanted in pairs):
        item, kind = settings()[key]
        raise UserError(f"{where}: expected {expected(kind, item)}, got {value!r}")
    return read


def search_dimensions() -> dict[Varied, tuple[str, ...]]:
    """Return the dimensions that a search can have, each with the settings that it varies."""
    keys: dict[Varied, tuple[str, ...]] = {}
    for key, (item, _) in settings().items():
        if item.metadata["varied"]:
            keys[item.metadata["varied"]] = (*keys.get(item.metadata["varied"], ()), key)
    return keys


def choices(key: str) -> tuple[str, ...]:
    """Return the words that a setting can be."""
    words: tuple[str, ...] = settings()[key][0].metadata["choices"]
    return words


def read_value(given: Given) -> Any:
    """Return the value of a setting, of the type of its field and within its range.

    Raises:
        UserError: No such field, or no such value for it.
    """
    known = settings()
    if given.key not in known:
        raise UserError(f"{given.where}: there is no such setting{nearest(given.key, known)}")
    item, kind = known[given.key]
    value = _read(given.text, kind, item)
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


def _read(text: str | tuple[str, ...], kind: Any, item: Field[Any]) -> Any:
    """Return text as a value of a type, `None` where it is none or out of range."""
    if typing.get_origin(kind) is not tuple:
        return _read_one(text, kind, item.metadata) if isinstance(text, str) else None
    element = typing.get_args(kind)[0]
    parts = text if isinstance(text, tuple) else _split(text)
    values = tuple(_read_one(part, element, item.metadata) for part in parts)
    # numbers stand for layers, of which there are as many as the default has
    wrong_length = element is not str and len(values) != len(item.default)
    return None if wrong_length or None in values else values


def _split(text: str) -> list[str]:
    inner = text.strip().removeprefix("[").removesuffix("]")
    return [part.strip() for part in inner.split(",")] if inner.strip() else []


def _read_one(text: str, kind: type, metadata: Mapping[str, Any]) -> Any:
    if kind is bool:
        return _WORDS.get(text.casefold())
    if kind is str:
        return text if metadata["choices"] is None or text in metadata["choices"] else None
    try:
        value = kind(text)
    except ValueError:
        return None
    low, high = metadata["low"], metadata["high"]
    inside = (low is None or value >= low) and (high is None or value <= high)
    return value if inside and math.isfinite(value) else None


def expected(kind: Any, item: Field[Any]) -> str:
    """Return what a field takes, in words."""
    several = typing.get_origin(kind) is tuple
    element = typing.get_args(kind)[0] if several else kind
    low, high, choices = (item.metadata[name] for name in ("low", "high", "choices"))
    if choices:
        return f"{'some' if several else 'one'} of {', '.join(choices)}"
    if element is bool:
        return "true or false"
    if element is str:
        return "names with commas between" if several else "one text"
    whole = "whole " if element is int else ""
    number = f"{len(item.default)} {whole}numbers" if several else f"a {whole}number"
    least = f" from {low:g}" if low is not None else ""
    most = f" to {high:g}" if high is not None else ""
    return f"{number}{least}{most}{', commas between' if several else ''}"
