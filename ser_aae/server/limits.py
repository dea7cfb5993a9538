"""What a client may send, and what the page may fetch: middleware around everything."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

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

_CHANGES_NOTHING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Limits:
    """How much a recording may be.

    Attributes:
        megabytes: Of the file, in units of 2^20 bytes.
        seconds: Of sound.
        waiting: How many files of that size may lie on the server at once.
    """

    megabytes: float = 50.0
    seconds: float = 600.0
    waiting: int = 20

    @property
    def bytes(self) -> int:
        """The largest file."""
        return int(self.megabytes * MEBIBYTE)

    @property
    def waiting_bytes(self) -> int:
        """What all files together may have."""
        return self.waiting * self.bytes

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
            await _refuse(send, 413, self.limits.too_large)
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
            await _refuse(send, 413, self.limits.too_large)


class Guarded:
    """Tell browsers to fetch nothing from elsewhere, and refuse what comes from elsewhere.

    A page elsewhere could give its own name this machine's address and then read what the
    server answers; the header `Host` tells. Without that it cannot read, but send: a form with a
    file needs nobody's leave. The headers `Sec-Fetch-Site` and `Origin` tell, which browsers write
    and other programs leave out.

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

        headers = Headers(scope=scope)
        if self.hosts and _without_port(headers.get("host", "")) not in self.hosts:
            await _refuse(guarded, 421, "expected a request to this machine by its own name")
        elif scope["method"] not in _CHANGES_NOTHING and _is_foreign(headers):
            await _refuse(guarded, 403, "expected a request of the server's own page or a program")
        else:
            await self.app(scope, receive, guarded)


def _is_foreign(headers: Headers) -> bool:
    """Return whether a page of another site, or of another port, made the browser ask."""
    # browsers write it to https and to this machine; it is right also behind a proxy
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


async def _refuse(send: Send, status: int, why: str) -> None:
    """Answer, and read nothing of the body."""
    body = json.dumps({"error": why}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _without_port(name: str) -> str:
    if name.startswith("["):
        return name[: name.find("]") + 1]
    return name.partition(":")[0]
