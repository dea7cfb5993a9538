"""Speakers spelt in two ways are told with their counts; other names are left alone."""

import importlib

import pytest

from data_prep.build import prepare
from data_prep.corpora import find_adapter
from data_prep.corpus_check import check_corpus
from data_prep.spellings import describe_spellings, find_spellings, simplify_name
from ser_aae.config import FrontEndConfig
from ser_aae.utterance import Utterance


@pytest.mark.parametrize(
    "names",
    [
        ("01", "1", "001", "1.0"),
        ("Anna", "anna", "ANNA"),
        ("Anna B", "Anna  B", "anna_b", "Anna-B", "AnnaB"),
        ("Ren\xe9", "Rene\u0301", "Rene"),
        ("speaker 07", "Speaker7", "speaker_7"),
        ("Wei\xdf", "weiss"),
    ],
)
def test_spellings_of_one_name_are_one(names):
    assert len({simplify_name(name) for name in names}) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("1", "10", "100", "0", "11"),
        ("1 11", "11 1", "111"),
        ("1.5", "15", "1.05"),
        ("anna", "anne", "ann"),
        ("1F", "1M", "2F"),
        ("x:1", "y:1", "everywhere:1"),
    ],
)
def test_other_names_stay_apart(names):
    assert len({simplify_name(name) for name in names}) == len(names)


def test_groups_have_their_counts():
    speakers = ["x:01", "x:1", "x:1", "x:2"]
    items = [Utterance("x", str(n), "a.wav", name, "F") for n, name in enumerate(speakers)]

    (group,) = find_spellings(items)
    assert group == {"x:01": 1, "x:1": 2}
    assert describe_spellings(group) == "'01' (1 utterances) and '1' (2 utterances)"


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
    assert "'Anna' (1 utterances) and 'anna' (1 utterances)" in line
