"""Synthetic corpora: the folders and files of a real corpus, with synthetic speech in them.

One module a layout, with `write(folder, speakers, seed)` and `DEFAULT_SPEAKERS`; it is found
by its name, so that a layout is added by adding a module here.
"""

import importlib
import json
import pkgutil
import tempfile
from pathlib import Path
from types import ModuleType

import soundfile

from data_prep.corpora import corpus_name
from ser_aae.errors import UserError
from ser_aae.files.refusals import explain_refusal

MARKER = ".synthetic.json"
"""The file that marks a folder as made here, so that it may be replaced."""

_SHARED_MODULES = ("voice", "speech")


def list_layouts() -> list[str]:
    """Return the data sets that can be synthesised."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in names if name not in _SHARED_MODULES)


def synthesise(dataset: str, data_root: Path, speakers: int | None = None, seed: int = 0) -> Path:
    """Write a synthetic corpus to `<data root>/<dataset>`; one seed gives the same bytes.

    A folder made here before is replaced. Until the new one is whole, it has another name.

    Args:
        dataset: One of `list_layouts`.
        data_root: Folder that holds the corpora.
        speakers: Number of voices, at least 2; the layout's own number by default.
        seed: Seed of everything drawn.

    Returns:
        The corpus' folder.

    Raises:
        UserError: Unknown data set, too few speakers, a folder that was not made here, or a
            full disk.
    """
    name = corpus_name(dataset)
    if name not in list_layouts():
        raise UserError(f"expected one of {', '.join(list_layouts())}, got {dataset!r}")
    layout = importlib.import_module(f"{__name__}.{name}")
    count = layout.DEFAULT_SPEAKERS if speakers is None else speakers
    if count < 2:
        raise UserError(f"expected at least 2 speakers, got {count}")
    folder = data_root / name
    is_foreign = folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file()
    if is_foreign or folder.is_file():
        raise UserError(
            f"{folder}: not made by this program, so it is left as it is; give another --data-root"
        )
    try:
        _write_folder(folder, layout, count, seed)
    except soundfile.LibsndfileError as error:
        # libsndfile keeps the system's reason to itself
        raise UserError(
            f"{folder}: a recording cannot be written, most likely because the disk is full; make "
            "room, or give another --data-root"
        ) from error
    except OSError as error:
        # the place in the error is one of before the folder has its name
        told = explain_refusal(OSError(error.errno, error.strerror), folder)
        raise UserError(
            told or f"{folder}: cannot be written ({error.strerror}); give another --data-root"
        ) from error
    return folder


def _write_folder(folder: Path, layout: ModuleType, speakers: int, seed: int) -> None:
    """Write a layout under another name, then put it where `folder` is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        fresh = Path(scratch, "new")
        fresh.mkdir()
        layout.write(fresh, speakers, seed)
        made_with = {"dataset": folder.name, "speakers": speakers, "seed": seed}
        (fresh / MARKER).write_text(json.dumps(made_with) + "\n", encoding="utf-8")
        if folder.exists():  # a folder that is not empty cannot be renamed over
            folder.rename(Path(scratch, "old"))
        fresh.rename(folder)
