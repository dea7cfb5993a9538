"""The documents of the top level as pages, so that no text is written twice."""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "LICENSE",
}
"""Document to the page that it becomes."""

_SAME_CONTENT = {"ser_aae/config/settings.py": "settings.md"}
"""File that a document links to, to the page of the same content."""

_LINK = re.compile(r"\]\((?!https?:|#)(?P<path>[^)#]+)")


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the documents to what is built."""
    root = Path(config.config_file_path).parent
    for document, page in PAGES.items():
        text = (root / document).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=as_page(text)))
    return files


def as_page(text: str) -> str:
    """Return a document with its links as seen from the folder of the pages."""
    pages = {**PAGES, **_SAME_CONTENT}
    return _LINK.sub(
        lambda found: f"]({pages.get(found['path'], found['path'].removeprefix('docs/'))}", text
    )
