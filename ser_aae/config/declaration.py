"""Declaration of a setting: a field with all its facts, reading its values, its part in digests."""

import hashlib
import json
import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, is_dataclass
from functools import partial
from typing import Any

UNSTATED = "unstated"
"""Source of a setting that the paper does not state."""

_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Varied:
    """The dimension of a search that varies a setting; settings may share one.

    Attributes:
        name: Its word for `--space`.
        values: Values to try, in their order.
        doc: Description for `--help` and pictures; it is part of the record of each search.
    """

    name: str
    values: tuple[int | float | str, ...]
    doc: str


def setting(  # noqa: PLR0913 - an argument for each fact of a setting
    default: Any,
    source: str,
    doc: str,
    *,
    choices: tuple[str, ...] | None = None,
    low: float | None = None,
    high: float | None = None,
    before: Any = MISSING,
    always_named: bool = False,
    named_idle: bool = True,
    stage_one: bool = True,
    varied: Varied | None = None,
    on_card: bool = True,
    acts: Callable[[Mapping[str, Any]], bool] | None = None,
) -> Any:
    """Declare a field; its metadata has every fact that is stated of it here, by this name.

    Args:
        default: Its value where nothing else is said.
        source: A section of the paper, or `UNSTATED`.
        doc: Its meaning, in a line.
        choices: Words that it can be.
        low: Least number that it can be.
        high: Greatest number that it can be.
        before: Its value before it existed. Stored configs without it mean that value, and where
            it has that value it is in no digest: all that was named before keeps its name.
        always_named: Whether it is in digests at its value of before too. Only of settings that
            were in the digests before `before` was.
        named_idle: Whether it is in the digests of setups and of stage 1 where it has no effect
            (`acts`) as well. `False` for a setting whose default is not its value of before:
            where it has no effect it renames nothing.
        stage_one: Whether stage 1 depends on it.
        varied: The dimension of a search that varies it, `None` where no search does.
        on_card: Whether a model card lists it where it departs from the paper.
        acts: Whether it has an effect on a run of such plain values, `None` where it always has.
            Where it has none, it is not in the run's name.
    """
    facts = locals().copy()
    return field(default=facts.pop("default"), metadata=facts)


late_setting = partial(setting, stage_one=False)
"""Declare a field that stage 1 does not depend on."""

task_setting = partial(setting, stage_one=False, on_card=False)
"""Declare a field that says what is learnt from whose speech.

Stage 1 sees only the auxiliary utterances, which its key names; the card tells it in words."""


class Settings:
    """A dataclass whose fields are settings, or groups of them, as plain values."""

    def to_dict(self) -> dict[str, Any]:
        """Return nested plain values, tuples as lists, ready for JSON or YAML."""
        return dict(json.loads(json.dumps(asdict(self))))

    def identity(self) -> dict[str, Any]:
        """Return the plain values that names are made of.

        Settings that have their value of `before` are left out, so that no name changes when a
        setting is added.
        """
        plain = self.to_dict()
        return _identity_of(self, plain, plain)


def complete_stored(plain: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Return stored plain values with the settings that did not exist then, at `before`.

    Args:
        plain: Values of `to_dict` when they were stored; anything beside settings is kept.
        kind: RunConfig, or the class of a group.
    """
    found = {**plain}
    for item in _setting_fields(kind):
        if is_dataclass(item.default_factory):
            inner = plain.get(item.name, {})
            # what is no group is damage, and a group that nothing was added to stays missing
            if isinstance(inner, Mapping) and (
                whole := complete_stored(inner, item.default_factory)
            ):
                found[item.name] = whole
        elif item.metadata["before"] is not MISSING:
            found.setdefault(item.name, _value_before(item))
    return found


def without_idle(
    plain: Mapping[str, Any], kind: type, run: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return plain values of a run without the settings that have no effect on it.

    Args:
        plain: Values of `to_dict`, or some of them; anything beside settings is kept.
        kind: RunConfig, or the class of a group.
        run: The values of the whole run, where `plain` is a group of them.
    """
    run = plain if run is None else run
    found = {**plain}
    for item in _setting_fields(kind):
        if item.name not in plain:
            continue
        if is_dataclass(item.default_factory):
            found[item.name] = without_idle(plain[item.name], item.default_factory, run)
        elif (acts := item.metadata["acts"]) and not acts(run):
            del found[item.name]
    return found


def _identity_of(settings: Any, plain: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of plain values that is in digests, of a whole run or of a group of it."""
    named = {}
    for item in _setting_fields(settings):
        value = plain[item.name]
        if is_dataclass(item.default_factory):
            named[item.name] = _identity_of(getattr(settings, item.name), value, run)
            continue
        may_be_named = item.metadata["named_idle"] or item.metadata["acts"](run)
        if may_be_named and (item.metadata["always_named"] or value != _value_before(item)):
            named[item.name] = value
    return named


def _setting_fields(of: Any) -> list[Field[Any]]:
    return [item for item in fields(of) if item.metadata or is_dataclass(item.default_factory)]


def _value_before(item: Field[Any]) -> Any:
    value = item.metadata["before"]
    return list(value) if isinstance(value, tuple) else value


def digest_settings(plain: Mapping[str, Any]) -> str:
    """Return eight hexadecimal digits that name plain values.

    Not by `files.digests`, whose JSON has blanks: the names of stored runs have none.
    """
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_text(text: str | tuple[str, ...], kind: Any, item: Field[Any]) -> Any:
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
        return _BOOLEANS.get(text.casefold())
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
    """Return the description of the values that a field takes."""
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
