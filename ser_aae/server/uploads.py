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
from starlette.types import Message, Receive

from ser_aae.server.limits import Limits, is_form


class Uploads:
    """The folder of uploads, removed when the server ends."""

    def __init__(self, limits: Limits) -> None:
        """Make an empty folder that nobody else can read."""
        self.limits = limits
        self._arriving_bytes = 0
        self._kept_bytes: dict[Path, int] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="ser-aae-serve-"))

    async def receive(self, request: Request, field: str) -> Path:
        """Keep the one file of a form, which stands in this field.

        Raises:
            HTTPException: No form, no such file in it (400), too large a file (413), or no room
                for more files (503).
        """
        if not is_form(request.headers):
            raise HTTPException(400, "expected a form (multipart/form-data)")
        with self._counted(request.receive) as receive:
            counted = Request(request.scope, receive)
            async with counted.form(max_files=1, max_fields=8) as form:
                upload = form.get(field)
                if not isinstance(upload, UploadFile):
                    raise HTTPException(400, f"expected a file in the form's field {field!r}")
                size = upload.size or 0
                if size > self.limits.bytes:
                    raise HTTPException(413, self.limits.too_large)
                path = await run_in_threadpool(self._keep, upload)
                self._kept_bytes[path] = size
                return path

    @contextlib.contextmanager
    def _counted(self, receive: Receive) -> Iterator[Receive]:
        """Count what arrives, not what is announced: an announcement takes no room."""
        arrived = 0

        async def receive_counted() -> Message:
            nonlocal arrived
            message = await receive()
            size = len(message.get("body", b""))
            held = sum(self._kept_bytes.values()) + self._arriving_bytes
            if held + size > self.limits.waiting * self.limits.bytes:
                raise HTTPException(
                    503,
                    "the server has as many recordings as it has room for; try again in a while",
                )
            arrived += size
            self._arriving_bytes += size
            return message

        try:
            yield receive_counted
        finally:
            self._arriving_bytes -= arrived

    def remove(self, path: Path) -> None:
        """Remove a file that was received, if it is still there."""
        self._kept_bytes.pop(path, None)
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
