"""`ser-aae predict` as it is typed."""

import csv
import errno
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_aae import progress
from ser_aae.cli import build_parser, main
from ser_aae.commands import predict
from ser_aae.inference.recogniser import Recogniser


@pytest.fixture
def model(recorded_run):
    return str(recorded_run.folder)


@pytest.fixture
def sad(recorded_run):
    return str(recorded_run.recordings / "00" / "sadness-0.wav")


@pytest.fixture
def silent(tmp_path):
    soundfile.write(tmp_path / "nothing.wav", np.zeros(16000), 16000)
    return str(tmp_path / "nothing.wav")


def test_people_get_per_cent_and_a_warning(model, sad, silent, capsys):
    assert main(["predict", model, sad, silent]) == 0
    printed = capsys.readouterr()
    assert "may not hold" in printed.err
    lines = [line for line in printed.out.splitlines() if "  odd: " not in line]  # a tone is odd
    assert lines[0].startswith(f"{sad}: ")
    assert lines[0].endswith(" s of it speech")
    assert [line.split()[0] for line in lines[1:4]] == ["emotion", "gender", "speaker"]
    shares = [float(word.strip(",")) for word in lines[1].split()[2::2]]
    assert sum(shares) == pytest.approx(100, abs=0.3)
    assert shares == sorted(shares, reverse=True)
    # of the speakers the likeliest three
    assert lines[3].count(",") == 2
    assert "tones:" not in lines[3]  # nor the name of their corpus in the store
    assert lines[4] == f"{silent}: 1.0 s, silence"


def test_a_folder_is_all_recordings_in_it(model, recorded_run, sad, tmp_path, capsys):
    place = tmp_path / "calls"
    for name in ("b.wav", "a/z.WAV", "a/.hidden.wav"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(Path(sad).read_bytes())
    for name in ("notes.txt", "a/list.csv"):
        (place / name).write_text("no sound")
    (place / "empty.wav").mkdir()
    (place / "empty").mkdir()

    assert main(["predict", model, str(place), sad, "--json"]) == 2
    printed = capsys.readouterr()
    rows = json.loads(printed.out)
    wanted = [str(place / name) for name in ("a/z.WAV", "b.wav", "empty.wav")]
    assert [row["file"] for row in rows] == [*wanted, sad]
    assert rows[0]["posteriors"] == rows[1]["posteriors"] == rows[3]["posteriors"]
    assert "expected an audio file, found a folder" in rows[2]["error"]
    told = "2 files are no recording by name and left out: a/list.csv, notes.txt"
    assert f"{place}: {told}" in printed.err
    assert "1 of 4 recordings could not be recognised" in printed.err


@pytest.mark.parametrize("locked", ["in", ""])
def test_a_folder_that_cannot_be_read_does_not_stop_the_others(
    model, sad, tmp_path, monkeypatch, capsys, locked
):
    place, scan = tmp_path / "calls", os.scandir
    (place / "in").mkdir(parents=True)
    shutil.copy(sad, place / "a.wav")

    def guarded(path):
        if Path(path) == place / locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    table = tmp_path / "a.csv"
    assert main(["predict", model, str(place), sad, "--csv", str(table)]) == 2
    printed = capsys.readouterr()
    answered = [place / "a.wav", sad] if locked else [sad]
    rows = pd.read_csv(table)
    assert rows["file"].tolist() == [*map(str, answered), str(place / locked)]
    assert rows["error"].notna().tolist() == [False] * len(answered) + [True]
    assert f"error: {place / locked}: the folder cannot be read (Permission denied)" in printed.err
    assert "move it away" in printed.err
    total = len(answered) + 1
    assert f"1 of {total} recordings and folders could not be recognised" in printed.err


def test_a_folder_without_a_recording_is_refused(model, tmp_path, refused):
    (tmp_path / "notes.txt").write_text("no sound")
    said = refused("predict", model, tmp_path)
    assert "expected recordings in it" in said
    assert "found none among 1 files" in said


def test_json_is_one_document_of_all_files(model, sad, silent, capsys):
    assert main(["predict", model, sad, silent, "--json", "--timeline", "0.5"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["file"] == sad
    assert sum(first["posteriors"]["emotion"].values()) == pytest.approx(1)
    assert first["best"]["emotion"] in first["posteriors"]["emotion"]
    assert [step["start_s"] for step in first["timeline"]][:2] == [0.0, 0.5]
    assert second["silent"] is True
    assert all(step["silent"] for step in second["timeline"])


def test_a_timeline_is_printed_a_line_a_step(model, sad, capsys):
    assert main(["predict", model, sad, "--timeline", "0.5"]) == 0
    steps = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  0:00:0")]
    assert steps[0].startswith("  0:00:00.0  ")
    assert steps[1].startswith("  0:00:00.5  ")
    assert all("silence" in step or ", " in step for step in steps)


def test_a_table_has_a_row_a_file_or_a_row_a_step(model, sad, silent, tmp_path, capsys):
    for words, rows in (([], 2), (["--timeline", "0.5"], None)):
        table = tmp_path / "out" / "a.csv"
        assert main(["predict", model, sad, silent, "--csv", str(table), *words]) == 0
        with table.open(newline="", encoding="utf-8") as stream:
            found = list(csv.DictReader(stream))
        assert len(found) == rows or (rows is None and len(found) > 3)
        emotions = [float(found[0][f"p_emotion_{name}"]) for name in ("anger", "sadness")]
        assert all(0 <= value <= 1 for value in emotions)
        assert (found[-1]["silent"], found[-1]["emotion"]) == ("True", "")
        assert ("p_speaker" in found[0]) == (rows == 2)
    capsys.readouterr()


def test_a_header_that_lies_is_told_beside_the_answer(model, sad, tmp_path, capsys):
    content = bytearray(Path(sad).read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = bytes(4)
    (tmp_path / "died.wav").write_bytes(content)

    assert main(["predict", model, sad, str(tmp_path / "died.wav")]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines.pop() == "  odd: the header states no length, read to the end of the file"
    half = len(lines) // 2  # the names of the files differ
    assert half > 3
    assert lines[1:half] == lines[half + 1 :]


def test_a_file_that_cannot_be_read_does_not_stop_the_others(model, sad, tmp_path, capsys):
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    words = [str(tmp_path / "broken.wav"), sad, "--csv", str(tmp_path / "a.csv")]
    assert main(["predict", model, *words]) == 2
    printed = capsys.readouterr()
    assert f"{sad}: " in printed.out
    assert "broken.wav: expected audio" in printed.err
    assert "1 of 2 recordings could not be recognised" in printed.err
    assert "broken.wav" in (tmp_path / "a.csv").read_text()


def test_a_fault_with_one_file_does_not_stop_the_others(
    model, sad, silent, tmp_path, capsys, monkeypatch
):
    recognise = Recogniser.recognise_file

    def fail(self, path, *more):
        if str(path) == silent:
            raise MemoryError("256 GiB")
        return recognise(self, path, *more)

    monkeypatch.setattr(Recogniser, "recognise_file", fail)
    assert main(["predict", model, silent, sad, "--json", "--csv", str(tmp_path / "a.csv")]) == 1
    printed = capsys.readouterr()
    first, second = json.loads(printed.out)
    assert first == {"file": silent, "error": f"{silent}: MemoryError: 256 GiB"}
    assert second["posteriors"]
    assert sad in (tmp_path / "a.csv").read_text()
    assert "a fault of this program" in printed.err


def test_a_missing_package_is_told_once(model, sad, silent, refused, monkeypatch):
    """As of a file that holds no bands, which librosa then computes."""

    def lack(*_):
        raise ModuleNotFoundError("No module named 'librosa'", name="librosa")

    monkeypatch.setattr(Recogniser, "recognise_file", lack)
    said = refused("predict", model, silent, sad)
    assert said.splitlines()[-1].endswith("pip install 'ser-aae[train]'")
    assert said.count("librosa") == 1


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(errno.ENOSPC, "no space left")])
def test_an_output_that_takes_no_more_is_no_fault_of_a_recording(
    model, sad, silent, monkeypatch, capsys, error
):
    """As `predict ... | head -1` has it: it ends there, and does not accuse what is left."""
    shown = []

    def refuse(text):
        shown.append(text)
        raise error

    monkeypatch.setattr(predict, "show_result", refuse)
    arguments = build_parser().parse_args(["predict", model, sad, silent])
    with pytest.raises(type(error)):
        arguments.run(arguments)
    assert len(shown) == 1
    assert "error" not in capsys.readouterr().err


def test_mistakes_are_one_line(model, sad, tmp_path, refused):
    assert "expected the folder of a run" in refused("predict", tmp_path, sad)
    said = refused("predict", model, sad, "--timeline", "0")
    assert "expected a step of 0.1 to 10 seconds, got 0" in said


@pytest.fixture
def call(recorded_run, tmp_path):
    """A call of two speakers, one on each channel, and the recordings of the two."""
    sides = [recorded_run.recordings / "00" / f"{name}-0.wav" for name in ("anger", "sadness")]
    sounds = [soundfile.read(path, dtype="float32") for path in sides]
    length = min(len(samples) for samples, _ in sounds)
    for number, (samples, rate_hz) in enumerate(sounds):
        sides[number] = tmp_path / f"{number}.wav"
        soundfile.write(sides[number], samples[:length], rate_hz, subtype="FLOAT")
    pair = np.stack([samples[:length] for samples, _ in sounds], axis=1)
    soundfile.write(tmp_path / "call.wav", pair, sounds[0][1], subtype="FLOAT")
    return str(tmp_path / "call.wav"), [str(path) for path in sides]


def rows_of(capsys, *words):
    assert main(["predict", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_each_channel_is_recognised_as_the_recording_that_it_is(model, call, capsys, tmp_path):
    path, sides = call
    alone = rows_of(capsys, model, *sides, "--timeline", "0.5")
    table = tmp_path / "a.csv"
    words = [path, "--channel", "each", "--timeline", "0.5", "--csv", str(table)]
    found = rows_of(capsys, model, *words)
    assert [row.pop("channel") for row in found] == [1, 2]
    for row, wanted in zip(found, alone, strict=True):
        assert row == wanted | {"file": path}
    (right,) = rows_of(capsys, model, path, "--channel", "right", "--timeline", "0.5")
    assert right == alone[1] | {"file": path, "channel": 2}
    (mixed,) = rows_of(capsys, model, path, "--channel", "mix")
    assert "channel" not in mixed
    assert mixed["posteriors"] not in (alone[0]["posteriors"], alone[1]["posteriors"])
    with table.open(newline="", encoding="utf-8") as stream:
        steps = list(csv.DictReader(stream))
    assert {step["channel"] for step in steps} == {"1", "2"}
    assert len(steps) == sum(len(row["timeline"]) for row in alone)
    assert main(["predict", model, path, "--channel", "each"]) == 0
    assert f"{path}, channel 2: " in capsys.readouterr().out


def test_a_channel_that_is_not_there_stops_no_other_recording(model, call, sad, capsys, refused):
    path, _ = call
    assert main(["predict", model, sad, path, "--channel", "2", "--json"]) == 2
    first, second = json.loads(capsys.readouterr().out)
    assert "expected a channel 2, found one channel" in first["error"]
    assert second["posteriors"]
    assert "expected a channel (mix, left" in refused("predict", model, path, "--channel", "up")


def test_antiphase_is_told_and_has_a_channel_to_take(model, sad, tmp_path, capsys):
    samples, rate_hz = soundfile.read(sad, dtype="float32")
    path = tmp_path / "antiphase.wav"
    soundfile.write(path, np.stack([samples, -samples], axis=1), rate_hz, subtype="FLOAT")
    assert main(["predict", model, str(path)]) == 0
    said = capsys.readouterr().out
    assert ", silence\n  odd: its 2 channels cancel each other" in said
    (wanted,) = rows_of(capsys, model, sad)
    (found,) = rows_of(capsys, model, str(path), "--channel", "left")
    assert found["best"] == wanted["best"]
    assert not any("cancel" in sentence for sentence in found["oddities"])


def test_what_is_odd_is_told_in_text_json_and_table(model, tmp_path, capsys):
    hum, table = tmp_path / "hum.wav", tmp_path / "a.csv"
    soundfile.write(hum, np.sin(np.arange(32000) * 2 * np.pi * 50 / 16000) / 5, 16000)
    assert main(["predict", model, str(hum), "--csv", str(table)]) == 0
    assert "  odd: no speech: its level stays within" in capsys.readouterr().out
    (row,) = rows_of(capsys, model, str(hum))
    (sentence,) = row["oddities"]
    with table.open(newline="", encoding="utf-8") as stream:
        assert [line["oddities"] for line in csv.DictReader(stream)] == [sentence]


def test_hours_are_told_as_such():
    assert predict._clock(3723.5) == "1:02:03.5"
    assert predict._clock(0) == "0:00:00.0"


def test_a_bar_is_for_people_alone(model, sad, capsys, monkeypatch):
    words = ["predict", model, sad, sad]
    assert main(words) == 0
    alone = capsys.readouterr()
    assert "predict:" not in alone.err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "REFRESH_S", 0.0)
    assert main(words) == 0
    told = capsys.readouterr()
    assert told.out == alone.out
    assert "1/2" in told.err
    assert f"{Path(sad).name} 0:00:" in told.err


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_person_at_a_terminal_is_told_of_the_loading(tmp_path, monkeypatch, capsys, is_terminal):
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal, raising=False)
    assert main(["predict", str(tmp_path / "none.onnx"), "a.wav"]) == 2
    said = capsys.readouterr().err
    assert ("none.onnx: importing its runtime takes longest" in said) is is_terminal
