"""Seeding: draws that follow depend on the seed alone, whatever was drawn before."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from ser_aae.config import RunConfig, TrainingConfig
from ser_aae.training.seeds import seed_everything

CONFIG = RunConfig(training=TrainingConfig(deterministic=False))


def draw(seed):
    """Draw from everything there is to draw from."""
    seed_everything(replace(CONFIG, seed=seed))
    kernel = keras.layers.Dense(3)
    kernel.build((None, 2))
    without_a_seed = keras.random.normal([2])
    values = (kernel.kernel, without_a_seed, tf.random.normal([2]), np.random.normal(size=2))
    return [np.array(value) for value in values]


def test_one_seed_draws_the_same_again_and_another_one_does_not():
    first, again, other = draw(0), draw(0), draw(1)
    for one, two, three in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, three)


@pytest.mark.parametrize("wanted", [True, False])
def test_determinism_is_asked_for_or_not(monkeypatch, wanted):
    asked = []
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: asked.append(True))
    seed_everything(RunConfig(training=TrainingConfig(deterministic=wanted)))
    assert asked == [True] * wanted
