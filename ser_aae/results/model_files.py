"""Files that a run's model is loaded from, compared with the digests in the run's record.

The record is `result.json`, or `validation.json` while the test part is not scored.
"""

from collections.abc import Iterable
from pathlib import Path

from ser_aae.results.folder import BEST_WEIGHTS, NORMALISATION, refuse_changed, written_digests

NOT_CHECKED = "made before digests of weights were kept: not checked"


def refuse_changed_model(run: Path) -> None:
    """Refuse weights or a normalisation that are not those that the run wrote.

    Raises:
        DamagedError: A file was damaged or changed, or the record itself was.
    """
    for name in (BEST_WEIGHTS, NORMALISATION):
        refuse_changed(run, name)


def remarks_on(run: Path) -> tuple[str, ...]:
    """Return what to tell of a run whose model could not be checked; else nothing."""
    return () if BEST_WEIGHTS in written_digests(run) else (f"{run}: {NOT_CHECKED}",)


def remarks_on_all(runs: Iterable[Path]) -> tuple[str, ...]:
    """Return one line for all runs whose models could not be checked; nothing without any."""
    unchecked = [run for run in runs if remarks_on(run)]
    if len(unchecked) < 2:
        return tuple(remark for run in unchecked for remark in remarks_on(run))
    return (f"{unchecked[0]} and {len(unchecked) - 1} more: {NOT_CHECKED}",)
