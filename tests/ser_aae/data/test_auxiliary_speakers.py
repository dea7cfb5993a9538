"""Speakers of a corpus that is used in part."""

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ser_aae.data.auxiliary_speakers import choose_speakers, choose_subset
from ser_aae.errors import UserError
from ser_aae.utterance import Utterance


def speech(women=6, men=6, unknown=0, subset="train", each=2):
    """Return utterances of as many speakers, each with the same number of them."""
    genders = ["F"] * women + ["M"] * men + ["unknown"] * unknown
    return [
        Utterance(
            corpus="read",
            utterance_id=f"{subset}-{number}-{take}",
            path=f"{subset}/{number}-{take}.flac",
            speaker=f"read:{subset}-{number}",
            gender=gender,
            extra={"subset": subset},
        )
        for number, gender in enumerate(genders)
        for take in range(each)
    ]


def chosen(utterances, *choice):
    """Return the chosen speakers by name, with their gender."""
    rows = choose_speakers(utterances, *choice)
    return {utterances[row].speaker: utterances[row].gender for row in rows}


BOTH = speech(subset="train") + speech(women=2, men=1, subset="test")


def test_nothing_chosen_is_everybody():
    rows = choose_speakers(BOTH, "", 0, seed=1)

    assert rows.tolist() == list(range(len(BOTH)))
    assert rows.dtype == np.int64


def test_a_subset_is_chosen_by_its_name():
    rows = choose_speakers(BOTH, "test", 0, seed=1)

    assert rows.tolist() == list(range(24, 30))


def test_speakers_come_with_all_their_utterances():
    rows = choose_speakers(BOTH, "train", 3, seed=1)
    counts = Counter(BOTH[row].speaker for row in rows)

    assert list(counts.values()) == [2, 2, 2]
    assert rows.tolist() == sorted(rows)
    assert {BOTH[row].extra["subset"] for row in rows} == {"train"}


@pytest.mark.parametrize(
    ("there", "wanted", "expected"),
    [
        ({"women": 6, "men": 6}, 4, {"F": 2, "M": 2}),
        ({"women": 6, "men": 6}, 5, {"F": 3, "M": 2}),
        ({"women": 1, "men": 6}, 5, {"F": 1, "M": 4}),
        ({"women": 5, "men": 0}, 3, {"F": 3}),
        ({"women": 2, "men": 3, "unknown": 9}, 5, {"F": 2, "M": 3}),
        ({"women": 2, "men": 1, "unknown": 9}, 6, {"F": 2, "M": 1, "unknown": 3}),
    ],
)
def test_genders_are_balanced_as_far_as_there_are_speakers(there, wanted, expected):
    assert Counter(chosen(speech(**there), "", wanted, 3).values()) == expected


def test_one_seed_draws_the_same_speakers_and_another_others():
    corpus = speech(women=30, men=30)

    assert chosen(corpus, "", 10, 7) == chosen(corpus, "", 10, 7)
    assert len({tuple(sorted(chosen(corpus, "", 10, seed))) for seed in range(5)}) == 5


def test_the_draw_does_not_depend_on_the_order_of_the_utterances():
    corpus = speech(women=30, men=30)
    mixed = random.Random(5).sample(corpus, len(corpus))  # noqa: S311

    assert chosen(mixed, "", 10, 7) == chosen(corpus, "", 10, 7)


def test_other_subsets_do_not_change_the_draw():
    assert chosen(BOTH, "train", 4, 2) == chosen(speech(subset="train"), "", 4, 2)


def test_more_speakers_are_added_to_those_there_were():
    corpus = speech(women=30, men=20)
    drawn = [set(chosen(corpus, "", number, 7)) for number in (1, 9, 10, 45, 50)]

    assert [len(names) for names in drawn] == [1, 9, 10, 45, 50]
    assert all(few < more for few, more in pairwise(drawn))


def test_every_speaker_can_be_drawn():
    corpus = speech()
    seen = set().union(*(chosen(corpus, "", 2, seed) for seed in range(60)))

    assert len(seen) == 12


def test_the_first_numbers_are_not_preferred():
    """A draw that took the sorted beginning would give each speaker 0 or 200 of these."""
    corpus = speech(women=10, men=10)
    counts = Counter(name for seed in range(200) for name in chosen(corpus, "", 10, seed))

    assert len(counts) == 20
    assert all(70 <= count <= 130 for count in counts.values()), counts


def test_an_unknown_subset_is_refused_and_those_there_are_listed():
    with pytest.raises(UserError) as caught:
        choose_speakers(BOTH, "train-clean-360", 0, seed=1)

    assert "(test, train)" in str(caught.value)
    assert "got 'train-clean-360'" in str(caught.value)


def test_a_subset_of_a_corpus_without_any_is_refused():
    plain = [replace(item, extra={}) for item in speech()]

    with pytest.raises(UserError, match="read has no subsets, got 'train'"):
        choose_speakers(plain, "train", 0, seed=1)


def test_the_setting_that_named_a_subset_is_said():
    assert choose_subset(BOTH, "test", "here").tolist() == list(range(24, 30))
    assert len(choose_subset(BOTH, "", "here")) == len(BOTH)
    with pytest.raises(UserError, match=r"^data\.auxiliary_subset: "):
        choose_speakers(BOTH, "dev", 0, seed=1)
    with pytest.raises(UserError, match=r"^verification_subset: .* \(test, train\)"):
        choose_subset(BOTH, "dev", "verification_subset")


@pytest.mark.parametrize("wanted", [13, 600, -1])
def test_more_speakers_than_there_are_is_refused(wanted):
    with pytest.raises(UserError, match=rf"up to 12, .* of read train .* got {wanted}$"):
        choose_speakers(BOTH, "train", wanted, seed=1)


def test_no_utterances_are_no_rows():
    assert choose_speakers([], "", 0, seed=1).tolist() == []
    with pytest.raises(UserError, match="up to 0"):
        choose_speakers([], "", 1, seed=1)
