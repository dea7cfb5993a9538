"""Every table and figure by its name."""

from collections.abc import Callable, Iterable, Mapping

from ser_aae.errors import UserError
from ser_aae.experiments.cells import Artefact
from ser_aae.experiments.figures import figure_2, figure_3, figure_4, figure_5, semi_supervised
from ser_aae.experiments.setup import Setup
from ser_aae.experiments.tables import ravdess, table_2, table_3, table_4, table_5, table_6
from ser_aae.experiments.weight_sweeps import FIGURE_5

ARTEFACTS: Mapping[str, Callable[[Setup], Artefact]] = {
    "table-2": table_2,
    "table-3": table_3,
    "table-4": table_4,
    "table-5": table_5,
    "table-6": table_6,
    "figure-2": figure_2,
    "figure-3": figure_3,
    "figure-4": figure_4,
    FIGURE_5: figure_5,
    "semi-supervised": semi_supervised,
    "ravdess": ravdess,
}
"""Name to the function that lists its cells."""

ALL = "all"
OWN_CORPUS = ("ravdess",)
"""Artefacts that bring their corpus: no part of `all`."""


def choose(names: Iterable[str], setup: Setup) -> list[Artefact]:
    """Return artefacts by name, each once, in the order of `ARTEFACTS`.

    `all` is what the setup's own corpora allow: `ravdess`, which brings its own, is named
    apart, and Table 4 needs two corpora.

    Raises:
        UserError: An unknown name, or an artefact that the setup does not allow.
    """
    wanted = set(names)
    unknown = sorted(wanted - {ALL, *ARTEFACTS})
    if unknown:
        raise UserError(f"{', '.join(unknown)}: expected some of {', '.join(ARTEFACTS)}, or {ALL}")
    if ALL in wanted:
        one = len(setup.datasets) < 2
        wanted |= set(ARTEFACTS) - set(OWN_CORPUS) - ({"table-4"} if one else set())
    return [make(setup) for name, make in ARTEFACTS.items() if name in wanted]
