"""`ser-aae corpora`: who grants a corpus, where it should lie, and what checks it."""

import json
import shlex
from pathlib import Path

import pytest

from data_prep.corpora import list_corpora
from ser_aae.cli import build_parser, main
from ser_aae.config.datasets import PATH_KINDS

NAMES = [adapter.name for adapter in list_corpora()]


def rows(capsys, *words):
    assert main(["corpora", "--json", *words]) == 0
    return {row["name"].partition(":")[0]: row for row in json.loads(capsys.readouterr().out)}


@pytest.mark.parametrize("name", NAMES)
def test_every_corpus_has_a_command_that_checks_it(capsys, name):
    command = rows(capsys)[name]["check"]
    what = PATH_KINDS.get(name)

    assert command == f"ser-aae verify-corpus --dataset {name}" + (f":{what}" if what else "")
    parsed = build_parser().parse_args(shlex.split(command)[1:])
    assert parsed.data_root == Path("data")


@pytest.mark.parametrize("folder", ["elsewhere", "my data; rm x"])
def test_the_command_looks_where_this_one_looked(capsys, folder):
    command = rows(capsys, "--data-root", folder)["ravdess"]["check"]

    parsed = build_parser().parse_args(shlex.split(command)[1:])
    assert (parsed.dataset, parsed.data_root) == ("ravdess", Path(folder))


def test_the_command_holds_what_the_environment_says(capsys, monkeypatch):
    monkeypatch.setenv("SER_AAE_DATA", "/corpora")

    found = rows(capsys)

    assert found["urdu"]["check"].endswith("--dataset urdu --data-root /corpora")
    assert found["csv"]["check"] == "ser-aae verify-corpus --dataset csv:FILE"


def test_the_command_can_be_pasted_and_run(capsys, refused):
    Path("data", "urdu").mkdir(parents=True)
    Path("data", "urdu", "README.md").write_text("no clip\n")
    command = rows(capsys)["urdu"]["check"]

    assert "data/urdu: expected URDU" in refused(*shlex.split(command)[1:])


def test_the_text_has_terms_source_tree_and_check_of_each_corpus(capsys):
    assert main(["corpora"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")

    assert len(blocks) == len(NAMES)
    for block, adapter in zip(blocks, list_corpora(), strict=True):
        assert block.startswith(adapter.name)
        assert f"\n  terms     {adapter.license}\n" in block
        assert f"\n  check     ser-aae verify-corpus --dataset {adapter.name}" in block
        # wrapped, so that words are compared
        assert (
            adapter.obtain.split()
            == block.partition("obtain")[2].split()[: len(adapter.obtain.split())]
        )
        assert all(line.strip() in block for line in adapter.tree.splitlines())
