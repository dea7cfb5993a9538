"""Lines and bar of a training."""

import pytest

from ser_aae.data.run_data import assemble
from ser_aae.training.display import (
    COLUMNS,
    describe_parts,
    epoch_line,
    estimate_whole,
    parts_of_stage_two,
)

TRAIN = {
    "classification_loss": 1.5,
    "discriminator_loss": 0.693,
    "discriminator_accuracy": 0.5,
    **{f"{name}_loss": 1234.5678 for name in ("emotion", "gender", "generator", "speaker")},
}
VALIDATION = {
    "unweighted_accuracy": 0.5,
    "weighted_accuracy": 1.0,
    "gender_accuracy": 0.9,
    "running_unweighted_accuracy": 0.25,
    "selection_unweighted_accuracy": 0.125,
}


def row(validation=VALIDATION, stage=2):
    return {"stage": stage, "seconds": 12345.6, "train": TRAIN, "validation": validation}


def test_an_epochs_line_has_ua_first_and_fits():
    line = epoch_line(999, 1000, row())
    assert line.startswith("stage 2 epoch 1000/1000: UA 50.0, running UA 25.0, WA 100.0, loss 1.5")
    assert line.endswith(" (12345.6 s)")
    assert len(line) <= COLUMNS


def test_what_chooses_the_epoch_is_for_the_log_alone():
    few = {name: value for name, value in VALIDATION.items() if name != "gender_accuracy"}
    assert "12.5" not in epoch_line(0, 5, row(few) | {"train": {"classification_loss": 1.5}})


def test_a_stage_without_validation_shows_its_losses():
    line = epoch_line(0, 5, row({}, stage=1))
    assert line.startswith("stage 1 epoch 1/5: loss 1.500, discriminator loss 0.693")
    assert len(line) <= COLUMNS


def test_an_opening_counts_each_part(kfold_config, tiny_store):
    told = describe_parts(parts_of_stage_two(assemble(kfold_config, tiny_store)), 7)
    assert told == (
        "training 4 speakers 32 utterances, validation 2 speakers 16 utterances, "
        "test 2 speakers 16 utterances; 7 steps an epoch"
    )


@pytest.mark.parametrize(("epochs", "said"), [(30, "about 5 min"), (2, "about 20 s")])
def test_an_estimate_is_of_all_epochs(epochs, said):
    assert said in estimate_whole("stage 2", 10.0, epochs)
