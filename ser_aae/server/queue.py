"""Queue for the one model that all clients share: recordings are taken in the order they come."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ser_aae.errors import ModelError, UserError
from ser_aae.frontend.audio import read_header, stated_frames
from ser_aae.frontend.blocks import Block
from ser_aae.frontend.content import HEAD_BYTES, describe_content
from ser_aae.inference.recogniser import Recogniser
from ser_aae.inference.recognition import Recognition
from ser_aae.inference.wording import names_for_people
from ser_aae.server.limits import Limits
from ser_aae.server.pictures import Scheme, SpectrogramColumns, draw_timeline
from ser_aae.server.uploads import is_disk_full

_CLIENTS_FILE = "the recording"
"""Name of a client's file in messages: neither our path nor the name it came with."""

_MOST_SAMPLES_PER_S = 400_000
"""Sum over all channels: eight at 48 kHz. A packed file could otherwise fill the memory."""

Neighbours = Callable[[np.ndarray], list[tuple[str, float]]]
"""A d-vector to enrolled speakers and their cosines, the nearest first."""


class FaultError(Exception):
    """A fault of this program; its message tells a client nothing of its inside."""


@dataclass(frozen=True)
class Answer:
    """Answer to a client about a recording.

    Attributes:
        speakers: Enrolled speakers and the cosine with each, the nearest first; none where
            nobody is enrolled, or nothing is said.
        picture: Spectrogram and timeline as PNG; empty where it was not asked for.
    """

    recognition: Recognition
    speakers: list[tuple[str, float]]
    picture: bytes = b""


class RecognitionQueue:
    """A model and the recordings that wait for it.

    Args:
        recogniser: The model, which gives the d-vector too where somebody is enrolled.
        neighbours: Finds enrolled speakers; `None` where nobody is enrolled.
    """

    def __init__(
        self, recogniser: Recogniser, limits: Limits, neighbours: Neighbours | None = None
    ) -> None:
        """Start the one thread that works."""
        self.recogniser = recogniser
        self.limits = limits
        self.neighbours = neighbours
        self._is_closed = False
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recogniser")

    async def ask(self, path: Path, step_s: float | None, picture: Scheme | None = None) -> Answer:
        """Recognise a recording when its turn comes.

        The timeline has steps of 0.1 to 10 seconds, and is not made without; a picture takes one.

        Raises:
            UserError: It cannot be read, or is too long; without the path in it.
            FaultError: This program failed with it; its log says why.
            OSError: The disk is full.
        """
        try:
            return await asyncio.wrap_future(
                self._worker.submit(self.answer, path, step_s, picture)
            )
        except asyncio.CancelledError:  # the server ends; the file is about to be removed
            self.close()
            raise

    def answer(self, path: Path, step_s: float | None, picture: Scheme | None = None) -> Answer:
        """Recognise a recording now, in the caller's thread; see `ask`. It is read once."""
        try:
            self._check(path)
            columns = SpectrogramColumns(self.recogniser.signature.frontend) if picture else None

            def observe(block: Block, end_s: float) -> None:
                if self._is_closed:
                    raise asyncio.CancelledError  # or the process would wait for a long recording
                self._check_length(end_s)
                if columns:
                    columns.add(block.signal)

            recognition = self.recogniser.recognise_file(path, step_s, observe)
            speakers = []
            # a d-vector of zeros has no neighbours, and a warning says so
            vector = recognition.d_vector
            if self.neighbours and vector is not None and vector.any():
                speakers = self.neighbours(vector)
            names = names_for_people(self.recogniser.signature.classes)
            drawn = (
                draw_timeline(columns, recognition, picture, names) if columns and picture else b""
            )
        except ModelError as error:
            logging.getLogger(__name__).error("%s", error)
            raise FaultError("the server's model is damaged; its log says how") from error
        except UserError as error:
            raise UserError(str(error).replace(str(path), _CLIENTS_FILE)) from error
        except Exception as error:
            if isinstance(error, OSError) and is_disk_full(error):
                raise
            if self._is_closed:
                raise asyncio.CancelledError from error
            logging.getLogger(__name__).exception("a recording made the program fail")
            raise FaultError("the server failed with this recording; its log says why") from error
        return Answer(recognition, speakers, drawn)

    def close(self) -> None:
        """Drop the recordings that wait, and the one that is worked on after its next block."""
        self._is_closed = True
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _check(self, path: Path) -> None:
        """Refuse a file that is not audio, is too long or would take too much memory.

        Only formats that libsndfile knows are read: other decoders may follow names in a file to
        other files, and write without end.
        """
        try:
            info = read_header(path)
        except (soundfile.LibsndfileError, OSError) as error:
            with path.open("rb") as stream:
                found = describe_content(stream.read(HEAD_BYTES))
            raise UserError(
                f"{path}: expected sound (WAV, FLAC, OGG, Opus, MP3 or AIFF), found {found}; "
                "convert it, or record it anew"
            ) from error
        if stated_frames(path, info.frames) is not None:
            self._check_length(info.duration)
        if info.samplerate * info.channels > _MOST_SAMPLES_PER_S:
            raise UserError(
                f"{path}: expected at most {_MOST_SAMPLES_PER_S} samples a second over all "
                f"channels, found {info.samplerate * info.channels}; resample it"
            )

    def _check_length(self, seconds: float) -> None:
        """Refuse too long a recording, also while it is read: a header need not say its length."""
        if seconds > self.limits.seconds:
            raise UserError(
                f"{_CLIENTS_FILE}: expected at most {self.limits.seconds:g} seconds, found "
                f"{seconds:.0f} or more; send a part of it"
            )
