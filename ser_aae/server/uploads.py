"""Recordings of clients: kept under a name of ours for as long as they are worked on.

The name that a client gives a file is never part of a path. A form is read into files without a
name, so that nothing is left of an upload that breaks off.
"""

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ser_aae.server.limits import Limits


class Uploads:
    """The folder of uploads, removed when the server ends."""

    def __init__(self, limits: Limits) -> None:
        """Make an empty folder that nobody else can read."""
        self.limits = limits
        self._reserved_bytes = 0
        self.folder = Path(tempfile.mkdtemp(prefix="ser-aae-serve-"))

    async def receive(self, request: Request, field: str) -> Path:
        """Keep the one file of a form, which stands in this field.

        Raises:
            HTTPException: No form, no such file in it (400), too large a file (413), or no room
                for more files (503).
        """
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise HTTPException(400, "expected a form (multipart/form-data)")
        announced = request.headers.get("content-length", "")
        most = int(announced) if announced.isdecimal() else self.limits.bytes
        with self._reserve(most):
            async with request.form(max_files=1, max_fields=8) as form:
                upload = form.get(field)
                if not isinstance(upload, UploadFile):
                    raise HTTPException(400, f"expected a file in the form's field {field!r}")
                if (upload.size or 0) > self.limits.bytes:
                    raise HTTPException(413, self.limits.too_large)
                return await run_in_threadpool(self._keep, upload)

    @contextlib.contextmanager
    def _reserve(self, size: int) -> Iterator[None]:
        # without a thread: a file that has come meanwhile would be counted neither here nor there
        held = sum(_size(path) for path in self.folder.iterdir())
        if held + self._reserved_bytes + size > self.limits.waiting * self.limits.bytes:
            raise HTTPException(
                503, "the server has as many recordings as it has room for; try again in a while"
            )
        self._reserved_bytes += size
        try:
            yield
        finally:
            self._reserved_bytes -= size

    def remove(self, path: Path) -> None:
        """Remove a file that was received, if it is still there."""
        path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _keep(self, upload: UploadFile) -> Path:
        descriptor, name = tempfile.mkstemp(dir=self.folder)
        path = Path(name)
        try:
            with open(descriptor, "wb") as file:
                shutil.copyfileobj(upload.file, file)
        except OSError:  # the disk is full, for one
            path.unlink()
            raise
        return path


def is_disk_full(error: OSError) -> bool:
    """Return whether the disk is full, or the share of it that may be used."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # answered, and removed, meanwhile
        return 0
