"""Speakers that a table or a corpus spells in two ways are told where it is read."""

import importlib

import pytest

from data_prep.build import prepare
from data_prep.corpora import find_adapter
from data_prep.corpus_check import check_corpus
from ser_aae.config import FrontEndConfig
from ser_aae.protocols.spellings import find_spellings


@pytest.mark.parametrize("name", ["iemocap", "librispeech", "ravdess", "cremad", "msp", "esd"])
def test_no_corpus_has_two_spellings(name, tmp_path):
    dataset = importlib.import_module(f"corpus_layouts.{name}").write(tmp_path)
    corpus = find_adapter(dataset).read(tmp_path, allow_partial=True)

    assert find_spellings(corpus.utterances) == []


def test_a_table_with_two_spellings_is_told_and_is_not_ok(tmp_path, table):
    dataset = table("a.wav,Anna,f,anger", "b.wav,anna,f,anger", "c.wav,ben,m,anger")

    report = check_corpus(dataset, tmp_path)
    messages = prepare(dataset, tmp_path, tmp_path / "store", FrontEndConfig()).messages

    assert not report["ok"]
    (group,) = report["spellings"]
    assert list(group.values()) == [1, 1]
    (line,) = [line for line in messages if "one person" in line]
    assert "'Anna' (1 utterance) and 'anna' (1 utterance)" in line
