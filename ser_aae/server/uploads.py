"""Recordings of clients: kept under a name of ours for as long as they are worked on.

The name that a client gives a file is never part of a path. A form is read into files without a
name, so that nothing is left of an upload that breaks off.
"""

import contextlib
import errno
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, MutableHeaders, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from ser_aae.server.limits import Limits, is_form

_MOST_FIELDS = 8
_FIELD_BYTES = 4096
"""Fields beside the file, which nothing reads, and the bytes of one."""

_BOUNDARY = re.compile(rb"[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]", re.ASCII)
"""Boundary of a form (RFC 2046, 5.1.1)."""


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
            HTTPException: No form, no such file in it (400), something else in it (422), too large
                a file (413), or no room for more files (503).
        """
        if not is_form(request.headers):
            raise HTTPException(400, "expected a form (multipart/form-data)")
        with self._counted(request.receive) as receive:
            form = await _parse(Request(_plain_scope(request), receive), field)
            try:
                upload = _find_file(form, field)
                size = upload.size or 0
                if size > self.limits.bytes:
                    raise HTTPException(413, self.limits.too_large)
                path = await run_in_threadpool(self._keep, upload)
                self._kept_bytes[path] = size
                return path
            finally:
                await form.close()

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


async def _parse(request: Request, field: str) -> FormData:
    """Return the form of a request.

    Raises:
        HTTPException: There are several files in it, or more beside one than anybody asks for.
    """
    try:
        return await request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_FIELD_BYTES)
    except MultiPartException as error:
        found = f"{error.message[:1].lower()}{error.message[1:].rstrip('.')}"
        raise HTTPException(
            400, f"expected a form with one file, in its field {field!r}: {found}"
        ) from error


def _find_file(form: FormData, field: str) -> UploadFile:
    """Return the file of a form that holds nothing else.

    Raises:
        HTTPException: No file in its field (400), or an empty one, or something beside it (422).
    """
    upload = form.get(field)
    if not isinstance(upload, UploadFile):
        raise HTTPException(400, f"expected a file in the form's field {field!r}")
    if others := sorted(set(form) - {field}):
        raise HTTPException(
            422,
            f"expected the form's field {field!r} alone, got {others[0]!r}; what else "
            "is asked for stands in the address, as in ?timeline_seconds=1",
        )
    if not upload.size:
        raise HTTPException(422, "expected a recording, got a file of zero bytes")
    return upload


def _plain_scope(request: Request) -> Scope:
    """Return the scope with nothing but the boundary beside the form's type.

    A client that names the encoding chooses how its text is decoded: some take time that grows
    with the square of the text, others fail.

    Raises:
        HTTPException: There is no boundary, or none that is allowed.
    """
    _, options = parse_options_header(request.headers["content-type"])
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise HTTPException(400, "expected a form with a boundary of 1 to 70 letters and figures")
    scope = {**request.scope, "headers": list(request.scope["headers"])}
    scope.pop("app", None)  # with it a form is refused in the words of its parser
    headers = MutableHeaders(scope=scope)
    headers["content-type"] = f'multipart/form-data; boundary="{boundary.decode()}"'
    return scope


def is_disk_full(error: OSError) -> bool:
    """Return whether the disk is full, or the share of it that may be used."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
