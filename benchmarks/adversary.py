"""What an adversary does to the code: its distance from the prior, with the adversary and without.

    python benchmarks/adversary.py with=runs/.../8858ac55 without=runs/.../6f334f4d --picture a.png

Of each experiment, the folds that all of them have: moments of z on the validation speakers, its
distance from N(0, I) (`ser_aae.training.latent`), how well the discriminator tells z from the prior
without noise, and UA, means over the last epochs and over folds. Test speakers are not looked at.

`--store` adds a column that means the same with an adversary and without: how well a classifier
that is trained afterwards, on z of some validation speakers, tells z of the others from the prior
(a classifier two-sample test, Lopez-Paz & Oquab, ICLR 2017). The codes are of the best epoch.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measuring import make_parser
from sklearn.neural_network import MLPClassifier

from reports.style import COLOURS, LINES, drawn_to
from ser_aae.batches.pipeline import evaluation_dataset
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_jsonl
from ser_aae.inference.run_model import load_best
from ser_aae.results.complete_run import read_chosen_config
from ser_aae.results.folder import EPOCHS, find_runs
from ser_aae.results.text import align

Rows = Sequence[Mapping[str, Any]]
"""Epochs of stage 2, as `epochs.jsonl` has them."""

FIGURES = {
    "mean": ("latent", "mean"),
    "variance": ("latent", "variance"),
    "kurtosis": ("latent", "kurtosis"),
    "MMD²": ("latent", "mmd"),
    "told without noise": ("latent", "discriminator_accuracy"),
    "UA": ("validation", "unweighted_accuracy"),
}
"""Column to where its value stands in a row of `epochs.jsonl`.

Of the prior the first four are 0, 1, 3 and 0, and a discriminator that guesses has 0.5."""


_PLACES = 10_000
"""Places of the code that a classifier learns from, and is tried on, at most."""


def read_experiments(texts: Sequence[str]) -> dict[str, dict[Path, Rows]]:
    """Return the epochs of each run, by the name in `NAME=FOLDER`, of shared folds and seeds alone.

    Raises:
        UserError: A text is no `NAME=FOLDER`, or there is no run that all experiments have.
    """
    found: dict[str, dict[str, Path]] = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not equals:
            raise UserError(f"expected NAME=FOLDER of an experiment, got {text!r}")
        runs = [run for run in find_runs(Path(folder)) if (run / EPOCHS).exists()]
        found[name] = {run.name: run for run in runs}
    shared = sorted(set.intersection(*(set(runs) for runs in found.values())))
    if not shared:
        raise UserError("expected a fold and seed that all experiments have, found none")
    return {
        name: {runs[run]: _read_stage_two(runs[run]) for run in shared}
        for name, runs in found.items()
    }


def _read_stage_two(run: Path) -> Rows:
    return [row for row in read_jsonl(run / EPOCHS) if row["stage"] == 2]


def course(rows: Rows, place: tuple[str, str]) -> np.ndarray:
    """Return the values of a figure, `(epochs,)`, NaN where an epoch has none."""
    group, key = place
    return np.array([row.get(group, {}).get(key, np.nan) for row in rows], float)


def summarise(runs: Sequence[Rows], last: int) -> dict[str, float]:
    """Return each figure's mean over the last epochs of each run, and over the runs."""
    return {
        name: float(np.mean([course(rows, place)[-last:].mean() for rows in runs]))
        for name, place in FIGURES.items()
    }


def encode_validation(run: Path, store: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return z `(segments, height, width, channels)` of the validation part, and who speaks.

    Raises:
        UserError: The run has not trained to its end, or its corpora are not in the store.
    """
    config = read_chosen_config(run)
    part = assemble(config, store).validation
    model, normalisation = load_best(run, config)
    batches = evaluation_dataset(part, normalisation, config.data, config.training.batch_size)
    found = [
        (model.encoder(segments, training=False).numpy(), rows.numpy())
        for segments, _, rows in batches
    ]
    codes, rows = (np.concatenate(each) for each in zip(*found, strict=True))
    return codes, np.array([part.corpus.utterances[row].speaker for row in rows])


def tell_afterwards(codes: np.ndarray, speakers: np.ndarray) -> float:
    """Return the accuracy with which a new classifier tells z at a place of its map from N(0, I).

    It is trained on every other speaker and tried on the rest, and the other way round. 0.5 is
    guessing; a place counts alone, so that how places depend on each other tells nothing.
    """
    draw = np.random.default_rng(0)
    names = np.unique(speakers)
    if len(names) < 2:
        return float("nan")

    def mix(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places = codes[chosen].reshape(-1, codes.shape[-1])
        places = places[draw.permutation(len(places))[:_PLACES]]
        prior = draw.normal(size=places.shape)
        return np.concatenate([places, prior]), np.repeat([0, 1], len(places))

    accuracies = []
    for first in (0, 1):
        is_learnt = np.isin(speakers, names[first::2])
        classifier = MLPClassifier((64,), early_stopping=True, random_state=0)
        classifier.fit(*mix(is_learnt))
        accuracies.append(classifier.score(*mix(~is_learnt)))
    return float(np.mean(accuracies))


def judge_codes(runs: Sequence[Path], store: Path) -> dict[str, float]:
    """Return the mean over runs of what `tell_afterwards` finds on their validation speakers."""
    found = [tell_afterwards(*encode_validation(run, store)) for run in runs]
    return {"told afterwards": float(np.mean(found))}


def draw(experiments: Mapping[str, Mapping[Path, Rows]], path: Path) -> None:
    """Draw the distance from the prior against epochs: a line a run, a look an experiment."""
    with drawn_to(path, 3.6) as figure:
        axes = figure.subplots()
        for number, (name, runs) in enumerate(experiments.items()):
            for first, rows in enumerate(runs.values()):
                values = course(rows, FIGURES["MMD²"])
                label = name if first == 0 else None
                style = {"color": COLOURS[number], "linestyle": LINES[number % len(LINES)]}
                axes.plot(np.arange(1, len(values) + 1), values, label=label, **style)
        axes.set(xlabel="epoch", ylabel="MMD² between z and N(0, I)", ylim=(0, None))
        axes.legend()


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, draw the picture, and return the exit code."""
    parser = make_parser(__doc__, last=10)
    parser.add_argument("experiments", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--store", type=Path, help="where the runs' corpora are; encodes again")
    arguments = parser.parse_args(argv)
    try:
        experiments = read_experiments(arguments.experiments)
        table = {
            name: summarise(list(runs.values()), arguments.last)
            | (judge_codes(list(runs), arguments.store) if arguments.store else {})
            for name, runs in experiments.items()
        }
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    heads = list(next(iter(table.values())))
    rows = [["experiment", "runs", *heads]]
    for name, found in table.items():
        values = [f"{found[head]:.3f}" for head in heads]
        rows.append([name, str(len(experiments[name])), *values])
    print("\n".join(align(rows)))
    if arguments.picture:
        draw(experiments, arguments.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
