"""The model of a run: the weights that were scored, or a message."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from stored import forget_digests, read_unsealed, write_unsealed
from tiny import append, change_weights, poison

from ser_aae.batches.pipeline import evaluation_dataset, measure_normalisation
from ser_aae.config import DataConfig
from ser_aae.data.run_data import assemble
from ser_aae.errors import ModelError, UserError
from ser_aae.files.atomic import read_json
from ser_aae.inference.run_model import RunModel, load_trained
from ser_aae.inference.signature import read_signature
from ser_aae.results.complete_run import read_config
from ser_aae.results.model_files import remarks_on
from ser_aae.training.scoring import Scorer, score_tasks


@pytest.fixture
def copied(recorded_run, tmp_path):
    """A copy that may be changed."""
    return Path(shutil.copytree(recorded_run.folder, tmp_path / "fold00-rep00"))


def test_its_test_part_scores_as_in_the_run(recorded_run):
    config = read_config(recorded_run.folder)
    data = assemble(config, recorded_run.store)
    model, normalisation = load_trained(recorded_run.folder)
    dataset = evaluation_dataset(data.test, normalisation, config.data, 32)
    posteriors, _ = Scorer(model, dataset, data.test).posteriors()
    result = read_json(recorded_run.folder / "result.json")
    scores = score_tasks(posteriors, data.test, "emotion")
    assert scores["unweighted_accuracy"] == result["unweighted_accuracy"]
    assert scores["gender_accuracy"] == result["gender_accuracy"]


def test_the_normalisation_is_that_of_the_training_part(recorded_run):
    config = read_config(recorded_run.folder)
    data = assemble(config, recorded_run.store)
    _, found = load_trained(recorded_run.folder)
    wanted = measure_normalisation(data.train)
    np.testing.assert_array_equal(found.mean, wanted.mean)
    np.testing.assert_array_equal(found.deviation, wanted.deviation)
    assert isinstance(config.data, DataConfig)


def test_the_speakers_names_are_in_the_order_of_their_classes(recorded_run):
    config = read_config(recorded_run.folder)
    data = assemble(config, recorded_run.store)
    names = read_signature(recorded_run.folder).classes["speaker"]
    assert names == data.speakers
    (part,) = data.train
    for row in part.rows:
        number = part.labels["speaker"][row]
        assert names[number] == part.corpus.utterances[row].speaker


def test_weights_of_another_model_are_refused(copied):
    content = read_unsealed(copied / "config.json")
    content["model"]["filters"] = [8, 8]
    write_unsealed(copied / "config.json", content)
    with pytest.raises(UserError, match=r"best\.weights\.h5: expected the weights of the run's"):
        load_trained(copied)


CHANGES = {
    "scaled": lambda run: change_weights(run, lambda values: values * 1.01),
    "other sign": lambda run: change_weights(run, np.negative),
    "appended": lambda run: append(run / "best.weights.h5"),
    "cut": lambda run: (run / "best.weights.h5").write_bytes(b"cut"),
    "other mean": lambda run: shift_mean(run / "normalisation.json"),
}


def shift_mean(path):
    content = json.loads(path.read_text())
    content["mean"][3] += 1.0
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_changed_model_is_refused_by_the_name_of_its_file(copied, change):
    CHANGES[change](copied)
    name = "normalisation.json" if change == "other mean" else "best.weights.h5"
    with pytest.raises(UserError, match=rf"{name}: it is damaged, or was changed .*train the run"):
        RunModel(copied)


def test_a_run_before_digests_is_read_unchecked(copied):
    assert remarks_on(copied) == ()
    forget_digests(copied)
    assert remarks_on(copied) == (
        f"{copied}: made before digests of weights were kept: not checked",
    )
    CHANGES["appended"](copied)
    load_trained(copied)


@pytest.mark.parametrize("entry", ["x", {"best.weights.h5": 0}, ["best.weights.h5"]])
def test_digests_that_cannot_be_are_told(copied, entry):
    path = copied / "result.json"
    path.write_text(json.dumps(read_unsealed(path) | {"files_sha256": entry}))
    with pytest.raises(UserError, match=r"result\.json: .*files_sha256"):
        load_trained(copied)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_answer_that_is_no_number_names_the_model(copied, value):
    change_weights(copied, lambda values: poison(values, value))
    forget_digests(copied)
    model = RunModel(copied, d_vector=True)
    with pytest.raises(ModelError, match=r"fold00-rep00: output \w+ is .*train the run again"):
        model(np.full((1, 64, 32), -40.0, np.float32))


def test_a_weight_that_is_no_number_is_told_where_the_answer_hides_it(copied):
    """A ReLU may give 0 for NaN, so that the posteriors are numbers all the same."""
    with h5py.File(copied / "best.weights.h5", "r+") as file:
        found = []
        file.visititems(
            lambda name, item: (
                found.append(item) if "encoder" in name and hasattr(item, "shape") else None
            )
        )
        found[0][...] = np.full(found[0].shape, np.nan)
    forget_digests(copied)
    with pytest.raises(ModelError, match=r"fold00-rep00: (output|weights) .*train the run again"):
        RunModel(copied)(np.full((1, 64, 32), -40.0, np.float32))


def test_settings_that_do_not_go_together_name_the_config(copied):
    path = copied / "config.json"
    plain = read_unsealed(path)
    write_unsealed(path, plain | {"frontend": plain["frontend"] | {"bins": 36}})
    with pytest.raises(UserError, match=r"config\.json: frontend\.bins: expected a multiple of 8"):
        load_trained(copied)


def test_missing_weights_are_told(copied):
    (copied / "best.weights.h5").unlink()
    with pytest.raises(UserError, match=r"best\.weights\.h5: expected .*train the run again"):
        load_trained(copied)


def test_a_run_without_its_normalisation_is_told(copied):
    (copied / "normalisation.json").unlink()
    with pytest.raises(UserError, match=r"normalisation\.json: expected a file of a run"):
        load_trained(copied)


@pytest.mark.parametrize(
    "values",
    [
        {"mean": [0.0]},
        {"deviation": None},
        {"deviation": [0.0] * 32},
        {"mean": ["loud"] * 32},
        {"mean": [float("nan")] * 32},
        {"num_classes": []},
    ],
)
def test_a_damaged_normalisation_is_told_by_its_name(copied, values):
    path = copied / "normalisation.json"
    write_unsealed(path, read_unsealed(path) | values)
    with pytest.raises(UserError, match=r"normalisation\.json: .*train the run again"):
        load_trained(copied)
