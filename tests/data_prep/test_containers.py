"""Containers that libsndfile does not know: corpora are read by ffmpeg as `predict` reads them."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import give, noise, put_ffmpeg, read_mono

from data_prep.build import prepare
from data_prep.corpus_check import check_corpus
from data_prep.listing import write_listing
from data_prep.sound_digests import digest_samples
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.frontend.blocks import file_blocks
from ser_aae.store.corpus import load_corpus

FRONTEND = FrontEndConfig()
ROWS = "file,speaker,gender,emotion,start,end\n{0},anna,f,anger,0,1\n{0},anna,f,joy,1,2.5\n"


def listed(folder, path):
    (folder / "table.csv").write_text(ROWS.format(path.name), encoding="utf-8")
    return f"csv:{folder / 'table.csv'}"


def test_a_corpus_is_read_as_predict_reads_it(tmp_path, monkeypatch):
    sound = noise(2.5).astype(np.float32)
    count = f"open({str(tmp_path / 'calls')!r}, 'a').write('x')\n"
    path = put_ffmpeg(tmp_path, monkeypatch, give(tmp_path, sound, count))
    dataset = listed(tmp_path, path)

    report = check_corpus(dataset, tmp_path)
    folder = prepare(dataset, tmp_path, tmp_path / "store", FRONTEND).folder
    (block,) = file_blocks(path, 16000)

    assert report["ok"]
    assert (report["sampling_rates_hz"], report["channels"]) == ({"16000": 1}, {"1": 1})
    stored = load_corpus(tmp_path / "store", folder.name.rpartition("-")[0], FRONTEND)
    first, second = (item.sound for item in stored.utterances)
    assert first.samples == digest_samples([block.signal[:16000]], 16000)
    assert second.samples == digest_samples([block.signal[16000:]], 16000)
    assert first.file == second.file == digest_samples([sound], 16000)
    assert len((tmp_path / "calls").read_text()) == 2  # once for the parts of a file, once here
    write_listing(dataset, tmp_path, tmp_path / "listed", FRONTEND)
    (manifest,) = (tmp_path / "listed").glob("*/utterances.jsonl")
    assert manifest.read_text().count("num_frames") == 2


def test_a_decoded_part_is_not_that_of_the_next_one(tmp_path, monkeypatch):
    path = put_ffmpeg(tmp_path, monkeypatch, give(tmp_path, noise(1.0)))

    first, _ = read_mono(path, 0.0, 0.5)
    first[:] = 0

    assert read_mono(path)[0].any()
    with pytest.raises(UserError, match=r"found no sample between 2\.0 s"):
        read_mono(path, 2.0, 3.0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "install ffmpeg to read other containers"),
        ("sys.exit('moov')", "nor ffmpeg reads it"),
    ],
    ids=["absent", "fails"],
)
def test_all_commands_say_the_same_of_what_is_not_read(tmp_path, monkeypatch, body, reason):
    path = put_ffmpeg(tmp_path, monkeypatch, body or "")
    if body is None:
        monkeypatch.setenv("PATH", str(tmp_path))
    dataset = listed(tmp_path, path)

    for read in (
        lambda: list(file_blocks(path, 16000)),
        lambda: prepare(dataset, tmp_path, tmp_path / "store", FRONTEND),
    ):
        with pytest.raises(UserError, match=reason) as caught:
            read()
        assert str(caught.value).count(reason) == 1
    first, _ = check_corpus(dataset, tmp_path)["unreadable"]
    assert reason in first["reason"]


def test_a_channel_of_what_ffmpeg_mixes_is_refused(tmp_path, monkeypatch):
    path = put_ffmpeg(tmp_path, monkeypatch, give(tmp_path, noise(1.0)))
    table = f"file,speaker,gender,emotion,channel\n{path.name},anna,f,anger,left\n"
    (tmp_path / "table.csv").write_text(table, encoding="utf-8")
    dataset = f"csv:{tmp_path / 'table.csv'}"

    with pytest.raises(UserError, match="whose channels ffmpeg mixes"):
        prepare(dataset, tmp_path, tmp_path / "store", FRONTEND)
    (row,) = check_corpus(dataset, tmp_path)["unreadable"]
    assert "whose channels ffmpeg mixes" in row["reason"]


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg is installed")
@pytest.mark.parametrize("name", ["a.m4a", "a.webm", "a.wma", "a.mkv"])
def test_the_real_ffmpeg_reads_a_corpus_and_refuses_what_was_cut(tmp_path, name):
    soundfile.write(tmp_path / "a.wav", noise(2.5), 16000)
    order = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", tmp_path / name]
    subprocess.run(order, check=True, timeout=60)
    dataset = listed(tmp_path, Path(name))

    assert check_corpus(dataset, tmp_path)["ok"]
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    assert len(check_corpus(dataset, tmp_path)["unreadable"]) == 2
