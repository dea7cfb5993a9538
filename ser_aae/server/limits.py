"""Limits of what a client may send and the page may fetch: middleware around everything."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ser_aae.server.hosts import LOOPBACK, host_name, local_name

MEBIBYTE = 1 << 20

_OTHER_BYTES = MEBIBYTE
"""Bytes that a request without a file may have; and a form beside its file."""

_SHOWN_LETTERS = 100
"""Letters of what a client sends that an answer repeats at most."""

_NO_FORM = f"expected at most {_OTHER_BYTES // MEBIBYTE} MB of what is no form with a recording"

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
    """Limits of recordings, and of clients.

    Attributes:
        megabytes: Largest file, in units of 2^20 bytes.
        waiting: Number of files of that size that may lie on the server at once.
        connections: Number of connections that may be open at once.
        connections_per_address: Those of one address of another machine.
        head_s: Time for a request's head, from the end of the request before; and for a client
            to read anything at all of its answer.
        silent_s: Time in which something of a body has to come.
        slowest_bytes_per_s: Mean rate that a body has to have after `silent_s`.
        body_s: Time for a whole body.
        linger_s: Silence after which nothing more is read of a body that is answered already.
    """

    megabytes: float = 50.0
    seconds: float = 600.0
    waiting: int = 20
    connections: int = 200
    connections_per_address: int = 50
    head_s: float = 20.0
    silent_s: float = 30.0
    slowest_bytes_per_s: float = 4096.0
    body_s: float = 1800.0
    linger_s: float = 5.0

    @property
    def bytes(self) -> int:
        """Bytes of the largest file."""
        return int(self.megabytes * MEBIBYTE)

    @property
    def body_bytes(self) -> int:
        """Bytes of the largest body: a form with the largest file."""
        return self.bytes + _OTHER_BYTES

    @property
    def too_large(self) -> str:
        """Message to a client whose file is larger."""
        return f"expected a recording of at most {self.megabytes:g} MB; send a shorter one"


class BodyError(Exception):
    """A body that goes on after its limit, or comes too slowly.

    Attributes:
        status: Status of the answer.
    """

    def __init__(self, status: int, why: str) -> None:
        """Keep what is answered."""
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class BodyLimit:
    """Refuse bodies over the limit, announced or not, and those that keep the server waiting.

    A body that is no form is refused when it is read: where none is expected, the application says
    what is, whatever the length.

    Attributes:
        limits: Bodies of forms may have a file of this size, others hardly anything.
    """

    app: ASGIApp
    limits: Limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with 413 as soon as it is known that a body is too large, with 408 if too slow."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most, too_large = _OTHER_BYTES, _NO_FORM
        if is_form(headers):
            most, too_large = self.limits.body_bytes, self.limits.too_large
            announced = headers.get("content-length", "0")
            if not announced.isdecimal() or int(announced) > most:
                await refuse(scope, receive, send, 413, too_large)
                return
        body = _MeasuredBody(receive, self.limits, most, too_large)
        begun = False

        async def pass_on(message: Message) -> None:
            nonlocal begun
            # the application may have made an answer of its own of the exception
            if begun or not body.refusal:
                begun = True
                await send(message)

        try:
            await self.app(scope, body.receive, pass_on)
        except Exception:
            if not body.refusal:
                raise
        if body.refusal and not begun:
            await refuse(scope, receive, send, body.refusal.status, str(body.refusal))


class _MeasuredBody:
    """A body that is counted, and timed, while it comes."""

    def __init__(self, receive: Receive, limits: Limits, most: int, too_large: str) -> None:
        self._receive, self._limits = receive, limits
        self._most, self._too_large = most, too_large
        self._taken = 0
        self._begun_s = asyncio.get_running_loop().time()
        self._is_whole = False
        self.refusal: BodyError | None = None

    async def receive(self) -> Message:
        try:
            # once it is whole, nothing is awaited but that the client goes away
            patience_s = None if self._is_whole else self._patience_s()
            message = await asyncio.wait_for(self._receive(), patience_s)
        except asyncio.TimeoutError as error:
            rate = f"{self._limits.slowest_bytes_per_s / 1024:g} KiB a second"
            why = f"expected {rate}, and no long pause; send it again from a better network"
            self.refusal = BodyError(408, why)
            raise self.refusal from error
        self._taken += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._taken > self._most:
            self.refusal = BodyError(413, self._too_large)
            raise self.refusal
        return message

    def _patience_s(self) -> float:
        limits = self._limits
        due_s = limits.silent_s + self._taken / limits.slowest_bytes_per_s
        left_s = self._begun_s + min(due_s, limits.body_s) - asyncio.get_running_loop().time()
        return min(limits.silent_s, left_s)


@dataclass(frozen=True)
class Guard:
    """Tell browsers to fetch nothing from elsewhere, and refuse requests of pages elsewhere.

    A page elsewhere could give its own name this machine's address and then read the server's
    answers: the header `Host` has that name. Any page can send a form with a file, though it cannot
    read the answer: the headers `Sec-Fetch-Site` and `Origin`, which browsers write and other
    programs leave out, name its site.

    Attributes:
        hosts: Names the server goes by, beside the address that a connection comes to.
    """

    app: ASGIApp
    hosts: Collection[str] = LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to every answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = POLICY
                # not "no-referrer": browsers would leave the site out of `Origin` too
                headers["referrer-policy"] = "same-origin"
                headers["x-content-type-options"] = "nosniff"
            await send(message)

        headers = Headers(scope=scope)
        if not self._is_own(scope, headers):
            named = headers.get("host", "")[:_SHOWN_LETTERS]
            why = (
                "expected a request to this machine by its own name, or one of --allowed-host; got "
                f"one to {named!r}"
            )
            await refuse(scope, receive, send_guarded, 421, why)
        elif scope["method"] not in ("GET", "HEAD", "OPTIONS") and _is_foreign(headers):
            why = "expected a request of the server's own page or a program"
            await refuse(scope, receive, send_guarded, 403, why)
        else:
            await self.app(scope, receive, send_guarded)

    def _is_own(self, scope: Scope, headers: Headers) -> bool:
        name = host_name(headers.get("host", ""))
        address, _ = scope.get("server") or ("", None)
        return name in self.hosts or (bool(name) and name == local_name(address))


def is_form(headers: Headers) -> bool:
    """Return whether a request has a form that may have files in it."""
    kind = headers.get("content-type", "").partition(";")[0]
    return kind.strip().lower() == "multipart/form-data"


def _is_foreign(headers: Headers) -> bool:
    """Return whether a page of another site, or of another port, made the browser ask."""
    # browsers write this header to https and to this machine; it is right also behind a proxy
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    """Answer, and read nothing of the body."""
    await JSONResponse({"error": why}, status, {"connection": "close"})(scope, receive, send)
