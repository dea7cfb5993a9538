"""The three phases: who moves, who does not, and that every term and setting matters."""

import functools
import os
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from processes import ROOT, run_code

from ser_aae.config import ModelConfig, TrainingConfig
from ser_aae.config.kinds import KINDS
from ser_aae.errors import UserError
from ser_aae.labels import AUXILIARY
from ser_aae.model import losses
from ser_aae.model.aae import MultitaskAAE, _is_compiled
from ser_aae.model.networks import FLOAT32

SHAPE = (32, 64, 1)
TASKS = {"emotion": 4, "gender": 2, "speaker": 6}
TWO = {"emotion": 4, "speaker": 6}
"""Tasks of what takes long to compile."""
CONFIG = replace(
    ModelConfig(),
    filters=(4, 6),
    latent_channels=4,
    dense_units=(8, 8),
    discriminator_zero_start=False,  # which asks nothing of the encoder in the first step
)
SGD = replace(TrainingConfig(), update="serial", optimiser="sgd", learning_rate=0.05)
JOINT = replace(SGD, update="joint")
BFLOAT16 = "mixed_bfloat16"
BOTH = pytest.mark.parametrize("plan", [SGD, JOINT], ids=["serial", "joint"])
NETWORKS = ("encoder", "decoder", "discriminator", "emotion", "gender", "speaker")


def make_batch(rows=8, labelled=True):
    draw = np.random.default_rng(1)
    segments = tf.constant(draw.normal(size=(rows, *SHAPE)), tf.float32)
    emotion = np.arange(rows) % 4 if labelled else np.full(rows, -1)
    labels = {"emotion": emotion, "gender": np.arange(rows) % 2, "speaker": np.arange(rows) % 6}
    return segments, {task: tf.constant(value, tf.int32) for task, value in labels.items()}


def make_model(config=CONFIG, training=SGD, seed=0, tasks=TASKS):
    keras.utils.set_random_seed(seed + 1)
    tasks = tasks if config.traits.is_multitask else {"emotion": 4}
    model = MultitaskAAE(config, tasks, SHAPE, seed, training.precision)
    model.compile(training)
    return model


def network(model, name):
    return model.classifiers[name] if name in TASKS else getattr(model, name)


def snapshot(model):
    """Return every network's weights, trainable and others; a count of draws is none."""

    def values(variables):
        return [v.numpy() for v in variables if not v.path.endswith("seed_generator_state")]

    return {
        name: (
            values(network(model, name).trainable_variables),
            values(network(model, name).non_trainable_variables),
        )
        for name in NETWORKS
    }


def moved(before, after, which=0):
    return {
        name
        for name in NETWORKS
        if any(
            not np.array_equal(old, new)
            for old, new in zip(before[name][which], after[name][which], strict=True)
        )
    }


def run(model, steps=1, batch=None):
    """Take steps one by one, without the seconds a graph of three phases takes to build."""
    model.reset_metrics()
    for _ in range(steps):
        logs = model.train_step(batch or make_batch())
    return {name: float(value) for name, value in logs.items()}


def fit(model, steps=1, epochs=1, batch=None):
    data = tf.data.Dataset.from_tensors(batch or make_batch()).repeat(steps)
    return model.fit(data, epochs=epochs, verbose=0, shuffle=False).history


@functools.cache
def weights_after(config, training):
    model = make_model(config, training)
    run(model)
    return np.concatenate([value.ravel() for value in model.get_weights()])


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("reconstruction", {"encoder", "decoder"}),
        ("regularisation", {"encoder", "discriminator"}),
        ("classification", {"encoder", "emotion", "gender", "speaker"}),
    ],
)
def test_each_phase_moves_exactly_its_networks(phase, expected):
    model = make_model()
    before = snapshot(model)
    model.descend([phase], *make_batch())
    assert moved(before, snapshot(model)) == expected


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("reconstruction", {"encoder", "decoder"}),
        ("regularisation", {"encoder"}),
        ("classification", {"encoder", "emotion", "gender", "speaker"}),
    ],
)
def test_each_term_of_the_joint_loss_has_a_gradient_to_exactly_its_networks(phase, expected):
    model = make_model(training=JOINT)
    segments, labels = make_batch()
    with tf.GradientTape() as tape:
        code = model.encoder(segments, training=True)
        given = {"reconstruction": [segments, code, labels], "classification": [code, labels]}
        loss = getattr(model, phase)(*given.get(phase, [code]))
    networks = [network(model, name) for name in NETWORKS if name != "discriminator"]
    slopes = tape.gradient(loss, [each.trainable_variables for each in networks])
    reached = {
        each.name
        for each, found in zip(networks, slopes, strict=True)
        if any(slope is not None and np.any(slope) for slope in found)
    }
    assert reached == expected


def test_the_joint_step_is_one_descent_of_eq_5_as_it_is_written():
    """Under plain gradient descent the encoder moves by the sum of what each term asks of it."""
    literal = replace(CONFIG, adversarial="saturating", discriminator_noise=0.0, dropout=0.0)
    config = replace(literal, alpha=0.3, adversarial_weight=0.7)
    frozen = replace(JOINT, discriminator_rate_ratio=0.0)
    model = make_model(config, frozen)
    segments, labels = make_batch()
    weights = model.encoder.trainable_variables
    with tf.GradientTape(persistent=True) as tape:
        code = model.encoder(segments, training=True)
        terms = {
            0.3: losses.reconstruction_loss(segments, model.decoder(code, training=True), "mean"),
            0.7: losses.generator_loss(model.discriminator(code, training=True), "saturating"),
            1.0: model.classification(code, labels),
        }
    expected = [
        sum(factor * slope for factor, slope in zip(terms, slopes, strict=True))
        for slopes in zip(*(tape.gradient(term, weights) for term in terms.values()), strict=True)
    ]
    fresh = make_model(config, frozen)
    before = [value.numpy() for value in fresh.encoder.trainable_variables]
    run(fresh)
    for old, value, slope in zip(before, fresh.encoder.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(old - value, JOINT.learning_rate * slope, rtol=2e-3, atol=1e-6)


def test_the_joint_step_moves_all_networks_and_its_discriminator_by_eq_4_alone():
    model = make_model(training=JOINT)
    before = snapshot(model)
    model.train_step(make_batch())
    assert moved(before, snapshot(model)) == set(NETWORKS)
    model = make_model(training=replace(JOINT, discriminator_rate_ratio=0.0))
    before = snapshot(model)
    model.train_step(make_batch())
    assert moved(before, snapshot(model)) == set(NETWORKS) - {"discriminator"}


def test_the_encoders_adversarial_step_leaves_the_discriminator():
    frozen = replace(SGD, discriminator_rate_ratio=0.0)
    model = make_model(training=frozen)
    before = snapshot(model)
    model.descend(["regularisation"], *make_batch())
    assert moved(before, snapshot(model)) == {"encoder"}


def test_the_discriminators_step_leaves_the_encoder():
    model = make_model(training=replace(SGD, generator_rate_ratio=0.0))
    before = snapshot(model)
    model.descend(["regularisation"], *make_batch())
    assert moved(before, snapshot(model)) == {"discriminator"}


@BOTH
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_unlabelled_rows_leave_the_emotion_head_untouched(optimiser, plan):
    model = make_model(training=replace(plan, optimiser=optimiser, weight_decay=0.01))
    run(model, 2)  # so that a momentum is there that could move it
    before = snapshot(model)
    run(model, 2, make_batch(labelled=False))
    after = snapshot(model)
    assert moved(before, after, which=0) == set(NETWORKS) - {"emotion"}
    assert "emotion" not in moved(before, after, which=1)


@BOTH
def test_a_batch_without_any_label_moves_no_classifier(plan):
    model = make_model(training=replace(plan, optimiser="adam", weight_decay=0.01))
    run(model, 2)
    before = snapshot(model)
    momentum = [v.numpy() for task in TASKS for v in model.optimisers[task].variables]
    segments, labels = make_batch()
    run(model, 2, (segments, {task: tf.fill([8], -1) for task in labels}))
    after = snapshot(model)
    assert moved(before, after) == {"encoder", "decoder", "discriminator"}
    assert not moved(before, after, which=1) & set(TASKS)
    for old, task_value in zip(
        momentum, (v for task in TASKS for v in model.optimisers[task].variables), strict=True
    ):
        np.testing.assert_array_equal(old, task_value.numpy())


def mark_auxiliary(batch, rows):
    """Return a batch whose last rows are of an auxiliary corpus, without an emotion."""
    segments, labels = batch
    of_auxiliary = tf.cast(tf.range(len(segments)) >= len(segments) - rows, tf.int32)
    emotion = tf.where(of_auxiliary == 1, -1, labels["emotion"])
    return segments, labels | {"emotion": emotion, AUXILIARY: of_auxiliary}


@BOTH
def test_rows_of_auxiliary_corpora_reach_neither_decoder_nor_discriminator(plan):
    segments, labels = mark_auxiliary(make_batch(), 3)
    model = make_model(training=plan)
    codes = {"decoder": [], "discriminator": []}
    for name, seen in codes.items():
        call = getattr(model, name).call
        getattr(model, name).call = lambda x, *a, call=call, seen=seen, **k: (
            seen.append(len(x)) or call(x, *a, **k)
        )
    model.train_step((segments, labels))
    assert set(codes["decoder"]) == set(codes["discriminator"]) == {5}


@BOTH
def test_rows_of_auxiliary_corpora_train_gender_and_speaker(plan):
    batch = mark_auxiliary(make_batch(), 3)
    ends = []
    for labels in (batch[1], {**batch[1], "gender": 1 - batch[1]["gender"]}):
        changed = {**labels, "gender": tf.where(batch[1][AUXILIARY] == 1, labels["gender"], -1)}
        model = make_model(training=plan)
        run(model, 1, (batch[0], changed))
        ends.append(model.encoder.get_weights())
    assert any(not np.array_equal(a, b) for a, b in zip(*ends, strict=True))


def test_the_reconstruction_is_measured_on_the_rows_that_reconstruct():
    segments, labels = mark_auxiliary(make_batch(), 4)
    model = make_model()
    code = model.encoder(segments, training=False)
    own = model.reconstruction(segments, code, labels)
    alone = {task: values[:4] for task, values in labels.items()}
    assert float(own) == pytest.approx(
        float(model.reconstruction(segments[:4], code[:4], alone)), rel=1e-5
    )
    assert float(own) != pytest.approx(float(model.reconstruction(segments, code, make_batch()[1])))


def test_unlabelled_rows_beside_labelled_ones_do_not_enter_the_emotion_loss():
    code = tf.constant(np.random.default_rng(2).normal(size=(8, 4, 4, 4)), tf.float32)
    _, labels = make_batch()
    hidden = {**labels, "emotion": tf.constant([0, 1, 2, 3, -1, -1, -1, -1])}
    other = tf.concat([code[:4], code[4:] * 100.0], axis=0)
    norms = []
    for rows in (code, other):
        model = make_model(replace(CONFIG, dropout=0.0))
        model._classify(rows, hidden, training=True)
        statistics = [v.numpy() for v in model.classifiers["emotion"].non_trainable_variables]
        norms.append([float(model._trackers["emotion_loss"].result()), *statistics])
    for first, second in zip(*norms, strict=True):
        np.testing.assert_array_equal(first, second)


def compare_compiled_steps(precision):
    segments, labels = make_batch()
    hidden = {**labels, "emotion": tf.constant([0, 1, 2, -1, -1, -1, -1, -1])}
    for plan in (SGD, JOINT):
        outcomes = []
        for compiled in ("off", "xla"):
            training = replace(plan, compile=compiled, deterministic=False, precision=precision)
            model = make_model(replace(CONFIG, kind="ae-mtl", dropout=0.0), training, tasks=TWO)
            assert model.jit_compile == (compiled == "xla")
            if model.jit_compile:
                history = fit(model, steps=3, batch=(segments, hidden))
                found = {name: values[0] for name, values in history.items()}
            else:
                found = run(model, 3, (segments, hidden))
            # an accuracy counts rows: where rounding turns one of the few, it jumps
            names = [name for name in found if precision == FLOAT32 or name.endswith("loss")]
            outcomes.append([found[name] for name in sorted(names)])
        np.testing.assert_allclose(*outcomes, rtol=1e-4 if precision == FLOAT32 else 5e-2)
    # with an adversary too, whose prior and noise XLA draws otherwise
    training = replace(JOINT, compile="xla", deterministic=False, precision=precision)
    model = make_model(CONFIG, training, tasks=TWO)
    assert all(np.isfinite(values[0]) for values in fit(model, steps=3).values())


@pytest.mark.parametrize("precision", [FLOAT32, BFLOAT16])
def test_a_compiler_can_have_the_step(precision):
    """Shapes are fixed, however many rows have a label, so that XLA takes the whole step.

    What it computes is the same within rounding, where nothing is drawn at random. A process of
    its own: other tests ask for deterministic kernels, of which XLA lacks the
    gradient of a max-pool.
    """
    code = f"import runpy; runpy.run_path({__file__!r})['compare_compiled_steps']({precision!r})"
    # machine code that is slow is there sooner
    named = {"PYTHONPATH": str(ROOT / "tests"), "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    run_code(code, env={**os.environ, **named})


@BOTH
@pytest.mark.parametrize("latent", ["standardised", "relu"])
def test_in_bfloat16_a_training_goes_where_it_goes_in_float32(plan, latent):
    """Losses agree within rounding, and so does the way of the weights.

    The way less so: where a maximum's two candidates are as good as equal, rounding chooses whose
    weights learn. Segments that are themselves rounded to eight bits turn it as far.
    """
    outcomes = []
    for precision in (FLOAT32, BFLOAT16):
        model = make_model(replace(CONFIG, latent=latent), replace(plan, precision=precision))
        before = np.concatenate([v.numpy().ravel() for v in model.trainable_variables])
        losses_found = run(model, 3)
        after = np.concatenate([v.numpy().ravel() for v in model.trainable_variables])
        statistics = [
            v.numpy().ravel() for v in model.non_trainable_variables if "moving" in v.path
        ]
        outcomes.append((losses_found, after - before, np.concatenate(statistics)))
    (expected, way, wanted), (found, other, statistics) = outcomes
    for name in expected:
        if name.endswith("loss"):
            np.testing.assert_allclose(found[name], expected[name], rtol=0.03, err_msg=name)
    assert not np.array_equal(way, other)
    assert way @ other > 0.9 * np.linalg.norm(way) * np.linalg.norm(other)
    np.testing.assert_allclose(statistics, wanted, atol=0.03)


@BOTH
def test_in_bfloat16_what_is_kept_is_float32_and_a_float32_model_takes_it(plan, tmp_path):
    training = replace(plan, optimiser="adam", precision=BFLOAT16)
    model = make_model(training=training)
    run(model)
    counts = {"steps", "iteration"}
    kept = [*model.variables, *model.averages]
    kept += [value for each in model.optimisers.values() for value in each.variables]
    types = {value.dtype for value in kept if value.name not in counts}
    assert types - {"int64"} == {"float32"}
    segments, labels = make_batch()
    computed = {layer.compute_dtype for layer in (*model.encoder.layers, *model.decoder.layers)}
    assert "bfloat16" in computed
    for logits, hidden in model.head_outputs(segments).values():
        assert logits.dtype == hidden.dtype == tf.float32
    code = model.encoder(segments)
    terms = [model.reconstruction(segments, code, labels), model.regularisation(code)]
    assert {term.dtype for term in [*terms, model.classification(code, labels)]} == {tf.float32}

    model.save_weights(tmp_path / "trained.weights.h5")
    plain = make_model(training=replace(training, precision=FLOAT32), seed=5)
    plain.load_weights(tmp_path / "trained.weights.h5")
    for found, wanted in zip(plain.variables, model.variables, strict=True):
        np.testing.assert_array_equal(found, wanted)
    for task, posteriors in model(segments).items():
        np.testing.assert_allclose(plain(segments)[task], posteriors, atol=0.03)


@BOTH
@pytest.mark.parametrize("precision", [FLOAT32, BFLOAT16])
def test_the_step_is_one_graph_that_never_goes_back_to_python_or_the_host(plan, precision):
    model = make_model(training=replace(plan, precision=precision, average_decay=0.9))

    def operations(rows):
        step = tf.function(lambda *batch: model.train_step(batch))
        graph = step.get_concrete_function(*make_batch(rows)).graph.as_graph_def()
        inner = [node for each in graph.library.function for node in each.node_def]
        return [*graph.node, *inner]

    few, many = operations(4), operations(8)
    assert not [node.op for node in few if "PyFunc" in node.op or "Host" in node.op]
    assert {node.device for node in few} == {""}, "nothing is bound to a device"
    # a Python loop over rows would unroll
    assert sorted(node.op for node in few) == sorted(node.op for node in many)


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("gpus", [[], ["GPU:0"]])
def test_by_itself_the_step_is_compiled_on_a_gpu_alone(monkeypatch, gpus, deterministic):
    listed = tf.config.list_physical_devices
    monkeypatch.setattr(
        tf.config,
        "list_physical_devices",
        lambda kind=None: gpus if kind == "GPU" else listed(kind),
    )
    # asked here, for Keras compiles nothing after other tests asked for deterministic kernels
    compiled = _is_compiled(replace(SGD, deterministic=deterministic))
    assert compiled == (bool(gpus) and not deterministic)


def test_several_devices_cannot_share_a_compiled_step(monkeypatch):
    training = replace(SGD, compile="xla", deterministic=False)
    assert _is_compiled(training)
    monkeypatch.setattr("ser_aae.model.aae.num_replicas", lambda: 2)
    with pytest.raises(UserError, match="expected auto or off on 2 devices"):
        make_model(CONFIG, training)
    assert not _is_compiled(replace(training, compile="auto"))


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_subsets_of_phases_and_networks(kind, plan):
    model = make_model(replace(CONFIG, kind=kind), plan)
    history = run(model)
    assert model.phases == KINDS[kind].phases
    assert hasattr(model, "decoder") == ("cnn" not in kind)
    assert hasattr(model, "discriminator") == (kind in ("mtl", "stl"))
    assert set(model.classifiers) == (set(TASKS) if "mtl" in kind else {"emotion"})
    assert ("reconstruction_loss" in history) == ("cnn" not in kind)
    assert ("discriminator_loss" in history) == (kind in ("mtl", "stl"))


def test_files_of_weights_number_the_optimisers_in_this_order():
    """In another order, what was stored before could not be read."""
    tasks = ["emotion", "gender", "speaker"]
    serial = ["reconstruction", "discriminator", "generator", "classification", *tasks]
    assert list(make_model().optimisers) == serial
    joint = ["discriminator", "encoder", "decoder", *tasks]
    assert list(make_model(training=JOINT).optimisers) == joint


def test_history_shows_every_loss_and_accuracy_and_no_others():
    history = fit(make_model())
    expected = {"reconstruction_loss", "discriminator_loss", "discriminator_accuracy"}
    expected |= {"generator_loss", "classification_loss"}
    expected |= {f"{task}_{what}" for task in TASKS for what in ("loss", "accuracy")}
    assert set(history) == expected
    assert all(np.isfinite(values[0]) for values in history.values())


def test_evaluate_moves_nothing_and_reports_the_tasks():
    model = make_model()
    before = snapshot(model)
    data = tf.data.Dataset.from_tensors(make_batch())
    found = model.evaluate(data, verbose=0, return_dict=True)
    assert not moved(before, snapshot(model)) | moved(before, snapshot(model), which=1)
    assert {"reconstruction_loss", "emotion_loss", "speaker_accuracy"} <= set(found)
    assert "discriminator_loss" not in found


@BOTH
def test_training_learns_what_can_be_learnt(plan):
    segments, labels = make_batch(16)
    level = tf.cast(labels["emotion"], tf.float32)[:, None, None, None]
    marked = tf.concat([segments[:, :16] + 2.0 * level, segments[:, 16:]], axis=1)
    model = make_model(training=replace(plan, optimiser="adam", learning_rate=5e-3))
    history = fit(model, 30, epochs=4, batch=(marked, labels))
    assert history["emotion_loss"][-1] < 0.7 * history["emotion_loss"][0]
    assert history["reconstruction_loss"][-1] < history["reconstruction_loss"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": 0.9},
        {"beta": 0.2},
        {"latent": "relu"},
        {"dropout": 0.0},
        {"batch_norm_momentum": 0.5},
        {"reconstruction": "sum"},
        {"adversarial": "saturating"},
        {"discriminator_zero_start": True},
        {"discriminator_noise": 0.0},
        {"discriminator_smoothing": 0.1},
    ],
)
@BOTH
def test_each_setting_of_the_model_changes_the_outcome(change, plan):
    first, other = (weights_after(each, plan) for each in (CONFIG, replace(CONFIG, **change)))
    assert not np.array_equal(first, other)


@functools.cache
def encoder_moved(config, training):
    model = make_model(config, training)
    before = model.encoder.get_weights()[0]
    run(model, 5)  # the first step of Adam is of one length whatever the slope
    return model.encoder.get_weights()[0] - before


@pytest.mark.parametrize("kind", ["sgd", "adam"])
@pytest.mark.parametrize(
    "change", [{"adversarial_weight": 0.1}, {"alpha": 0.9}, {"beta": 0.2}], ids=str
)
def test_each_weight_of_the_joint_loss_moves_the_encoder_elsewhere(change, kind):
    """A weight in a sum stays one under Adam, where a factor of a loss alone cancels out."""
    plan = replace(JOINT, optimiser=kind, learning_rate=1e-3)
    first, other = (encoder_moved(each, plan) for each in (CONFIG, replace(CONFIG, **change)))
    assert np.abs(first - other).max() > 1e-2 * np.abs(first).max()


@pytest.mark.parametrize(
    "change",
    [
        {"update": "joint"},
        {"optimiser": "adam"},
        {"learning_rate": 0.01},
        {"generator_rate_ratio": 0.9},
        {"discriminator_rate_ratio": 0.9},
    ],
)
def test_each_setting_of_the_optimisers_changes_the_outcome(change):
    first, other = (weights_after(CONFIG, each) for each in (SGD, replace(SGD, **change)))
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_alpha_weighs_the_reconstruction_under_any_optimiser(kind):
    """Adam undoes a factor of the loss; a step must be shorter by alpha all the same."""
    training = replace(SGD, optimiser=kind, learning_rate=0.1)

    def moved(alpha):
        model = make_model(replace(CONFIG, alpha=alpha), training=training)
        before = [value.numpy() for value in model.decoder.trainable_variables]
        model.descend(["reconstruction"], *make_batch(8))
        after = [value.numpy() for value in model.decoder.trainable_variables]
        return np.concatenate([(b - a).ravel() for a, b in zip(before, after, strict=True)])

    np.testing.assert_allclose(moved(0.1), 0.1 * moved(1.0), rtol=1e-2, atol=1e-6)
    assert not np.any(moved(0.0))


@BOTH
def test_weight_decay_changes_the_outcome(plan):
    adam = replace(plan, optimiser="adam", learning_rate=1e-3)
    decayed = replace(adam, weight_decay=0.1)
    assert not np.array_equal(weights_after(CONFIG, adam), weights_after(CONFIG, decayed))


@BOTH
def test_one_seed_gives_one_result_and_another_seed_another(plan):
    first, second = make_model(training=plan, seed=0), make_model(training=plan, seed=0)
    fit(first, 3)
    fit(second, 3)
    for one, two in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())
    other = make_model(training=plan, seed=1)
    run(other, 3)
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


def state(model):
    optimisers = [v for each in model.optimisers.values() for v in each.variables]
    return [value.numpy() for value in (*model.variables, *optimisers)]


@BOTH
def test_save_and_restore_is_bit_equal_optimisers_and_randomness_included(tmp_path, plan):
    adam = replace(plan, optimiser="adam", average_decay=0.9, learning_rate=1e-3)
    model = make_model(training=adam)
    run(model, 2)
    model.optimisers["emotion"].learning_rate.assign(1e-5)
    model.save_weights(tmp_path / "a.weights.h5")
    other = make_model(training=adam, seed=7)
    other.load_weights(tmp_path / "a.weights.h5")
    assert float(other.optimisers["emotion"].learning_rate) == pytest.approx(1e-5)
    for each in (model, other):
        run(each, 2)
    for one, two in zip(state(model), state(other), strict=True):
        np.testing.assert_array_equal(one, two)


def test_can_be_saved_after_one_step_and_before_any(tmp_path):
    fresh = make_model()
    fresh.save_weights(tmp_path / "fresh.weights.h5")
    stepped = make_model()
    run(stepped)
    stepped.save_weights(tmp_path / "stepped.weights.h5")
    fresh.load_weights(tmp_path / "stepped.weights.h5")
    np.testing.assert_array_equal(fresh.get_weights()[0], stepped.get_weights()[0])


@pytest.mark.parametrize(("plan", "passes"), [(SGD, 3), (JOINT, 1)], ids=["serial", "joint"])
def test_the_encoders_batch_norm_counts_each_pass(plan, passes):
    still = replace(plan, learning_rate=0.0)
    once, step = make_model(training=still), make_model(training=still)
    batch = make_batch()
    once.encoder(batch[0], training=True)
    step.train_step(batch)
    norm = "encoder_1_norm"
    mean_once = once.encoder.get_layer(norm).moving_mean.numpy()
    mean_step = step.encoder.get_layer(norm).moving_mean.numpy()
    # from 0, with momentum 0.9: 0.1 of the batch's mean after one pass, 1 - 0.9^n after n
    np.testing.assert_allclose(mean_step, mean_once * (1 - 0.9**passes) / 0.1, rtol=1e-4)


def test_posteriors_sum_to_one():
    posteriors = make_model()(make_batch()[0])
    assert {task: value.shape[1] for task, value in posteriors.items()} == TASKS
    for value in posteriors.values():
        np.testing.assert_allclose(tf.reduce_sum(value, axis=1), 1.0, rtol=1e-5)


def test_reconstruction_has_the_shape_of_the_segment():
    assert make_model().reconstruct(make_batch()[0]).shape == (8, *SHAPE)
