"""Groups of speakers: alike in genders and classes, drawn by the seed, the same everywhere."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from data_prep.corpora import ravdess, urdu
from ser_aae.labels import FOUR
from ser_aae.protocols.draw import Unit, draw_groups, draw_share

CORPORA = Path(__file__).parents[3] / "../shared/corpora"


def units_of(speakers):
    """Return the utterances of speakers: name to gender and number of utterances of each class."""
    return [
        Unit(name, gender, label)
        for name, (gender, counts) in speakers.items()
        for label, count in zip(FOUR, counts, strict=True)
        for _ in range(count)
    ]


RAVDESS = {f"{n:02d}": ("FM"[n % 2], (8, 8, 4, 8)) for n in range(1, 25)}
"""Four classes of 24 actors; those of odd number are men."""

_URDU_WOMEN = """
SF1 0 12 0 0  SF2 0 2 0 0  SF3 0 2 0 0  SF4 0 4 0 0  SF5 0 4 0 0  SF6 0 14 0 0  SF7 0 6 0 0
SF8 0 2 0 0  SF9 0 0 4 0  SF10 0 0 0 2  SF11 0 0 0 4
"""
_URDU_MEN = """
SM1 22 0 0 0  SM2 28 0 0 0  SM3 2 2 8 0  SM4 48 0 0 0  SM5 0 8 72 0  SM6 0 10 0 4  SM7 0 28 0 0
SM17 0 2 0 0  SM18 0 2 0 0  SM19 0 2 0 0  SM20 0 0 10 0  SM21 0 0 4 0  SM22 0 0 2 0  SM23 0 0 0 6
SM24 0 0 0 38  SM25 0 0 0 40  SM26 0 0 0 2  SM27 0 0 0 4
"""
URDU = {
    name: (name[1], tuple(map(int, counts)))
    for text in (_URDU_WOMEN, _URDU_MEN)
    for name, *counts in np.array(text.split()).reshape(-1, 5).tolist()
}
"""Utterances of anger, happiness, neutral and sadness of 29 speakers, most of one class alone."""

RAVDESS_GROUPS = ["01 03 06 12", "02 07 16 21", "08 10 15 17", "09 14 18 19", "04 13 22 23"]
RAVDESS_GROUPS += ["05 11 20 24"]
URDU_GROUPS = [
    "SF1 SF2 SF3 SM1 SM18 SM25",
    "SF4 SF6 SM2 SM20 SM21 SM23",
    "SF8 SF9 SM22 SM24 SM3 SM7",
    "SF11 SF5 SM19 SM26 SM4 SM6",
    "SF10 SF7 SM17 SM27 SM5",
]


def table_of(groups, speakers):
    """Return utterances of each class by group, `(groups, classes)`."""
    return np.array([np.sum([speakers[name][1] for name in group], axis=0) for group in groups])


def women_and_men(groups, speakers):
    counts = [Counter(speakers[name][0] for name in group) for group in groups]
    return [(each["F"], each["M"]) for each in counts]


@pytest.mark.parametrize(
    ("module", "prefix", "speakers", "groups"),
    [(ravdess, "ravdess:", RAVDESS, RAVDESS_GROUPS), (urdu, "urdu:", URDU, URDU_GROUPS)],
)
def test_groups_of_two_corpora_by_name(module, prefix, speakers, groups):
    named = {f"{prefix}{name}": about for name, about in speakers.items()}
    drawn = draw_groups(units_of(named), len(groups), 0)
    assert [" ".join(name.removeprefix(prefix) for name in group) for group in drawn] == groups


@pytest.mark.parametrize(("module", "speakers"), [(ravdess, RAVDESS), (urdu, URDU)])
def test_the_real_corpora_have_these_speakers(module, speakers):
    if not (CORPORA / module.NAME).is_dir():
        pytest.skip(f"no {module.NAME} at {CORPORA}")
    utterances = [u for u in module.read(CORPORA / module.NAME).utterances if u.emotion in FOUR]
    found = Counter((u.speaker.partition(":")[2], u.gender, u.emotion) for u in utterances)
    assert found == Counter(units_of(speakers))


@pytest.mark.parametrize("seed", range(4))
def test_ravdess_has_two_women_and_two_men_in_every_group(seed):
    groups = draw_groups(units_of(RAVDESS), 6, seed)
    assert women_and_men(groups, RAVDESS) == [(2, 2)] * 6
    assert table_of(groups, RAVDESS).tolist() == [[32, 32, 16, 32]] * 6


@pytest.mark.parametrize("count", [4, 5, 6])
@pytest.mark.parametrize("seed", range(3))
def test_urdu_trains_every_class_that_it_tests_in_every_fold(count, seed):
    groups = draw_groups(units_of(URDU), count, seed)
    genders = np.array(women_and_men(groups, URDU))
    assert np.ptp(genders, axis=0).max() <= 1
    assert np.ptp(genders.sum(axis=1)) <= 1
    table = table_of(groups, URDU)
    assert table.sum(axis=1).max() <= 1.6 * 400 / count  # one speaker alone has 80
    trained = table.sum(axis=0) - table - np.roll(table, -1, axis=0)
    assert (trained[table > 0] > 0).all()


def test_women_and_men_whose_names_part_them_are_in_every_group():
    speakers = {
        f"{who}{n}": (who[0].upper(), (5, 5, 5, 5)) for who in ("fem", "man") for n in "1234"
    }
    groups = draw_groups(units_of(speakers), 4, 0)
    assert women_and_men(groups, speakers) == [(1, 1)] * 4


def test_both_speakers_of_a_rare_class_are_no_neighbours():
    speakers = {
        f"{gender}{n}": (gender, (10, 10, 10, 8 if n == 0 else 0))
        for gender in "FM"
        for n in range(6)
    }
    for count in (4, 6):
        for seed in range(4):
            table = table_of(draw_groups(units_of(speakers), count, seed), speakers)
            one, other = np.flatnonzero(table[:, 3])
            assert other - one not in (1, count - 1)


def test_the_seed_changes_groups_also_where_all_speakers_differ():
    sizes = np.random.default_rng(1).integers(3, 40, (12, 4)).tolist()
    speakers = {f"s{n}": ("FM"[n % 2], tuple(size)) for n, size in enumerate(sizes)}
    drawn = [draw_groups(units_of(speakers), 4, seed) for seed in range(6)]
    assert len({str(groups) for groups in drawn}) > 2
    assert len({str(sorted(groups)) for groups in drawn}) > 1
    for groups in drawn:
        assert sorted(name for group in groups for name in group) == sorted(speakers)


def test_the_order_of_utterances_and_the_names_of_classes_change_nothing():
    units = units_of(URDU)
    numbers = [unit._replace(label=FOUR.index(unit.label)) for unit in units[::-1]]
    assert draw_groups(numbers, 5, 3) == draw_groups(units, 5, 3)
    assert draw_share(numbers, 0.3, 3) == draw_share(units, 0.3, 3)


def test_few_utterances_can_be_drawn():
    # scikit-learn wants as many utterances of a class and gender as there are groups
    speakers = {f"s{n}": ("FM"[n % 2], (1, 0, 0, 0)) for n in range(6)}
    assert [len(group) for group in draw_groups(units_of(speakers), 6, 0)] == [1] * 6


@pytest.mark.parametrize("seed", range(3))
def test_a_share_has_its_part_of_each_gender_and_class(seed):
    chosen = draw_share(units_of(RAVDESS), 0.25, seed)
    assert women_and_men([chosen], RAVDESS) == [(3, 3)]
    chosen = draw_share(units_of(URDU), 0.3, seed)
    assert women_and_men([chosen], URDU) == [(3, 5)]
    assert (table_of([chosen], URDU) > 0).all()


@pytest.mark.parametrize(
    ("genders", "fraction", "expected"),
    [
        ("FFMM", 0.2, {"F": 1, "M": 1}),
        ("FFFFM", 0.3, {"F": 1}),
        ("FM", 0.3, None),
        ("FFFF", 0.95, {"F": 3}),
        ("FF", 0.05, {"F": 1}),
    ],
)
def test_a_share_takes_one_of_a_gender_and_leaves_one(genders, fraction, expected):
    speakers = {f"s{n}": (gender, (4, 4, 4, 4)) for n, gender in enumerate(genders)}
    chosen = Counter(speakers[name][0] for name in draw_share(units_of(speakers), fraction, 0))
    assert chosen == expected if expected else sum(chosen.values()) == 1
