"""Gaps of an experiment: runs that its budget asks for and that are not there."""

from dataclasses import replace

import pytest

from data_prep.corpora import known_facts
from reports.filling import MISSING, describe_gap, seeds_to_train
from reports.summary import NOTHING
from ser_aae.experiments.setup import BUDGETS, Budget, Setup

SMALL = Setup(budget=BUDGETS["small"], corpora=known_facts())


def evaluation(*folds, expected=10):
    """Return what `describe_gap` reads: how many folds each repetition has."""
    rows = [{"repetition": seed, "folds": count} for seed, count in enumerate(folds) if count]
    return {"repetitions": rows, "folds_expected": expected}


def figure(repetitions=1):
    return replace(NOTHING, mean=0.6, repetitions=repetitions)


def test_small_asks_for_every_fold_of_two_repetitions():
    assert describe_gap(figure(), evaluation(2), SMALL) == "2 of 10 folds"
    assert describe_gap(figure(2), evaluation(2, 2), SMALL) == "2 of 10 folds"
    assert describe_gap(figure(1), evaluation(10, 3), SMALL) == "1 of 2 repetitions"
    assert describe_gap(figure(2), evaluation(10, 10), SMALL) == ""
    assert describe_gap(figure(3), evaluation(10, 10, 10), SMALL) == ""


def test_repetitions_given_by_hand_take_the_place_of_the_budgets():
    three = replace(SMALL, repetitions=3)
    assert describe_gap(figure(2), evaluation(10, 10), three) == "2 of 3 repetitions"
    assert seeds_to_train(evaluation(10, 10), three) == [2]


def test_smoke_asks_for_one_fold():
    smoke = Setup(budget=BUDGETS["smoke"], corpora=known_facts())
    assert describe_gap(figure(), evaluation(1), smoke) == ""
    assert seeds_to_train(evaluation(1), smoke) == []


@pytest.mark.parametrize(("most", "expected", "wanted"), [(3, 10, 3), (3, 2, 2), (0, 4, 4)])
def test_a_protocol_of_fewer_folds_than_the_budget_has_all_of_its_own(most, expected, wanted):
    setup = Setup(budget=Budget("own", max_folds=most, repetitions=1), corpora=known_facts())
    assert describe_gap(figure(), evaluation(1, expected=expected), setup) == f"1 of {wanted} folds"
    assert describe_gap(figure(), evaluation(wanted, expected=expected), setup) == ""


def test_where_no_run_says_how_many_folds_there_are_nothing_is_called_whole():
    assert describe_gap(figure(2), evaluation(5, 5, expected=None), SMALL) == "5 of ? folds"
    assert seeds_to_train(evaluation(5, 5, expected=None), SMALL) == [0, 1]


def test_a_figure_that_is_not_there_is_missing():
    assert describe_gap(NOTHING, None, SMALL) == MISSING
    assert describe_gap(NOTHING, evaluation(10, 10), SMALL) == MISSING


def test_the_seeds_to_train_are_those_that_lack_folds():
    assert seeds_to_train(None, SMALL) == [0, 1]
    assert seeds_to_train(evaluation(10, 3), SMALL) == [1]
    assert seeds_to_train(evaluation(0, 10), SMALL) == [0]
    assert seeds_to_train(evaluation(10, 10), SMALL) == []
