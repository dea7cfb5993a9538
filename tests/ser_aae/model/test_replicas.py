"""Two replicas that share a batch against one that has it whole: the same but for rounding."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from ser_aae.model.replicas import apply_gradients, gather, num_replicas

ROOT = Path(__file__).resolve().parents[3]
MOST_SECONDS = 900

PROGRAM = """
import json, os, sys
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras, numpy as np, tensorflow as tf
halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], halves)
# to rewrite the graphs takes longer than to run them
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
from dataclasses import replace
from ser_aae.model import aae
from ser_aae.config import ModelConfig, TrainingConfig
from ser_aae.training.devices import AllReplicas, deal_rows, share_batches

SHAPE, SIZE, STEPS, RATE = (16, 32, 1), 8, 4, 1e-2
NUMBERS = {"emotion": 3, "gender": 2, "speaker": 4}
MODEL = replace(ModelConfig(), filters=(2, 2), latent_channels=2, classifier_filters=2,
                dense_units=(4, 4))
draw = np.random.default_rng(0)
segments = draw.normal(size=(STEPS * SIZE, *SHAPE)).astype(np.float32)
labels = {task: draw.integers(-1, n, STEPS * SIZE).astype(np.int32) for task, n in NUMBERS.items()}
labels["emotion"][SIZE : 2 * SIZE] = -1  # a batch without
labels["emotion"][: SIZE // 2] = -1  # and a replica
if sys.argv[2] == "marked":
    # of one replica all rows would be of an auxiliary corpus, if they were not dealt out
    labels["auxiliary"] = np.tile([0, 0, 0, 1, 1, 1, 1, 1], STEPS).astype(np.int32)

def learn(update, strategy):
    keras.utils.set_random_seed(1)
    with strategy.scope():
        model = aae.MultitaskAAE(MODEL, NUMBERS, SHAPE, seed=3)
        model.compile(TrainingConfig(learning_rate=RATE, update=update))
    before = [weight.numpy() for weight in model.encoder.weights]
    batches = tf.data.Dataset.from_tensor_slices((segments, labels)).batch(SIZE)
    if "auxiliary" in labels and strategy.num_replicas_in_sync == 1:
        batches = batches.map(lambda x, y: deal_rows(x, y, 2))  # draws follow the order of rows
    logs = model.fit(share_batches(batches, SIZE, strategy), steps_per_epoch=STEPS, shuffle=False,
                     verbose=0, callbacks=[AllReplicas()]).history
    moved = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(before, model.encoder.weights))
    values = [v.numpy() for v in model.variables if not v.path.endswith("generator_state")]
    steps = {name: int(each.iterations.numpy()) for name, each in model.optimisers.items()}
    return values, {name: value[0] for name, value in logs.items()}, moved, steps

def compare(update):
    one = learn(update, tf.distribute.get_strategy())
    two = learn(update, tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
    pairs = zip(one[0], two[0], strict=True)
    return {
        "weights": max(float(np.abs(a.astype(float) - b).max()) for a, b in pairs) / RATE,
        "names": [sorted(one[1]), sorted(two[1])],
        "losses": max(abs(one[1][name] - two[1][name]) for name in one[1]),
        "moved": two[2] / RATE, "steps": [one[3], two[3]]}

print(json.dumps(compare(sys.argv[1])))
"""


@pytest.fixture(
    scope="module",
    params=[("serial", "plain"), ("joint", "plain"), ("joint", "marked")],
    ids="-".join,
)
def found(request):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *request.param],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_weights_averages_and_losses_are_those_of_one_replica(found):
    # in steps of Adam: batch norm or losses of each share alone would be off by whole ones
    assert found["weights"] < 0.05
    assert found["losses"] < 1e-4
    assert found["moved"] > 1.0


def test_losses_of_all_phases_are_told(found):
    one, two = found["names"]
    assert one == two
    assert "reconstruction_loss" in two


def test_a_classifier_without_a_label_in_the_batch_stays_where_it_is(found):
    one, two = found["steps"]
    assert one == two
    assert (two["emotion"], two["gender"]) == (3, 4)


def test_with_one_replica_nothing_is_done():
    code = tf.ones([3, 2])
    assert num_replicas() == 1
    assert gather(code) is code


@pytest.mark.parametrize("condition", [None, True, False])
def test_an_optimiser_steps_unless_its_condition_is_false(condition):
    weight = keras.Variable(1.0)
    optimiser = keras.optimizers.SGD(0.5)
    optimiser.build([weight])
    given = None if condition is None else tf.constant(condition)
    apply_gradients(optimiser, [tf.constant(1.0)], [weight], given)
    assert weight.numpy() == (1.0 if condition is False else 0.5)
    assert optimiser.iterations.numpy() == (condition is not False)
