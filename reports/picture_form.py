"""Form of a report's pictures: kinds of files, resolution, width; loads no Matplotlib."""

from dataclasses import dataclass
from pathlib import Path

WIDTH_INCHES = 8.0
DPI = 130

WIDTHS = {"column": 3.5, "page": 6.3}
"""Widths for print in inches: a column of a paper in two, and A4 with margins of 25 mm."""

LEAST_DPI, MOST_DPI = 50, 1200

KINDS = ("png", "pdf", "svg")
"""Kinds of files that a picture can have."""

NARROW_INCHES = 5.0
"""Width under which panels lie one above the other, for their texts stay as large as they are."""


@dataclass(frozen=True)
class PictureForm:
    """Form of all pictures of a report.

    Attributes:
        kinds: Of `KINDS`, files of each picture beside its PNG, which the page shows. `None`: PDF
            of the paper's tables and figures alone.
        dpi: Pixels in an inch of a PNG, and of the images within a PDF or SVG.
        width: Of `WIDTHS`; `""` lets each picture have the width that suits a screen.
    """

    kinds: tuple[str, ...] | None = None
    dpi: int = DPI
    width: str = ""

    def inches(self, usual: float = WIDTH_INCHES) -> float:
        """Return the width of a picture that has a usual width on a screen."""
        return WIDTHS[self.width] if self.width else usual

    def columns(self, usual: int, usual_inches: float, least_inches: float) -> int:
        """Return how many panels lie side by side, each of a least width; no more than usual."""
        fitting = int(self.inches(usual_inches) // least_inches)
        return usual if not self.width else max(1, min(usual, fitting))

    def files_of(self, path: Path, *, in_paper: bool = False) -> list[Path]:
        """Return the files of a picture, its PNG first; `in_paper` where the paper has it too."""
        kinds = (("pdf",) if in_paper else ()) if self.kinds is None else self.kinds
        return [path.with_suffix(f".{kind}") for kind in dict.fromkeys(("png", *kinds))]


ON_SCREEN = PictureForm()
