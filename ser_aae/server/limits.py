"""What a client may send, and what the page may fetch: middleware around everything."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEBIBYTE = 1 << 20

_OTHER_BYTES = MEBIBYTE
"""What a request without a file may have; and what a form may have beside its file."""

POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""Content Security Policy: a browser fetches from this server and from nowhere else."""


@dataclass(frozen=True)
class Limits:
    """How much a recording may be.

    Attributes:
        megabytes: Of the file, in units of 2^20 bytes.
        seconds: Of sound.
    """

    megabytes: float = 50.0
    seconds: float = 600.0

    @property
    def bytes(self) -> int:
        """The largest file."""
        return int(self.megabytes * MEBIBYTE)

    @property
    def too_large(self) -> str:
        """What a client is told whose file is larger."""
        return f"expected a recording of at most {self.megabytes:g} MB; send a shorter one"


class TooMuchError(Exception):
    """A body went on after its limit."""


class BodyLimit:
    """Refuse bodies over the limit: when they are announced, and when they come unannounced.

    Args:
        app: What is behind it.
        limits: Bodies of forms may have a file of this size, others hardly anything.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        """Keep both."""
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with 413 as soon as it is known that a body is too large."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_form = headers.get("content-type", "").startswith("multipart/form-data")
        most = _OTHER_BYTES + (self.limits.bytes if is_form else 0)
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > most:
            await self._refuse(send)
            return
        taken, refused, begun = 0, False, False

        async def counted() -> Message:
            nonlocal taken, refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                refused = True
                raise TooMuchError
            return message

        async def unless_refused(message: Message) -> None:
            nonlocal begun
            if not refused:  # whatever is inside may make an answer of its own of the exception
                begun = True
                await send(message)

        try:
            await self.app(scope, counted, unless_refused)
        except Exception:
            if not refused:
                raise
        if refused and not begun:
            await self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        body = json.dumps({"error": self.limits.too_large}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Guarded:
    """Tell browsers to fetch nothing from elsewhere, and refuse names that are not the server's.

    A page elsewhere could give its own name this machine's address and then read what the
    server answers; the header `Host` tells.

    Args:
        app: What is behind it.
        hosts: Names the server goes by; any where there are none.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = ()) -> None:
        """Keep both."""
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to every answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = POLICY
                headers["referrer-policy"] = "no-referrer"
                headers["x-content-type-options"] = "nosniff"
            await send(message)

        name = Headers(scope=scope).get("host", "")
        if self.hosts and _without_port(name) not in self.hosts:
            body = b'{"error": "expected a request to this machine by its own name"}'
            start = {"type": "http.response.start", "status": 421}
            await guarded(start | {"headers": [(b"content-type", b"application/json")]})
            await guarded({"type": "http.response.body", "body": body})
            return
        await self.app(scope, receive, guarded)


def _without_port(name: str) -> str:
    if name.startswith("["):
        return name[: name.find("]") + 1]
    return name.partition(":")[0]
