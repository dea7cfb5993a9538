"""UA on validation speakers by the segments that an utterance is scored on, of trained runs.

    python benchmarks/evaluation_segments.py runs/ravdess-emotion-mtl-speaker-kfold/871e4255

For each fold of an experiment the model of its best epoch scores its validation speakers again,
with each of some values of `data.evaluation_segments`; and with the posteriors of the rarest
class of the training part multiplied by each of some factors, which shows whether the model
names that class too rarely. Test speakers are not looked at.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from measuring import make_parser

from ser_aae.batches.pipeline import evaluation_dataset
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json
from ser_aae.inference.run_model import load_trained
from ser_aae.labels import UNLABELLED
from ser_aae.results.complete_run import read_config
from ser_aae.results.folder import RESULT, find_runs, is_complete
from ser_aae.results.text import align, percent
from ser_aae.training.scoring import Scorer, score_tasks


def score_run(
    run: Path, store: Path, segments: Sequence[int], factors: Sequence[float]
) -> np.ndarray:
    """Return a run's UA on its validation speakers, `(segments, factors)`, in 0 to 1.

    `segments` are values of `data.evaluation_segments`, `factors` multiply the rarest class'
    posterior.

    Raises:
        UserError: The run is not complete, or the corpora are others.
    """
    config = read_config(run)
    data = assemble(config, store)
    known = read_json(run / RESULT)["corpora"]
    if any(known.get(name) != digest for name, digest in data.digests.items()):
        raise UserError(f"{store}: expected the corpora of {run}, found others; name its store")
    task, part = config.task, data.validation
    labels = np.concatenate([each.labels[task][each.rows] for each in data.train])
    rarest = np.bincount(labels[labels != UNLABELLED], minlength=len(data.target.classes)).argmin()
    model, normalisation = load_trained(run)
    scores = np.zeros((len(segments), len(factors)))
    for row, fewest in enumerate(segments):
        cut = replace(config.data, evaluation_segments=fewest)
        dataset = evaluation_dataset(part, normalisation, cut, config.training.batch_size)
        posteriors = Scorer(model, dataset, part).posteriors()[0][task]
        for column, factor in enumerate(factors):
            weighed = posteriors.copy()
            weighed[:, rarest] *= factor
            scores[row, column] = score_tasks({task: weighed}, part, task)["unweighted_accuracy"]
    return scores


def main(argv: Sequence[str] | None = None) -> int:
    """Score the folds and print their mean; return the exit code."""
    store = Path(os.environ.get("SER_AAE_STORE", "store"))
    parser = make_parser(__doc__, store=store)
    parser.add_argument("experiment", type=Path, help="a folder of runs, or a run")
    parser.add_argument("--segments", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--factors", type=float, nargs="+", default=[0.5, 1.0, 2.0, 4.0])
    arguments = parser.parse_args(argv)
    runs = [run for run in find_runs(arguments.experiment) if is_complete(run)]
    try:
        if not runs:
            raise UserError(f"{arguments.experiment}: expected complete runs, found none")
        scores = [
            score_run(run, arguments.store, arguments.segments, arguments.factors) for run in runs
        ]
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    mean = np.mean(scores, axis=0)
    rows = [["segments", *(f"factor {factor:g}" for factor in arguments.factors)]]
    rows += [
        [str(fewest), *map(percent, line)]
        for fewest, line in zip(arguments.segments, mean, strict=True)
    ]
    print(f"UA on the validation speakers of {len(runs)} runs, mean, %")
    print("\n".join(align(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
