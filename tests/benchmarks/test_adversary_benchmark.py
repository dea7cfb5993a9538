"""The benchmark of what an adversary does, on made-up epochs."""

import json

import numpy as np
import pytest

from benchmarks import adversary
from ser_aae.errors import UserError


@pytest.fixture
def experiment(tmp_path):
    """A function: name, folds, distances by epoch -> the words that name it."""

    def write(name, folds, distances):
        for fold in folds:
            run = tmp_path / name / f"fold{fold:02d}-rep00"
            run.mkdir(parents=True)
            (run / "config.json").write_text("{}")
            stage_one = {"stage": 1, "epoch": 0, "latent": {"mmd": 9.0}}
            rows = [stage_one] + [
                {
                    "stage": 2,
                    "epoch": epoch,
                    "latent": {"mean": 0.0, "variance": 1.0, "kurtosis": 3.0, "mmd": distance}
                    | ({"discriminator_accuracy": 0.9} if name == "with" else {}),
                    "validation": {"unweighted_accuracy": 0.5},
                }
                for epoch, distance in enumerate(distances)
            ]
            (run / "epochs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return f"{name}={tmp_path / name}"

    return write


def test_the_last_epochs_of_shared_folds_are_compared(experiment, tmp_path, capsys):
    words = [
        experiment("with", (0, 3), [0.4, 0.2, 0.1]),
        experiment("without", (0, 1, 3), [0.4, 0.5, 0.6]),
    ]
    picture = tmp_path / "a.png"
    assert adversary.main([*words, "--last", "2", "--picture", str(picture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines}
    assert rows["with"] == ["2", "0.000", "1.000", "3.000", "0.150", "0.900", "0.500"]
    assert rows["without"] == ["2", "0.000", "1.000", "3.000", "0.550", "nan", "0.500"]
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "said"),
    [(["runs"], "expected NAME=FOLDER"), (["a=nowhere"], "that all experiments have, found none")],
)
def test_mistakes_are_told(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert adversary.main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("offset", "least", "most"), [(0.0, 0.45, 0.55), (1.0, 0.9, 1.0)])
def test_a_classifier_tells_codes_that_are_not_of_the_prior(offset, least, most):
    codes = np.random.default_rng(1).normal(offset, size=(80, 4, 4, 8))
    speakers = np.repeat(["a", "b", "c", "d"], 20)
    assert least < adversary.tell_afterwards(codes, speakers) < most


def test_what_tells_one_speaker_from_the_prior_is_tried_on_others():
    codes = np.random.default_rng(1).normal(size=(80, 4, 4, 8))
    codes[:40] += 2.0
    codes[40:] -= 2.0
    # each half is far from the prior, on another side of it
    assert adversary.tell_afterwards(codes, np.repeat(["a", "b"], 40)) < 0.6


def test_the_codes_are_those_of_validation_speakers(recorded_run, capsys):
    config = json.loads((recorded_run.folder / "config.json").read_text())
    codes, speakers = adversary.encode_validation(recorded_run.folder, recorded_run.store)
    assert len(codes) == len(speakers) >= len(set(speakers)) > 0
    result = json.loads((recorded_run.folder / "result.json").read_text())
    assert len(set(speakers)) == result["leakage"]["speakers"]["validation"]
    assert codes.shape[-1] == config["model"]["latent_channels"]
    words = [f"run={recorded_run.folder}", "--store", str(recorded_run.store)]
    assert adversary.main(words) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[-2:] == ["told", "afterwards"]


def test_a_run_that_trains_still_is_refused(experiment, tmp_path):
    words = experiment("with", (0,), [0.4])
    with pytest.raises(UserError, match="trained to its end"):
        adversary.encode_validation(tmp_path / "with" / "fold00-rep00", tmp_path)
    assert adversary.main([words, "--store", str(tmp_path)]) == 2
