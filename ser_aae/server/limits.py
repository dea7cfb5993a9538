"""Limits of what a client may send and the page may fetch: middleware around everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEBIBYTE = 1 << 20

_OTHER_BYTES = MEBIBYTE
"""Bytes that a request without a file may have; and a form beside its file."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; media-src blob:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""Content Security Policy: a browser takes files of this server alone, and nothing written inline.

A picture comes as base64 within an answer (`data:`), and the player plays what the browser has
itself (`blob:`).
"""


@dataclass(frozen=True)
class Limits:
    """Limits of recordings.

    Attributes:
        megabytes: Largest file, in units of 2^20 bytes.
        waiting: Number of files of that size that may lie on the server at once.
    """

    megabytes: float = 50.0
    seconds: float = 600.0
    waiting: int = 20

    @property
    def bytes(self) -> int:
        """Bytes of the largest file."""
        return int(self.megabytes * MEBIBYTE)

    @property
    def too_large(self) -> str:
        """Message to a client whose file is larger."""
        return f"expected a recording of at most {self.megabytes:g} MB; send a shorter one"


class TooMuchError(Exception):
    """A body that goes on after its limit."""


@dataclass(frozen=True)
class BodyLimit:
    """Refuse bodies over the limit: when they are announced, and when they come unannounced.

    Attributes:
        limits: Bodies of forms may have a file of this size, others hardly anything.
    """

    app: ASGIApp
    limits: Limits

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
            await _refuse(scope, receive, send, 413, self.limits.too_large)
            return
        taken, refused, begun = 0, False, False

        async def count() -> Message:
            nonlocal taken, refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                refused = True
                raise TooMuchError
            return message

        async def pass_on(message: Message) -> None:
            nonlocal begun
            if not refused:  # the application may have made an answer of its own of the exception
                begun = True
                await send(message)

        try:
            await self.app(scope, count, pass_on)
        except Exception:
            if not refused:
                raise
        if refused and not begun:
            await _refuse(scope, receive, send, 413, self.limits.too_large)


@dataclass(frozen=True)
class Guard:
    """Tell browsers to fetch nothing from elsewhere, and refuse requests of pages elsewhere.

    A page elsewhere could give its own name this machine's address and then read the server's
    answers: the header `Host` has that name. Any page can send a form with a file, though it cannot
    read the answer: the headers `Sec-Fetch-Site` and `Origin`, which browsers write and other
    programs leave out, name its site.

    Attributes:
        hosts: Names the server goes by; any where there are none.
    """

    app: ASGIApp
    hosts: Sequence[str] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to every answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = POLICY
                headers["referrer-policy"] = "no-referrer"
                headers["x-content-type-options"] = "nosniff"
            await send(message)

        headers = Headers(scope=scope)
        if self.hosts and _without_port(headers.get("host", "")) not in self.hosts:
            why = "expected a request to this machine by its own name"
            await _refuse(scope, receive, send_guarded, 421, why)
        elif scope["method"] not in ("GET", "HEAD", "OPTIONS") and _is_foreign(headers):
            why = "expected a request of the server's own page or a program"
            await _refuse(scope, receive, send_guarded, 403, why)
        else:
            await self.app(scope, receive, send_guarded)


def _is_foreign(headers: Headers) -> bool:
    """Return whether a page of another site, or of another port, made the browser ask."""
    # browsers write this header to https and to this machine; it is right also behind a proxy
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    """Answer, and read nothing of the body."""
    await JSONResponse({"error": why}, status, {"connection": "close"})(scope, receive, send)


def _without_port(name: str) -> str:
    if name.startswith("["):
        return name[: name.find("]") + 1]
    return name.partition(":")[0]
