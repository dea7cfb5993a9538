"""The preset `paper`: each kind of model learns with it."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from ser_aae.config.build import build_config
from ser_aae.config.kinds import KINDS
from ser_aae.model.aae import build_model

STEPS, SHOWN = 48, 8
PHASE_LOSSES = (
    "reconstruction_loss",
    "discriminator_loss",
    "generator_loss",
    "classification_loss",
)


def losses_of(kind, *assignments):
    """Return the losses of each step on one small batch, and the share of them that are finite."""
    config = build_config(preset="paper", assignments=[f"model.kind={kind}", *assignments])
    keras.utils.set_random_seed(1)
    draw = np.random.default_rng(2)
    shape = (config.frontend.bins, config.data.segment_frames, 1)
    segments = tf.constant(draw.normal(size=(8, *shape)), tf.float32)
    rows = np.arange(8)
    labels = {"emotion": rows % 4, "gender": rows % 2, "speaker": rows // 2}
    labels = {task: tf.constant(values, tf.int32) for task, values in labels.items()}
    counts = {"emotion": 4} | {task: {"gender": 2, "speaker": 4}[task] for task in config.tasks}
    model = build_model(replace(config, seed=1), counts)
    model.compile(config.training)
    step = tf.function(model.train_step)
    found = []
    for _ in range(STEPS):
        model.reset_metrics()
        logs = step((segments, labels))
        found.append({name: float(logs[name]) for name in PHASE_LOSSES if name in logs})
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_the_preset_learns_a_batch(kind):
    found = losses_of(kind, "model.filters=8,16")
    assert set(found[0]) <= set(PHASE_LOSSES)
    for name in found[0]:
        course = [each[name] for each in found]
        assert np.isfinite(course).all()
        assert np.mean(course[-SHOWN:]) < np.mean(course[:SHOWN]), name


def test_the_reconstruction_summed_as_it_is_written_diverges():
    found = losses_of("ae", "model.filters=8,16", "model.reconstruction=sum")
    course = [each["reconstruction_loss"] for each in found]
    assert not np.isfinite(course).all() or course[-1] > 1e3 * course[0]
