"""Digests of decoded samples, by which a recording is known again whatever it is called.

They are of the samples at the file's own rate, of the channels' mean or of the one channel that an
utterance is: WAV and FLAC of one recording agree, as do 16 and 24 bits that hold the same values,
and metadata is of no matter. One sample that differs makes another recording: what was resampled,
made louder or cut otherwise is not found. A change of what is computed here raises
`ser_aae.store.sounds.VERSION`.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from ser_aae.errors import UserError
from ser_aae.frontend.audio import OtherFormatError, read_channels, read_header, read_pieces
from ser_aae.frontend.channels import Channel, take_channel
from ser_aae.frontend.silence import is_silent
from ser_aae.utterance import Sound, Utterance

_DIGITS = 32
"""Hexadecimal digits that are kept: of a million recordings, two agree by chance once in 10^26."""


def digest_samples(blocks: Iterable[np.ndarray], rate_hz: int) -> str:
    """Return a digest of samples of one channel, `(samples,)` float32 block by block."""
    digest = hashlib.sha256(f"{rate_hz} ".encode())
    for block in blocks:
        digest.update((block + np.float32(0)).astype("<f4").tobytes())  # -0 becomes 0
    return digest.hexdigest()[:_DIGITS]


class FileDigests:
    """Digests of whole files, of which the last one is kept: pieces of a file follow each other."""

    def __init__(self) -> None:
        self._last: tuple[tuple[Path, Channel], str] | None = None

    def of(self, path: Path, channel: Channel = None) -> str:
        """Return the digest of a file's samples, `""` where not all of the file can be read."""
        if self._last is None or self._last[0] != (path, channel):
            self._last = ((path, channel), _digest_file(path, channel))
        return self._last[1]


def digest_sound(
    utterance: Utterance, path: Path, samples: np.ndarray, rate_hz: int, files: FileDigests
) -> Sound:
    """Return the digests of an utterance, whose samples were read from a file at its own rate."""
    own = digest_samples([samples], rate_hz)
    is_whole = utterance.start_s == 0 and utterance.end_s is None
    if is_silent(samples):
        return Sound("", "" if is_whole else files.of(path, utterance.channel))
    return Sound(own, own if is_whole else files.of(path, utterance.channel))


def read_sound(utterance: Utterance, path: Path, files: FileDigests) -> Sound:
    """Read an utterance, and return the digests of its sound.

    Raises:
        UserError: It cannot be read.
    """
    channels, rate_hz = read_channels(path, utterance.start_s, utterance.end_s)
    samples = take_channel(channels, utterance.channel, path)
    return digest_sound(utterance, path, samples, rate_hz, files)


def _digest_file(path: Path, channel: Channel) -> str:
    try:
        header = read_header(path)
    except (soundfile.LibsndfileError, OtherFormatError):
        header = None  # ffmpeg decodes it
    try:
        if header is None or header.format == "MP3":  # some do not say how long they are
            samples, rate_hz = read_channels(path)
            return digest_samples([take_channel(samples, channel, path)], rate_hz)
        pieces = (take_channel(piece, channel, path) for piece in read_pieces(path))
        return digest_samples(pieces, header.samplerate)
    except UserError:
        # damaged after the pieces that are used, which are known by their own samples
        return ""
