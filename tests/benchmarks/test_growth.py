"""The benchmark of growth, at tiny sizes: that each part runs, and how growth is told."""

import csv
import math

import pytest
from matplotlib.image import imread

from benchmarks import growth


def row(part, size, seconds, peak_mb=100.0):
    return {"part": part, "unit": "x", "size": size, "seconds": seconds, "peak_mb": peak_mb}


def test_every_part_is_measured_drawn_and_told(tmp_path, capsys):
    out, picture = tmp_path / "growth.csv", tmp_path / "growth.png"
    places = ["--out", str(out), "--picture", str(picture)]
    runs = ["plan", "grid", "report"]
    growth.main([*places, "--sizes", "20", "--only", *runs])
    corpora = [name for name in growth.PARTS if name not in runs]
    capsys.readouterr()
    growth.main([*places, "--sizes", "600", "--only", *corpora])
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [each["part"] for each in rows] == list(growth.PARTS)
    assert all(float(each["peak_mb"]) > 20 for each in rows)
    assert imread(picture).std() > 0.01
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(growth.PARTS)


def test_the_exponent_is_that_of_the_larger_sizes():
    squares = [row("plan", size, 1 + size**2) for size in (1, 100, 1000, 10000)]
    assert growth.fit_exponent(squares) == pytest.approx(2, abs=0.01)
    assert math.isnan(growth.fit_exponent(squares[:1]))


def test_growth_that_is_worse_than_linear_is_told():
    squares = [row("plan", size, size**2 / 1e6) for size in (100, 1000, 10000)]
    lines = [row("grid", size, size / 1e3) for size in (100, 1000, 10000)]
    plan, grid = growth.describe([*squares, *lines])
    assert "to the power 2.00 (worse than linear)" in plan
    assert "worse" not in grid


def test_one_size_says_nothing_of_growth():
    row = {"part": "report", "unit": "runs", "size": 50, "seconds": 2.0, "peak_mb": 80.0}
    assert growth.describe([row]) == ["report: 2.00 s and 80 MB for 50 runs"]


def test_memory_is_told_for_each_thing():
    rows = [row("plan", 1024, 1.0, 100.0), row("plan", 2048, 1.0, 103.0)]
    assert growth.memory_of_each(rows) == pytest.approx(3.0)


def test_a_measurement_replaces_the_one_before_and_leaves_others(tmp_path):
    path = tmp_path / "growth.csv"
    growth.write_rows(path, [row("grid", 10, 1.0), row("listing", 10, 2.0)])
    growth.write_rows(path, [*growth.read_rows(path), row("grid", 10, 3.0)])
    found = [(each["part"], float(each["seconds"])) for each in growth.read_rows(path)]
    assert found == [("listing", 2.0), ("grid", 3.0)]
