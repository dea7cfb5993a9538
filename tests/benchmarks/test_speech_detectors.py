"""The comparison of detectors, on a voice that was made here."""

import pytest

from benchmarks import speech_detectors as bench
from ser_aae.frontend.audio import read_audio


@pytest.fixture(scope="module")
def signals(demo_root):
    paths = sorted((demo_root / "demo").rglob("*.wav"))[:2]
    return [read_audio(path, bench.ENERGY.sample_rate_hz) for path in paths]


def test_each_ratio_and_detector_has_a_row(signals):
    rows = list(bench.compare(signals))
    assert [row[:2] for row in rows] == [
        [noise, name] for noise in ("none", "20 dB", "10 dB", "0 dB") for name in bench.DETECTORS
    ]
    shares = {(row[0], row[1]): float(row[2]) for row in rows}
    assert float(rows[0][3]) == 100  # what the rule keeps in the quiet is what it is held against
    assert shares["0 dB", "energy"] == 100
    assert shares["0 dB", "silero"] < 100


def test_the_printed_table_ends_with_noises(demo_root, capsys, monkeypatch):
    words = ["", "--dataset", "demo", "--data-root", str(demo_root), "--files", "2"]
    monkeypatch.setattr("sys.argv", words)
    bench.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 8 + len(bench.make_noises())
    assert all(float(line.split("at most ")[1].split()[0]) < bench.SPEECH for line in lines[-4:])
