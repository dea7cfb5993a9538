"""Blocks of any recording, so that an hour needs no more memory than a minute.

A recording under 40 s, longer than all but a few utterances of any corpus, is one block: its
posteriors are to the bit those of the same utterance in a run. A longer one is cut into blocks
of 10 s that are each treated as an utterance, with silence and floor relative to the block's own
peak. Longer blocks lose speech: of an actor's utterances of RAVDESS, one after the other in drawn
order, blocks of 10 s keep 83 to 90 % of what is kept of each utterance alone, blocks of 60 s 45 to
70 %, because one shout silences a minute.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
import soundfile

from ser_aae.errors import UserError
from ser_aae.frontend.audio import (
    OtherFormatError,
    change_rate,
    check_samples,
    read_audio,
    read_channels,
    read_header,
    read_pieces,
    stated_frames,
)
from ser_aae.frontend.channels import Channel, take_channel
from ser_aae.frontend.condition import Condition, measure
from ser_aae.frontend.ffmpeg import decode, find_ffmpeg
from ser_aae.frontend.mp3 import read_unmeasured_mp3

WHOLE_S = 40.0
"""A recording shorter than this is one block."""

BLOCK_S = 10.0
"""Length of a block; the last takes what is left, from half of this to one and a half times."""

_CHUNK_S = 120.0
"""Length that is read at once of an MP3 that has to be decoded from its beginning each time."""


@dataclass(frozen=True)
class Block:
    """A stretch of a recording.

    Attributes:
        start_s: Its begin in the recording.
        signal: `(samples,)` float32 at the rate asked for.
        condition: Condition of its sound as it is in the recording.
    """

    start_s: float
    signal: np.ndarray
    condition: Condition


@dataclass(frozen=True)
class _Wanted:
    """Wanted sound of a recording: where it is, one of its channels or their mean, its rate."""

    where: str
    channel: Channel
    sample_rate_hz: int

    def block(self, start_s: float, samples: np.ndarray, rate_hz: float) -> Block:
        """Return a block of `(samples, channels)` float32 of another rate."""
        mono = take_channel(samples, self.channel, self.where)
        signal = change_rate(mono, rate_hz, self.sample_rate_hz)
        return Block(start_s, signal, measure(samples, mono, rate_hz))


def count_channels(path: Path) -> int:
    """Return the number of channels of a recording.

    Raises:
        UserError: Not a file that libsndfile reads.
    """
    try:
        return read_header(path).channels
    except (soundfile.LibsndfileError, OtherFormatError, OSError) as error:
        read_audio(path, 1000, 0.0, 1.0)  # raises with the reason where nothing reads it
        raise UserError(
            f"{path}: expected a container of which a channel can be taken (WAV, FLAC, OGG, MP3), "
            "found another, whose channels ffmpeg mixes; convert it, or take the mix"
        ) from error


def file_blocks(path: Path, sample_rate_hz: int, channel: Channel = None) -> Iterator[Block]:
    """Read a recording block by block, as `read_audio` reads it.

    A file that libsndfile cannot read is decoded by ffmpeg, where that is installed.

    Raises:
        UserError: Missing, no file, not audio, damaged, cut short, without samples, samples that
            cannot be sound, or without the channel.
    """
    wanted = _Wanted(str(path), channel, sample_rate_hz)
    try:
        info = read_header(path)
    except (soundfile.LibsndfileError, OtherFormatError, OSError):
        if channel is not None:
            count_channels(path)
        yield from _decoded_blocks(_find_decoder(path, sample_rate_hz), path, sample_rate_hz)
        return
    is_unmeasured = info.format == "MP3" and read_unmeasured_mp3(path, 0.0, 0.0)
    is_endless = stated_frames(path, info.frames) is None
    if is_unmeasured or is_endless:
        read_audio(path, sample_rate_hz, 0.0, 1.0)  # has the words for a file without any sound
    if is_unmeasured:
        yield from _unmeasured_blocks(path, wanted)
    elif is_endless:
        for start_s, samples in _cut_stream(read_pieces(path), info.samplerate):
            yield wanted.block(start_s, samples, info.samplerate)
    else:
        for start_s, end_s in _edges(info.duration):
            yield wanted.block(start_s, *read_channels(path, start_s, end_s))


def sample_blocks(
    samples: np.ndarray,
    rate_hz: float,
    sample_rate_hz: int,
    channel: Channel = None,
    where: str = "samples",
) -> Iterator[Block]:
    """Cut samples in memory into blocks.

    Samples are `(samples,)` or `(samples, channels)`, floats in [-1, 1] or signed integers.

    Raises:
        UserError: No samples, another shape, other numbers, no rate, or not the channel.
    """
    is_integer = np.issubdtype(samples.dtype, np.signedinteger)
    is_known = is_integer or np.issubdtype(samples.dtype, np.floating)
    if samples.ndim not in (1, 2) or not samples.size or not is_known:
        raise UserError(
            "samples: expected (samples,) or (samples, channels) of floats in [-1, 1] or of "
            f"signed integers, got shape {samples.shape} of {samples.dtype}"
        )
    if not rate_hz > 0:
        raise UserError(f"sample_rate_hz: expected samples a second, got {rate_hz}")
    columns = samples[:, None] if samples.ndim == 1 else samples
    full_scale = -float(np.iinfo(samples.dtype).min) if is_integer else 1.0
    wanted = _Wanted(where, channel, sample_rate_hz)
    for start_s, end_s in _edges(len(columns) / rate_hz):
        last = None if end_s is None else round(end_s * rate_hz)
        piece = columns[round(start_s * rate_hz) : last] / full_scale
        check_samples(where, piece, rate_hz, start_s)
        yield wanted.block(start_s, piece.astype(np.float32), rate_hz)


def _edges(duration_s: float) -> Iterator[tuple[float, float | None]]:
    """Yield where blocks begin and end; the last ends where the recording does."""
    blocks = 1 if duration_s < WHOLE_S else max(1, int(duration_s / BLOCK_S + 0.5))
    for number in range(blocks):
        yield BLOCK_S * number, BLOCK_S * (number + 1) if number + 1 < blocks else None


def _unmeasured_blocks(path: Path, wanted: _Wanted) -> Iterator[Block]:
    """Read an MP3 that does not say its length, until nothing more comes."""
    for start_s in count(0.0, _CHUNK_S):
        found = read_unmeasured_mp3(path, start_s, start_s + _CHUNK_S)
        if found is None or not len(found[0]):
            return
        check_samples(str(path), *found, start_s)
        pieces = sample_blocks(*found, wanted.sample_rate_hz, wanted.channel, wanted.where)
        for block in pieces:
            yield replace(block, start_s=start_s + block.start_s)


def _find_decoder(path: Path, sample_rate_hz: int) -> str:
    """Return ffmpeg for a file that libsndfile does not know, or raise why nothing reads it."""
    program = find_ffmpeg()
    if program and path.is_file() and path.stat().st_size > 0:
        return program
    read_audio(path, sample_rate_hz)  # has the words for what nobody can read
    raise UserError(f"{path}: it changed while it was read; try again")


def _decoded_blocks(program: str, path: Path, sample_rate_hz: int) -> Iterator[Block]:
    """Cut the sound that ffmpeg makes of a file as it comes."""
    decoded = _check_pieces(decode(program, path, sample_rate_hz), path, sample_rate_hz)
    for start_s, signal in _cut_stream(decoded, sample_rate_hz):
        yield Block(start_s, signal, measure(signal[:, None], signal, sample_rate_hz))


def _check_pieces(pieces: Iterator[np.ndarray], path: Path, rate_hz: int) -> Iterator[np.ndarray]:
    read = 0
    for samples in pieces:
        check_samples(str(path), samples, rate_hz, read / rate_hz)
        read += len(samples)
        yield samples


def _cut_stream(pieces: Iterator[np.ndarray], rate_hz: int) -> Iterator[tuple[float, np.ndarray]]:
    """Cut a signal of unknown length where `_edges` would cut it; yield starts and samples."""
    block, wanted = round(BLOCK_S * rate_hz), round(WHOLE_S * rate_hz)
    start, signal = 0, None
    for piece in pieces:
        signal = piece if signal is None else np.concatenate([signal, piece])
        while len(signal) >= wanted:
            wanted = block + block // 2  # of which what is left is enough for the last
            yield start / rate_hz, signal[:block]
            start, signal = start + block, signal[block:]
    if signal is not None and len(signal):
        yield start / rate_hz, signal
