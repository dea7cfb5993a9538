"""Runs of artefacts: each once, in an order that can be stopped early."""

from collections import Counter
from dataclasses import replace

import pytest

from data_prep.corpora import known_facts
from ser_aae.errors import UserError
from ser_aae.experiments.artefacts import choose, runs_of
from ser_aae.experiments.setup import BUDGETS, Budget, Setup

SETUP = Setup(budget=Budget("few"), max_auxiliary_speakers=9, corpora=known_facts())
FOLDS = {"10-fold": 10, "loso": 5, "cross-corpus": 1, "speaker-kfold": 6}


def count_folds(config):
    return FOLDS[config.protocol.name]


def identity(config):
    return config.digest(), config.protocol.fold, config.seed


@pytest.mark.parametrize(("most", "expected"), [(0, 6), (1, 1), (4, 4), (9, 6)])
def test_a_budget_runs_the_first_folds(most, expected):
    setup = replace(SETUP, budget=Budget("own", max_folds=most))
    (figure,) = choose(["figure-2"], setup)
    folds = [config.protocol.fold for config in runs_of([figure], setup, 1, lambda _: 6)]
    assert folds == list(range(expected))


def test_every_run_is_listed_once_whatever_number_of_cells_show_it():
    artefacts = choose(["table-3", "table-5", "figure-3"], SETUP)
    runs = runs_of(artefacts, SETUP, 2, count_folds)
    assert max(Counter(map(identity, runs)).values()) == 1
    digests = {cell.config.digest(): cell for item in artefacts for cell in item.cells}
    folds = sum(count_folds(cell.config) for cell in digests.values())
    assert len(runs) == 2 * folds
    assert {config.digest() for config in runs} == set(digests)


def test_each_repetition_has_every_fold():
    (table,) = choose(["table-4"], SETUP)
    runs = runs_of([table], SETUP, 3, lambda _: 2)
    assert [(config.seed, config.protocol.fold) for config in runs] == [
        (seed, fold) for seed in range(3) for _ in table.cells for fold in range(2)
    ]


def test_all_of_a_repetition_comes_before_any_of_the_next():
    seeds = [c.seed for c in runs_of(choose(["table-5"], SETUP), SETUP, 3, count_folds)]
    assert seeds == sorted(seeds)
    assert set(seeds) == {0, 1, 2}


def test_the_folds_are_counted_once_for_each_experiment():
    asked = []

    def count(config):
        asked.append(config.digest())
        return 3

    runs_of(choose(["table-5", "table-3"], SETUP), SETUP, 4, count)
    assert max(Counter(asked).values()) == 1


def test_what_trains_nothing_has_no_runs():
    assert runs_of(choose(["table-2"], SETUP), SETUP, 1, count_folds) == []


def test_less_than_one_repetition_is_refused():
    with pytest.raises(UserError, match="repetitions: expected 1 or more, got 0"):
        runs_of(choose(["table-3"], SETUP), SETUP, 0, count_folds)


def test_what_cannot_be_counted_is_refused_as_the_counter_says():
    def refuse(_):
        raise UserError("loso: expected at least 3 speakers")

    with pytest.raises(UserError, match="at least 3 speakers"):
        runs_of(choose(["table-3"], SETUP), SETUP, 1, refuse)


def test_smoke_is_one_run_for_each_experiment():
    setup = replace(SETUP, budget=BUDGETS["smoke"])
    artefacts = choose(["all"], setup)
    runs = runs_of(artefacts, setup, setup.budget.repetitions, count_folds)
    assert len(runs) == len({config.digest() for config in runs}) < 130
    assert {config.protocol.fold for config in runs} == {0}
