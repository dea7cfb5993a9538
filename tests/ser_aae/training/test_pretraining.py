"""Stage 1: what is shared, with whom, and that finding it is the same as computing it."""

import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from processes import ROOT, wait_for

from ser_aae.config import DataConfig, ModelConfig, ProtocolConfig, RunConfig, TrainingConfig
from ser_aae.config.fields import with_settings
from ser_aae.config.kinds import KINDS
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json, read_jsonl
from ser_aae.files.locks import claim
from ser_aae.grid import run_worker
from ser_aae.grid.remote import place_in_cache
from ser_aae.grid.run_worker import train_run
from ser_aae.model.aae import build_model
from ser_aae.results.places import Places
from ser_aae.results.predictions import read_predictions
from ser_aae.training import pretraining
from ser_aae.training.pretraining import adopt_weights, pretrain, speakers_of_stage_one
from ser_aae.training.pretraining_key import steps_of_stage_one
from ser_aae.training.run import train_and_evaluate

pytestmark = pytest.mark.usefixtures("few_steps")

PROCESS = """
import pickle, sys
import tensorflow as tf
# as in this process: graphs round differently
tf.config.run_functions_eagerly(True)
from ser_aae.training.run import train_and_evaluate
config, store, runs = pickle.load(sys.stdin.buffer)
train_and_evaluate(config, store, runs, lambda line: print(line, flush=True))
"""


@pytest.fixture(scope="module")
def config(frontend):
    return RunConfig(
        dataset="tiny",
        auxiliary=("voices",),
        protocol=ProtocolConfig(name="speaker-kfold", folds=4),
        frontend=frontend,
        data=replace(DataConfig(), segment_frames=64, evaluation_shift_frames=64),
        model=replace(
            ModelConfig(),
            filters=(2, 2),
            latent_channels=2,
            classifier_filters=2,
            dense_units=(4, 4),
        ),
        training=replace(TrainingConfig(), epochs=1, batch_size=64, pretraining_epochs=3),
    )


@pytest.fixture(scope="module")
def quick(config):
    """The config with a model of fewer networks, for what processes do around it."""
    model = replace(config.model, kind="cnn-mtl", auxiliary_tasks=("speaker",))
    return replace(config, model=model)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def first(config, tiny_store, runs):
    """A run that has computed its stage 1."""
    return train_and_evaluate(config, tiny_store, runs)


@pytest.fixture(scope="module")
def place(first, runs):
    """The outcome of its stage 1."""
    (folder,) = (runs / "pretraining").iterdir()
    return folder


def of_fold(config, fold):
    return replace(config, protocol=replace(config.protocol, fold=fold))


def assert_same_outcome(one, two):
    with np.load(one / "weights.npz") as left, np.load(two / "weights.npz") as right:
        assert left.files == right.files
        for name in left.files:
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)


def outcome_of(config, store, runs, shown=None):
    """Return the folder of a config's stage 1, computed where it is not there."""
    show = (lambda line: None) if shown is None else shown.append
    strategy = tf.distribute.get_strategy()
    return pretrain(config, assemble(config, store), runs, runs / "own", show, strategy)


def test_it_leaves_its_outcome_beside_the_runs_and_its_log_in_them(first, place):
    left = {path.name for path in place.iterdir()}
    assert left == {"pretraining.json", "epochs.jsonl", "weights.npz", "tensorboard"}
    rows = read_jsonl(place / "epochs.jsonl")
    assert [(row["stage"], row["number"]) for row in rows] == [(1, 1), (1, 2), (1, 3)]
    assert read_jsonl(first / "epochs.jsonl")[:3] == rows
    assert read_json(first / "pretraining.json") == read_json(place / "pretraining.json")
    assert not list(place.parent.glob(".*"))


def test_nothing_chooses_its_epoch_and_no_validation_speaker_is_seen(place):
    rows = read_jsonl(place / "epochs.jsonl")
    assert all(row["validation"] == {} for row in rows)
    assert all(row["learning_rates"] == rows[0]["learning_rates"] for row in rows)
    assert rows[-1]["train"]["speaker_loss"] < rows[0]["train"]["speaker_loss"]
    corpora = read_json(place / "pretraining.json")["corpora"]
    assert [corpus["name"] for corpus in corpora] == ["voices"]


def test_a_run_that_finds_it_ends_as_if_it_had_computed_it(
    config, tiny_store, first, place, tmp_path
):
    there, shown = tmp_path / "pretraining" / place.name, []
    shutil.copytree(place, there)
    found = train_and_evaluate(config, tiny_store, tmp_path, shown.append)
    assert f"stage 1: found in {there}" in shown
    assert list(there.parent.iterdir()) == [there]
    one, two = (read_jsonl(run / "epochs.jsonl")[-1] for run in (found, first))
    assert (one["train"], one["validation"]) == (two["train"], two["validation"])
    frames = [read_predictions(run / "predictions.parquet") for run in (found, first)]
    assert frames[0].equals(frames[1])


def test_nothing_but_the_auxiliary_corpus_and_its_settings_is_in_it(
    config, tiny_store, place, tmp_path
):
    other = replace(
        config,
        dataset="foreign",
        classes="anger,neutral",
        protocol=replace(config.protocol, fold=1, seed=4),
        data=replace(config.data, auxiliary_ratio=0.2, labelled_fraction=0.5),
        training=replace(
            config.training,
            epochs=7,
            class_weights="none",
            patience_epochs=1,
            rate_factor=0.1,
            stop_ratio=0.9,
        ),
    )
    again = outcome_of(other, tiny_store, tmp_path)
    assert again.name == place.name
    assert_same_outcome(place, again)


def test_another_kind_of_run_has_another_one(config, tiny_store, place, tmp_path):
    single = replace(config, model=replace(config.model, kind="stl"))
    found = outcome_of(single, tiny_store, tmp_path)
    assert found.name != place.name
    with np.load(found / "weights.npz") as weights:
        networks = {name.partition("/")[0] for name in weights.files}
    assert networks == {"encoder", "decoder", "discriminator"}


def test_no_stage_one_without_corpora_or_epochs(config, tiny_store, tmp_path):
    none = replace(config, training=replace(config.training, pretraining_epochs=0))
    for changed in (none, replace(config, auxiliary=())):
        assert outcome_of(changed, tiny_store, tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_repeated_to_the_bit_is_not_shared(quick, tiny_store, tmp_path):
    training = replace(quick.training, deterministic=False, pretraining_epochs=1)
    found = outcome_of(replace(quick, training=training), tiny_store, tmp_path)
    assert found.parent == tmp_path / "own" / "pretraining"


CHANGES = {
    "gone": lambda values: values.pop("encoder/encoder_1_conv/kernel"),
    "of another shape": lambda values: values.update({"encoder/encoder_1_conv/kernel": np.ones(3)}),
    "no number": lambda values: values["speaker/speaker_logits/kernel"].fill(np.nan),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_weights_of_before_digests_that_fit_nothing_are_refused(
    config, tiny_store, place, tmp_path, change
):
    data = assemble(config, tiny_store)
    with np.load(place / "weights.npz") as found:
        values = {name: found[name] for name in found.files}
    CHANGES[change](values)
    np.savez(tmp_path / "weights.npz", **values)
    with pytest.raises(UserError, match=r"weights\.npz: expected finite numbers .*; remove "):
        adopt_weights(build_model(config, data.num_classes), tmp_path, data, KINDS["mtl"].phases)


def test_a_run_begins_with_what_was_learnt_and_with_heads_of_its_own(config, tiny_store, place):
    data = assemble(config, tiny_store)
    keras.utils.set_random_seed(3)
    model = build_model(config, data.num_classes)
    before = {weight.path: weight.numpy() for weight in model.weights}
    adopt_weights(model, place, data, model.phases)
    with np.load(place / "weights.npz") as learnt:
        kernel = model.encoder.get_layer("encoder_1_conv").kernel.numpy()
        np.testing.assert_array_equal(kernel, learnt["encoder/encoder_1_conv/kernel"])
        norm = model.encoder.get_layer("encoder_1_norm").moving_mean.numpy()
        np.testing.assert_array_equal(norm, learnt["encoder/encoder_1_norm/moving_mean"])
        logits = model.classifiers["speaker"].get_layer("speaker_logits").kernel
        speakers = speakers_of_stage_one(data)
        assert speakers == [name for name in data.speakers if name.startswith("voices:")]
        known = np.isin(data.speakers, speakers)
        np.testing.assert_array_equal(
            logits.numpy()[:, known], learnt["speaker/speaker_logits/kernel"]
        )
    np.testing.assert_array_equal(logits.numpy()[:, ~known], before[logits.path][:, ~known])
    assert not known.all()
    for weight in model.classifiers["emotion"].weights:
        np.testing.assert_array_equal(weight.numpy(), before[weight.path])


def test_speakers_are_numbered_among_themselves(config, tiny_store):
    drawn = replace(config, data=replace(config.data, auxiliary_speakers=4))
    data = assemble(drawn, tiny_store)
    (part,) = pretraining._number_speakers(data)
    utterances = part.corpus.utterances
    speakers = speakers_of_stage_one(data)
    assert len(speakers) == 4
    assert [speakers[number] for number in part.labels["speaker"][part.rows]] == [
        utterances[row].speaker for row in part.rows
    ]
    rest = np.setdiff1d(np.arange(len(utterances)), part.rows)
    assert set(part.labels["speaker"][rest]) == {-1}
    assert set(part.labels["emotion"]) == {-1}


def test_its_updates_are_as_many_whatever_its_speakers(quick, tiny_store):
    of_steps = with_settings(
        quick, {"training.pretraining_steps": 5, "training.pretraining_epochs": 2}
    )
    steps = {}
    for speakers in (2, 6):
        for config in (quick, of_steps):
            drawn = with_settings(config, {"data.auxiliary_speakers": speakers})
            parts = assemble(drawn, tiny_store).pretraining
            steps.setdefault(config, []).append(steps_of_stage_one(drawn, parts))
    assert steps[of_steps] == [3, 3]  # of two epochs: the next multiple of them
    assert steps[quick][0] < steps[quick][1]


def test_one_of_so_many_updates_goes_on_to_the_same_outcome(quick, tiny_store, tmp_path):
    config = with_settings(
        quick, {"training.pretraining_steps": 4, "training.pretraining_epochs": 2}
    )
    undisturbed = outcome_of(config, tiny_store, tmp_path / "one")
    rows = read_jsonl(undisturbed / "epochs.jsonl")
    assert [row["number"] for row in rows] == [1, 2]

    def stop(line):
        if line.startswith("stage 1 epoch 2/2"):
            raise KeyboardInterrupt

    data, strategy = assemble(config, tiny_store), tf.distribute.get_strategy()
    runs = tmp_path / "two"
    with pytest.raises(KeyboardInterrupt):
        pretrain(config, data, runs, runs / "own", stop, strategy)
    shown = []
    assert_same_outcome(undisturbed, outcome_of(config, tiny_store, runs, shown))
    assert "stage 1: goes on after epoch 1" in shown
    # another number of updates is another outcome
    fewer = outcome_of(
        with_settings(config, {"training.pretraining_steps": 2}), tiny_store, tmp_path / "one"
    )
    assert fewer != undisturbed
    with pytest.raises(AssertionError):
        assert_same_outcome(undisturbed, fewer)


def own_stage(config, **values):
    return with_settings(
        config,
        {"auxiliary": (), "training.pretraining_data": "training", **values},
    )


def test_a_run_without_auxiliary_corpora_has_one_of_its_own_where_it_is_asked_for(
    quick, tiny_store, tmp_path
):
    config = own_stage(
        quick, **{"training.pretraining_epochs": 1, "training.pretraining": "supervised"}
    )
    data = assemble(config, tiny_store)
    found = outcome_of(config, tiny_store, tmp_path)
    assert found.parent == tmp_path / "own" / "pretraining"
    assert not (tmp_path / "pretraining").exists()  # of a fold, so that no other one may find it
    speakers = speakers_of_stage_one(data)
    assert tuple(speakers) == data.speakers
    held_out = {item.speaker for part in (data.test, data.validation) for item in part.utterances}
    assert not held_out & {*speakers}
    (corpus,) = read_json(found / "pretraining.json")["corpora"]
    assert corpus["name"] == "tiny"
    other = outcome_of(of_fold(config, 1), tiny_store, tmp_path)
    assert other.name != found.name
    model = build_model(config, data.num_classes)
    adopt_weights(model, found, data, ("classification",))
    kernel = model.classifiers["speaker"].get_layer("speaker_logits").kernel.numpy()
    with np.load(found / "weights.npz") as learnt:
        np.testing.assert_array_equal(kernel, learnt["speaker/speaker_logits/kernel"])


@pytest.mark.parametrize(
    ("kind", "pretraining", "has_one"),
    [("mtl", "all", True), ("cnn", "supervised", True), ("cnn", "all", False)],
)
def test_a_stage_1_that_nothing_is_learnt_from_is_none(config, kind, pretraining, has_one):
    own = own_stage(config, **{"model.kind": kind, "training.pretraining": pretraining})
    assert own.has_stage_one == has_one
    assert not with_settings(own, {"training.pretraining_epochs": 0}).has_stage_one
    assert not with_settings(own, {"training.pretraining_data": "auxiliary"}).has_stage_one
    # how it is trained is in the run's name, and in no name where there is none
    assert own.digest() != with_settings(own, {"training.pretraining_steps": 9}).digest()
    none = with_settings(own, {"training.pretraining_data": "auxiliary"})
    assert none.digest() == with_settings(none, {"training.pretraining_steps": 9}).digest()


def start(config, store, runs):
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": "tensorflow"},
    )
    process.stdin.write(pickle.dumps((config, store, runs)))
    process.stdin.close()
    return process


def test_one_computes_while_others_wait_and_take_over_when_it_dies(quick, tiny_store, tmp_path):
    undisturbed, runs = outcome_of(quick, tiny_store, tmp_path / "one"), tmp_path / "two"
    with start(quick, tiny_store, runs) as computing:
        wait_for(lambda: list(runs.glob("pretraining/*/backup.json")), computing)
        computing.send_signal(19)  # stopped: it holds on to what it has
        with start(of_fold(quick, 1), tiny_store, runs) as waiting:
            try:
                told = (line.decode() for line in waiting.stdout)  # warnings of the data come first
                said = next(line for line in told if line.startswith("stage 1: "))
                assert said.startswith(f"stage 1: waits for process {computing.pid} on ")
            finally:
                computing.kill()  # who is stopped does not end by itself
            lines = waiting.stdout.read().decode().splitlines()
            assert waiting.wait() == 0
    assert any(line.startswith("stage 1: goes on after epoch") for line in lines)
    (taken,) = (runs / "pretraining").iterdir()
    assert_same_outcome(undisturbed, taken)


def test_workers_with_their_own_disks_share_it_in_their_cache(
    quick, tiny_store, tmp_path, monkeypatch
):
    # a process for each run, as in earnest, is tried in grid/test_run_process.py
    monkeypatch.setattr(run_worker, "train_apart", train_and_evaluate)
    monkeypatch.setenv("SER_AAE_CACHE", str(tmp_path / "cache"))
    places = Places(store=str(tiny_store), runs=f"file://{tmp_path}/far")
    quick = replace(quick, training=replace(quick.training, pretraining_epochs=1))
    assert train_run(quick, places).state == "done"
    (kept,) = (place_in_cache(places.runs) / "pretraining").iterdir()
    computed = (kept / "weights.npz").stat().st_mtime_ns
    assert train_run(of_fold(quick, 1), places).state == "done"
    assert (kept / "weights.npz").stat().st_mtime_ns == computed
    assert not (tmp_path / "far" / "pretraining").exists()
    logs = list((tmp_path / "far").rglob("epochs.jsonl"))
    assert [[row["stage"] for row in read_jsonl(log)] for log in logs] == [[1, 2], [1, 2]]


def test_it_is_held_while_it_is_computed(config, tiny_store, place, tmp_path, monkeypatch):
    held = []

    def look(folder, *_):
        with claim(folder) as mine:
            held.append(mine)
        (folder / "epochs.jsonl").touch()
        return b""

    monkeypatch.setattr(pretraining, "_compute", look)
    assert outcome_of(config, tiny_store, tmp_path).name == place.name
    assert held == [False]
    shown = []
    assert outcome_of(config, tiny_store, place.parents[1], shown) == place
    assert held == [False]
    assert shown == [f"stage 1: found in {place}"]
