"""Time and memory against size, from lists of utterances to reports of thousands of runs.

    python benchmarks/growth.py --out growth.csv --picture growth.png

All is made up: manifests, sound of a few frames, runs that nobody trained. Each measurement is a
process of its own. `--only` and `--sizes` take a part of it; `growth_parts` lists the parts. Rows
of other measurements in the CSV file are kept, so that it can be filled in several runs.
"""

import csv
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from growth_parts import PARTS
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from measuring import make_parser
from tqdm import tqdm

from reports.style import LINES, MARKERS, drawn_to
from ser_aae.files.atomic import write_bytes

_CHILD = Path(__file__).with_name("growth_parts.py")
_COLUMNS = ("part", "unit", "size", "seconds", "peak_mb")

WORSE = 1.15
"""Exponent of time above which growth is called worse than linear; below, a busy machine may be the
cause."""

Row = Mapping[str, str | float]
"""A measurement by the columns of the CSV file."""


def measure(name: str, size: int) -> Row:
    """Return the measurement of a part at a size; what it reads is removed afterwards.

    Raises:
        CalledProcessError: The part failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        for task in ("make", "measure"):
            words = [sys.executable, str(_CHILD), task, name, str(size), folder]
            done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    rounded = {"seconds": round(figures["seconds"], 4), "peak_mb": round(figures["peak_mb"], 1)}
    return {"part": name, "unit": PARTS[name].unit, "size": size} | rounded


def fit_exponent(rows: Sequence[Row]) -> float:
    """Return the exponent of time on the larger half of some sizes: 1 is linear.

    What a part costs at any size, such as a first use of a library, would make it look flatter
    than it is. NaN for a single size.
    """
    larger = sorted(rows, key=lambda row: float(row["size"]))[-max(2, math.ceil(len(rows) / 2)) :]
    if len(larger) < 2:
        return math.nan
    sizes, seconds = ([float(row[key]) for row in larger] for key in ("size", "seconds"))
    slope, _ = np.polyfit(np.log(sizes), np.log(np.maximum(seconds, 1e-6)), 1)
    return float(slope)


def memory_of_each(rows: Sequence[Row]) -> float:
    """Return the kB of peak memory that one more utterance, cell or run takes, by the ends."""
    ends = sorted(rows, key=lambda row: float(row["size"]))
    more = float(ends[-1]["size"]) - float(ends[0]["size"])
    growth_mb = float(ends[-1]["peak_mb"]) - float(ends[0]["peak_mb"])
    return 1024 * growth_mb / more if more else math.nan


def by_part(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return rows by part, in the order of the parts, each by size."""
    ordered = sorted(rows, key=lambda row: float(row["size"]))
    found = {name: [row for row in ordered if row["part"] == name] for name in PARTS}
    return {name: own for name, own in found.items() if own}


def describe(rows: Iterable[Row]) -> list[str]:
    """Return a line for each part: its largest size and how time and memory grow."""
    lines = []
    for name, own in by_part(rows).items():
        last = own[-1]
        line = (
            f"{name}: {float(last['seconds']):.2f} s and {float(last['peak_mb']):.0f} MB for "
            f"{int(last['size']):,} {last['unit']}"
        )
        if len(own) > 1:  # one size says nothing of growth
            exponent = fit_exponent(own)
            worse = " (worse than linear)" if exponent > WORSE else ""
            line += (
                f"; time grows with size to the power {exponent:.2f}{worse}, memory by "
                f"{memory_of_each(own):.2f} kB each"
            )
        lines.append(line)
    return lines


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a CSV file, none where there is none."""
    return list(csv.DictReader(path.read_text().splitlines())) if path.is_file() else []


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write rows by part and size; of two for one measurement the later one."""
    latest = {(row["part"], int(row["size"])): row for row in rows}
    lines = [
        ",".join(str(row[name]) for name in _COLUMNS)
        for own in by_part(latest.values()).values()
        for row in own
    ]
    write_bytes(path, "\n".join([",".join(_COLUMNS), *lines, ""]).encode())


def draw(rows: Iterable[Row], path: Path) -> None:
    """Draw time and memory against size, both in powers of ten, with a straight line's slope."""
    with drawn_to(path, 4.6) as figure:
        axes = figure.subplots(1, 2)
        for number, (name, own) in enumerate(by_part(rows).items()):
            sizes = [float(row["size"]) for row in own]
            style = {"marker": MARKERS[number % len(MARKERS)], "linestyle": LINES[number // 8]}
            for one, key in zip(axes, ("seconds", "peak_mb"), strict=True):
                one.plot(sizes, [float(row[key]) for row in own], label=name, **style)
        axes[0].plot([50, 3e5], [1e-3, 6], color="#7F7F7F", linewidth=0.8, label="linear growth")
        axes[0].set(title="Time in seconds", yscale="log")
        axes[1].set(title="Peak memory in MB", ylim=(0, None))
        for one in axes:
            one.set(xscale="log", xlabel="utterances, cells or runs")
        for axis in (axes[0].xaxis, axes[0].yaxis, axes[1].xaxis):
            axis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.set_minor_formatter(NullFormatter())
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, add it to the table, draw the table, and print how it grows."""
    parser = make_parser(__doc__, out=Path("growth.csv"), picture=Path("growth.png"))
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--sizes", nargs="+", type=int, help="in place of each part's own")
    options = parser.parse_args(arguments)
    wanted = [(name, size) for name in options.only for size in options.sizes or PARTS[name].sizes]
    for name, size in tqdm(wanted, disable=None):
        write_rows(options.out, [*read_rows(options.out), measure(name, size)])
    rows = read_rows(options.out)
    draw(rows, options.picture)
    print("\n".join(describe(rows)))


if __name__ == "__main__":
    main()
