"""The names of data sets."""

import json
import re
from pathlib import Path

import pytest

from ser_aae.config.build import build_config
from ser_aae.config.datasets import GivenPath, given_path, stored_name
from ser_aae.config.fields import Given
from ser_aae.errors import UserError


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


@pytest.mark.parametrize("key", ["dataset", "auxiliary"])
def test_a_table_named_over_a_runs_config_is_another_one(key, tmp_path):
    """The run's corpora say what its own tables are called, and nothing of others of that name."""
    own = f"csv:{tmp_path / 'own' / 'calls.csv'}"
    config = build_config(assignments=[f"{key}={own}"])
    corpora = {config.stored_name(own): "00ff"}
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config.to_record() | {"corpora": corpora}), encoding="utf-8")
    other = f"csv:{tmp_path / 'other' / 'calls.csv'}"
    again = build_config(file=file, flags=[Given(key, other, f"--{key}")])
    assert again.stored_name(other) == stored_name(other) != stored_name(own)
    assert again.source(other) == other


@pytest.mark.parametrize("broken", [{"name": ["x"]}, {"source": {}}, {"more": ""}])
def test_a_damaged_record_of_a_table_is_told(broken, tmp_path):
    row = {"given": "csv:a.csv", "name": "csv-a-012345", "source": "csv:/a.csv"} | broken
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"tables": [row]}), encoding="utf-8")
    with pytest.raises(UserError, match=r"config\.json: tables: expected given, name and source"):
        build_config(file=file)
