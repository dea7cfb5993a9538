"""Declaration of a setting: a typed field with all its facts, and its part in digests."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, is_dataclass
from functools import partial
from typing import Any

UNSTATED = "unstated"
"""Source of a setting that the paper does not state."""


@dataclass(frozen=True)
class Varied:
    """The dimension of a search that varies a setting; settings may share one.

    Attributes:
        name: As in `--space`.
        values: In their order.
        doc: What it is, for `--help` and pictures; it is part of the record of each search.
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
    stage_one: bool = True,
    varied: Varied | None = None,
    on_card: bool = True,
) -> Any:
    """Declare a field and everything that is known of it.

    Args:
        default: Where nothing else is said.
        source: A section of the paper, or `UNSTATED`.
        doc: Its meaning, in a line.
        choices: The words that it can be.
        low: Least number that it can be.
        high: Greatest number that it can be.
        before: Its value before it existed. Stored configs without it mean that value, and where
            it has that value it is in no digest: all that was named before keeps its name.
        always_named: Whether it is in digests at its value of before too. Only of settings that
            were in the digests before `before` was.
        stage_one: Whether stage 1 depends on it.
        varied: The dimension of a search that varies it, `None` where no search does.
        on_card: Whether a model card lists it where it departs from the paper.
    """
    metadata = {
        "source": source,
        "doc": doc,
        "choices": choices,
        "low": low,
        "high": high,
        "before": before,
        "always_named": always_named,
        "stage_one": stage_one,
        "varied": varied,
        "on_card": on_card,
    }
    return field(default=default, metadata=metadata)


task_setting = partial(setting, stage_one=False, on_card=False)
"""Declare a field that says what is learnt from whose speech.

Stage 1 sees only the auxiliary utterances, which its key names; the card tells it in words."""


class Settings:
    """Plain values of a dataclass whose fields are settings, or groups of them."""

    def to_dict(self) -> dict[str, Any]:
        """Return nested plain values, tuples as lists, ready for JSON or YAML."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    def identity(self) -> dict[str, Any]:
        """Return the plain values that names are made of.

        Settings with `before` that have that value are left out, so that whatever is named by a
        digest of the rest keeps its name when a setting is added.
        """
        return _named(self, self.to_dict())


def complete_stored(plain: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Return stored plain values with the settings that did not exist then, at `before`.

    Args:
        plain: As `to_dict` gave them when they were stored; what else they hold is kept.
        kind: RunConfig, or the class of a group.
    """
    found = {**plain}
    for item in _fields_with_settings(kind):
        if is_dataclass(item.default_factory):
            inner = plain.get(item.name, {})
            # what is no group is damage, and a group that nothing was added to stays missing
            if isinstance(inner, Mapping) and (
                whole := complete_stored(inner, item.default_factory)
            ):
                found[item.name] = whole
        elif item.metadata["before"] is not MISSING:
            found.setdefault(item.name, _plain(item.metadata["before"]))
    return found


def _named(settings: Any, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of plain values that is in digests."""
    named = {}
    for item in _fields_with_settings(settings):
        value = plain[item.name]
        if is_dataclass(item.default_factory):
            named[item.name] = _named(getattr(settings, item.name), value)
        elif item.metadata["always_named"] or value != _plain(item.metadata["before"]):
            named[item.name] = value
    return named


def _fields_with_settings(of: Any) -> list[Field[Any]]:
    """Return the fields that are settings or groups of them; what else is recorded is none."""
    return [item for item in fields(of) if item.metadata or is_dataclass(item.default_factory)]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def digest_settings(plain: Mapping[str, Any]) -> str:
    """Return eight hexadecimal digits that name plain values."""
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]
