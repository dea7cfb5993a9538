"""Points of Figure 5: every alpha at beta 0.5, and every beta at alpha 1 (Sec. 6.3)."""

from collections.abc import Mapping
from dataclasses import dataclass

from ser_aae.config.fields import search_dimensions

FIGURE_5 = "figure-5"
"""Name of the figure, and of the search over its points."""

_VALUES = {item.name: item.values for item in search_dimensions()}


@dataclass(frozen=True)
class WeightSweep:
    """One of the figure's curves.

    Attributes:
        varied: Weight on the horizontal axis, `"alpha"` or `"beta"`.
        values: Values of that weight, ascending.
    """

    varied: str
    values: tuple[float, ...]
    fixed: str
    fixed_at: float

    @property
    def title(self) -> str:
        """The curve in a legend: `"alpha (beta 0.5)"`."""
        return f"{self.varied} ({self.fixed} {self.fixed_at:g})"

    def point(self, value: float) -> Mapping[str, float]:
        """Return both weights where the varied one has a value."""
        return {self.varied: value, self.fixed: self.fixed_at}


WEIGHT_SWEEPS = (
    WeightSweep("alpha", _VALUES["alpha"], "beta", 0.5),
    WeightSweep("beta", _VALUES["beta"], "alpha", 1.0),
)
