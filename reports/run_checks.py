"""Check of complete runs against the figures and digests that each run wrote down."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from reports.side_by_side import compute_all
from ser_aae.errors import UserError
from ser_aae.files.digests import digest_of_file
from ser_aae.results.evaluation import evaluate_run
from ser_aae.results.folder import (
    BEST_WEIGHTS,
    FILE_DIGESTS,
    PREDICTIONS,
    RESULT,
    VERIFICATION,
    find_runs,
    is_complete,
    read_result,
)
from ser_aae.results.model_files import refuse_changed_model
from ser_aae.results.text import count_of
from ser_aae.results.trials import TRIALS_DIGEST

DIGEST = "predictions_sha256"
"""Key of `result.json` with the SHA-256 of the predictions."""

_DIGESTS = (
    (DIGEST, PREDICTIONS, "predictions"),
    (TRIALS_DIGEST, VERIFICATION, "verification trials"),
    (FILE_DIGESTS, BEST_WEIGHTS, "weights"),
)
_MOST_LISTED = 10


def check_runs(runs: Path, workers: int = 1) -> list[str]:
    """Recompute every complete run below a folder, and compare it with what it wrote down.

    The figures catch a changed class; the digest of `predictions.parquet` catches a changed
    posterior too, which no figure shows. The trials of speaker verification have a digest among
    their figures, and the weights have one where they lie beside them.

    Args:
        runs: Folder of run folders, at any depth.
        workers: Most processes that compute.

    Returns:
        What to tell: how many runs agree, and how many wrote no digest.

    Raises:
        UserError: A run disagrees; all that do are named.
    """
    complete = [run for run in find_runs(runs) if is_complete(run)]
    experiments = [list(own) for _, own in groupby(complete, key=lambda run: run.parent)]
    found = compute_all(_find_problems, experiments, workers, "checks")
    problems = [text for texts in found for text in texts]
    if problems:
        shown, hidden = problems[:_MOST_LISTED], len(problems) - _MOST_LISTED
        more = [f"and {hidden} more"] if hidden > 0 else []
        checked = f"{len(problems)} of {count_of(len(complete), 'run')}"
        head = f"{checked} not in agreement with what was written down:"
        raise UserError("\n  ".join([head, *shown, *more]))
    lines = [f"checked {count_of(len(complete), 'run')}: each agrees with what it wrote down"]
    for digest, name, content in _DIGESTS:
        having = (run for run in complete if (run / name).is_file())
        old = [run for run in having if not _has_digest(read_result(run).get(digest), name)]
        if old:
            lines.append(
                f"{len(old)} of them wrote no digest of their {content}: of these the figures "
                "alone were compared"
            )
    return lines


def _has_digest(found: str | Mapping[str, str] | None, name: str) -> bool:
    return name in found if isinstance(found, Mapping) else found is not None


def _find_problems(runs: Sequence[Path]) -> list[str]:
    return [text for run in runs for text in _problems(run)]


def _problems(run: Path) -> Iterable[str]:
    """Yield what is wrong with a run; nothing where all agrees."""
    try:
        evaluate_run(run)
        refuse_changed_model(run)
    except UserError as error:
        yield str(error)
        return
    written = read_result(run).get(DIGEST)
    found = digest_of_file(run / PREDICTIONS)
    if written not in (None, found):
        yield (
            f"{run / PREDICTIONS}: its SHA-256 is {found[:12]}..., {RESULT} says {written[:12]}"
            "...; it was changed after the run: train it again"
        )
