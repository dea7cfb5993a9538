"""Speakers spelt in two ways are told with their counts; other names are left alone."""

import pytest

from ser_aae.protocols.spellings import describe_spellings, find_spellings, simplify_name
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
        ("Łukasz", "Lukasz", "LUKASZ"),
        ("Işık", "Isik", "Işik", "ISIK"),
        ("Søren", "Soren"),
        ("Đorđe", "Dorde", "Đorde"),
        ("Anna", "Anna\u200b", "\ufeffAnna", "An\xadna", "Anna\0"),
        ("Ben", '"Ben"', "“Ben”", "'Ben'", "„Ben“"),
        ("O'Neil", "O’Neil", "ONeil"),
        ("Anna–Lena", "Anna-Lena", "Anna Lena"),
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
    assert describe_spellings(group) == "'01' (1 utterance) and '1' (2 utterances)"
