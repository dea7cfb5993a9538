"""The benchmark of what an adversary does, on made-up epochs."""

import json

import pytest

from benchmarks import adversary


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
