"""The benchmark of how fast recordings are recognised."""

import types

import joblib
import numpy as np
import pytest
import soundfile

from benchmarks import predict as bench
from ser_aae.errors import UserError


@pytest.fixture
def files(tmp_path):
    draw = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.wav" for number in range(6)]
    for number, path in enumerate(paths, start=1):
        soundfile.write(path, draw.normal(0, 0.1, 1600 * number), 16000)
    return paths


def fake_features(monkeypatch):
    """Level and length in the place of openSMILE, which is an extra."""

    def features_of(path):
        signal, _ = soundfile.read(path)
        return np.array([[signal.std(), len(signal)]], np.float32)

    monkeypatch.setattr(bench, "_features", lambda: features_of)


def test_start_up_ends_with_the_first_answer(files, monkeypatch):
    clock = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(bench.time, "time", lambda: clock.now)
    monkeypatch.setattr(bench.time, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(bench.time, "process_time", lambda: clock.now - 98.0)
    asked = []

    def answer(path):
        asked.append(path)
        clock.now += 5.0 if len(asked) == 1 else 0.5

    found = bench.measure(answer, files, started=90.0)
    assert asked == files
    # the first recording counts for start-up alone
    wanted = {"start_up_s": 15.0, "start_up_cpu_s": 7.0, "seconds": 2.5}
    assert found == wanted | {"audio_s": pytest.approx(2.0)}


def test_the_table_has_medians_and_a_row_a_contestant(files, monkeypatch, tmp_path):
    fake_features(monkeypatch)
    calls = []

    def alone(contestant, model, given):
        assert given == files
        assert contestant == "model" or model.is_file()
        calls.append(contestant)
        number = float(len(calls))
        return {
            "start_up_s": number,
            "start_up_cpu_s": number / 2,
            "seconds": 0.5 * number,
            "audio_s": 10.0,
        }

    monkeypatch.setattr(bench, "_measure_apart", alone)
    rows = bench.run_all([tmp_path / "m.onnx"], files, repeats=3)
    # in turns, so that a busy minute meets both
    assert calls == ["opensmile", "model"] * 3
    assert rows[1] == [
        "openSMILE eGeMAPSv02, linear SVM",
        "3.00",
        "1.00",
        "1.50",
        "300.0",
        "0.1500",
    ]
    assert rows[2] == ["m.onnx", "4.00", "1.33", "2.00", "400.0", "0.2000"]


def test_the_svm_answers_one_of_four(files, monkeypatch, tmp_path):
    fake_features(monkeypatch)
    bench.fit_svm(files, tmp_path / "svm.joblib")
    monkeypatch.setenv("SER_AAE_BENCHMARK_STARTED", "0")
    found = bench.run_worker("opensmile", tmp_path / "svm.joblib", files)
    assert found["audio_s"] == pytest.approx(2.0)
    assert found["start_up_s"] > 1e9
    svm = joblib.load(tmp_path / "svm.joblib")
    assert svm.predict([[0.1, 1600]])[0] in range(4)


def test_a_contestant_that_fails_is_named(files, tmp_path):
    with pytest.raises(UserError, match=r"none\.onnx: .*found nothing"):
        bench._measure_apart("model", tmp_path / "none.onnx", files)


def test_too_few_recordings_are_refused(files, capsys):
    assert bench.main(["--model", "x", *map(str, files[:4])]) == 2
    assert "five recordings or more, got 4" in capsys.readouterr().err
