"""The demo corpus as the synthesiser itself writes it, with few voices."""

import tempfile
from functools import cache
from pathlib import Path

from data_prep.synthetic import synthesise


def write(data_root):
    for path, content in _files().items():
        (data_root / path).parent.mkdir(parents=True, exist_ok=True)
        (data_root / path).write_bytes(content)
    return "demo"


@cache
def _files():
    """Return what each file holds: to make them takes longer than most tests that read them."""
    with tempfile.TemporaryDirectory() as folder:
        synthesise("demo", Path(folder), speakers=2)
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {path.relative_to(folder): path.read_bytes() for path in files}
