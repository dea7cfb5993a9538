"""The reference: a page for each module, from its docstrings, and a list of them all.

Modules are read, not imported, so that neither this list nor the pages load TensorFlow.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PACKAGES = ("ser_aae", "data_prep", "tuning", "reports")
TITLE = "Reference"

_FOLDER = "reference"
_COMMANDS = "ser_aae.commands"
"""Package without pages here: the commands have a page that is written from the parsers."""

_INTRODUCTION = """# Reference

What can be called from Python. These names are public: they stay, and a change of what they take or
give is told in the [list of changes](../changelog.md).
"""

PUBLIC = {
    "ser_aae.inference.recogniser.Recogniser": "a trained model or an exported file, on recordings",
    "ser_aae.inference.recognition.Recognition": "its answer: posteriors, timeline, oddities",
    "ser_aae.config.build.build_config": "the config of a run, from settings as they are typed",
    "ser_aae.training.run.train_and_evaluate": "trains one fold and scores it, into a run's folder",
    "ser_aae.results.evaluation.evaluate": "every figure of a run or of its folds, recomputed",
    "ser_aae.errors.UserError": "what the user can mend: the one error to expect of all of these",
}
"""Full name of what is public, and what it is."""

_MODULES = """
All other modules, a page for each, may change with any version.
[Architecture](../architecture.md) says who may import whom, and why.
"""


def on_config(config: MkDocsConfig, **_: Any) -> MkDocsConfig:
    """Put the modules into the navigation, package by package."""
    (place,) = (i for i, item in enumerate(config.nav or []) if TITLE in item)
    packages: dict[str, list[dict[str, str]]] = {}
    for name in modules(_root(config)):
        package, _, module = name.rpartition(".")
        packages.setdefault(package, []).append({module: _page(name)})
    nested = [{package: pages} for package, pages in packages.items()]
    config.nav[place] = {TITLE: [f"{_FOLDER}/index.md", *nested]}
    return config


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the pages and the list to what is built."""
    found = modules(_root(config))
    files.append(File.generated(config, f"{_FOLDER}/index.md", content=write_index(found)))
    for name in found:
        content = f"# {name}\n\n::: {name}\n"
        files.append(File.generated(config, _page(name), content=content))
    return files


def modules(root: Path) -> dict[str, str]:
    """Return the modules of all packages, in order, to the first line of their docstrings."""
    return {name: first for package in PACKAGES for name, first in _read(root / package, root)}


def write_index(found: dict[str, str]) -> str:
    """Return the public names and the list of modules, in Markdown: a table for each package."""
    lines, last = [_INTRODUCTION, *_public_names(), _MODULES], ""
    for name, first in found.items():
        package, _, module = name.rpartition(".")
        if package != last:
            lines += ["", f"## {package}", "", "| module | what is in it |", "| --- | --- |"]
            last = package
        lines.append(f"| [`{module}`]({name}.md) | {first} |")
    return "\n".join(lines) + "\n"


def _public_names() -> Iterator[str]:
    yield from ("## Public names", "", "| name | what it is |", "| --- | --- |")
    for name, what in PUBLIC.items():
        module, _, leaf = name.rpartition(".")
        yield f"| [`{leaf}`]({module}.md) of `{module}` | {what} |"


def _read(folder: Path, root: Path) -> Iterator[tuple[str, str]]:
    """Yield the modules of a package, then those of the packages in it."""
    for path in sorted(folder.glob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        if not path.stem.startswith("_"):
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            yield name, docstring.partition("\n")[0]
    for inner in sorted(folder.glob("*/__init__.py")):
        if ".".join(inner.parent.relative_to(root).parts) != _COMMANDS:
            yield from _read(inner.parent, root)


def _page(name: str) -> str:
    return f"{_FOLDER}/{name}.md"


def _root(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path).parent
