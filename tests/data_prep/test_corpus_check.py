"""Reading a corpus whole: counts, sound, and sound that is there twice."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from corpus_layouts import csv as csv_layout
from corpus_layouts import ravdess as ravdess_layout
from corpus_layouts.sound import write_padded_wav, write_tone

from data_prep import corpus_check
from data_prep.corpus_check import check_corpus
from ser_aae import progress
from ser_aae.errors import UserError

RATE_HZ = 16000


def noise(seconds, seed=0):
    """Return noise in steps of 16-bit sound, so that a file holds exactly these samples."""
    samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE_HZ))
    return np.round(samples * 2**15) / 2**15


@pytest.fixture
def corpus(tmp_path):
    """Return a function that writes sounds as a CSV corpus and verifies it.

    A sound is samples, bytes, or a function that writes the file; a name is its speaker too,
    up to the first dash.
    """

    def write(**sounds):
        rows = ["file,speaker,gender,emotion"]
        for name, sound in sounds.items():
            path = tmp_path / (name.replace("_flac", ".flac") if "_flac" in name else f"{name}.wav")
            if callable(sound):
                sound(path)
            elif isinstance(sound, bytes):
                path.write_bytes(sound)
            else:
                soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
            rows.append(f"{path.name},{name[0]},f,anger")
        (tmp_path / "table.csv").write_text("\n".join(rows))
        return check_corpus(f"csv:{tmp_path / 'table.csv'}", tmp_path)

    return write


# counts and labels


def test_counts_stand_beside_what_a_complete_copy_has(tmp_path):
    report = check_corpus(ravdess_layout.write(tmp_path), tmp_path)
    rows = {row["what"]: row for row in report["counts"]}

    assert not report["ok"]
    assert rows["utterances"] == {
        "what": "utterances", "expected": 1440, "found": 4, "ok": False
    }  # fmt: skip
    assert rows["utterances of sadness"]["found"] == 0
    assert report["classes"] == {"anger": 1, "calm": 1, "neutral": 1, "surprise": 1}
    assert sorted(len(row["where"]) for row in report["dropped"]) == [1, 1, 1, 1]


def test_counts_as_expected_are_ok(tmp_path, monkeypatch):
    monkeypatch.setattr("data_prep.corpora.ravdess.EXPECTED", {"utterances": 4, "speakers": 2})

    report = check_corpus(ravdess_layout.write(tmp_path), tmp_path)

    assert report["ok"]
    assert [row["expected"] for row in report["counts"]] == [4, 2, None, None, None, None]


def test_what_nobody_expects_is_counted_and_is_no_difference(tmp_path):
    report = check_corpus(csv_layout.write(tmp_path), tmp_path)

    assert report["ok"]
    assert {row["expected"] for row in report["counts"]} == {None}
    assert report["classes"] == {"anger": 1, "neutral": 1, "puzzled": 1, "unlabelled": 1}
    assert report["unknown_labels"] == ["puzzled"]
    anna, bert = report["speakers"]
    # the table says f twice, and nothing once
    assert (anna["gender"], anna["utterances"]) == ("F and unknown", 3)
    assert (bert["gender"], bert["emotions"]) == ("M", {"anger": 1})


def test_the_report_is_plain_values(tmp_path):
    report = check_corpus(csv_layout.write(tmp_path), tmp_path)

    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_absent_files_are_listed_and_cost_no_other(corpus):
    report = corpus(a=noise(1.0), b=lambda path: None, c=lambda path: path.mkdir())

    assert not report["ok"]
    assert [(row["file"], row["reason"].split(";")[0]) for row in report["unreadable"]] == [
        ("b.wav", "expected an audio file, found none"),
        ("c.wav", "expected an audio file, found a folder"),
    ]
    assert report["sampling_rates_hz"] == {"16000": 1}


# sound


def test_rates_and_channels_are_of_files_and_durations_of_utterances(tmp_path):
    report = check_corpus(csv_layout.write(tmp_path), tmp_path)

    # three files of 0.2 s, one of them in two halves
    assert report["sampling_rates_hz"] == {"24000": 3}
    assert report["channels"] == {"1": 3}
    durations = report["durations"]
    assert (durations["min_s"], durations["median_s"], durations["max_s"]) == (0.1, 0.15, 0.2)
    assert durations["hours"] == pytest.approx(0.6 / 3600, abs=1e-4)


def test_stereo_and_other_rates_are_told_from_the_headers(tmp_path):
    report = check_corpus(ravdess_layout.write(tmp_path), tmp_path)

    assert report["sampling_rates_hz"] == {"48000": 4}
    assert report["channels"] == {"1": 3, "2": 1}


def test_what_cannot_be_read_is_listed_with_its_reason(corpus, tmp_path):
    write_tone(tmp_path / "whole.wav", seconds=1.0)
    content = (tmp_path / "whole.wav").read_bytes()

    report = corpus(
        a=noise(1.0),
        b=b"",
        c=content[:9000],
        d=b"version https://git-lfs.github.com/spec/v1\n",
        e=lambda path: path.write_bytes(b"no sound at all"),
    )

    assert not report["ok"]
    assert all(row["ok"] for row in report["counts"])
    reasons = {row["file"]: row["reason"] for row in report["unreadable"]}
    assert list(reasons) == ["b.wav", "c.wav", "d.wav", "e.wav"]
    assert "zero bytes" in reasons["b.wav"]
    assert "cut short" in reasons["c.wav"]
    assert "git lfs pull" in reasons["d.wav"]
    assert re.search("found text|neither libsndfile nor ffmpeg", reasons["e.wav"])
    assert not any(str(tmp_path) in reason for reason in reasons.values())
    assert report["durations"] == {"hours": 0.0003, "min_s": 1.0, "median_s": 1.0, "max_s": 1.0}


def test_a_pipe_among_the_recordings_is_listed(tmp_path):
    dataset = ravdess_layout.write(tmp_path)
    path = next(tmp_path.rglob("Actor_02/03-01-*.wav"))
    path.unlink()
    os.mkfifo(path)

    (row,) = check_corpus(dataset, tmp_path)["unreadable"]

    assert row["file"].endswith(path.name)
    assert "found a pipe, a device or a socket" in row["reason"]


def test_a_corpus_of_which_nothing_can_be_read_has_no_sound(corpus):
    report = corpus(a=b"", b=b"")

    assert not report["ok"]
    assert report["durations"] == {"hours": 0.0, "min_s": 0.0, "median_s": 0.0, "max_s": 0.0}
    assert (report["channels"], report["duplicates"], report["overlaps"]) == ({}, [], [])


# sound that is there twice


def test_the_same_samples_are_the_same_whatever_the_file(corpus):
    report = corpus(a=noise(1.0), b=noise(1.0, seed=1), c=noise(0.9), c_flac=noise(1.0))

    assert [row["utterances"] for row in report["duplicates"]] == [["a.wav", "c.flac"]]
    (speakers,) = [row["speakers"] for row in report["duplicates"]]
    assert [name.partition(":")[2] for name in speakers] == ["a", "c"]
    assert report["ok"], "it is told, but a copy of the corpus is no less complete for it"


def test_metadata_around_the_samples_does_not_count_but_the_rate_does(corpus, tmp_path):
    def again(rate_hz):
        def write(path):
            soundfile.write(path, soundfile.read(tmp_path / "a.wav", dtype="int16")[0], rate_hz)

        return write

    report = corpus(
        a=lambda path: write_padded_wav(path, rate_hz=RATE_HZ), b=again(RATE_HZ), c=again(8000)
    )

    assert (tmp_path / "a.wav").stat().st_size > (tmp_path / "b.wav").stat().st_size + 4000
    assert [row["utterances"] for row in report["duplicates"]] == [["a.wav", "b.wav"]]
    assert report["sampling_rates_hz"] == {"8000": 1, "16000": 2}


def test_overlaps_are_told_with_their_speakers_and_length(corpus):
    recording = noise(4.0)

    report = corpus(
        a=recording[:40000],
        b=np.concatenate([noise(0.3, seed=6), recording[16000:48000]]),
        c=recording[:40000],
    )

    rows = {tuple(row["utterances"]): row for row in report["overlaps"]}
    # a and c are one sound, and listed as such alone
    assert rows.keys() == {("a.wav", "b.wav"), ("b.wav", "c.wav")}
    assert rows["a.wav", "b.wav"]["seconds"] == pytest.approx(1.5, abs=0.1)
    assert [name[-2:] for name in rows["b.wav", "c.wav"]["speakers"]] == [":b", ":c"]
    assert report["ok"]


# how it is read


def test_workers_change_nothing(demo_root):
    one, three = (check_corpus("demo", demo_root, workers) for workers in (1, 3))

    assert one == three
    assert one["ok"]
    assert one["overlaps"] == one["duplicates"] == []


def test_no_worker_is_refused(demo_root):
    with pytest.raises(UserError, match="at least 1 worker, got 0"):
        check_corpus("demo", demo_root, workers=0)


def test_progress_goes_to_the_terminal_alone(demo_root, capsys, monkeypatch):
    check_corpus("demo", demo_root)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "REFRESH_S", 0.0)
    check_corpus("demo", demo_root)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "80/80" in printed.err


def test_nothing_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="found nothing"):
        check_corpus("ravdess", tmp_path)


def test_it_needs_no_tensorflow():
    code = "import sys; sys.modules['tensorflow'] = None; import data_prep.corpus_check"
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, timeout=120)


# real corpora


def test_real_ravdess(real_corpora):
    report = check_corpus("ravdess", real_corpora)

    assert report["ok"]
    assert {row["what"]: row["found"] for row in report["counts"][:2]} == {
        "utterances": 1440, "speakers": 24
    }  # fmt: skip
    assert all(row["expected"] == row["found"] for row in report["counts"])
    assert report["channels"] == {"1": 1435, "2": 5}
    assert report["unreadable"] == report["dropped"] == report["overlaps"] == []
    # actor 7's two sad takes of the second statement are one recording
    assert [row["utterances"] for row in report["duplicates"]] == [
        ["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"]
    ]
    assert report["durations"]["min_s"] == pytest.approx(2.94, abs=0.01)
    assert report["durations"]["max_s"] == pytest.approx(5.27, abs=0.01)


def test_real_urdu(real_corpora):
    report = check_corpus("urdu", real_corpora)

    assert report["ok"]
    assert {row["what"]: row["found"] for row in report["counts"][:2]} == {
        "utterances": 400, "speakers": 29
    }  # fmt: skip
    assert report["sampling_rates_hz"] == {"44100": 400}
    assert report["duplicates"] == []


def test_one_recording_that_cannot_be_sound_costs_no_other_one(corpus, monkeypatch):
    def loud(path):
        soundfile.write(path, np.full(800, 3e19), RATE_HZ, subtype="DOUBLE")

    monkeypatch.setattr(corpus_check, "find_landmarks", fail_once(corpus_check.find_landmarks))
    report = corpus(a=noise(1.0), b=loud, c=noise(1.0, seed=1))

    assert [row["file"] for row in report["unreadable"]] == ["a.wav", "b.wav"]
    fault, loud = (row["reason"] for row in report["unreadable"])
    assert fault.startswith("a fault of this program, IndexError: first")
    assert loud.startswith("sample 0 is 3e+19 times full scale")
    assert report["durations"]["max_s"] == 1.0


def fail_once(function):
    """Return a function that fails when it is called first."""
    called = []

    def call(*given):
        called.append(given)
        if len(called) == 1:
            raise IndexError("first")
        return function(*given)

    return call


def test_odd_sound_is_listed_and_is_no_failure(corpus):
    signal = noise(1.0) * np.sin(np.arange(RATE_HZ) * 2 * np.pi * 2 / RATE_HZ)
    report = corpus(
        good=signal,
        noise=noise(1.0, seed=1),
        loud=np.clip(100 * signal, -1, 1),
        opposite=np.stack([signal, -signal], axis=1),
        nothing=np.zeros(RATE_HZ),
    )
    found = {(row["utterance"], row["kind"]) for row in report["odd"]}
    assert found == {
        ("noise.wav", "steady"),
        ("loud.wav", "clipped"),
        ("opposite.wav", "cancelled"),
        ("nothing.wav", "silent"),
    }
    assert report["ok"]
    assert all(row["what"] for row in report["odd"])
