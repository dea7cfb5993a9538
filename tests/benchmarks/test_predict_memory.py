"""The benchmark of the memory that long recordings take."""

import csv

import numpy as np
import pytest
import soundfile

from benchmarks import predict_memory as bench


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / "a.wav", tmp_path / "b.wav"]
    for number, path in enumerate(paths, start=1):
        soundfile.write(path, np.full(4000 * number, number / 8), 8000)
    return paths


def test_recordings_follow_each_other_until_the_length_is_there(files, tmp_path):
    bench.write_recording(files, 4, tmp_path / "long.flac")
    samples, rate_hz = soundfile.read(tmp_path / "long.flac")
    assert (rate_hz, len(samples)) == (8000, 4 * 8000)
    wanted = np.resize(np.repeat([1 / 8, 2 / 8], [4000, 8000]), 32000)
    np.testing.assert_array_equal(samples, wanted)


def test_recordings_of_two_rates_are_refused(files, tmp_path):
    soundfile.write(files[1], np.zeros(100), 16000)
    with pytest.raises(SystemExit, match=r"b\.wav: expected 8000 Hz and 1 channel"):
        bench.write_recording(files, 4, tmp_path / "long.flac")


def test_both_lengths_are_predicted_and_their_steps_counted(files, monkeypatch, capsys):
    orders, clock = [], iter([0.0, 5.0, 100.0, 135.0])

    def predict(command):
        orders.append(command[2:])
        length_s = round(soundfile.info(command[5]).duration)
        with open(command[-1], "w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["file", "silent", "emotion"])
            rows.writerows([["x", step % 4 == 0, "anger"] for step in range(length_s)])
        return 100.0 + length_s

    monkeypatch.setattr(bench, "measure_peak_mb", predict)
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(clock))
    bench.main(["--model", "m.onnx", "--minutes", "3", *map(str, files)])
    for order in orders:
        assert order[:3] == ["ser_aae", "predict", "m.onnx"]
        assert order[4:6] == ["--timeline", "1"]
    short, long, last = capsys.readouterr().out.splitlines()
    assert short.startswith("60 s of sound: peak 160.0 MB, 5.0 s of work")
    assert long.endswith("180 steps of a second, of which 135 have posteriors and 45 are silent")
    # 30 s of work more for two minutes more
    assert last == "120.0 MB more (ratio 1.750); real-time factor of what is longer 0.2500"
