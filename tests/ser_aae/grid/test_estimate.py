"""Time of a grid by measured steps: each model and each data set once."""

from dataclasses import replace

import pytest

from ser_aae.config.fields import with_settings
from ser_aae.data.run_data import assemble
from ser_aae.grid import estimate
from ser_aae.grid.plan import make_plan
from ser_aae.training.planning import StepTimes, plan_fold, plan_stage_one

TIMES = StepTimes(train_s=2.0, score_s=0.5)


@pytest.fixture
def counted(monkeypatch):
    """Times that are made up; what was measured, and what was read."""
    calls = {"models": [], "data": []}

    def measure(config, num_classes):
        calls["models"].append(config.model)
        return TIMES

    def read(config, store):
        calls["data"].append(config)
        return assemble(config, store)

    monkeypatch.setattr(estimate, "measure_steps", measure)
    monkeypatch.setattr(estimate, "assemble", read)
    return calls


def grid_of(config):
    """Two experiments of two folds and two seeds, which share a stage 1 for each seed."""
    return [
        replace(
            config,
            seed=seed,
            auxiliary=("voices",),
            protocol=replace(config.protocol, fold=fold),
            model=replace(config.model, **weights),
            training=replace(config.training, pretraining_epochs=3),
        )
        for weights in ({"beta": 0.4}, {"beta": 0.6})
        for fold in (0, 1)
        for seed in (0, 1)
    ]


def test_a_grid_takes_its_folds_and_each_stage_one_once(
    kfold_config, tiny_store, counted, tmp_path
):
    configs = grid_of(kfold_config)
    plan = make_plan(configs, str(tmp_path))
    seconds = estimate.estimate_by_steps(plan, tiny_store)
    data = assemble(configs[0], tiny_store)
    fold, stage = (each(configs[0], data, TIMES) for each in (plan_fold, plan_stage_one))
    assert 0 < len(plan.stage_ones) < len(configs)
    assert seconds == pytest.approx(len(configs) * fold[1] + len(plan.stage_ones) * stage[1])
    assert len(counted["models"]) == len(counted["data"]) == 1


def test_models_of_other_size_and_other_corpora_are_measured_and_read_for_themselves(
    kfold_config, tiny_store, counted, tmp_path
):
    wide = replace(kfold_config, model=replace(kfold_config.model, dense_units=(16, 16)))
    other = replace(kfold_config, task="emotion", classes="anger,neutral")
    plan = make_plan([kfold_config, wide, other], str(tmp_path))
    estimate.estimate_by_steps(plan, tiny_store)
    assert (len(counted["models"]), len(counted["data"])) == (3, 2)


def test_an_estimate_counts_the_steps_that_are_set(kfold_config, tiny_store):
    config = replace(grid_of(kfold_config)[0], training=replace(kfold_config.training, epochs=1))
    data = assemble(config, tiny_store)

    def seconds(plan, **values):
        own = with_settings(config, values)
        return plan(own, assemble(own, tiny_store), StepTimes(train_s=1.0, score_s=0.0))[1]

    stage = {"training.pretraining_epochs": 3, "training.pretraining_steps": 7}
    assert seconds(plan_stage_one, **stage) == 9
    segments = sum(part.epoch_segments(config.data.segment_frames) for part in data.train)
    for rows in (4, 32):
        assert seconds(plan_fold, **{"data.labelled_rows": rows}) == -(-segments // rows)
    own = {"auxiliary": (), "training.pretraining_data": "training"}
    assert seconds(plan_stage_one, **stage, **own) == 9
