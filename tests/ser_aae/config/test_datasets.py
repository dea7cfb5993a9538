"""The names of data sets."""

import re
from pathlib import Path

import pytest

from ser_aae.config.build import build_config
from ser_aae.config.datasets import GivenPath, given_path, stored_name


@pytest.mark.parametrize(
    ("given", "stored"),
    [("ravdess", "ravdess"), ("RAVDESS", "ravdess"), ("MSP", "msp"), ("xyzzy", "xyzzy")],
)  # fmt: skip
def test_corpora_have_one_name(given, stored):
    assert stored_name(given) == stored


@pytest.mark.parametrize(
    "file", ["calls.csv", "my calls (2).csv", "données.csv", "a/b/c.csv", "*.csv"]
)
def test_tables_have_names_that_are_safe_for_folders(file):
    assert re.fullmatch(r"csv-[A-Za-z0-9_-]+-[0-9a-f]{6}", stored_name(f"csv:{file}"))


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("emodb-1.4", "emodb-1-4"),
        ("a/emodb 2/", "emodb-2"),
        ("emodb#emotion.train+emotion.test", "emodb-emotion-train-emotion-test"),
        ("..", "ancêtre".replace("ê", "-")),
        ("/", "table"),
    ],
)
def test_databases_have_names_that_are_safe_for_folders(given, title, tmp_path, monkeypatch):
    (tmp_path / "ancêtre" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "ancêtre" / "here")

    assert re.fullmatch(rf"audformat-{title}-[0-9a-f]{{6}}", stored_name(f"audformat:{given}"))


def test_tables_of_one_name_in_two_folders_differ(tmp_path):
    names = {stored_name(f"csv:{tmp_path / folder / 'calls.csv'}") for folder in "ab"}

    assert len(names) == 2
    assert all(name.startswith("csv-calls-") for name in names)


def test_databases_and_their_tables_differ(tmp_path):
    given = [f"{tmp_path / folder / 'db'}{table}" for folder in "ab" for table in ("", "#x", "#y")]
    names = {stored_name(f"audformat:{path}") for path in given}

    assert len(names) == 6
    # the same letters, once as a table and once in the title alone
    assert stored_name("audformat:db#x-y") != stored_name("audformat:db#x.y")


@pytest.mark.parametrize(("kind", "name"), [("csv", "calls.csv"), ("audformat", "db#emotion")])
def test_relative_and_full_paths_give_one_name(tmp_path, monkeypatch, kind, name):
    monkeypatch.chdir(tmp_path)

    assert stored_name(f"{kind}:{name}") == stored_name(f"{kind.upper()}:{tmp_path / name}")


def test_an_empty_table_is_none(tmp_path):
    assert stored_name("audformat:db#") == stored_name("audformat:db")


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("csv:a/b.csv", GivenPath("csv", Path("a/b.csv"))),
        ("csv:a#b.csv", GivenPath("csv", Path("a#b.csv"))),
        ("CSV:~/b.csv", GivenPath("csv", Path.home() / "b.csv")),
        ("csv:C:/b.csv", GivenPath("csv", Path("C:/b.csv"))),
        ("audformat:a/b", GivenPath("audformat", Path("a/b"))),
        ("audformat:.", GivenPath("audformat", Path())),
        ("Audformat:~/b#c.d", GivenPath("audformat", Path.home() / "b", "c.d")),
        ("audformat:a#b#", GivenPath("audformat", Path("a#b"))),
        ("audformat:a#b#c", GivenPath("audformat", Path("a#b"), "c")),
        ("audformat:#c", None),
        ("audformat:", None),
        ("csv:", None),
        ("csv", None),
        ("csvfile", None),
        ("zip:a/b", None),
        ("ravdess", None),
    ],
)
def test_paths_that_are_given(dataset, expected):
    assert given_path(dataset) == expected


@pytest.mark.parametrize("dataset", ["csv:My Calls.csv", "audformat:My Data/db#Emotion"])
def test_a_config_keeps_a_path_as_it_was_given(dataset):
    assert build_config(assignments=[f"dataset={dataset}"]).dataset == dataset
