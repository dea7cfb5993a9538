"""Copies of experiments below a folder of runs, which would count a second time."""

from pathlib import Path

from ser_aae.files.digests import digest_of_file
from ser_aae.results.folder import CONFIG, RESULT, find_experiments, find_runs, is_complete


def find_copies(runs: Path) -> dict[Path, Path]:
    """Return the experiments whose complete runs all lie in another one too, and that other one.

    A copied run has the same config, and the same `result.json` to the last byte, with the moment
    it was finished and the seconds it took; a run that was trained a second time has not. The
    experiment with most runs is the original, of equals the one whose files are the oldest, or else
    whose path comes first.

    Raises:
        UserError: A folder may not be read.
    """
    held = {
        folder: {
            (run.name, *(digest_of_file(run / name) for name in (CONFIG, RESULT)))
            for run in find_runs(folder)
            if is_complete(run)
        }
        for folder in find_experiments(runs)
    }
    held = {folder: own for folder, own in held.items() if own}
    copies: dict[Path, Path] = {}
    originals: list[Path] = []
    for folder in sorted(held, key=lambda each: (-len(held[each]), _moment(each), each)):
        found = next((each for each in originals if held[folder] <= held[each]), None)
        if found is None:
            originals.append(folder)
        else:
            copies[folder] = found
    return copies


def _moment(folder: Path) -> float:
    """Return when the first result below an experiment was written."""
    return min((run / RESULT).stat().st_mtime for run in find_runs(folder) if is_complete(run))
