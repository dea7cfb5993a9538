"""A run on some of a corpus' classes: what the utterances of the others do in it."""

from dataclasses import replace

import pytest

from ser_aae.config import DataConfig, ModelConfig, ProtocolConfig, RunConfig, TrainingConfig
from ser_aae.files.atomic import read_json
from ser_aae.results.predictions import read_predictions
from ser_aae.training import stage as stages
from ser_aae.training.run import train_and_evaluate


@pytest.fixture(scope="module")
def config(frontend):
    return RunConfig(
        dataset="tiny",
        classes="anger,happiness,neutral",
        protocol=ProtocolConfig(name="loso-session"),
        frontend=frontend,
        data=DataConfig(segment_frames=64, evaluation_shift_frames=32),
        model=replace(ModelConfig(), filters=(4, 4), latent_channels=4, dense_units=(8, 8)),
        training=TrainingConfig(epochs=1, batch_size=16),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory, speakers_of, sounds_of, write_corpus):
    place = tmp_path_factory.mktemp("store")
    utterances = speakers_of("tiny")
    write_corpus(place, utterances, sounds_of(utterances, 32))
    return place


def test_they_are_mixed_in_by_their_share_and_change_the_outcome(
    config, store, tmp_path, monkeypatch
):
    asked = []

    def training_dataset(primary, auxiliary, normalisation, data, *others):
        asked.append((len(auxiliary), data.auxiliary_ratio))
        return whole(primary, auxiliary, normalisation, data, *others)

    whole = stages.training_dataset
    monkeypatch.setattr(stages, "training_dataset", training_dataset)
    without = replace(config, data=replace(config.data, unlabelled_rest=False))
    fewer = replace(config, data=replace(config.data, auxiliary_ratio=0.1))
    runs = [train_and_evaluate(each, store, tmp_path) for each in (config, fewer, without)]
    (parts, share), few, none = asked
    assert (parts, few, none) == (1, (1, 0.1), (0, 0.0))
    assert 0.15 < share < 0.3  # a class of four, in windows of 64 frames
    said = [read_predictions(run / "predictions.parquet").filter(like="p_") for run in runs]
    assert not said[0].equals(said[1])
    assert not said[0].equals(said[2])
    results = [read_json(run / "result.json") for run in runs]
    counts = [result["leakage"]["utterances"] for result in results]
    assert [each["train"] for each in counts] == [32, 32, 24]
    assert [each["unlabelled"] for each in counts] == [8, 8, 0]
    # they are no class of the result, and none of them is tested on
    assert {tuple(result["classes"]) for result in results} == {("anger", "happiness", "neutral")}
    assert {result["n"] for result in results} == {12}
