"""Whole runs on a tiny store: what they leave, how they resume, what changes them."""

import os
import random
from dataclasses import replace

import numpy as np
import pytest
from tensorflow.python.framework import ops
from tiny import DATA, MODEL, sounds_of, speakers_of, traced_steps, write_corpus

from ser_aae.config import ProtocolConfig, RunConfig, TrainingConfig
from ser_aae.config.fields import with_settings
from ser_aae.config.kinds import KINDS
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json, read_jsonl
from ser_aae.files.locks import claim
from ser_aae.inference.run_model import load_trained
from ser_aae.results.evaluation import evaluate
from ser_aae.results.folder import digest_files, is_complete, run_folder
from ser_aae.results.predictions import read_predictions
from ser_aae.training import run as train
from ser_aae.training import stage as stages
from ser_aae.training import trackers
from ser_aae.training.divergence import DivergedError
from ser_aae.training.run import train_and_evaluate
from ser_aae.training.scoring import TrainedModel

pytestmark = pytest.mark.usefixtures("few_steps")

TRAINING = replace(TrainingConfig(), epochs=2, batch_size=64, pretraining_epochs=1)
OF_STEPS = replace(TRAINING, batch_size=32)
"""Where an epoch has to have more than one step."""
CNN = replace(MODEL, kind="cnn")
"""What trains fastest, where the model is no matter."""


@pytest.fixture(scope="module")
def config(frontend):
    return RunConfig(
        dataset="tiny",
        protocol=ProtocolConfig(name="loso-session"),
        frontend=frontend,
        data=DATA,
        model=MODEL,
        training=TRAINING,
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return a store with an emotional corpus, anger the rarest, and an auxiliary one."""
    place = tmp_path_factory.mktemp("store")
    for name, seed in (("tiny", 0), ("other", 1)):
        utterances = speakers_of(name)
        utterances = [item for item in utterances if not item.utterance_id.endswith("anger-1")]
        if name == "other":
            utterances = [replace(item, emotion="", session="") for item in utterances]
        write_corpus(place, utterances, sounds_of(utterances, 32, seed))
    return place


def weights_of(folder):
    import h5py

    found = {}
    with h5py.File(folder / "best.weights.h5") as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]}) if hasattr(item, "shape") else None
        )
    return found


def assert_same(first, second):
    one, two = weights_of(first), weights_of(second)
    assert one.keys() == two.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, two[name], err_msg=name)
    # the files too, byte for byte: their digests stand in the results
    names = ("best.weights.h5", "normalisation.json")
    digests = [digest_files(folder) for folder in (first, second)]
    assert all(digests[0][name] == digests[1][name] for name in names)


def losses_of(folder):
    return [row["train"] for row in read_jsonl(folder / "epochs.jsonl")]


@pytest.fixture(scope="module")
def run(config, store, tmp_path_factory):
    """Return the folder of a complete run, to be read and not changed."""
    return train_and_evaluate(config, store, tmp_path_factory.mktemp("runs"))


def test_a_run_leaves_a_whole_folder_that_evaluates(run):
    assert is_complete(run)
    left = {path.name for path in run.iterdir()}
    assert {
        "config.json",
        "environment.json",
        "epochs.jsonl",
        "predictions.parquet",
        "best.weights.h5",
        "examples.npz",
        "normalisation.json",
        "result.json",
        "tensorboard",
    } <= left
    assert not [name for name in left if name.startswith(("backup", "."))]
    result = read_json(run / "result.json")
    assert result["leakage"]["speaker_independent"] is True
    assert result["speaker_only_unweighted_accuracy"] == 0.25
    assert result["adversary"]["state"] == "not settled"
    assert result["synthetic"] == [], "people were recorded"
    assert len(read_predictions(run / "predictions.parquet")) == result["n"] == 14
    evaluate(run)


def test_a_complete_run_is_left_as_it_is(config, store, run):
    written = (run / "result.json").stat().st_mtime_ns
    shown = []
    assert train_and_evaluate(config, store, run.parents[2], shown.append) == run
    assert "complete already" in shown[0]
    assert (run / "result.json").stat().st_mtime_ns == written


def test_two_runs_of_one_seed_are_bit_equal_and_another_seed_is_not(
    config, store, run, tmp_path, monkeypatch
):
    told = []

    class Drawing(trackers.TensorBoard):
        """A tracker that draws of the global random numbers."""

        def epoch(self, number, figures):
            told.append((number, random.random(), np.random.random()))  # noqa: S311

    monkeypatch.setitem(trackers._TRACKERS, "tensorboard", Drawing)
    again = train_and_evaluate(config, store, tmp_path / "again")
    assert len(told) == 2
    assert_same(run, again)
    monkeypatch.setenv("SER_AAE_LOG", "none")
    assert losses_of(run) == losses_of(again)
    other = train_and_evaluate(replace(config, seed=1), store, tmp_path / "again")
    assert losses_of(other) != losses_of(run)


@pytest.fixture(scope="module")
def two_stages(config, store, tmp_path_factory):
    """Return the config and the folder of a complete run of two epochs and then three."""
    training = replace(OF_STEPS, pretraining_epochs=2, epochs=3)
    longer = replace(config, auxiliary=("other",), training=training)
    return longer, train_and_evaluate(longer, store, tmp_path_factory.mktemp("two"))


@pytest.fixture
def interrupt_and_resume(store, tmp_path, monkeypatch):
    """A function: config, epochs `(stage, number)` after which it is interrupted -> the run."""

    def run(config, epochs):
        write = stages.Backup.on_epoch_end

        def interrupt(self, epoch, logs=None):
            write(self, epoch, logs)
            if (self.stage, epoch) in epochs:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(stages.Backup, "on_epoch_end", interrupt)
            for _ in epochs:
                with pytest.raises(KeyboardInterrupt):
                    train_and_evaluate(config, store, tmp_path / "broken")
        left = run_folder(tmp_path / "broken", config) / ".1.part-best.weights.h5"
        left.write_bytes(b"of a process that was killed")
        shown = []
        resumed = train_and_evaluate(config, store, tmp_path / "broken", shown.append)
        assert not left.exists()
        assert any("goes on after epoch 1" in line for line in shown)
        return resumed

    return run


def test_an_interrupted_run_goes_on_to_the_same_outcome(two_stages, interrupt_and_resume):
    longer, whole = two_stages
    resumed = interrupt_and_resume(longer, ((1, 0), (1, 1), (2, 0)))
    assert losses_of(resumed) == losses_of(whole)
    assert_same(whole, resumed)
    first, second = (read_json(each / "result.json") for each in (whole, resumed))
    assert first["unweighted_accuracy"] == second["unweighted_accuracy"]


def test_so_does_one_whose_pipeline_draws_masks(config, store, tmp_path, interrupt_and_resume):
    masked = replace(config, data=replace(DATA, mask_bins=8), model=CNN, training=OF_STEPS)
    with traced_steps():
        whole = train_and_evaluate(masked, store, tmp_path / "whole")
        resumed = interrupt_and_resume(masked, ((2, 0),))
    assert losses_of(resumed) == losses_of(whole)
    assert_same(whole, resumed)


def test_a_folder_of_other_data_is_refused(config, store, run, tmp_path):
    folder = run_folder(tmp_path, config)
    folder.mkdir(parents=True)
    content = (run / "config.json").read_text()
    (folder / "config.json").write_text(content.replace('"alpha": 0.4', '"alpha": 0.5'))
    with pytest.raises(UserError, match="begun with another config or other data"):
        train_and_evaluate(config, store, tmp_path)


def test_a_run_that_another_process_trains_is_refused_with_its_name(config, store, tmp_path):
    folder = run_folder(tmp_path, config)
    with (
        claim(folder),
        pytest.raises(UserError, match=rf"fold00-rep00: process {os.getpid()} on .* trains this"),
    ):
        train_and_evaluate(config, store, tmp_path)
    assert not folder.exists()


def test_a_run_is_held_while_it_is_trained_and_a_complete_one_by_nobody(
    config, store, run, tmp_path, monkeypatch
):
    held, finish = [], train.finish

    def look(trained, verified, show):
        with claim(trained.folder) as mine:
            held.append(mine)
        finish(trained, verified, show)

    monkeypatch.setattr(train, "finish", look)
    short = replace(config, training=replace(TRAINING, epochs=1), model=CNN)
    folder = train_and_evaluate(short, store, tmp_path)
    assert held == [False]
    with claim(folder) as mine:
        assert mine
    with claim(run):
        assert train_and_evaluate(config, store, run.parents[2]) == run


def test_auxiliary_rows_train_in_two_stages(two_stages):
    _, folder = two_stages
    rows = read_jsonl(folder / "epochs.jsonl")
    numbers = [(row["stage"], row["number"]) for row in rows]
    assert numbers == [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)]
    assert read_json(folder / "result.json")["kept_epoch"] in (1, 2, 3)
    assert rows[0]["train"]["emotion_loss"] == 0.0
    assert rows[0]["train"]["speaker_loss"] > 0.0
    assert read_json(folder / "result.json")["leakage"]["speakers"]["auxiliary"] == 8


def test_auxiliary_rows_that_classify_alone_change_the_outcome(two_stages, store, tmp_path):
    longer, folder = two_stages
    training = replace(longer.training, auxiliary_phases="classification")
    other = train_and_evaluate(replace(longer, training=training), store, tmp_path)
    epochs = [read_jsonl(each / "epochs.jsonl") for each in (folder, other)]
    assert [len(rows) for rows in epochs] == [len(epochs[0])] * 2
    assert epochs[0][0]["train"] == epochs[1][0]["train"]  # stage 1 is the same
    assert epochs[0][-1]["train"] != epochs[1][-1]["train"]
    assert all(np.isfinite(list(epochs[1][-1]["train"].values())))


def test_nan_stops_the_run_with_a_message_and_no_result(config, store, tmp_path):
    training = replace(TRAINING, optimiser="sgd", learning_rate=1e30)
    wild = replace(config, training=training, model=CNN)
    with pytest.raises(DivergedError, match=r"fold00-rep00: .*lower training\.learning_rate"):
        train_and_evaluate(wild, store, tmp_path)
    assert not list(tmp_path.rglob("result.json"))


@pytest.mark.parametrize("kind", ["stl", "ae-mtl", "cnn-mtl"])
def test_each_kind_of_model_runs_in_two_stages(config, store, tmp_path, kind):
    """Stage 1 needs no gender task."""
    wanted = replace(config, auxiliary=("other",), model=replace(MODEL, kind=kind))
    folder = train_and_evaluate(wanted, store, tmp_path)
    assert [row["stage"] for row in read_jsonl(folder / "epochs.jsonl")] == [1, 2, 2]
    result = read_json(folder / "result.json")
    assert (result["adversary"] is None) == (kind != "stl")
    assert (result["gender_accuracy"] is None) == (kind == "stl")


@pytest.fixture(scope="module")
def one_pretraining(tmp_path_factory):
    """The runs of all kinds, which share what stage 1 they can."""
    return tmp_path_factory.mktemp("supervised")


@pytest.mark.parametrize("kind", KINDS)
def test_a_supervised_stage_1_serves_each_kind(config, store, one_pretraining, kind):
    training = replace(TRAINING, pretraining="supervised", learning_rate=1e-12)
    wanted = replace(
        config, auxiliary=("other",), model=replace(MODEL, kind=kind), training=training
    )
    folder = train_and_evaluate(wanted, store, one_pretraining)
    first, *rest = read_jsonl(folder / "epochs.jsonl")
    assert [row["stage"] for row in (first, *rest)] == [1, 2, 2]
    assert first["train"]["gender_loss"] > 0
    assert first["train"]["speaker_loss"] > 0
    assert first["train"]["emotion_loss"] == 0
    assert not {"reconstruction_loss", "discriminator_loss"} & set(first["train"])
    # stage 2 hardly moves: what is kept is what stage 1 gave
    trunk = "encoder" if KINDS[kind].trunk == "encoder" else "cnn"
    given = weights_of_stage_1(one_pretraining, f"encoder/{trunk}_1_conv/kernel")
    kept = [
        value
        for name, value in weights_of(folder).items()
        if value.shape == given.shape and np.allclose(value, given, atol=1e-6)
    ]
    assert kept
    if kind == "cnn":  # learns nothing of their speech in stage 2
        assert rest[-1]["train"].keys() <= {
            "classification_loss",
            "emotion_loss",
            "emotion_accuracy",
        }


def test_of_all_kinds_two_stages_1_are_computed(one_pretraining):
    places = list((one_pretraining / "pretraining").iterdir())
    assert len([place for place in places if (place / "weights.npz").is_file()]) == 2


def weights_of_stage_1(runs, name):
    for path in (runs / "pretraining").rglob("weights.npz"):
        with np.load(path) as found:
            if name in found.files:
                return found[name]
    raise AssertionError(name)


def test_trained_in_bfloat16_a_run_is_scored_and_loaded_in_float32(config, store, tmp_path):
    """Its posteriors are those of the model that is saved."""
    training = replace(TRAINING, precision="mixed_bfloat16")
    wanted = replace(config, auxiliary=("other",), training=training)
    folder = train_and_evaluate(wanted, store, tmp_path)
    evaluate(folder)
    model, normalisation = load_trained(folder)
    assert {layer.compute_dtype for layer in model.encoder.layers} == {"float32"}
    data = assemble(wanted, store)
    trained = TrainedModel(wanted, folder, data, model, normalisation)
    posteriors, _ = trained.scorer(data.test).posteriors()
    scored = read_predictions(folder / "predictions.parquet")
    columns = [f"p_{name}" for name in data.target.classes]
    np.testing.assert_allclose(scored[columns], posteriors["emotion"], atol=1e-7)
    assert [row["stage"] for row in read_jsonl(folder / "epochs.jsonl")] == [1, 2, 2]
    assert folder.parent != run_folder(tmp_path, replace(wanted, training=TRAINING)).parent


def test_classes_are_balanced_by_their_share_of_the_training_part(config, store):
    data = assemble(config, store)
    shares = train._class_shares(data)
    # of 4 speakers and 2 takes each class has 8, anger 4
    np.testing.assert_allclose(shares["emotion"], [4 / 28, 8 / 28, 8 / 28, 8 / 28])
    assert list(shares) == ["emotion"]
    (part,) = data.train
    few = np.where(part.labels["emotion"] == 1, -1, part.labels["emotion"])
    unheard = replace(data, train=[replace(part, labels={"emotion": few})])
    # 4, 8, 8 and none, which has their mean: no margin for what is not there
    wanted = np.array([4, 20 / 3, 8, 8]) / (80 / 3)
    np.testing.assert_allclose(train._class_shares(unheard)["emotion"], wanted)
    none = replace(part, labels={"emotion": np.full_like(few, -1)})
    assert train._class_shares(replace(data, train=[none])) == {}


def test_no_pretraining_goes_straight_to_stage_two(config, store, tmp_path):
    training = replace(TRAINING, pretraining_epochs=0, epochs=1)
    straight = replace(config, training=training, model=CNN)
    before = set(ops.gradient_registry.list())
    folder = train_and_evaluate(replace(straight, auxiliary=("other",)), store, tmp_path)
    assert set(ops.gradient_registry.list()) == before, "its graphs are kept"
    assert [row["stage"] for row in read_jsonl(folder / "epochs.jsonl")] == [2]


@pytest.mark.parametrize("wanted", [True, False])
def test_determinism_is_asked_for_or_not(config, store, tmp_path, monkeypatch, wanted):
    asked = []
    monkeypatch.setattr(
        train.tf.config.experimental, "enable_op_determinism", lambda: asked.append(True)
    )
    training = replace(TRAINING, epochs=1, deterministic=wanted)
    changed = replace(config, training=training, model=CNN)
    train_and_evaluate(changed, store, tmp_path)
    assert bool(asked) == wanted


def test_a_damaged_shard_is_told_as_such(config, tmp_path):
    utterances = speakers_of("tiny")
    corpus = write_corpus(tmp_path / "store", utterances, sounds_of(utterances, 32))
    content = bytearray(corpus.shards[1].read_bytes())
    content[len(content) // 2] ^= 0xFF
    corpus.shards[1].write_bytes(content)
    with pytest.raises(UserError, match=r"a shard is damaged .*prepare the corpus again"):
        train_and_evaluate(config, tmp_path / "store", tmp_path / "runs")
    assert not list(tmp_path.rglob("result.json"))


@pytest.mark.parametrize("task", ["valence", "clusters-3"])
def test_a_dimension_as_the_primary_task(config, tmp_path, task):
    utterances = [
        replace(item, valence=1.0 + row % 4, activation=5.0 - row % 3)
        for row, item in enumerate(speakers_of("tiny"))
    ]
    write_corpus(tmp_path, utterances, sounds_of(utterances, 32))
    folder = train_and_evaluate(replace(config, task=task), tmp_path, tmp_path / "runs")
    assert folder.parent.parent.name == f"tiny-{task}-mtl-loso-session"
    result = evaluate(folder)
    assert len(result["classes"]) == 3
    stored = read_json(folder / "result.json")
    assert (stored["centroids"] is None) == (task == "valence")
    assert f"{task}_accuracy" in read_jsonl(folder / "epochs.jsonl")[0]["train"]
    with np.load(folder / "examples.npz") as examples:
        assert ("centroids" in examples) == (task == "clusters-3")


def test_the_rest_of_the_classes_is_mixed_in_by_its_share_and_changes_the_outcome(
    config, tiny_store, tmp_path, monkeypatch
):
    model, training = replace(MODEL, kind="cnn-mtl"), replace(TRAINING, epochs=1, batch_size=16)
    config = replace(config, classes="anger,happiness,neutral", model=model, training=training)
    asked = []

    def training_dataset(mixture, *others):
        asked.append([share.rows for share in mixture])
        return whole(mixture, *others)

    whole = stages.training_dataset
    monkeypatch.setattr(stages, "training_dataset", training_dataset)
    without = replace(config, data=replace(config.data, unlabelled_rest=False))
    fewer = replace(config, data=replace(config.data, auxiliary_ratio=0.1))
    runs = [train_and_evaluate(each, tiny_store, tmp_path) for each in (config, fewer, without)]
    (own, rest), few, none = asked
    assert (few, none) == ([14, 2], [16])
    assert own + rest == 16
    assert rest in (3, 4)  # a class of four, in windows of 64 frames
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


def test_a_set_number_of_labelled_rows_makes_all_kinds_equal_and_changes_the_outcome(
    config, store, tmp_path
):
    few = {"data.labelled_fraction": 0.25, "training.epochs": 1, "training.batch_size": 16}
    models = {
        "cnn": {**few, "model.kind": "cnn"},
        "cnn-mtl": {**few, "model.kind": "cnn-mtl", "auxiliary": ("other",)},
    }
    results, answers = {}, {}
    for rows in (0, 8):
        for kind, values in models.items():
            own = with_settings(config, {**values, "data.labelled_rows": rows})
            run = train_and_evaluate(own, store, tmp_path)
            results[kind, rows] = read_json(run / "result.json")
            answers[kind, rows] = read_predictions(run / "predictions.parquet").filter(like="p_")
    equal = [
        [results[kind, rows][name] for kind in models for name in ("updates", "labelled_rows")]
        for rows in (0, 8)
    ]
    assert equal[1][:2] == equal[1][2:]
    assert equal[1][1] == 8
    assert equal[0][:2] != equal[0][2:]
    assert equal[0][1] > 4 * equal[0][3]
    for kind in models:
        assert not answers[kind, 0].equals(answers[kind, 8])
    assert results["cnn", 8]["pretraining_updates"] == 0
    assert results["cnn-mtl", 8]["pretraining_updates"] > 0
