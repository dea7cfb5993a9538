"""Runs on a table that was named by a relative path, from another folder."""

import json
import shlex

import numpy as np
import pytest
import soundfile

from ser_aae.cli import main
from ser_aae.config import TABLES, RunConfig
from ser_aae.config.build import build_config
from ser_aae.config.datasets import record_tables, stored_name
from ser_aae.errors import UserError
from ser_aae.inference.signature import read_config
from ser_aae.results.folder import run_folder

pytestmark = pytest.mark.usefixtures("few_steps")

SMALL = (
    "model.filters=[4,4]", "model.latent_channels=4", "model.dense_units=[8,8]",
    "frontend.bins=32", "frontend.scale=linear", "data.segment_frames=64",
    "training.batch_size=8", "training.epochs=1", "model.kind=cnn-mtl",
)  # fmt: skip
RATE_HZ = 16000


def write_table(folder):
    """Write recordings of five speakers, and `Calls.csv` that lists them."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    rows = ["file,speaker,gender,emotion"]
    for speaker in range(5):
        for pitch_hz, word in ((300, "angry"), (160, "neutral")):
            time_s = np.arange(int(0.7 * RATE_HZ)) / RATE_HZ
            tone = sum(np.sin(2 * np.pi * pitch_hz * n * time_s) / n for n in range(1, 9))
            name = f"{speaker}-{word}.wav"
            soundfile.write(
                folder / name, 0.1 * tone + 0.001 * draw.normal(size=len(tone)), RATE_HZ
            )
            rows.append(f"{name},{speaker},{'fm'[speaker % 2]},{word}")
    (folder / "Calls.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture
def there(tmp_path, monkeypatch):
    """Return the folder of a table, where one stands."""
    write_table(tmp_path / "there")
    monkeypatch.chdir(tmp_path / "there")
    return tmp_path / "there"


@pytest.fixture
def elsewhere(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def test_a_run_works_from_another_folder(there, elsewhere, capsys, monkeypatch):
    settings = [word for setting in SMALL for word in ("--set", setting)]
    places = ["--store", str(there / "store"), "--runs", str(there / "runs")]
    command = ["train", "--dataset", "csv:Calls.csv", "--protocol", "loso", "--classes"]
    assert main([*command, "anger,neutral", *places, *settings]) == 0
    run = capsys.readouterr().out.splitlines()[-1]

    monkeypatch.chdir(elsewhere)
    assert main(["evaluate", run]) == 0
    assert main(["predict", run, str(there / "0-angry.wav")]) == 0
    capsys.readouterr()
    assert main(["train", "--config", f"{run}/config.json", *places]) == 0
    printed = capsys.readouterr()
    assert "complete already" in printed.err
    assert printed.out.splitlines()[-1] == run
    assert main(["card", run]) == 0
    card = capsys.readouterr().out
    assert "| Calls | your own recordings, listed in a CSV file | yours |" in card
    assert str(there) not in card

    out = ["--format", "keras", "--out", "model.keras", "--store", str(there / "store")]
    assert main(["export", run, *out]) == 0
    out[3] = "heard.keras"
    assert main(["export", run, *out, "--input", "waveform"]) in (0, 2)
    assert "expected a prepared" not in capsys.readouterr().err

    # the advice of an error works from here too
    assert main(["export", run, *out[:-1], "another"]) == 2
    advice = capsys.readouterr().err.split("run: ")[1].strip()
    assert advice == f"ser-aae prepare --dataset csv:{there}/Calls.csv --store another"
    front_end = [word for text in SMALL[3:5] for word in ("--set", text)]
    assert main([*shlex.split(advice)[1:], *front_end]) == 0
    assert main(["export", run, *out[:-1], "another"]) == 0


def test_the_name_of_a_table_is_written_down_once(there, elsewhere, monkeypatch):
    config = build_config(assignments=["dataset=csv:Calls.csv", "auxiliary=URDU,csv:Calls.csv"])
    name = stored_name("csv:Calls.csv")
    file = elsewhere / "config.json"
    file.write_text(json.dumps(config.to_record()))
    monkeypatch.chdir(elsewhere)
    again = build_config(file=file)
    assert again == config
    assert again.stored_name("csv:Calls.csv") == again.stored_name(name) == name
    assert again.source("csv:Calls.csv") == again.source(name) == f"csv:{there}/Calls.csv"
    assert run_folder(there, again) == run_folder(there, config)
    # what is named anew is meant from here
    anew = build_config(file=file, assignments=["dataset=csv:Calls.csv"])
    assert anew.stored_name("csv:Calls.csv") == stored_name("csv:Calls.csv") != name


def test_a_record_is_no_setting(there):
    config = build_config(assignments=["dataset=csv:Calls.csv"])
    assert config.digest() == RunConfig(dataset="csv:Calls.csv").digest()
    assert TABLES not in config.to_dict()
    assert RunConfig().to_record() == RunConfig().to_dict()
    with pytest.raises(UserError, match="no such setting"):
        build_config(assignments=[f"{TABLES}=x"])


def test_what_runs_of_before_say_of_their_corpora_names_a_table(there, elsewhere, monkeypatch):
    name = stored_name("csv:Calls.csv")
    plain = RunConfig(dataset="csv:Calls.csv").to_dict() | {"corpora": {name: "0", "urdu": "1"}}
    for folder in (there, elsewhere):
        (folder / "config.json").write_text(json.dumps(plain))
        (folder / "result.json").write_text("{}")
    assert read_config(there).source(name) == f"csv:{there}/Calls.csv"
    monkeypatch.chdir(elsewhere)
    config = read_config(elsewhere)
    assert config.stored_name("csv:Calls.csv") == name
    with pytest.raises(UserError, match="named from another folder"):
        config.source("csv:Calls.csv")


def test_a_database_is_found_again(tmp_path, elsewhere, monkeypatch):
    (tmp_path / "db#1").mkdir()
    monkeypatch.chdir(tmp_path)
    given = ["audformat:db#1#emotion", "audformat:db#1#", "audformat:db#1#emotion"]
    one, two = record_tables([*given, "ravdess"])
    monkeypatch.chdir(elsewhere)
    assert (stored_name(one.source), stored_name(two.source)) == (one.name, two.name)


def test_a_file_with_other_tables_is_refused(tmp_path):
    (tmp_path / "mine.yaml").write_text("dataset: demo\ntables: [x]\n")
    with pytest.raises(UserError, match=r"mine\.yaml: tables: expected given, name and source"):
        build_config(file=tmp_path / "mine.yaml")
