"""The benchmark of preparing's memory: that it measures, and what it finds on a tiny corpus."""

import os
import re
import subprocess
import sys

import pytest
from processes import ROOT, run_code

from benchmarks import prepare_memory as benchmark
from data_prep.corpora import find_adapter


@pytest.fixture(scope="module")
def corpus(demo_root):
    return find_adapter("demo").read(demo_root)


def in_a_process_of_its_own(code):
    """Run code that imports the benchmark; a child of pytest would begin with pytest's peak."""
    found = "import sys; sys.path.insert(0, 'benchmarks'); import prepare_memory as b; "
    return run_code(found + code, check=False)


def test_a_process_that_takes_memory_is_told_from_one_that_does_not():
    done = in_a_process_of_its_own(
        "print(*(b.measure_peak_mb([sys.executable, '-c', f'x = bytearray({n}); x[::4096] = "
        "bytes(len(x[::4096]))']) for n in (4096, 200 << 20)))"
    )
    small, large = map(float, done.stdout.split())

    assert 2 < small < 60
    assert 150 < large - small < 260  # some of it may be reclaimed meanwhile


def test_a_command_that_fails_is_no_measurement():
    done = in_a_process_of_its_own("b.measure_peak_mb([sys.executable, '-c', 'exit(3)'])")

    assert done.returncode == 1
    assert "ended with 3" in done.stderr


def test_the_benchmark_itself_loads_nothing_heavy():
    done = in_a_process_of_its_own("print(sorted({name.split('.')[0] for name in sys.modules}))")

    assert "'data_prep'" in done.stdout
    for name in ("tensorflow", "keras", "librosa"):
        assert f"'{name}'" not in done.stdout


@pytest.mark.parametrize("copies", [1, 3])
def test_copies_are_utterances_of_their_own(corpus, tmp_path, copies):
    table = benchmark.write_copies(corpus, 4, copies, tmp_path)
    found = find_adapter(f"csv:{table}").read(tmp_path)

    assert len(found.utterances) == 4 * copies
    assert len({item.path for item in found.utterances}) == 4 * copies
    sources = {item.audio_path(found.root).resolve() for item in found.utterances}
    assert len(sources) == 4
    # spread over the corpus, not its first files
    assert found.counts["utterances of anger"] < 4 * copies
    assert found.counts["speakers"] == 2


def test_no_more_files_are_taken_than_there_are(corpus, tmp_path):
    table = benchmark.write_copies(corpus, 500, 1, tmp_path)

    assert len(find_adapter(f"csv:{table}").read(tmp_path).utterances) == 80


def test_both_peaks_and_their_ratio_are_printed(demo_root):
    words = ["--dataset", "demo", "--data-root", str(demo_root), "--files", "8", "--copies", "10"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, benchmark.__file__, *words], capture_output=True, text=True, check=True,
        env=environment, timeout=300,
    )  # fmt: skip

    one, many, more, ratio = done.stdout.splitlines()
    found = re.findall(r"(\d+) utterances of demo, ([\d.]+) MB of shards: peak ([\d.]+) MB", one)
    found += re.findall(r"(\d+) utterances of demo, ([\d.]+) MB of shards: peak ([\d.]+) MB", many)
    utterances, stored, peaks = (list(map(float, each)) for each in zip(*found, strict=True))
    assert utterances == [8, 80]
    assert stored[1] / stored[0] == pytest.approx(10, rel=0.15)
    assert "MB more prepared" in more
    assert float(ratio.removeprefix("ratio: ")) == pytest.approx(peaks[1] / peaks[0], abs=2e-3)
    assert peaks[1] / peaks[0] < 1.1
