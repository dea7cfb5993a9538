"""The paper's corpora through the whole command line, from synthetic copies to a scored run."""

import os

import pytest
from processes import run_here
from stored import read_unsealed

from ser_aae.results.evaluation import evaluate
from ser_aae.results.predictions import read_predictions
from ser_aae.store.corpus import MANIFEST

pytestmark = pytest.mark.usefixtures("few_steps")

FRONTEND = "--set frontend.bins=32"
TINY = f"{FRONTEND} " + " ".join(
    f"--set {setting}"
    for setting in (
        "data.segment_frames=64",
        "data.evaluation_shift_frames=64",
        "model.filters=4,4",
        "model.latent_channels=4",
        "model.classifier_filters=4",
        "model.dense_units=8,8",
        "training.pretraining_epochs=1",
        "training.batch_size=128",
    )
)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A function that runs a command in a folder of its own, with nothing set from outside."""
    folder = tmp_path_factory.mktemp("work")

    def run(words, code=0):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            for name in [name for name in os.environ if name.startswith("SER_AAE_")]:
                patch.delenv(name)
            done = run_here(*words.split())
        assert done.returncode == code, done.stderr
        return done

    run.folder = folder
    return run


def outcome(work, done):
    """Return the result and the config of the run that a training's last line names."""
    folder = work.folder / done.stdout.splitlines()[-1]
    return folder, *(read_unsealed(folder / name) for name in ("result.json", "config.json"))


@pytest.fixture(scope="module")
def msp(work):
    """MSP-IMPROV by another of its names: refused as incomplete, then prepared, then trained on."""
    work("synthesise --dataset msp --speakers 6")
    refused = work(f"prepare --dataset msp-improv {FRONTEND}", code=2)
    prepared = work(f"prepare --dataset msp-improv --allow-partial {FRONTEND}")
    trained = work(f"train --dataset msp --model cnn --protocol loso-session --epochs 1 {TINY}")
    return refused, prepared, trained


def test_an_incomplete_copy_is_refused_with_both_counts(msp):
    refused, _, _ = msp

    assert "this copy of msp is not the complete one" in refused.stderr
    assert "speakers: expected 12, found 6" in refused.stderr
    assert "--allow-partial" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_what_is_prepared_is_told_and_not_prepared_again(msp, work):
    _, prepared, trained = msp

    (folder,) = (work.folder / "store").glob("msp-*")
    counts = read_unsealed(folder / MANIFEST)["counts"]
    assert counts["speakers"] == 6
    assert f"msp: {counts['utterances']} utterances of 6 speakers" in prepared.stdout
    assert "already prepared" not in trained.stderr
    assert "msp: " not in trained.stderr


def test_msp_is_trained_on_and_tested_on_a_session_of_its_own(msp, work):
    folder, result, config = outcome(work, msp[2])

    assert folder.parent.parent.name == "msp-emotion-cnn-loso-session"
    assert (config["dataset"], config["auxiliary"]) == ("msp", [])
    assert result["n"] == evaluate(folder)["n"] > 0
    assert result["unweighted_accuracy"] == pytest.approx(evaluate(folder)["unweighted_accuracy"])
    tested = read_predictions(folder / "predictions.parquet")["speaker"]
    assert set(tested) == {"msp:F01", "msp:M01"}


def test_iemocap_is_trained_on_with_librispeech(work):
    work("synthesise --dataset iemocap --speakers 6")
    work("synthesise --dataset librispeech --speakers 3")

    done = work(
        "train --dataset iemocap --auxiliary librispeech --protocol loso-session --epochs 1 "
        f"--allow-partial --max-speakers 2 {TINY}"
    )

    folder, result, config = outcome(work, done)
    assert (config["dataset"], config["auxiliary"]) == ("iemocap", ["librispeech"])
    assert config["data"]["auxiliary_speakers"] == 2
    for told in ("iemocap: ", "librispeech: ", "stage 1 epoch 1/1", "stage 2 epoch 1/1"):
        assert told in done.stderr
    stored = {path.name.partition("-")[0] for path in (work.folder / "store").iterdir()}
    assert {"iemocap", "librispeech"} <= stored
    assert result["n"] > 0
    assert (folder / "predictions.parquet").is_file()
