"""Traced graphs: what a training traced is gone after it, what was there before stays."""

import weakref

import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

from ser_aae.model.layers import channel_moments
from ser_aae.training.traces import give_back_traces, traces_given_back


def trace():
    """Return a function with a custom gradient, and a sign of life of its graph."""

    @tf.function
    def slope(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            mean, variance = channel_moments(inputs)
            loss = tf.reduce_sum(mean * variance)
        return tape.gradient(loss, inputs)

    slope(tf.ones((2, 2, 2, 1)))
    return slope, weakref.ref(slope.get_concrete_function(tf.TensorSpec((2, 2, 2, 1))).graph)


def registered():
    return set(ops.gradient_registry.list())


def test_a_graph_that_nobody_uses_goes_with_the_training():
    before = registered()
    with traces_given_back():
        graph = trace()[1]
        assert registered() > before
    assert registered() == before
    assert graph() is None


def test_so_do_graphs_that_were_traced_outside_of_a_training():
    kept = registered()
    graph = trace()[1]
    give_back_traces(kept)
    assert registered() == kept
    assert graph() is None


def test_so_it_does_after_a_training_that_fails():
    @traces_given_back()
    def diverge():
        trace()
        raise ValueError("diverged")

    before = registered()
    with pytest.raises(ValueError, match="diverged"):
        diverge()
    assert registered() == before


def test_a_traced_function_goes_on_and_what_was_traced_before_keeps_its_gradient():
    trace()
    before = registered()
    assert any(name.startswith("CustomGradient-") for name in before)
    with traces_given_back():
        mine, _ = trace()
    assert registered() == before
    assert mine(tf.ones((2, 2, 2, 1))).shape == (2, 2, 2, 1)
    # of another shape it is traced anew
    assert mine(tf.ones((2, 3, 2, 1))).shape == (2, 3, 2, 1)
