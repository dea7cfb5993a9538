"""Lists that stand in for the corpora: as long as those are, and what plans count on."""

import pytest

from benchmarks import costs
from data_prep.corpora import find_adapter
from ser_aae.config import FrontEndConfig
from ser_aae.store.corpus import load_corpus

FOLD = ["--dataset", "ravdess", "--fold"]


@pytest.mark.parametrize("name", ["ravdess", "iemocap", "msp"])
def test_a_list_counts_what_the_corpus_does(name, tmp_path):
    costs.write_stand_in(name, tmp_path)
    corpus = load_corpus(tmp_path, name, FrontEndConfig())
    expected = find_adapter(name).expected
    assert len(corpus.utterances) == expected["utterances"]
    assert len({item.speaker for item in corpus.utterances}) == expected["speakers"]
    for emotion in ("anger", "happiness", "neutral", "sadness"):
        found = sum(item.emotion == emotion for item in corpus.utterances)
        assert found == expected[f"utterances of {emotion}"]


def test_a_row_takes_its_steps_at_the_rate_that_is_given(tmp_path, monkeypatch):
    monkeypatch.setattr(costs, "REPRODUCED", ())
    monkeypatch.setattr(costs, "TRAIN", {"a": [*FOLD, "0"], "all": [*FOLD, "all"]})
    costs.write_stand_in("ravdess", tmp_path)
    shown, seconds = [], []
    monkeypatch.setattr(costs, "duration", lambda each: seconds.append(each) or "long")
    for gflops in (100.0, 200.0):
        costs.print_rows(tmp_path, costs.by_arithmetic(gflops), shown.append)
    assert shown == ["| a | 1 | long |", "| all | 6 | long |"] * 2
    assert seconds[0] == pytest.approx(2 * seconds[2])
    assert seconds[1] == pytest.approx(6 * seconds[0])


def test_every_table_has_its_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(costs, "REPRODUCED", ("table-4",))
    for name in ("ravdess", "iemocap", "msp"):  # folds are counted on these
        costs.write_stand_in(name, tmp_path)
    rows = dict(costs.list_rows(tmp_path))
    assert len(rows) == len(costs.TRAIN) + len(costs.BUDGETS)
    assert all(rows.values())
