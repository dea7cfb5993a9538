"""Places: where run folders and prepared corpora lie, as a grid and a report have them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Places:
    """Folders of runs and of prepared corpora, and facts by which corpora are prepared.

    Attributes:
        runs: Run folders; a URL where the workers of a grid have their own disks.
        store: Prepared corpora; a URL likewise.
        data_root: Folder of the corpora, `""` where it is not known.
        allow_partial: Whether incomplete copies of corpora are accepted.
    """

    runs: Path | str
    store: Path | str = Path("store")
    data_root: str = ""
    allow_partial: bool = False
