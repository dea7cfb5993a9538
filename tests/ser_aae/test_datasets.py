"""The names of data sets."""

import re
from pathlib import Path

import pytest

from ser_aae.datasets import csv_path, stored_name


@pytest.mark.parametrize(
    ("given", "stored"),
    [("ravdess", "ravdess"), ("RAVDESS", "ravdess"), ("msp-improv", "msp"), ("MSP-IMPROV", "msp"),
     ("msp_improv", "msp"), ("msp", "msp"), ("xyzzy", "xyzzy")],
)  # fmt: skip
def test_corpora_have_one_name(given, stored):
    assert stored_name(given) == stored


@pytest.mark.parametrize(
    "file", ["calls.csv", "my calls (2).csv", "données.csv", "a/b/c.csv", "*.csv"]
)
def test_tables_have_names_that_are_safe_for_folders(file):
    assert re.fullmatch(r"csv-[A-Za-z0-9_-]+-[0-9a-f]{6}", stored_name(f"csv:{file}"))


def test_tables_of_one_name_in_two_folders_differ(tmp_path):
    names = {stored_name(f"csv:{tmp_path / folder / 'calls.csv'}") for folder in "ab"}

    assert len(names) == 2
    assert all(name.startswith("csv-calls-") for name in names)


def test_relative_and_full_paths_give_one_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert stored_name("csv:calls.csv") == stored_name(f"CSV:{tmp_path / 'calls.csv'}")


def test_path_of_a_table():
    assert csv_path("csv:a/b.csv") == Path("a/b.csv")
    assert csv_path("csv:~/b.csv") == Path.home() / "b.csv"
    assert csv_path("csvfile") is None
    assert csv_path("ravdess") is None
