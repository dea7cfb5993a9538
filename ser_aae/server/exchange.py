"""Exchanges: each comes to an end that its client can read, and that leaves no traceback.

A connection that is closed while its client still sends is reset, and the answer may be lost with
it. So what comes after an early answer is read for a while and thrown away.
"""

import asyncio
import logging
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ser_aae.server.limits import Limits, refuse


@dataclass(frozen=True)
class Exchange:
    """Outermost layer: has clients read their answers, also when the server ends.

    Attributes:
        limits: As many bytes as a body may have are thrown away after an early answer.
    """

    app: ASGIApp
    limits: Limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 503 where the server ends first, and nothing to a client that has gone."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(receive, Headers(scope=scope))
        answer = _Answer(send, body, self.limits)
        try:
            await self.app(scope, body.receive, answer.send)
        except ClientDisconnect:
            logging.getLogger(__name__).debug("a client went away while it sent its request")
        except asyncio.CancelledError:  # uvicorn cancels what is not done when the server ends
            if answer.begun:
                raise
            why = "the server has been ended; send the recording again when it is back"
            await refuse(scope, receive, send, 503, why)


class _Body:
    """A request's body, and whether there may be more of it."""

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self._receive = receive
        announced = headers.get("content-length", "0") != "0"
        self.is_unread = announced or "transfer-encoding" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self.is_unread = False
        return message

    async def throw_away(self, limits: Limits) -> None:
        """Read on until it ends, or until it is too much, or takes too long."""
        loop = asyncio.get_running_loop()
        end_s, left = loop.time() + limits.silent_s, limits.body_bytes
        while self.is_unread and left > 0:
            patience_s = min(limits.linger_s, end_s - loop.time())
            try:
                message = await asyncio.wait_for(self.receive(), patience_s)
            except (
                asyncio.TimeoutError,
                asyncio.CancelledError,
            ):  # the client, or the server, ends
                return
            left -= len(message.get("body", b""))


class _Answer:
    """An answer, which is not over before the body is."""

    def __init__(self, send: Send, body: _Body, limits: Limits) -> None:
        self._send, self._body, self._limits = send, body, limits
        self.begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            if self._body.is_unread:
                MutableHeaders(scope=message)["connection"] = "close"
        elif self._body.is_unread and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._body.throw_away(self._limits)
            message = {"type": "http.response.body"}
        await self._send(message)
