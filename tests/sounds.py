"""Tones and noise, float32 between -1 and 1, for tests of what listens; a stand-in for ffmpeg."""

import shlex
import sys

import numpy as np

from ser_aae.frontend.audio import read_channels
from ser_aae.frontend.channels import average_channels

RATE_HZ = 16000


def tone(frequency_hz, seconds=1.0, amplitude=0.5, rate_hz=RATE_HZ):
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def noise(seconds=1.0, seed=0, level=0.1, rate_hz=RATE_HZ):
    """Return white noise of a standard deviation of `level`."""
    samples = round(seconds * rate_hz)
    return np.random.default_rng(seed).normal(0, level, samples).astype(np.float32)


def frequency_of(samples, rate_hz=RATE_HZ):
    """Return the frequency of the strongest part in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * rate_hz / len(samples)


def read_mono(path, start_s=0.0, end_s=None):
    """Return a recording's channels, averaged, at its own rate, and the rate."""
    samples, rate_hz = read_channels(path, start_s, end_s)
    return average_channels(samples), rate_hz


def put_ffmpeg(folder, monkeypatch, body):
    """Put a program called ffmpeg on the path, alone; return a file that only it can read."""
    program = folder / "bin" / "ffmpeg"
    program.parent.mkdir()
    source = program.with_suffix(".py")
    source.write_text(f"import json, os, sys, time\n{body}")
    # through the shell: the first line of a script cannot name a Python whose path has a space
    program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(source)])} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    path = folder / "concat:a.m4a"
    path.write_bytes(b"something else")
    return path


def give(folder, samples, more=""):
    """Return the body of a program that writes samples, a byte more than a whole one at first."""
    (folder / "samples").write_bytes(samples.astype("<f4").tobytes())
    read = f"sound = open({str(folder / 'samples')!r}, 'rb').read()\n"
    return f"{read}os.write(1, sound[:4001])\nsys.stdout.buffer.write(sound[4001:])\n{more}"
