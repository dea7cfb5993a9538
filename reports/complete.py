"""Refusal of a report that lacks something of what was set up to be run."""

from collections.abc import Sequence

from reports.aggregate import Filling
from reports.artefact_sections import what_cannot_be_shown
from ser_aae.errors import UserError
from ser_aae.results.places import Places


def refuse_gaps(fillings: Sequence[Filling], places: Places) -> None:
    """Raise unless every cell is over all that its setup asks for, and all can be shown.

    Args:
        fillings: All artefacts of all setups, with those that no run is there for.
        places: Where run folders lie, and prepared corpora.

    Raises:
        UserError: There is no artefact, or one has a gap; each with the command that mends it.
    """
    if not fillings:
        raise UserError(
            f"{places.runs}: expected the runs of a table or figure, found none; "
            "`ser-aae reproduce` trains them"
        )
    gaps = []
    for filling in fillings:
        name, whole = filling.artefact.name, len(filling.cells)
        lacking = len(filling.missing) + len(filling.incomplete)
        if lacking:
            gaps.append(f"  {name}: {lacking} of {whole} cells lack runs; run {filling.command}")
        gaps += [f"  {name}: {reason}" for reason in what_cannot_be_shown(filling, places)]
    if gaps:
        lines = dict.fromkeys(gaps)  # two setups may lack the same
        raise UserError("\n".join(("expected a report without a gap, found:", *lines)))
