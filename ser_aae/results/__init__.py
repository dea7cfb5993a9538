"""Results of runs: what a run leaves behind (`.folder`), reading it back, recomputing figures."""

from ser_aae.results.evaluation import (
    evaluate,
    evaluate_experiment,
    evaluate_run,
)
from ser_aae.results.folder import (
    find_experiments,
    find_runs,
    is_complete,
    load_runs,
    run_folder,
    run_name,
)
from ser_aae.results.predictions import (
    classes_of,
    read_predictions,
    score,
    write_predictions,
)
from ser_aae.results.provenance import environment
from ser_aae.results.text import format_evaluation

__all__ = [
    "classes_of",
    "environment",
    "evaluate",
    "evaluate_experiment",
    "evaluate_run",
    "find_experiments",
    "find_runs",
    "format_evaluation",
    "is_complete",
    "load_runs",
    "read_predictions",
    "run_folder",
    "run_name",
    "score",
    "write_predictions",
]
