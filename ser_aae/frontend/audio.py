"""Reading a recording of any rate and number of channels as 16 kHz mono (decisions F1)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from ser_aae.errors import UserError
from ser_aae.frontend.mp3 import PIECE, read_between, read_unmeasured_mp3

LEAST_RATE_HZ = 1000
"""Headers with lower rates are damaged; resampled from 1 Hz, a second of sound fills the memory."""

MP3_LEAD_S = 2.0
"""Length before a part of an MP3 that is decoded with it, and thrown away.

A frame of MP3 draws on up to 511 bytes before it. libsndfile hands out what it makes of a frame
whose past it skipped: after a seek, up to 0.2 s of noise. At 8 kbit/s, the lowest rate there is,
511 bytes are about a second.
"""

_SAMPLES_A_BYTE = 1 << 13
"""Density that no codec reaches: a frame of FLAC with 65535 equal samples takes eleven bytes."""


class _ForwardsFile(soundfile.SoundFile):
    """A file whose pieces are read one after the other, without seeking.

    soundfile seeks after each piece to the place that it has reached. An MP3 then goes on with
    noise, and a FLAC that does not say its length ends with an error.
    """

    def seekable(self) -> bool:
        return False


def read_audio(
    path: Path, sample_rate_hz: int, start_s: float = 0.0, end_s: float | None = None
) -> np.ndarray:
    """Read a recording as one channel at the given rate.

    Channels are averaged before resampling (soxr, high quality). The file's own header
    says rate and channels; every container that libsndfile knows is read. Without `end_s` the
    part ends where the file does.

    Returns:
        `(samples,)` float32, in [-1, 1] where the file is.

    Raises:
        UserError: Missing, not audio, cut short, of a rate that no recording has, without
            samples, or with samples that are not finite.
    """
    samples, rate_hz = _read(path, start_s, end_s)
    if samples.size == 0:
        raise UserError(
            f"{path}: expected sound, found no sample between {start_s} s and "
            f"{'the end' if end_s is None else f'{end_s} s'}; remove the file or its entry"
        )
    _check_finite(path, samples)
    return to_mono(samples, rate_hz, sample_rate_hz)


def read_pieces(path: Path) -> Iterator[np.ndarray]:
    """Yield a recording of unknown length, until nothing more comes.

    Yields:
        `(samples, channels)` float32 at the file's own rate.

    Raises:
        UserError: Not audio, damaged, or samples that are not finite.
    """
    try:
        with _ForwardsFile(path) as sound:
            read = 0
            while len(piece := sound.read(PIECE, dtype="float32", always_2d=True)):
                _check_finite(path, piece, read)
                read += len(piece)
                yield piece
    except (soundfile.LibsndfileError, OSError) as error:
        raise UserError(f"{path}: {_describe_unreadable(path)} ({error})") from error


def stated_frames(path: Path, frames: int) -> int | None:
    """Return the frames that libsndfile takes from a header, `None` where it does not say.

    FLAC that a program wrote to a pipe says nothing, and libsndfile gives the largest number
    there is; and a damaged header may state more than a file of its size can hold.
    """
    return frames if frames <= path.stat().st_size * _SAMPLES_A_BYTE else None


def to_mono(samples: np.ndarray, rate_hz: float, sample_rate_hz: int) -> np.ndarray:
    """Average the channels of `(samples, channels)` float32, then resample (soxr, high quality).

    Returns:
        `(samples,)` float32 at `sample_rate_hz`.
    """
    mono = samples.mean(axis=1, dtype=np.float32)
    if rate_hz != sample_rate_hz:
        import librosa  # here, because importing it takes longer than most commands run

        mono = librosa.resample(mono, orig_sr=rate_hz, target_sr=sample_rate_hz, res_type="soxr_hq")
    return np.ascontiguousarray(mono, dtype=np.float32)


def _read(path: Path, start_s: float, end_s: float | None) -> tuple[np.ndarray, int]:
    """Return `(samples, channels)` float32 and the file's rate, or raise what is wrong."""
    try:
        with _ForwardsFile(path) as sound:
            rate_hz = sound.samplerate
            if rate_hz < LEAST_RATE_HZ:
                raise UserError(
                    f"{path}: expected a sampling rate of at least {LEAST_RATE_HZ} Hz, the header "
                    f"says {rate_hz}; write the file anew from its source"
                )
            is_mp3 = sound.format == "MP3"
            if is_mp3 and (unmeasured := read_unmeasured_mp3(path, start_s, end_s)):
                return unmeasured
            first = round(start_s * rate_hz)
            last = None if end_s is None else round(end_s * rate_hz)
            lead = first  # without an end to go by, what comes before is read as well
            if (frames := stated_frames(path, sound.frames)) is not None:
                first = min(first, frames)
                last = frames if last is None else max(min(last, frames), first)
                lead = min(round(MP3_LEAD_S * rate_hz), first) if is_mp3 else 0
            sound.seek(first - lead)
            samples = read_between(sound, lead, None if last is None else lead + last - first)
    except (soundfile.LibsndfileError, OSError) as error:
        raise UserError(f"{path}: {_describe_unreadable(path)} ({error})") from error
    promised, held = _wav_bytes(path)
    if promised > held:
        raise UserError(
            f"{path}: the header promises {promised} bytes of sound, the file holds {held}; "
            "it was cut short, fetch it again"
        )
    if _is_cut_ogg(path):
        raise UserError(f"{path}: its last page is missing; it was cut short, fetch it again")
    if frames is not None and last is not None and len(samples) < last - first:
        raise UserError(
            f"{path}: the header promises {last - first} samples, the file holds {len(samples)}; "
            "it was cut short, fetch it again"
        )
    return samples, rate_hz


def _check_finite(path: Path, samples: np.ndarray, first: int = 0) -> None:
    if not np.isfinite(samples).all():
        bad = first + int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
        raise UserError(
            f"{path}: sample {bad} is not a finite number (NaN or infinity); "
            "write the file anew from its source"
        )


def _wav_bytes(path: Path) -> tuple[int, int]:
    """Return how many bytes of sound a WAV's header promises, and how many the file holds.

    libsndfile takes what is left of a WAV that was cut short for the whole of it, without a
    word. Other containers, and WAV written to a pipe (with no length to promise), give (0, 0).
    """
    with path.open("rb") as stream:
        if stream.read(4) != b"RIFF":
            return 0, 0
        stream.seek(12)
        while len(header := stream.read(8)) == 8:
            size = int.from_bytes(header[4:], "little")
            if header[:4] == b"data":
                is_piped = size >= 0x7FFFF000  # what sox and ffmpeg write for "unknown"
                return (0, 0) if is_piped else (size, path.stat().st_size - stream.tell())
            stream.seek(size + size % 2, 1)
    return 0, 0


def _is_cut_ogg(path: Path) -> bool:
    """Return whether a file is OGG whose last page is not marked as the last (RFC 3533).

    libsndfile takes what is left of such a file for the whole of it. A page has 65307 bytes
    at most.
    """
    with path.open("rb") as stream:
        if stream.read(4) != b"OggS":
            return False
        stream.seek(max(path.stat().st_size - 65307, 0))
        tail = stream.read()
    flags = tail.rfind(b"OggS") + 5
    return not (len(tail) > flags and tail[flags] & 4)


def _describe_unreadable(path: Path) -> str:
    if not path.exists():
        return "expected an audio file, found none"
    if path.is_dir():
        return "expected an audio file, found a folder"
    if path.stat().st_size == 0:
        return "expected an audio file, found one of zero bytes; fetch it again"
    with path.open("rb") as stream:
        if stream.read(40).startswith(b"version https://git-lfs"):
            return "expected audio, found a git-lfs pointer; run `git lfs pull` in the corpus"
    return "expected audio that libsndfile reads (WAV, FLAC, OGG, MP3), found something else"
