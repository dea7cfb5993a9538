"""`ser-aae export-manifest` and databases of audformat, through the command line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_aae.cli import main
from ser_aae.datasets import stored_name

RATE_HZ = 16000
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
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Run in an empty folder, with nothing set that a developer may have set."""
    for name in ("SER_AAE_DATA", "SER_AAE_STORE", "SER_AAE_RUNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def database():
    """Return the folder of a database that audformat itself has written, with nine speakers."""
    import audformat

    draw = np.random.default_rng(0)
    rows = [(f"{speaker}-{word}.flac", speaker, word) for speaker in SPEAKERS for word in EMOTIONS]
    folder = Path("meine daten")
    folder.mkdir()
    for file, _, word in rows:
        time_s = np.arange(int(0.7 * RATE_HZ)) / RATE_HZ
        tones = sum(np.sin(2 * np.pi * EMOTIONS[word] * n * time_s) / n for n in range(1, 9))
        noise = 0.001 * draw.normal(size=time_s.size)
        soundfile.write(folder / file, 0.1 * tones + noise, RATE_HZ)
    db = audformat.Database("mine", languages=["de"])
    speakers = {name: {"gender": "female" if name < "s5" else "male"} for name in SPEAKERS}
    db.schemes["emotion"] = audformat.Scheme("str", labels=list(EMOTIONS))
    db.schemes["speaker"] = audformat.Scheme("str", labels=speakers)
    db.schemes["arousal"] = audformat.Scheme("float", minimum=0, maximum=10)
    values = {"speaker": 1, "emotion": 2}
    db["emotion"] = audformat.Table(audformat.filewise_index([row[0] for row in rows]))
    for name, place in values.items():
        db["emotion"][name] = audformat.Column(scheme_id=name)
        db["emotion"][name].set([row[place] for row in rows])
    db["emotion"]["arousal"] = audformat.Column(scheme_id="arousal")
    db["emotion"]["arousal"].set([2.5] * len(rows))
    db.save(str(folder), storage_format="parquet")
    return folder


def run_alone(*words):
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", "ser_aae", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def refused(capsys, *words):
    code = main(list(map(str, words)))
    printed = capsys.readouterr()
    assert code == 2
    assert printed.err.startswith("ser-aae: error: ")
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.parametrize("form", ["csv", "audformat"])
def test_a_database_goes_out_and_comes_in_again(database, form):
    words = ["--dataset", f"audformat:{database}", "--format", form, "--out", "sub/out"]
    done = run_alone("export-manifest", *words)

    assert (done.returncode, done.stderr) == (0, "")
    first, *rest = done.stdout.splitlines()
    number, _, dataset = first.partition(" utterances: ")
    assert (number, rest) == ("36", [])
    expected = f"csv:sub/out/{stored_name(f'audformat:{database}')}.csv"
    assert dataset == (expected if form == "csv" else "audformat:sub/out")

    done = run_alone("prepare", "--dataset", dataset, "--set", "frontend.bins=32")
    assert done.returncode == 0, done.stderr
    assert f"{stored_name(dataset)}: 36 utterances of 9 speakers" in done.stdout


def test_what_it_writes_is_what_is_known(database):
    words = ["--dataset", f"audformat:{database}", "--format", "csv", "--out", "."]
    assert main(["export-manifest", *words]) == 0

    (path,) = Path().glob("*.csv")
    rows = pd.read_csv(path).set_index("file").to_dict("index")
    assert len(rows) == 36
    assert rows["meine daten/s5-Wut.flac"] == {
        "speaker": "s5",
        "gender": "M",
        "emotion": "anger",
        "activation": 2.0,
        "language": "deu",
        "emotion_raw": "Wut",
    }


def test_a_database_is_trained_on_with_one_speaker_left_out(database, capsys):
    settings = [word for setting in SMALL for word in ("--set", setting)]
    command = ["train", "--dataset", f"audformat:{database}", "--protocol", "loso", "--fold", "4"]
    code = main([*command, "--epochs", "1", *settings])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    folder = printed.out.splitlines()[-1]

    assert main(["evaluate", folder, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n"] == 4
    assert found["classes"] == ["anger", "happiness", "neutral", "sadness"]
    leakage = json.loads(Path(folder, "result.json").read_text())["leakage"]
    assert leakage["speaker_independent"] is True
    assert leakage["folds"] == 9


def test_an_incomplete_copy_needs_leave(database, capsys):
    (database / "s1-Wut.flac").unlink()
    words = ["export-manifest", "--dataset", f"audformat:{database}", "--format", "csv"]

    said = refused(capsys, *words, "--out", "out")
    assert "media files: expected 36, found 35" in said
    assert not Path("out").exists()

    assert main([*words, "--out", "out", "--allow-partial"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("35 utterances: csv:out/")
    assert printed[1] == "dropped 1: media file is not there"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "required: --dataset, --format, --out"),
        (["--dataset", "demo", "--format", "json", "--out", "x"], "expected a format (audformat,"),
        (["--dataset", "nobody", "--format", "csv", "--out", "x"], "got 'nobody'"),
        (["--dataset", "audformat", "--format", "csv", "--out", "x"], "audformat:DIR"),
        (["--dataset", "audformat:no", "--format", "csv", "--out", "x"], "found nothing"),
        (["--dataset", "demo", "--format", "csv", "--out", "x", "--data-root", "y"], "y/demo"),
    ],
)
def test_mistakes_are_explained(capsys, words, part):
    assert part in refused(capsys, "export-manifest", *words)
    assert not Path("x").exists()


@pytest.mark.parametrize("command", ["prepare", "train"])
def test_several_tables_are_listed_with_how_to_choose(database, capsys, command):
    header = database / "db.yaml"
    text = header.read_text()
    table = text[text.index("  emotion:\n    type:") :]
    header.write_text(text + table.replace("  emotion:\n    type", "  other:\n    type"))

    said = refused(capsys, command, "--dataset", f"audformat:{database}")

    assert f"audformat:{database}#emotion" in said
    assert f"audformat:{database}#other" in said


def test_the_list_of_corpora_has_both_that_lie_anywhere(capsys):
    assert main(["corpora", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}

    for name in ("csv:FILE", "audformat:DIR"):
        assert rows[name]["found"] is None
        assert rows[name]["location"] is None
    assert rows["demo"]["found"] is False

    assert main(["corpora"]) == 0
    assert "audformat:DIR: any database in audformat" in capsys.readouterr().out


def test_listing_corpora_brings_no_pandas_along():
    code = "import sys, ser_aae.cli\nser_aae.cli.main(['corpora'])\nprint('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
