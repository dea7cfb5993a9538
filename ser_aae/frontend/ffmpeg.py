"""Decoding what libsndfile does not know (M4A, WebM, WMA, AMR, MP4 ...) by the program ffmpeg.

PyAV would bring the same decoders without the program. It was tried and is not used: of a Matroska
or WebM file that was cut short it gives what is left, as a rule without a word, where the program
says so; its MP3 has other samples than libsndfile's, by which prepared corpora know recordings; and
it takes 100 MB.
"""

import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ser_aae.errors import UserError

INSTALL = "install ffmpeg to read other containers"

PATIENCE_S = 60.0
"""Time that ffmpeg may take to its first or next sample before a file is given up."""


def find_ffmpeg() -> str | None:
    """Return the program, `None` where it is not installed."""
    return shutil.which("ffmpeg")


def decode(program: str, path: Path, sample_rate_hz: int) -> Iterator[np.ndarray]:
    """Yield the sound that ffmpeg makes of a file as it comes: however long, nothing is kept.

    Yields:
        `(samples,)` float32, its channels mixed, at the rate asked for.

    Raises:
        UserError: ffmpeg does not read the file to its end, or gives nothing for too long.
    """
    # file: before the name, so that one as "concat:..." or "http:..." is no order to ffmpeg;
    # the list, so that a playlist which came as a recording fetches nothing from elsewhere
    command = [program, "-v", "error", "-xerror", "-nostdin", "-protocol_whitelist", "file"]
    command += ["-i", f"file:{path}"]
    command += ["-vn", "-ac", "1", "-ar", str(sample_rate_hz), "-f", "f32le", "pipe:1"]
    with (
        tempfile.TemporaryFile() as messages,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages) as process,  # noqa: S603
    ):
        try:
            yield from _samples_of(process, path)
        finally:
            process.kill()  # it may have more to give, or be stuck
        ended_well = process.wait() == 0
        messages.seek(0)
        lines = messages.read().decode(errors="replace").strip().splitlines()
        # ffmpeg gives what is left of a Matroska file that was cut short, says so, and ends well
        if lines or not ended_well:
            raise UserError(
                f"{path}: expected audio, but neither libsndfile nor ffmpeg reads it to its end "
                f"({lines[-1] if lines else 'no reason given'}); fetch it again, or write it anew "
                "from its source"
            )


def _samples_of(process: "subprocess.Popen[bytes]", path: Path) -> Iterator[np.ndarray]:
    """Yield the float32 samples that a process writes, as they come, until it has ended."""
    pipe, rest, has_given = process.stdout, b"", False
    while pipe and select.select([pipe], [], [], PATIENCE_S)[0]:
        piece = os.read(pipe.fileno(), 1 << 18)
        if not piece:
            if process.wait() == 0 and not has_given:
                raise UserError(f"{path}: expected sound, found no sample; remove the file")
            return
        has_given = True
        rest += piece
        whole = len(rest) - len(rest) % 4
        samples = np.frombuffer(rest[:whole], "<f4")
        rest = rest[whole:]
        yield samples
    raise UserError(
        f"{path}: ffmpeg gave no sound for {PATIENCE_S:g} s; write it anew from its source"
    )
