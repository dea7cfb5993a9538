"""A search as data: where it lies, what it asks for, and its way through JSON."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ser_aae.config import DataConfig, ModelConfig, ProtocolConfig, RunConfig
from ser_aae.config.datasets import Table
from ser_aae.errors import UserError
from tuning.definition import check_search, read_search


def test_a_search_comes_back_from_json_as_it_was(search_of):
    config = RunConfig(
        dataset="tiny",
        auxiliary=("voices", "others"),
        seed=3,
        protocol=ProtocolConfig(name="loso", fold=2),
        model=replace(ModelConfig(), filters=(4, 8), auxiliary_tasks=("gender",)),
        data=replace(DataConfig(), level_edges=(2.0, 3.0)),
    )
    search = search_of(
        "latent,masks",
        "bayesian",
        7,
        config=config,
        folds=(1, 3),
        executions=2,
        corpora={"tiny-0123abcd": "00ff"},
    )
    assert read_search(json.loads(json.dumps(search.to_dict()))) == search


def test_a_search_on_a_table_comes_back_with_the_tables_place(search_of):
    tables = (Table("csv:calls.csv", "csv-calls-1a2b3c", "csv:/home/me/calls.csv"),)
    search = search_of(config=RunConfig(dataset="csv:calls.csv", tables=tables))
    assert read_search(json.loads(json.dumps(search.to_dict()))) == search


def test_its_runs_are_every_fold_with_every_seed(search_of):
    search = search_of(config=RunConfig(seed=5), folds=(0, 4), executions=2)
    runs = search.runs_of(replace(search.config, dataset="other"))
    assert [(run.protocol.fold, run.seed) for run in runs] == [(0, 5), (4, 5), (0, 6), (4, 6)]
    assert {run.dataset for run in runs} == {"other"}
    assert len({run.digest() for run in runs}) == 1
    assert search.to_dict()["seeds"] == [5, 6]


def test_more_trials_are_the_same_search_and_all_else_is_another(search_of, tmp_path):
    one = search_of(trials=5)
    folder = one.folder(tmp_path)
    assert folder.relative_to(tmp_path).parts[:2] == ("searches", "tiny-emotion-mtl-speaker-kfold")
    assert replace(one, trials=50).folder(tmp_path) == folder
    others = [
        replace(one, folds=(1,)),
        replace(one, executions=2),
        replace(one, algorithm="bayesian"),
        replace(one, corpora={"tiny-0123abcd": "other content"}),
        replace(one, config=replace(one.config, seed=1)),
        search_of("alpha"),
    ]
    assert folder not in {other.folder(tmp_path) for other in others}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"algorithm": "annealing"}, "--algorithm: expected one of random, bayesian"),
        ({"algorithm": "grid"}, "covers the whole grid; leave --trials away"),
        ({"algorithm": "hyperband"}, "follows the epochs; leave --trials away"),
        ({"trials": 0}, "--trials: expected 1 or more, got 0"),
        ({"executions": 0}, "--executions: expected 1 or more, got 0"),
        ({"space": "figure-5"}, "add --algorithm grid"),
        ({"space": "auxiliary-ratio"}, "goes with --auxiliary"),
    ],
)
def test_a_search_that_cannot_be_is_refused(search_of, changed, message):
    with pytest.raises(UserError, match=message):
        check_search(search_of(**changed))


@pytest.mark.parametrize(
    "changed", [{"algorithm": "grid", "trials": 0}, {"algorithm": "bayesian"}, {}]
)
def test_a_search_that_can_be_is_not(search_of, changed):
    check_search(search_of(**changed))


def test_a_search_of_another_version_is_refused(search_of):
    plain = json.loads(json.dumps(search_of().to_dict()))
    plain["dimensions"]["alpha"]["values"][0] = 0.05
    with pytest.raises(UserError, match="another version"):
        read_search(plain)
    del plain["folds"]
    with pytest.raises(UserError, match="folds"):
        read_search(plain)


def test_a_search_that_is_stored_stays_where_it_lies(tmp_path):
    stored = json.loads((Path(__file__).parent / "stored" / "search.json").read_text())
    folder = read_search(stored).folder(tmp_path)
    assert folder.parent.name == "tiny-emotion-mtl-speaker-kfold"
    assert folder.name == "13c37077"
