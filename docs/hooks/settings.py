"""The page of all settings, written from the fields of the config."""

from collections.abc import Iterator
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from ser_aae.config import RunConfig
from ser_aae.config.fields import expected, groups, settings
from ser_aae.config.presets import PRESETS

PAGE = "settings.md"

_INTRODUCTION = """# Settings

Every choice of a run. A setting is given as `--set model.alpha=0.3`, or in a YAML file for
`--config` with the groups as its keys; many have a flag of their own (see [commands](commands.md)).
Preset, then file, then flags, then `--set` count, each over the one before.

In italics stand the section of the paper that states the choice, or *unstated*, and the values it
can have. Defaults are what validation data showed to work; the column *paper* has what
`--preset paper` puts in their place to take the text to the letter. What the choices mean together
is on the page of [the method](method.md).
"""


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the page to what is built."""
    files.append(File.generated(config, PAGE, content=write_page()))
    return files


def write_page() -> str:
    """Return the page, in Markdown: a table for each group of settings."""
    lines = [_INTRODUCTION]
    for name, group in {"": RunConfig, **groups()}.items():
        title = f"{name}.* {{ #{name} }}" if name else "The run { #run }"
        lines += ["", f"## {title}", "", (group.__doc__ or "").strip(), "", *_table(name)]
    return "\n".join(lines) + "\n"


def _table(group: str) -> Iterator[str]:
    yield "| setting | default | paper | meaning, source, values |"
    yield "| --- | --- | --- | --- |"
    for key, (item, kind) in settings().items():
        if key.rpartition(".")[0] == group:
            paper = PRESETS["paper"].get(key, item.default)
            stated = _value(paper) if paper != item.default else ""
            meaning = item.metadata["doc"]
            facts = f"{item.metadata['source']}; {expected(kind, item)}"
            yield f"| `{key}` | {_value(item.default)} | {stated} | {meaning} <br>*{facts}* |"


def _value(value: Any) -> str:
    """Return a value as it is written after `--set KEY=`."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"`{text}`" if text else "empty"
