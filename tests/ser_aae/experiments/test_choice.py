"""Names on the command line to tables and figures."""

from dataclasses import replace

import pytest

from data_prep.corpora import known_facts
from ser_aae.errors import UserError
from ser_aae.experiments.artefacts import ARTEFACTS, OWN_CORPUS, choose
from ser_aae.experiments.setup import Budget, Setup

SETUP = Setup(budget=Budget("few"), max_auxiliary_speakers=900, corpora=known_facts())


def test_names_are_chosen_once_in_the_papers_order():
    names = [item.name for item in choose(["figure-5", "table-3", "table-3"], SETUP)]
    assert names == ["table-3", "figure-5"]


def test_all_is_what_the_corpora_allow():
    names = [item.name for item in choose(["all"], SETUP)]
    assert names == [name for name in ARTEFACTS if name not in OWN_CORPUS]
    one = choose(["all", *OWN_CORPUS], replace(SETUP, datasets=("demo",)))
    assert [item.name for item in one] == [name for name in ARTEFACTS if name != "table-4"]


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(UserError, match=r"table-7: expected some of table-2, .* or all"):
        choose(["table-7", "table-3"], SETUP)
