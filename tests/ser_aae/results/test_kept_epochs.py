"""Epochs of runs that write them from 1, and of runs of before."""

import pytest

from ser_aae.errors import DamagedError
from ser_aae.results.kept_epochs import describe_epochs, epochs_of_stages, kept_epoch
from ser_aae.results.run_kinds import Epoch, epoch_number


@pytest.mark.parametrize(
    ("stored", "kept", "stages", "told"),
    [
        (
            {"kept_epoch": 3, "epochs": 7, "pretraining_epochs": 2},
            3,
            (2, 5),
            "5 epochs of stage 2 after 2 of stage 1, epoch 3 of stage 2 is kept",
        ),
        (
            {"kept_epoch": 1, "epochs": 1, "pretraining_epochs": 0},
            1,
            (0, 1),
            "1 epoch of stage 2, epoch 1 of stage 2 is kept",
        ),
        # a run of before counts the epoch from 0, and the epochs of both stages together
        (
            {"best_epoch": 0, "epochs": 7},
            1,
            (None, None),
            "7 epochs of both stages, epoch 1 of stage 2 is kept",
        ),
        (
            {"best_epoch": 4, "epochs": 7, "pretraining_updates": 0},
            5,
            (0, 7),
            "7 epochs of stage 2, epoch 5 of stage 2 is kept",
        ),
        ({}, None, (None, None), ""),
    ],
)
def test_epochs_count_from_1_with_stage_1_apart(stored, kept, stages, told):
    assert kept_epoch(stored) == kept
    assert epochs_of_stages(stored) == stages
    assert describe_epochs(stored) == told


@pytest.mark.parametrize("row", [{"stage": 2, "number": 3}, {"stage": 2, "epoch": 2}])
def test_a_row_of_the_log_has_its_number_whichever_version_wrote_it(row):
    Epoch.check(row, "epochs.jsonl:1", "train again")
    assert epoch_number(row) == 3


def test_a_row_without_a_number_is_refused():
    with pytest.raises(DamagedError, match="expected number, found none"):
        Epoch.check({"stage": 2}, "epochs.jsonl:1", "train again")
