"""Some hundred damaged recordings: the reader never fails, hangs, or gives other sound."""

import os
import subprocess
import sys

import fuzz_audio
import numpy as np
import pytest
from processes import ROOT

from ser_aae.frontend import audio, blocks

FILES = 300


def test_damaged_recordings_are_read_as_soundfile_reads_them_or_refused(tmp_path):
    order = [sys.executable, fuzz_audio.__file__, "--files", str(FILES), "--folder", str(tmp_path)]
    # a process of its own, for a hang or a crash in libsndfile ends it
    named = {"capture_output": True, "text": True, "timeout": 300}
    done = subprocess.run(order, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, **named)

    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert done.stdout.endswith(f"{FILES} files, 0 faults\n")
    table = [line.split() for line in done.stdout.splitlines()[:-1]]
    assert {row[0] for row in table} == set(fuzz_audio.KINDS)
    assert {"read", "refused"} <= {row[1] for row in table}
    assert sum(int(row[-1]) for row in table) == FILES


def test_a_seed_makes_the_same_files():
    content = bytes(range(256)) * 8
    first, same, other = (
        fuzz_audio.damage(content, np.random.default_rng((0, number))) for number in (1, 1, 2)
    )

    assert first == same != other


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda samples: samples[:-100], "not what soundfile reads"),
        (lambda samples: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda samples: samples * np.float32("nan"), "no sound"),
    ],
)
def test_it_finds_faults(tmp_path, monkeypatch, capsys, wrong, message):
    real = audio.change_rate
    for module in (audio, blocks):  # whole recordings, and blocks of them
        monkeypatch.setattr(module, "change_rate", lambda *given: wrong(real(*given)))
    monkeypatch.setattr(fuzz_audio, "damage", lambda content, draw: content)

    assert fuzz_audio.try_files(1, 0, tmp_path) == 1

    assert f"00000-pcm.wav: {message}\n" in capsys.readouterr().out
    assert (tmp_path / "00000-pcm.wav").is_file()
