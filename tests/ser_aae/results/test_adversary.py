"""The adversary's verdict from the losses of its epochs."""

import math

import pytest

from ser_aae.results.adversary import HIGH, LOW, judge_adversary


def epochs(losses, stage=2, accuracy=0.7):
    return [
        {
            "stage": stage,
            "epoch": number,
            "train": {
                "discriminator_loss": loss,
                "discriminator_accuracy": accuracy + number / 1000,
            },
        }
        for number, loss in enumerate(losses)
    ]


def test_the_bounds_enclose_guessing():
    assert LOW < math.log(2) < HIGH


def test_alive():
    found = judge_adversary(epochs([9.0, 0.0, 5.0, 0.6, LOW, HIGH, 0.7]))
    assert found == {
        "state": "alive",
        "loss_min": LOW,
        "loss_max": HIGH,
        "loss_last": 0.7,
        "accuracy_last": pytest.approx(0.706),
        "share_inside": 1.0,
        "told_last": None,
        "warning": None,
    }


def with_told(rows, told):
    return [row | {"latent": {"discriminator_accuracy": told}} for row in rows]


@pytest.mark.parametrize(("told", "state"), [(0.5, "guessing"), (0.54, "guessing"), (0.6, "alive")])
def test_a_discriminator_that_tells_nothing_apart_guesses(told, state):
    rows = with_told(epochs([0.69] * 20), told)
    found = judge_adversary(rows)
    assert (found["state"], found["told_last"]) == (state, pytest.approx(told))
    assert (found["warning"] is None) == (state == "alive")
    if found["warning"]:
        assert f"right about {told:.0%}" in found["warning"]
        assert "training.discriminator_rate_ratio" in found["warning"]


def test_what_it_told_is_that_of_the_last_ten_epochs():
    rows = with_told(epochs([0.6] * 20), 0.5)
    assert judge_adversary([*rows, *with_told(epochs([0.6] * 10), 0.9)])["state"] == "alive"
    assert (
        judge_adversary([*with_told(rows, 0.9), *with_told(rows[:10], 0.5)])["state"] == "guessing"
    )


def test_a_dead_one_is_dead_whatever_it_told():
    assert judge_adversary(with_told(epochs([0.01] * 9), 0.5))["state"] == "discriminator wins"


@pytest.mark.parametrize(
    ("losses", "state", "reached", "outside"),
    [
        ([0.6, 0.01, 0.002, 0.004], "discriminator wins", "0.002", "3 of 4"),
        ([0.6, 0.7, 1.4, 1.3], "encoder wins", "1.400", "2 of 4"),
        # where both were left, the end that makes the autoencoder a plain one is named
        ([1.4, 0.01, 0.6, 0.6], "discriminator wins", "0.010", "2 of 4"),
        ([0.6, 0.6, 0.6, LOW - 1e-6], "discriminator wins", "0.300", "1 of 4"),
        ([0.6, 0.6, 0.6, HIGH + 1e-6], "encoder wins", "1.000", "1 of 4"),
    ],
)
def test_a_stuck_adversary_is_named_and_what_to_change(losses, state, reached, outside):
    found = judge_adversary(epochs([0.7, 0.7, 0.7, *losses]))
    assert found["state"] == state
    assert found["loss_min"], found["loss_max"] == (min(losses), max(losses))
    assert found["loss_last"] == losses[-1]
    wrong = int(outside.split()[0])
    assert found["share_inside"] == pytest.approx(1 - wrong / 4)
    for words in (
        state,
        f"reached {reached}",
        f"in {outside} epochs",
        f"{LOW} to {HIGH}",
        "training.discriminator_rate_ratio",
        "model.discriminator_noise",
    ):
        assert words in found["warning"]


@pytest.mark.parametrize(("first", "winner"), [(1.003, "encoder"), (0.29, "discriminator")])
def test_a_loss_that_leaves_the_band_for_a_moment_has_strayed(first, winner):
    found = judge_adversary(epochs([0.7] * 3 + [first] + [0.7] * 9))
    assert found["state"] == "strayed"
    assert found["share_inside"] == pytest.approx(0.9)
    assert "strayed and came back" in found["warning"]
    assert f"{winner} wins" in found["warning"]
    assert "1 of 10 epochs" in found["warning"]
    assert f"{first:.3f}" in found["warning"]


@pytest.mark.parametrize(
    "losses",
    [[1.003] + [0.7] * 8, [0.7] * 19 + [1.003], [1.2, 1.1] + [0.7] * 17],
    ids=["more than a tenth", "not back at the end", "two of nineteen"],
)
def test_a_longer_or_a_last_departure_is_more_than_straying(losses):
    found = judge_adversary(epochs([0.7] * 3 + losses))
    assert found["state"] == "encoder wins"
    assert "is stuck" in found["warning"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_three_epochs_say_nothing(count):
    found = judge_adversary(epochs([0.001] * count))
    assert found == {"state": "not settled", "warning": None}


def test_the_fourth_epoch_is_the_first_that_counts():
    assert judge_adversary(epochs([0.0, 9.0, 0.0, 0.6]))["state"] == "alive"
    assert judge_adversary(epochs([0.6, 0.6, 0.6, 0.0]))["state"] == "discriminator wins"


def test_only_the_second_stage_counts():
    before = epochs([0.0] * 10, stage=1)
    assert judge_adversary(before)["state"] == "not settled"
    assert judge_adversary([*before, *epochs([0.7] * 3)])["state"] == "not settled"
    found = judge_adversary([*before, *epochs([0.7] * 5)])
    assert found["state"] == "alive"
    assert found["loss_min"] == 0.7
