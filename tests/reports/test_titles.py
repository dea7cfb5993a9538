"""Titles of experiments, as a reader would give them."""

import pytest

from data_prep.corpora import known_facts
from reports.titles import experiment_title
from ser_aae.config.build import build_config


@pytest.mark.parametrize(
    ("assignments", "title"),
    [
        (["dataset=ravdess"], "RAVDESS, four emotions, AAE, multi-task, 6 folds of speakers"),
        (
            ["dataset=csv:/data/my calls_2.csv", "classes=all"],
            "my-calls_2, all emotions, AAE, multi-task, 6 folds of speakers",
        ),
        (
            ["dataset=msp", "model.kind=cnn", "protocol.name=loso-session"],
            "MSP-IMPROV, four emotions, CNN, each session left out once",
        ),
        (
            ["dataset=iemocap", "classes=anger,sadness", "protocol.folds=4"],
            "IEMOCAP, emotions anger, sadness, AAE, multi-task, 4 folds of speakers",
        ),
        (
            ["dataset=iemocap", "protocol.name=cross-corpus", "protocol.target=msp"],
            "IEMOCAP, four emotions, AAE, multi-task, tested on msp",
        ),
        (
            ["dataset=ravdess", "joined=urdu", "protocol.name=leave-one-corpus-out"],
            "RAVDESS + URDU, four emotions, AAE, multi-task, each corpus left out once",
        ),
        (
            ["dataset=iemocap", "task=speaker", "protocol.name=10-fold"],
            "IEMOCAP, speaker, AAE, multi-task, 10 folds that share speakers",
        ),
    ],
)
def test_a_title_names_data_task_model_and_folds(assignments, title):
    config = build_config(assignments=assignments).to_dict()
    assert experiment_title(config, known_facts()) == title


def test_a_kind_of_another_version_is_named_as_it_is():
    config = build_config(assignments=["dataset=ravdess"]).to_dict()
    config["model"]["kind"] = "another"
    config["protocol"]["name"] = "theirs"
    assert experiment_title(config, {}) == "ravdess, four emotions, another, theirs"
