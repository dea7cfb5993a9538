"""Any recording in blocks, so that an hour needs no more memory than a minute.

A recording under 40 s, longer than all but a few utterances of any corpus, is one block: its
posteriors are to the bit those of the same utterance in a run. A longer one is cut into blocks
of 10 s that are each treated as an utterance, with silence and floor relative to the block's own
peak. Longer blocks lose speech: of RAVDESS, an actor's utterances in drawn order one after the
other, blocks of 10 s keep 83 to 90 % of what is kept of each utterance alone, blocks of 60 s 45 to
70 %, because who shouts once silences a minute.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import soundfile

from ser_aae.errors import UserError
from ser_aae.frontend.audio import read_audio, to_mono
from ser_aae.frontend.mp3 import read_unmeasured_mp3

WHOLE_S = 40.0
"""A recording shorter than this is one block."""

BLOCK_S = 10.0
"""Length of a block; the last takes what is left, from half of this to one and a half times."""

_CHUNK_S = 120.0
"""What is read at once of an MP3 that has to be decoded from its beginning each time."""


@dataclass(frozen=True)
class Block:
    """A stretch of a recording.

    Attributes:
        start_s: Where it begins in the recording.
        signal: `(samples,)` float32 at the rate asked for.
    """

    start_s: float
    signal: np.ndarray


def file_blocks(path: Path, sample_rate_hz: int) -> Iterator[Block]:
    """Read a recording block by block, as `read_audio` reads it.

    What libsndfile cannot read is decoded by ffmpeg, where that is installed.

    Raises:
        UserError: Missing, not audio, cut short, without samples, or samples that are not finite.
    """
    with _readable(path, sample_rate_hz) as readable:
        info = soundfile.info(readable) if _is_known(readable) else None
        if info and info.format == "MP3" and read_unmeasured_mp3(readable, 0.0, 0.0):
            yield from _unmeasured_blocks(readable, sample_rate_hz)
            return
        # of one that nobody can read, read_audio says why
        for start_s, end_s in _edges(info.duration if info else 0.0):
            yield Block(start_s, read_audio(readable, sample_rate_hz, start_s, end_s))


def sample_blocks(samples: np.ndarray, rate_hz: float, sample_rate_hz: int) -> Iterator[Block]:
    """Cut samples in memory into blocks.

    Args:
        samples: `(samples,)` or `(samples, channels)`, floats in [-1, 1] or signed integers.
        rate_hz: Their rate.
        sample_rate_hz: Rate of the blocks.

    Raises:
        UserError: No samples, another shape, other numbers, or no rate.
    """
    _check_samples(samples, rate_hz)
    columns = samples[:, None] if samples.ndim == 1 else samples
    for start_s, end_s in _edges(len(columns) / rate_hz):
        last = None if end_s is None else round(end_s * rate_hz)
        piece = _to_float(columns[round(start_s * rate_hz) : last])
        if not np.isfinite(piece).all():
            raise UserError(
                f"samples: expected finite numbers, found others from {start_s:g} s on; "
                "write the recording anew from its source"
            )
        yield Block(start_s, to_mono(piece, rate_hz, sample_rate_hz))


def _edges(duration_s: float) -> list[tuple[float, float | None]]:
    """Return where blocks begin and end; the last ends where the recording does."""
    blocks = 1 if duration_s < WHOLE_S else max(1, int(duration_s / BLOCK_S + 0.5))
    starts = [BLOCK_S * number for number in range(blocks)]
    return list(zip(starts, [*starts[1:], None], strict=True))


def _unmeasured_blocks(path: Path, sample_rate_hz: int) -> Iterator[Block]:
    """Read an MP3 that does not say its length, until nothing more comes."""
    read_audio(path, sample_rate_hz, 0.0, 1.0)  # has the words for a file without any sound
    for start_s in count(0.0, _CHUNK_S):
        found = read_unmeasured_mp3(path, start_s, start_s + _CHUNK_S)
        if found is None or not len(found[0]):
            return
        for block in sample_blocks(*found, sample_rate_hz):
            yield Block(start_s + block.start_s, block.signal)


def _to_float(samples: np.ndarray) -> np.ndarray:
    if np.issubdtype(samples.dtype, np.signedinteger):
        return (samples / -float(np.iinfo(samples.dtype).min)).astype(np.float32)
    return samples.astype(np.float32)


def _check_samples(samples: np.ndarray, rate_hz: float) -> None:
    known = np.issubdtype(samples.dtype, np.floating) or np.issubdtype(
        samples.dtype, np.signedinteger
    )
    if samples.ndim not in (1, 2) or not samples.size or not known:
        raise UserError(
            "samples: expected (samples,) or (samples, channels) of floats in [-1, 1] or of "
            f"signed integers, got shape {samples.shape} of {samples.dtype}"
        )
    if not rate_hz > 0:
        raise UserError(f"sample_rate_hz: expected samples a second, got {rate_hz}")


@contextmanager
def _readable(path: Path, sample_rate_hz: int) -> Iterator[Path]:
    """Give the file itself, or what ffmpeg makes of one that libsndfile does not know.

    Raises:
        UserError: Neither reads it.
    """
    if not path.is_file() or path.stat().st_size == 0 or _is_known(path):
        yield path
        return
    program = shutil.which("ffmpeg")
    if program is None:
        try:
            read_audio(path, sample_rate_hz)
        except UserError as error:
            raise UserError(f"{error}; install ffmpeg to read other containers") from error
    with tempfile.TemporaryDirectory(prefix="ser-aae-") as folder:
        decoded = Path(folder) / "decoded.w64"  # a WAV ends at 4 GB
        _decode(str(program), path, decoded, sample_rate_hz)
        yield decoded


def _is_known(path: Path) -> bool:
    try:
        soundfile.info(path)
    except (soundfile.LibsndfileError, OSError):
        return False
    return True


def _decode(program: str, path: Path, decoded: Path, sample_rate_hz: int) -> None:
    """Have ffmpeg write a file's sound as mono at the given rate."""
    # file: before the name, so that one as "concat:..." or "http:..." is no order to ffmpeg;
    # the list, so that a playlist which came as a recording fetches nothing from elsewhere
    asked = ["-v", "error", "-nostdin", "-protocol_whitelist", "file", "-i", f"file:{path}"]
    asked += ["-vn", "-ac", "1", "-ar", str(sample_rate_hz), "-c:a", "pcm_f32le", "-f", "w64"]
    order = [program, *asked, str(decoded)]
    done = subprocess.run(order, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(
            f"{path}: expected audio, but neither libsndfile nor ffmpeg reads it ({why}); "
            "write it anew from its source"
        )
