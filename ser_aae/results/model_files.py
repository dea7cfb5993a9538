"""Files that a run's model is loaded from, and their digests in the run's record.

The record is `result.json`, or `validation.json` while the test part is not scored. A digest
notices damage and mix-ups; whoever changes a file on purpose can change its digest too.
"""

from pathlib import Path

from ser_aae.errors import UserError
from ser_aae.files.atomic import TRAIN_AGAIN, read_json
from ser_aae.files.digests import digest_of_file
from ser_aae.results.complete_run import name_damaged
from ser_aae.results.folder import BEST_WEIGHTS, NORMALISATION, RESULT

MODEL_DIGESTS = "model_sha256"
"""Key of a run's record: name of a file to the SHA-256 of its bytes. Earlier runs lack it."""

NOT_CHECKED = "made before digests of weights were kept: not checked"


def digest_model(run: Path) -> dict[str, str]:
    """Return the digest of each file that a run's model is loaded from, by its name."""
    return {name: digest_of_file(run / name) for name in (BEST_WEIGHTS, NORMALISATION)}


def refuse_changed_model(run: Path, record: str = RESULT) -> None:
    """Refuse weights or a normalisation that are not those that the run wrote.

    A file that is missing is left to its reader; of a run without digests nothing is refused.

    Raises:
        UserError: A file was damaged or changed, or the record itself was.
    """
    for name, written in _written_digests(run, record).items():
        path = run / name
        if path.is_file() and (found := digest_of_file(path)) != written:
            raise UserError(
                f"{path}: it is damaged or was changed after the run (its SHA-256 is "
                f"{found[:12]}..., {record} says {written[:12]}...); remove the "
                f"folder and {TRAIN_AGAIN}"
            )


def remarks_on(run: Path, record: str = RESULT) -> tuple[str, ...]:
    """Return what to tell of a run whose model could not be checked; else nothing."""
    return () if _written_digests(run, record) else (f"{run}: {NOT_CHECKED}",)


def _written_digests(run: Path, record: str) -> dict[str, str]:
    """Return the digests of a record; none of an earlier version."""
    content = read_json(run / record)
    with name_damaged(run / record):
        found = content.get(MODEL_DIGESTS, {})
        if found and not {BEST_WEIGHTS, NORMALISATION} == set(found):
            raise ValueError(f"{MODEL_DIGESTS}: expected digests of two files, found {found!r}")
        return {name: str(found[name]) for name in found}
