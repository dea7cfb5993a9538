"""Tiny sounds in the containers that real corpora use."""

import struct
from pathlib import Path

import numpy as np
import soundfile


def tone(seconds=0.2, rate_hz=16000, frequency_hz=440.0):
    """Return a tone at half of full scale."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return 0.5 * np.sin(2 * np.pi * frequency_hz * time_s)


def write_tone(path: Path, rate_hz=16000, channels=1, **keywords):
    """Write a tone as 16-bit PCM; a second channel holds the same at half the level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = tone(rate_hz=rate_hz, **keywords)
    if channels == 2:
        samples = np.stack([samples, samples / 2], axis=1)
    soundfile.write(path, samples, rate_hz, subtype="PCM_16")
    return path


def write_padded_wav(path: Path, rate_hz=48000, **keywords):
    """Write a WAV as RAVDESS publishes them: FLLR before the sound, which begins at byte
    4096, and LIST, bext and _PMX behind it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = (tone(rate_hz=rate_hz, **keywords) * 32767).astype("<i2").tobytes()
    before = _chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate_hz, rate_hz * 2, 2, 16))
    before += _chunk(b"FLLR", bytes(4044))
    after = _chunk(b"LIST", b"INFO" + bytes(60)) + _chunk(b"bext", b"\x55" * 602)
    after += _chunk(b"_PMX", b"<x/>" * 64)
    body = b"WAVE" + before + _chunk(b"data", samples) + after
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def _chunk(name, content):
    return name + struct.pack("<I", len(content)) + content
