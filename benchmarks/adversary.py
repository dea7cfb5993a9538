"""What an adversary does to the code: its distance from the prior, with the adversary and without.

    python benchmarks/adversary.py with=runs/.../8858ac55 without=runs/.../6f334f4d --picture a.png

Of each experiment, the folds that all of them have: moments of z on the validation speakers, its
distance from N(0, I) (`ser_aae.training.latent`), how well the discriminator tells z from the prior
without noise, and UA, means over the last epochs and over folds. Test speakers are not looked at.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measuring import make_parser

from reports.style import COLOURS, LINES, drawn_to
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_jsonl
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


def read_experiments(texts: Sequence[str]) -> dict[str, dict[str, Rows]]:
    """Return the epochs of each run, by `NAME=FOLDER` and the run's name, of shared folds alone.

    Raises:
        UserError: A text is no `NAME=FOLDER`, or there is no run that all experiments have.
    """
    found: dict[str, dict[str, Rows]] = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not equals:
            raise UserError(f"expected NAME=FOLDER of an experiment, got {text!r}")
        runs = [run for run in find_runs(Path(folder)) if (run / EPOCHS).exists()]
        found[name] = {
            run.name: [row for row in read_jsonl(run / EPOCHS) if row["stage"] == 2] for run in runs
        }
    shared = sorted(set.intersection(*(set(runs) for runs in found.values())))
    if not shared:
        raise UserError("expected a fold and seed that all experiments have, found none")
    return {name: {run: runs[run] for run in shared} for name, runs in found.items()}


def course(rows: Rows, place: tuple[str, str]) -> np.ndarray:
    """Return the values of a figure, `(epochs,)`, NaN where an epoch has none."""
    group, key = place
    return np.array([row.get(group, {}).get(key, np.nan) for row in rows], float)


def summarise(runs: Mapping[str, Rows], last: int) -> dict[str, float]:
    """Return each figure's mean over the last epochs of each run, and over the runs."""
    return {
        name: float(np.mean([course(rows, place)[-last:].mean() for rows in runs.values()]))
        for name, place in FIGURES.items()
    }


def draw(experiments: Mapping[str, Mapping[str, Rows]], path: Path) -> None:
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
    arguments = parser.parse_args(argv)
    try:
        experiments = read_experiments(arguments.experiments)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    rows = [["experiment", "runs", *FIGURES]]
    for name, runs in experiments.items():
        found = summarise(runs, arguments.last)
        rows.append([name, str(len(runs)), *(f"{found[figure]:.3f}" for figure in FIGURES)])
    print("\n".join(align(rows)))
    if arguments.picture:
        draw(experiments, arguments.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
