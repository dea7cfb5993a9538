"""Running averages of the weights: what they are, and where they are used."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ser_aae.model.averaging import AveragedModel


class Line(AveragedModel):
    """y = w x, moved by hand."""

    def __init__(self):
        super().__init__()
        value = keras.Input((1,))
        self.slope = keras.Model(value, keras.layers.Dense(1, use_bias=False)(value))
        self.noise = keras.random.SeedGenerator(5)
        self.start_averages([self.slope])
        self.built = True

    def call(self, inputs):
        return self.slope(inputs)

    def move(self, value):
        self.slope.trainable_variables[0].assign([[value]])
        self.follow_averages()


def answer(model):
    return float(model(tf.ones([1, 1]))[0, 0])


@pytest.fixture
def model():
    model = Line()
    model.slope.trainable_variables[0].assign([[0.0]])
    model.reset_averages(0.5)
    return model


def test_the_average_is_the_running_mean_it_claims_to_be(model):
    expected = 0.0
    for step, value in enumerate([4.0, 8.0, -2.0, 1.0, 3.0], start=1):
        model.move(value)
        share = min(0.5, (1 + step) / (10 + step))
        expected = share * expected + (1 - share) * value
    model.swap_averages()
    assert answer(model) == pytest.approx(expected, rel=1e-5)


def test_early_averages_forget_the_random_beginning(model):
    model.reset_averages(0.999)
    for _ in range(20):
        model.move(1.0)
    model.swap_averages()
    assert answer(model) > 0.99


def test_two_swaps_change_nothing(model):
    model.move(3.0)
    model.swap_averages()
    assert answer(model) != 3.0
    model.swap_averages()
    assert answer(model) == 3.0


def test_reset_begins_at_the_present_weights(model):
    model.move(3.0)
    model.reset_averages(0.5)
    model.swap_averages()
    assert answer(model) == 3.0


def test_off_keeps_no_average(model):
    model.reset_averages(0.0)
    model.move(3.0)
    model.swap_averages()
    assert answer(model) == 3.0


def test_averages_and_randomness_are_saved_with_the_weights(model, tmp_path):
    model.move(3.0)
    keras.random.normal([2], seed=model.noise)
    model.save_weights(tmp_path / "a.weights.h5")
    other = Line()
    other.reset_averages(0.5)
    other.load_weights(tmp_path / "a.weights.h5")
    drawn = [keras.random.normal([2], seed=each.noise).numpy() for each in (model, other)]
    np.testing.assert_array_equal(*drawn)
    for each in (model, other):
        each.move(5.0)
        each.swap_averages()
    assert answer(model) == answer(other)
