"""A corpus nobody prepared for: 24 kHz, nine speakers, German words, brought as a CSV."""

import csv
import json

import numpy as np
import pytest
import soundfile

from ser_aae.cli import main

pytestmark = pytest.mark.usefixtures("few_steps")

RATE_HZ = 24000
EMOTIONS = {"Wut": 300.0, "Freude": 240.0, "neutral": 160.0, "Trauer": 120.0}
SPEAKERS = [f"s{number}" for number in range(1, 10)]
SMALL = (
    "model.filters=[4,4]",
    "model.latent_channels=4",
    "model.dense_units=[8,8]",
    "frontend.bins=32",
    "frontend.scale=linear",
    "data.segment_frames=64",
    "training.batch_size=8",
    "model.kind=cnn",
)


def speak(pitch_hz, draw):
    """Return 0.7 s of a buzzing tone."""
    time_s = np.arange(int(0.7 * RATE_HZ)) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * pitch_hz * n * time_s) / n for n in range(1, 12))
    return 0.1 * tones + 0.001 * draw.normal(size=time_s.size)


@pytest.fixture
def table(tmp_path):
    """Return a CSV beside FLAC files, with a column of its own and a label nobody knows."""
    draw = np.random.default_rng(0)
    folder = tmp_path / "meine aufnahmen"
    folder.mkdir()
    rows = []
    for place, speaker in enumerate(SPEAKERS):
        for word, pitch_hz in EMOTIONS.items():
            name = f"{speaker}-{word}.flac"
            soundfile.write(folder / name, speak(pitch_hz * (1 + place % 2), draw), RATE_HZ)
            rows.append([name, speaker, "w" if place % 2 else "m", word, "kalt"])
    rows[0][3] = "verwirrt"
    path = folder / "liste.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "speaker", "gender", "emotion", "raum"])
        writer.writerows(rows)
    return path


def test_trains_with_one_speaker_left_out(table, tmp_path, capsys):
    settings = [word for setting in SMALL for word in ("--set", setting)]
    command = ["train", "--dataset", f"csv:{table}", "--protocol", "loso", "--fold", "4"]
    command += ["--epochs", "1", "--store", str(tmp_path / "store")]
    code = main([*command, "--runs", str(tmp_path / "runs"), *settings])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    folder = printed.out.splitlines()[-1]
    assert "verwirrt" in printed.err

    assert main(["evaluate", folder, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n"] == 4
    assert found["classes"] == ["anger", "happiness", "neutral", "sadness"]
    with open(f"{folder}/result.json", encoding="utf-8") as file:
        leakage = json.load(file)["leakage"]
    assert leakage["speaker_independent"] is True
    assert leakage["folds"] == 9
    assert leakage["speakers"]["train"] == 7
    (test_speaker,) = leakage["speaker_names"]["test"]
    assert test_speaker.endswith(":s5")

    # a label that was mended after preparing is not overlooked
    table.write_text(table.read_text(encoding="utf-8").replace("verwirrt", "Wut"), encoding="utf-8")
    assert main([*command, "--runs", str(tmp_path / "others"), *settings]) == 2
    assert "have changed since" in capsys.readouterr().err


def test_a_second_table_of_the_same_recordings_is_refused_with_both_names(table, tmp_path, capsys):
    other = tmp_path / "voices"
    other.mkdir()
    rows = ["file,speaker,gender,emotion"]
    for number, path in enumerate(sorted(table.parent.glob("*.flac"))):
        samples, rate_hz = soundfile.read(path, dtype="int16")
        soundfile.write(other / f"{number}.wav", samples, rate_hz)
        rows.append(f"{number}.wav,{number % 5},f,")
    (other / "voices.csv").write_text("\n".join(rows))
    (tmp_path / "mine.yaml").write_text(f"auxiliary: ['csv:{other / 'voices.csv'}']\n")
    settings = [word for setting in SMALL for word in ("--set", setting)]
    settings[settings.index("model.kind=cnn")] = "model.kind=mtl"
    command = ["train", "--dataset", f"csv:{table}", "--protocol", "loso", "--fold", "4"]
    command += ["--store", str(tmp_path / "store"), "--runs", str(tmp_path / "runs")]
    assert main([*command, "--config", str(tmp_path / "mine.yaml"), *settings]) == 2
    said = capsys.readouterr().err
    assert "hold the same recording" in said
    assert "liste-" in said
    assert "voices-" in said
    assert not list(tmp_path.glob("runs/*/*/*/config.json"))
