"""Damaged recordings by the thousand: the reader gives the sound that soundfile gives, or says no.

Of OGG it gives all the sound, or says no.

The suite tries some hundred of them (`test_fuzz_audio.py`). Ten thousand take a few minutes:

    make fuzz

The same seed makes the same files. What fails is kept in the folder that is named, and the exit
code is 1. A file on which the process hangs or crashes is the last one in that folder.
"""

import argparse
import contextlib
import faulthandler
import os
import resource
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile
from sounds import noise, tone

from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.frontend import signal_to_spectrogram
from ser_aae.frontend.audio import MOST_OVER_FULL_SCALE, describe_header, read_audio
from ser_aae.frontend.blocks import WHOLE_S, file_blocks
from ser_aae.frontend.wav import SLACK_BYTES

RATE_HZ = 16000
MOST_S = 20.0
"""Time limit for one file, after which the process ends with a traceback."""
MOST_BYTES = 8 << 30
"""Address space of the process: a header that asks for more has filled the memory."""

KINDS = {
    "pcm.wav": {"subtype": "PCM_16"},
    "float.wav": {"subtype": "FLOAT"},
    "stereo.wav": {"subtype": "PCM_24"},
    "mono.flac": {},
    "stereo.flac": {},
    "variable.mp3": {"bitrate_mode": "VARIABLE", "compression_level": 0.5},
    "constant.mp3": {"bitrate_mode": "CONSTANT"},
    "unmeasured.mp3": {"bitrate_mode": "VARIABLE", "compression_level": 0.5},
    "vorbis.ogg": {},
    "opus.ogg": {"subtype": "OPUS"},
}


def write_whole(folder):
    """Write a recording of each kind; return name to content."""
    sound = np.concatenate([tone(220, 0.4), np.zeros(RATE_HZ // 5, np.float32), noise(0.4)])
    contents = {}
    for name, how in KINDS.items():
        channels = 2 if name.startswith("stereo") else 1
        soundfile.write(folder / name, np.stack([sound] * channels, axis=1), RATE_HZ, **how)
        contents[name] = (folder / name).read_bytes()
    # its first frame has the length, and no sound; the next one begins with the same two bytes
    whole = contents["unmeasured.mp3"]
    contents["unmeasured.mp3"] = whole[whole.index(whole[:2], 4) :]
    return contents


def damage(content, draw):
    """Return a content with one to three kinds of damage, each somewhere."""
    damaged = bytearray(content)
    for _ in range(draw.integers(1, 4)):
        # half of all in what is most probably the header
        end = min(len(damaged), 128) if draw.random() < 0.5 else len(damaged)
        place = int(draw.integers(end))
        length = int(2 ** draw.uniform(0, 10))
        there = slice(place, place + length)
        kind = draw.integers(7)
        if kind <= 1:
            damaged[place] ^= 1 << draw.integers(8)
        elif kind == 2:
            size = len(damaged[place : place + 4])
            worst = (b"\0\0\0\0", b"\xff" * 4, b"\xff\xff\xff\x7f", draw.bytes(4))
            damaged[place : place + 4] = worst[draw.integers(4)][:size]
        elif kind == 3:
            damaged[there] = draw.bytes(len(damaged[there]))
        elif kind == 4:
            del damaged[there]
        elif kind == 5:
            damaged[place:place] = damaged[there]
        else:
            del damaged[max(place, 1) :]
        damaged = damaged or bytearray(b"\0")
    return bytes(damaged)


def read_by_soundfile(path):
    """Return a recording as soundfile reads it, channels averaged, and its rate.

    An MP3 that does not say its length is a stream to it: of a file it would guess the length. The
    samples are `None` where there is no length to read, or an error ends them.
    """
    if path.suffix == ".mp3":
        reader, writer = os.pipe()
        os.write(writer, path.read_bytes())  # all of it has room in a pipe
        os.close(writer)
        with contextlib.suppress(soundfile.LibsndfileError), soundfile.SoundFile(reader) as stream:
            if not stream.seekable():
                return _average(stream, 1 << 20), stream.samplerate
    with soundfile.SoundFile(path) as sound:
        frames = sound.frames if sound.frames < 1 << 24 else None
        return frames and _average(sound, frames), sound.samplerate


def _average(sound, frames):
    try:
        return sound.read(frames, "float32", always_2d=True).mean(axis=1, dtype=np.float32)
    except soundfile.LibsndfileError:
        return None


def find_fault(path, whole):
    """Read a recording each way; return the outcome in a word, and what is wrong with it or "".

    Of a damaged OGG, soundfile leaves out what it likes: what is read is what was in the whole one.
    """
    try:
        blocks = list(file_blocks(path, RATE_HZ))
        samples = read_audio(path, RATE_HZ)
    except UserError as error:
        message = str(error)
        is_well_put = message.startswith(f"{path}: ") and "\n" not in message
        return "refused", "" if is_well_put else f"the message is {message!r}"
    if samples.dtype != np.float32 or not np.abs(samples).max() < 2 * MOST_OVER_FULL_SCALE:
        return "read", "no sound"
    if len(samples) < WHOLE_S * RATE_HZ and not np.array_equal(blocks[0].signal, samples):
        return "read", "the block is not what is read at once"
    if not np.isfinite(signal_to_spectrogram(samples, FrontEndConfig()).astype(np.float16)).all():
        return "read", "its spectrogram is not finite"
    wanted, rate_hz = read_by_soundfile(whole if path.suffix == ".ogg" else path)
    if wanted is None:
        return "read, and by soundfile not", ""
    found = read_audio(path, rate_hz)
    if describe_header(path) and len(found) <= len(wanted) + SLACK_BYTES:
        found = found[: len(wanted)]  # the header counts less than is there, which is told
    is_equal = np.array_equal(found, wanted)
    return "read", "" if is_equal else "not what soundfile reads"


def try_files(files, seed, folder):
    """Try so many files; print a table of outcomes and each fault; return the faults' number."""
    contents, outcomes, faults = write_whole(folder), Counter(), 0
    for number in range(files):
        draw = np.random.default_rng((seed, number))
        name = list(KINDS)[number % len(KINDS)]
        path = folder / f"{number:05d}-{name}"
        path.write_bytes(damage(contents[name], draw))
        faulthandler.dump_traceback_later(MOST_S, exit=True, file=sys.__stderr__)
        try:
            outcome, fault = find_fault(path, folder / name)
        except Exception as error:
            outcome, fault = "failed", f"{type(error).__name__}: {error}"
        faulthandler.cancel_dump_traceback_later()
        outcomes[name, outcome] += 1
        if fault:
            faults += 1
            print(f"{path}: {fault}")
        else:
            path.unlink()
    for (name, outcome), count in sorted(outcomes.items()):
        print(f"{name:16} {outcome:24} {count:6}")
    print(f"{files} files, {faults} faults")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where files are made; else a new one")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="fuzz-audio-"))
    os.environ["PATH"] = str(folder)  # without ffmpeg, which reads more than soundfile
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    warnings.simplefilter("error")
    return min(try_files(arguments.files, arguments.seed, folder), 1)


if __name__ == "__main__":
    sys.exit(main())
