"""Reading a recording of any rate and number of channels as 16 kHz mono (decisions F1)."""

import mimetypes
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
import soxr

from ser_aae.errors import UserError
from ser_aae.frontend.channels import Channel, take_channel
from ser_aae.frontend.content import HEAD_BYTES, describe_content
from ser_aae.frontend.ffmpeg import INSTALL, decode, find_ffmpeg
from ser_aae.frontend.mp3 import PIECE, read_between, read_unmeasured_mp3
from ser_aae.frontend.ogg import find_ogg_damage
from ser_aae.frontend.wav import (
    SLACK_BYTES,
    UNKNOWN_BYTES,
    WRONG_LENGTH,
    open_mended,
    read_wav_header,
)

LEAST_RATE_HZ = 1000
"""Headers with lower rates are damaged; resampled from 1 Hz, a second of sound fills the memory."""

MP3_LEAD_S = 2.0
"""Length before a part of an MP3 that is decoded with it, and thrown away.

A frame of MP3 draws on up to 511 bytes before it. libsndfile hands out what it makes of a frame
whose past it skipped: after a seek, up to 0.2 s of noise. At 8 kbit/s, the lowest rate there is,
511 bytes are about a second.
"""

MOST_OVER_FULL_SCALE = 2.0**16
"""The largest magnitude of a sample that can come from sound, 1 being full scale: 96 dB over it.

Floats go over full scale in recordings that are sound: float recorders keep what is too loud for
their gain, and programs write integers of 16 bits as floats, undivided (up to 2^15). But the
loudest sound in air has 194 dB of sound pressure (beyond it, troughs would be under a vacuum). Only
a recording whose full scale is less than 98 dB, the level of a shout, could hold such a sound and
go further. What does go further are floats with a flipped bit in the exponent, 2^16 to 2^128 times
too large, and integers of 24 or 32 bits, undivided. One such sample makes all the rest of its
recording silent beside it, and from 2e19 on its square is no float any more.
"""

SUFFIXES = (
    *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc"),
    *(".au", ".snd", ".caf", ".w64", ".rf64", ".sph", ".nist", ".voc"),
    *(".m4a", ".mp4", ".m4v", ".mov", ".aac", ".webm", ".mkv", ".mka", ".wma", ".amr", ".3gp"),
)
"""Endings of names that recordings have, in the last line those that ffmpeg reads.

They serve to find recordings among other files; of a file that is named the content decides.
"""

_SAMPLES_A_BYTE = 1 << 13
"""Density that no codec reaches: a frame of FLAC with 65535 equal samples takes eleven bytes."""


_UNRECOGNISED = {1, 2, 7}
"""Codes of libsndfile's errors on what is none of its formats, or not to be opened.

It takes a file for MP3 by its name or content, and says of one that is none that it is no file (7).
With any other error it has recognised the format.
"""

_OTHER_CODEC = {4, 18}
"""Codes of its errors on a format that it knows with a codec that it does not.

A wrong bit in a header can make one codec another; FLAC has but one.
"""

DECODED_RATE_HZ = 16000
"""Rate of what ffmpeg decodes: that of the front end, to which `predict` has it decoded."""

_OTHER_FORMAT = "expected audio that libsndfile reads (WAV, FLAC, OGG, MP3), found "
_NEVER_SOUND = ("text", "a web page", "a PDF")
"""What no program decodes, of what `ser_aae.frontend.content` knows."""

_LOGGED_CUT = re.compile(
    r"^ *(?:SSND|Data Size|Riff size|riff|data) *: (\d+) \(should be (\d+)\)$", re.MULTILINE
)
"""Lines of libsndfile's log on AIFF, AU, CAF, RF64, W64 cut short: bytes promised, bytes held."""

_NIST_HEADER_BYTES = 1024
_NIST_SAMPLES = re.compile(rb"NIST_1A\n.*?\nsample_count -i (\d+)\n", re.DOTALL)
"""Number of samples that the header of NIST SPHERE states, which libsndfile does not read."""


class OtherFormatError(UserError):
    """A file of no format that libsndfile knows: another program may read it."""


class _ForwardsFile(soundfile.SoundFile):
    """A file whose pieces are read one after the other, without seeking.

    soundfile seeks after each piece to the place that it has reached. An MP3 then goes on with
    noise, and a FLAC that does not say its length ends with an error.
    """

    def seekable(self) -> bool:
        return False


def read_audio(
    path: Path,
    sample_rate_hz: int,
    start_s: float = 0.0,
    end_s: float | None = None,
    channel: Channel = None,
) -> np.ndarray:
    """Read a recording as one channel at the given rate.

    Channels are averaged, or one is taken, before resampling (soxr, high quality). The file's own
    header says rate and channels; every container that libsndfile knows is read, and by ffmpeg,
    where that is installed, others. Without `end_s` the part ends where the file does.

    Returns:
        `(samples,)` float32, in [-1, 1] where the file is.

    Raises:
        UserError: Missing, no file, not audio, damaged, cut short, of a rate that no recording
            has, without samples, with samples that cannot be sound, or without the channel.
    """
    samples, rate_hz = read_channels(path, start_s, end_s)
    return change_rate(take_channel(samples, channel, path), rate_hz, sample_rate_hz)


def read_channels(
    path: Path, start_s: float = 0.0, end_s: float | None = None
) -> tuple[np.ndarray, int]:
    """Read all channels of a recording at the file's own rate.

    Returns:
        `(samples, channels)` float32, and the rate.

    Raises:
        UserError: As `read_audio`.
    """
    samples, rate_hz = _read(path, start_s, end_s)
    if samples.size == 0:
        raise UserError(
            f"{path}: expected sound, found no sample between {start_s} s and "
            f"{'the end' if end_s is None else f'{end_s} s'}; leave this recording out"
        )
    check_samples(str(path), samples, rate_hz, start_s)
    return samples, rate_hz


def read_header(path: Path) -> soundfile._SoundFileInfo:
    """Read what a recording's header says of it, as libsndfile understands it.

    Raises:
        UserError: No file, or a folder, pipe, device or socket: to open one may wait for ever.
        LibsndfileError: Nothing that libsndfile reads.
        OtherFormatError: Nothing that soundfile lets libsndfile read.
    """
    _check_file(path)
    with _open_source(path) as source:
        try:
            return soundfile.info(source)
        except (TypeError, ValueError) as error:
            raise _unreadable(path, error) from error


def describe_absence(path: Path) -> str | None:
    """Return what is there in place of a recording's file; `None` where a file is there."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last of a zero in a name
        forms = {unicodedata.normalize(form, str(path)) for form in ("NFC", "NFD")} - {str(path)}
        accents = "; one that looks the same has its accents coded otherwise: rename it"
        is_there = any(map(os.path.isfile, forms))
        return f"expected an audio file, found none{accents if is_there else '; check the path'}"
    except OSError as error:
        return f"expected an audio file, cannot read it: {error.strerror}"
    if stat.S_ISDIR(mode):
        return "expected an audio file, found a folder; give the path of a file"
    if not stat.S_ISREG(mode):
        return (
            "expected an audio file, found a pipe, a device or a socket; write the recording to "
            "a file"
        )
    return None


def describe_header(path: Path) -> str:
    """Return what a recording's header says wrongly and its sound was read in spite of, or `""`."""
    if wav := read_wav_header(path):  # of which libsndfile's log says more than is true
        return wav.remark
    try:
        with _open_sound(path) as sound:
            promised, held = _read_log(sound)
    except (soundfile.LibsndfileError, UserError):  # ffmpeg has read it
        return ""
    too_many = 0 if promised in UNKNOWN_BYTES else promised - held
    return WRONG_LENGTH.format(too_many) if too_many > 0 else ""


def read_pieces(path: Path) -> Iterator[np.ndarray]:
    """Yield a recording of unknown length, until nothing more comes.

    Yields:
        `(samples, channels)` float32 at the file's own rate.

    Raises:
        UserError: Not audio, damaged, or samples that cannot be sound.
    """
    try:
        with _open_sound(path) as sound:
            read = 0
            while len(piece := sound.read(PIECE, dtype="float32", always_2d=True)):
                check_samples(str(path), piece, sound.samplerate, read / sound.samplerate)
                read += len(piece)
                yield piece
    except (soundfile.LibsndfileError, OSError) as error:
        raise _unreadable(path, error) from error


def stated_frames(path: Path, frames: int) -> int | None:
    """Return the frames that libsndfile takes from a header, `None` where it does not say.

    FLAC that a program wrote to a pipe says nothing, and libsndfile gives the largest number
    there is; and a damaged header may state more than a file of its size can hold.
    """
    return frames if frames <= path.stat().st_size * _SAMPLES_A_BYTE else None


def check_samples(where: str, samples: np.ndarray, rate_hz: float, start_s: float = 0.0) -> None:
    """Refuse samples that cannot be sound: no numbers, or beyond `MOST_OVER_FULL_SCALE`.

    Args:
        where: The file, or another name for the sound.
        samples: `(samples, channels)` or `(samples,)`, floats of which 1 is full scale.
        rate_hz: Their rate.
        start_s: Their begin in the recording.

    Raises:
        UserError: Such a sample; the message has the time and the number of the first one.
    """
    # extremes alone where all is well; of NaN, which is an extreme then, the comparison is false
    most, least = samples.max(initial=0.0), samples.min(initial=0.0)
    if most <= MOST_OVER_FULL_SCALE and least >= -MOST_OVER_FULL_SCALE:
        return
    is_sound = np.abs(samples) <= MOST_OVER_FULL_SCALE
    value = samples[~is_sound][0]
    number = int(np.argwhere(~is_sound)[0, 0]) + round(start_s * rate_hz)
    most, time = f"{MOST_OVER_FULL_SCALE:g}", f"at {number / rate_hz:.3f} s"
    mend = "write the recording anew from its source"
    if np.isfinite(value):
        wrong = f"{abs(value):.3g} times full scale ({time}; sound has {most} at most)"
        mend += ", integers divided by the full scale of their type"
    else:
        wrong = f"not a finite number (NaN or infinity, {time})"
    raise UserError(f"{where}: sample {number} is {wrong}; {mend}")


def change_rate(mono: np.ndarray, rate_hz: float, sample_rate_hz: int) -> np.ndarray:
    """Resample one channel, `(samples,)` float32 (soxr, high quality)."""
    if rate_hz != sample_rate_hz:
        # the call of librosa.resample: to import that takes longer than to recognise a recording
        length = int(np.ceil(len(mono) * (float(sample_rate_hz) / rate_hz)))
        found = soxr.resample(mono, rate_hz, sample_rate_hz, quality="soxr_hq")[:length]
        mono = np.pad(found, (0, length - len(found)))
    return np.ascontiguousarray(mono, dtype=np.float32)


@contextmanager
def _open_source(path: Path) -> Iterator[Path | IO[bytes]]:
    """Give what libsndfile is to open: a file by its name, or what is opened in its place."""
    if (stream := open_mended(path)) is None:
        yield path
    else:
        with stream:
            yield stream


@contextmanager
def _open_sound(path: Path) -> Iterator[_ForwardsFile]:
    """Open a recording to read it forwards.

    Raises:
        UserError: soundfile refuses it for something else than what libsndfile says.
        LibsndfileError: Nothing that libsndfile reads.
    """
    with _open_source(path) as source:
        try:
            sound = _ForwardsFile(source)
        except (TypeError, ValueError) as error:  # of a name, or of a format it has no name for
            raise _unreadable(path, error) from error
        with sound:
            yield sound


def _read(path: Path, start_s: float, end_s: float | None) -> tuple[np.ndarray, int]:
    """Return `(samples, channels)` float32 and the file's rate, or raise what is wrong.

    Of a container that libsndfile does not know, it is what ffmpeg makes of it, as one channel.
    """
    try:
        return _read_known(path, start_s, end_s)
    except OtherFormatError as error:
        program = find_ffmpeg()
        if program is None:
            raise OtherFormatError(f"{error}; {INSTALL}") from error
    state = path.stat()
    samples = _decode_whole(program, path, state.st_size, state.st_mtime_ns)
    first = round(start_s * DECODED_RATE_HZ)
    last = None if end_s is None else round(end_s * DECODED_RATE_HZ)
    return samples[first:last, None].copy(), DECODED_RATE_HZ


@lru_cache(maxsize=1)
def _decode_whole(program: str, path: Path, _size: int, _time: int) -> np.ndarray:
    """Return `(samples,)` of a file; the last is kept, for parts of a file follow each other."""
    return np.concatenate([np.empty(0, np.float32), *decode(program, path, DECODED_RATE_HZ)])


def _read_known(path: Path, start_s: float, end_s: float | None) -> tuple[np.ndarray, int]:
    """Return what `_read` returns, of a file that libsndfile knows."""
    try:
        _check_file(path)
        with _open_sound(path) as sound:
            rate_hz = sound.samplerate
            if rate_hz < LEAST_RATE_HZ:
                raise UserError(
                    f"{path}: expected a sampling rate of at least {LEAST_RATE_HZ} Hz, the header "
                    f"says {rate_hz}; write the file anew from its source"
                )
            _check_whole(path, sound)
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
            if first > lead:  # some codecs, as GSM 6.10, know of no seeking
                sound.seek(first - lead)
            samples = read_between(sound, lead, None if last is None else lead + last - first)
    except (soundfile.LibsndfileError, OSError) as error:
        raise _unreadable(path, error) from error
    if frames is not None and last is not None and len(samples) < last - first:
        raise UserError(
            f"{path}: the header promises {last - first} samples, the file holds {len(samples)}; "
            "it was cut short, fetch it again"
        )
    return samples, rate_hz


def _check_file(path: Path) -> None:
    """Refuse what is no file, before it is opened."""
    if absence := describe_absence(path):
        raise UserError(f"{path}: {absence}")


def _check_whole(path: Path, sound: soundfile.SoundFile) -> None:
    """Refuse a file that ends before the sound that its header promises, and a damaged Ogg file.

    libsndfile takes what is left of such a file for the whole of it, and notes it in a log at the
    most. Of FLAC and MP3 it finds out while it reads.
    """
    # libsndfile's log of a WAV ends before its sound, where it has many tags
    wav = read_wav_header(path)
    promised, held = (wav.promised, wav.held) if wav and wav.missing else (0, 0)
    if not wav:
        promised, held = _read_log(sound)
    with path.open("rb") as stream:
        stated = _NIST_SAMPLES.match(stream.read(_NIST_HEADER_BYTES))
    if promised > held + SLACK_BYTES and promised not in UNKNOWN_BYTES:
        raise UserError(
            f"{path}: the header promises {promised} bytes of sound, the file holds {held}; "
            "it was cut short, fetch it again"
        )
    if stated and int(stated[1]) > sound.frames:
        raise UserError(
            f"{path}: the header promises {int(stated[1])} samples, the file holds "
            f"{sound.frames}; it was cut short, fetch it again"
        )
    if damage := find_ogg_damage(path):
        raise UserError(f"{path}: {damage}")


def _read_log(sound: soundfile.SoundFile) -> tuple[int, int]:
    """Return the bytes that a header promises and those that libsndfile found, 0 for no promise."""
    noted = _LOGGED_CUT.search(sound.extra_info)
    return (int(noted[1]), int(noted[2])) if noted else (0, 0)


def _unreadable(path: Path, cause: Exception) -> UserError:
    """Return an error that says what a file is which libsndfile does not read."""
    description = _describe_unreadable(path, cause)
    kind = OtherFormatError if description.startswith(_OTHER_FORMAT) else UserError
    # of some content libsndfile says that there is no file, which was there before and is now
    is_misleading = isinstance(cause, soundfile.LibsndfileError) and "does not exist" in str(cause)
    return kind(f"{path}: {description}" + ("" if is_misleading else f" ({cause})"))


def _describe_unreadable(path: Path, cause: Exception) -> str:
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        return f"expected an audio file, cannot read it: {error.strerror}"
    return _describe_content(path.name, head, cause)


def _describe_content(name: str, head: bytes, cause: Exception) -> str:
    code = cause.code if isinstance(cause, soundfile.LibsndfileError) else 1
    if not head:
        return "expected an audio file, found one of zero bytes; fetch it again"
    if head.startswith(b"version https://git-lfs"):
        return "expected audio, found a git-lfs pointer; run `git lfs pull` in the corpus"
    if code in _OTHER_CODEC and not head.startswith(b"fLaC"):
        return (
            "expected audio of a codec that libsndfile reads, found another one or a damaged "
            "header; convert the file, or fetch it again"
        )
    if code not in _UNRECOGNISED:
        return "expected audio, found a damaged file; fetch it again"
    found = describe_content(head)
    kind, _ = mimetypes.guess_type(name)
    if found in _NEVER_SOUND and not (kind or "").startswith(("audio/", "video/")):
        return f"expected audio, found {found}; give a recording"
    return _OTHER_FORMAT + found
