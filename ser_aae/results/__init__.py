"""Run folders: what a run leaves behind, reading it back, and recomputing every figure.

```
<runs>/<dataset>-<task>-<model>-<protocol>/<digest>/fold03-rep07/
  config.json          the whole RunConfig, written before training
  environment.json     commit, versions, machine
  epochs.jsonl         one line an epoch
  pretraining.json     with auxiliary corpora: what the stage 1 depends on that the run began with
  predictions.parquet  one row a test utterance; the truth behind every figure
  verification.parquet optional: one row a trial of speaker verification, see `.verification`
  best.weights.h5      the best epoch's weights
  examples.npz         optional: what the report's pictures of a segment and of z are drawn from
  result.json          the figures; written last, by rename: its presence means complete
```
Stage 1 lies apart, see `ser_aae.pretraining`. The folds and repetitions of one experiment lie
side by side under its digest: fold 3 and seed 7 above, both counted from 0.
"""

from ser_aae.results.evaluation import (
    evaluate,
    evaluate_experiment,
    evaluate_run,
)
from ser_aae.results.folder import (
    append_jsonl,
    find_experiments,
    find_runs,
    is_complete,
    load_runs,
    read_json,
    read_jsonl,
    run_folder,
    run_name,
    write_json,
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
    "append_jsonl",
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
    "read_json",
    "read_jsonl",
    "read_predictions",
    "run_folder",
    "run_name",
    "score",
    "write_json",
    "write_predictions",
]
