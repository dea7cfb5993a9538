"""Files that a run's model is loaded from, compared with the digests in the run's record.

The record is `result.json`, or `validation.json` while the test part is not scored.
"""

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
