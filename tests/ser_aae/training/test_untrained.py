"""A classifier that no label trained: told once, and no line of its own anywhere after that."""

from dataclasses import replace

import numpy as np
import pytest
from sounds import noise
from stored import read_unsealed, write_unsealed
from tiny import DATA, FRONTEND, MODEL, sounds_of, speakers_of, write_corpus

from reports.card import build_card
from ser_aae.config import ProtocolConfig, RunConfig, TrainingConfig
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.export.exporter import Choice, export
from ser_aae.inference.recogniser import Recogniser
from ser_aae.results.complete_run import read_classes, read_config
from ser_aae.results.folder import NORMALISATION, RESULT, read_epochs, read_result
from ser_aae.results.predictions import read_predictions
from ser_aae.training.run import train_and_evaluate

CONFIG = RunConfig(
    dataset="nameless",
    protocol=ProtocolConfig(name="loso-session"),
    frontend=FRONTEND,
    data=DATA,
    model=replace(MODEL, dense_units=(4, 4)),
    training=replace(TrainingConfig(), epochs=1, batch_size=64),
)
pytestmark = pytest.mark.usefixtures("few_steps")

WARNING = "no training utterance has a label of gender"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store in which the genders of those who train are not known, and others are."""
    place = tmp_path_factory.mktemp("store")
    trained = ("04", "05", "06", "07")
    utterances = [
        replace(item, gender="unknown") if item.speaker.endswith(trained) else item
        for item in speakers_of("nameless")
    ]
    write_corpus(place, utterances, sounds_of(utterances, 32))
    others = [replace(item, emotion="", session="") for item in speakers_of("other")]
    write_corpus(place, others, sounds_of(others, 32))
    return place


@pytest.fixture(scope="module")
def trained(store, tmp_path_factory):
    """Return the folder of a run, and what was shown while it was trained."""
    shown = []
    folder = train_and_evaluate(CONFIG, store, tmp_path_factory.mktemp("runs"), shown.append)
    return folder, shown


def test_it_is_told_once(trained):
    folder, shown = trained
    assert sum(WARNING in line for line in shown) == 1
    assert sum(WARNING in sentence for sentence in read_result(folder)["warnings"]) == 1


def test_no_figure_is_of_it(trained):
    folder, _ = trained
    assert read_predictions(folder / "predictions.parquet")["gender_predicted"].isna().all()
    assert read_result(folder)["gender_accuracy"] is None
    assert not any("gender_accuracy" in row["validation"] for row in read_epochs(folder))
    card = build_card(folder, {})
    assert "* emotion: " in card
    assert "* gender: " not in card
    assert "gender accuracy" not in card


def test_no_recording_is_given_a_gender(trained):
    folder, _ = trained
    assert read_unsealed(folder / NORMALISATION)["untrained"] == ["gender"]
    assert read_unsealed(folder / NORMALISATION)["num_classes"]["gender"] == 2
    found = Recogniser.load(folder)(noise(1.0), 16000, timeline_seconds=0.5)
    assert list(found.posteriors) == ["emotion", "speaker"]
    assert all(list(moment.posteriors) == ["emotion"] for moment in found.timeline)


def test_an_export_has_no_output_of_it(trained, store, tmp_path):
    folder, _ = trained
    file = tmp_path / "model.keras"
    export(folder, Choice("keras", tolerance=100), file, store, lambda: tmp_path)
    recogniser = Recogniser.load(file)
    assert list(recogniser.signature.classes) == ["emotion", "speaker"]
    wanted = Recogniser.load(folder)(noise(1.0), 16000).posteriors
    found = recogniser(noise(1.0), 16000).posteriors
    assert list(found) == list(wanted)
    for task in wanted:
        np.testing.assert_allclose(
            list(found[task].values()), list(wanted[task].values()), atol=1e-5
        )


def test_auxiliary_speakers_of_known_gender_train_it(store):
    assert assemble(CONFIG, store).untrained == ("gender",)
    assert assemble(replace(CONFIG, auxiliary=("other",)), store).untrained == ()
    alone = replace(CONFIG, model=replace(CONFIG.model, kind="cnn"))
    assert assemble(alone, store).untrained == ()


def test_a_run_of_before_is_read_as_it_was(trained, tmp_path):
    import shutil

    folder, _ = trained
    old = shutil.copytree(folder, tmp_path / "fold00-rep00")
    measured = read_unsealed(old / NORMALISATION)
    names = list(read_classes(folder, read_config(folder)))
    assert names == ["emotion", "speaker"]
    del measured["untrained"]
    write_unsealed(old / NORMALISATION, measured)
    assert list(read_classes(old, read_config(old))) == ["emotion", "gender", "speaker"]
    write_unsealed(old / NORMALISATION, measured | {"untrained": ["emotion"]})
    with pytest.raises(UserError, match=r"normalisation\.json: it is damaged"):
        read_classes(old, read_config(old))
    assert (old / RESULT).is_file()
