"""`ser-aae verify-corpus`: what it prints, where, and how it ends."""

import json
import subprocess
from pathlib import Path

import pytest
import soundfile
from corpus_layouts import csv as csv_layout
from corpus_layouts import librispeech as librispeech_layout
from corpus_layouts import ravdess as ravdess_layout
from corpus_layouts.sound import write_tone
from processes import run_program

from data_prep.corpus_check import check_corpus
from ser_aae.cli import main
from ser_aae.commands.verify_corpus import format_report

ROOT = Path(__file__).resolve().parents[3]
REAL_CORPORA = ROOT.parent / "shared" / "corpora"

TABLE = """file,speaker,gender,emotion
a.wav,anna,f,angry
b.wav,bert,m,sad
c.wav,bert,m,sad
d.wav,bert,m,angry
"""


@pytest.fixture
def dataset(tmp_path):
    """Four recordings of two speakers; b and c are the same sound."""
    for number, name in enumerate("abcd"):
        seconds = 0.4 if name in "bc" else 0.5 + 0.1 * number
        write_tone(tmp_path / f"{name}.wav", seconds=seconds)
    (tmp_path / "table.csv").write_text(TABLE)
    return f"csv:{tmp_path / 'table.csv'}"


def run(capsys, *words):
    """Return the exit code, and what went to the two streams."""
    code = main(["verify-corpus", "--dataset", *map(str, words)])
    return code, *capsys.readouterr()


def test_a_whole_corpus_ends_with_0_and_the_report(capsys, dataset):
    code, out, err = run(capsys, dataset)

    assert (code, err) == (0, "")
    for line in (
        "  utterances: 4",
        "  anger: 2",
        "speakers: 2 (1 F, 1 M)",
        "  anna F 1, bert M 3",
        "UA of a predictor that knows only the speaker: 75.0 %",
        "duration: 0.00 h; an utterance 0.40 to 0.80 s, median 0.45 s",
        "  16000 Hz: 4",
        "  1 channel(s): 4",
        "the same sound under several names: 1",
        "  b.wav, c.wav",
    ):
        assert line in out.splitlines()


def test_a_file_that_cannot_be_read_ends_with_2_after_the_report(capsys, dataset, tmp_path):
    (tmp_path / "d.wav").write_bytes(b"")

    code, out, err = run(capsys, dataset)

    assert code == 2
    assert "cannot be read: 1\n  d.wav: expected an audio file, found one of zero bytes" in out
    assert err.startswith("ser-aae: error: ")
    assert "d.wav cannot be read, see the report" in err
    assert "Traceback" not in err


def test_what_is_not_as_it_should_be_ends_with_2_or_is_accepted(capsys, dataset, tmp_path):
    table = (
        TABLE.replace("emotion", "emotion,end").replace("angry", "angry,9").replace("sad", "sad,")
    )
    (tmp_path / "table.csv").write_text(table.replace("c.wav,bert", "c.wav,Bert"))

    code, out, err = run(capsys, dataset)
    accepted, same, nothing = run(capsys, dataset, "--allow-partial")

    assert (code, accepted, nothing, same) == (2, 0, "", out)
    assert "speakers who may be one person: 1\n  'Bert' (1 utterance) and 'bert' (2" in out
    assert "read with a remark: 2\n  a.wav#-9: ends 8.50 s after its file" in out
    assert "is not as it should be: a.wav#-9 ends after its file and 2 more, see the report" in err


def test_counts_that_differ_end_with_2_after_the_report(capsys, tmp_path):
    ravdess_layout.write(tmp_path / "data")

    code, out, err = run(capsys, "ravdess")

    assert code == 2
    assert "  utterances: expected 1440, found 4\n" in out
    assert "became no utterance: 4\n  1: duplicate of a file of the same name\n" in out
    assert "    audio_speech_actors_01-24/Actor_01/03-01-01-01-01-01-01.wav" in out
    assert "utterances: expected 1440, found 4 and 9 more, see the report" in err


def test_counts_that_agree_say_so(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("data_prep.corpora.ravdess.EXPECTED", {"utterances": 4})
    ravdess_layout.write(tmp_path / "data")

    code, out, _ = run(capsys, "ravdess", "--workers", 2)

    assert code == 0
    assert "counts\n  utterances: 4, ok\n  speakers: 2\n" in out
    assert "  48000 Hz: 4\n" in out
    assert "  1 channel(s): 3\n  2 channel(s): 1\n" in out


@pytest.mark.parametrize(("broken", "expected"), [(False, 0), (True, 2)])
def test_json_is_one_document_and_nothing_else(capsys, dataset, tmp_path, broken, expected):
    if broken:
        (tmp_path / "a.wav").unlink()
        write_tone(tmp_path / "a.wav")
        content = (tmp_path / "a.wav").read_bytes()
        (tmp_path / "a.wav").write_bytes(content[:100])

    code, out, err = run(capsys, dataset, "--json")

    report = json.loads(out)
    assert code == expected
    assert report["ok"] is not broken
    assert bool(err) is broken
    assert report["speaker_only_unweighted_accuracy"] == 0.75
    assert [row["file"] for row in report["unreadable"]] == ["a.wav"] * broken
    accuracy = report.pop("speaker_only_unweighted_accuracy")
    assert report == check_corpus(dataset, tmp_path)
    assert 0 < accuracy < 1


def test_labels_outside_the_vocabulary_and_unlabelled_speech_are_told(capsys, tmp_path):
    code, out, _ = run(capsys, csv_layout.write(tmp_path))

    assert code == 0
    assert "  unlabelled: 1\n" in out
    assert "labels outside the vocabulary: 1\n  puzzled" in out


def test_speech_without_emotions_has_no_figure_for_them(capsys, tmp_path):
    librispeech_layout.write(tmp_path / "data")

    code, out, _ = run(capsys, "librispeech")
    assert code == 2
    assert "knows only the speaker: none has a label\n" in out
    assert "  speakers of train-clean-360: expected 921, found 2\n" in out

    _, out, _ = run(capsys, "librispeech", "--json")
    assert json.loads(out)["speaker_only_unweighted_accuracy"] is None


def test_a_stretch_in_the_clips_of_two_speakers_stands_out():
    report = {
        "dataset": "x", "version": "1", "root": "x", "counts": [], "classes": {}, "speakers": [],
        "durations": {"hours": 1, "min_s": 1, "median_s": 1, "max_s": 1},
        "sampling_rates_hz": {}, "channels": {}, "unreadable": [], "duplicates": [], "odd": [],
        "remarks": [], "spellings": [], "unknown_labels": [], "dropped": [],
        "speaker_only_unweighted_accuracy": None,
        "overlaps": [{"utterances": ["a", "b"], "speakers": ["x:1", "x:2"], "seconds": 1.3}],
    }  # fmt: skip

    assert "  a, b, at least 1.30 s; SPEAKERS DIFFER: x:1, x:2" in format_report(report)


def test_long_lists_are_whole_and_wrapped(capsys, tmp_path):
    rows = [f"a.wav,speaker-number-{number},f,angry,{number / 100}," for number in range(40)]
    write_tone(tmp_path / "a.wav", seconds=1.0)
    header = "file,speaker,gender,emotion,start,end\n"
    (tmp_path / "many.csv").write_text(header + "\n".join(rows))

    _, out, _ = run(capsys, f"csv:{tmp_path / 'many.csv'}")

    assert all(f"speaker-number-{number} F 1" in out for number in range(40))
    speakers = [line for line in out.splitlines() if line.startswith("  speaker-number")]
    assert 5 < len(speakers) < 40
    assert max(map(len, speakers)) <= 100


def test_an_interrupt_does_not_say_that_it_goes_on(capsys, monkeypatch, dataset):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("data_prep.corpus_check.check_corpus", interrupted)

    assert run(capsys, dataset) == (130, "", "interrupted\n")


def test_a_corpus_that_is_not_there_ends_with_2_and_no_report(capsys):
    code, out, err = run(capsys, "ravdess", "--data-root", "nowhere")

    assert (code, out) == (2, "")
    assert "nowhere/ravdess" in err
    assert "zenodo.org" in err


def test_the_report_comes_before_the_error_and_no_bar_goes_to_a_file(dataset, tmp_path):
    soundfile.write(tmp_path / "b.wav", [], 16000)
    done = run_program(
        *("verify-corpus", "--dataset", dataset), check=False, stderr=subprocess.STDOUT, timeout=120
    )

    lines = done.stdout.splitlines()
    assert done.returncode == 2
    assert lines[0].startswith("csv-table-")
    assert lines[-1].startswith("ser-aae: error: ")
    assert "%|" not in done.stdout


@pytest.mark.skipif(not REAL_CORPORA.is_dir(), reason="no real corpora in ../shared/corpora")
@pytest.mark.parametrize(("name", "accuracy"), [("urdu", 0.96), ("ravdess", 0.125)])
def test_the_real_corpora_are_complete(capsys, name, accuracy):
    code, out, err = run(capsys, name, "--data-root", REAL_CORPORA, "--json")

    assert (code, err) == (0, "")
    assert json.loads(out)["speaker_only_unweighted_accuracy"] == pytest.approx(accuracy, abs=5e-4)
