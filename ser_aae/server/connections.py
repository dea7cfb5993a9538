"""Connections: their number, and the time for which a client may keep the server waiting.

uvicorn closes connections that are idle, but waits for ever for the rest of a request's head, and
for a client that reads no answer; and where a limit of connections is reached, it turns away
whoever comes next. Here the connection that has been silent longest makes room. Bodies have limits
of their own, which are answered: `limits.BodyLimit`.
"""

import asyncio
import logging
from functools import partial
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ser_aae.server.hosts import client_of, is_loopback
from ser_aae.server.limits import Limits, refuse

_FAULTS = logging.getLogger(f"{__name__}.faults")
_FAULTS.setLevel(logging.ERROR)
"""Log of what uvicorn says of requests, without warnings of what clients send: they have no end."""

_ENDING_S = 3
"""Time that requests have to be answered in when the server ends."""


def build_server(app: ASGIApp, limits: Limits, log_level: str = "warning") -> uvicorn.Server:
    """Return a server whose connections keep the limits."""
    config = uvicorn.Config(
        app,
        http=partial(Connection, limits),  # type: ignore[arg-type]
        ws="none",
        log_config=None,  # its lines go where all others of the program go
        log_level=log_level,
        timeout_graceful_shutdown=_ENDING_S,
        server_header=False,
        proxy_headers=False,  # any program on this machine could say that it is somebody else
    )
    return uvicorn.Server(config)


class Connection(H11Protocol):
    """A connection that ends when its client keeps the server waiting, or others need the room."""

    def __init__(self, limits: Limits, *args: Any, **named: Any) -> None:
        """Know the limits; the rest is uvicorn's."""
        super().__init__(*args, **named)
        self.logger = _FAULTS
        self._limits = limits
        self._patience: asyncio.TimerHandle | None = None
        self._unsent_bytes = 0
        self._silent_since_s = 0.0
        self._peer = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for it, or have its request refused."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        self._watch()
        if not self._make_room():
            self.app = _refuse_all

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sends."""
        super().data_received(data)
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, unless an answer has begun; to the application the client left.

        uvicorn would begin a second answer, or have the application begin one.
        """
        logging.getLogger(__name__).debug("a client sent what is no HTTP")
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def on_response_complete(self) -> None:
        """Wait for the next request, and for the answer to be read."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Go on, now that the client reads."""
        super().resume_writing()
        self._watch()

    @property
    def _awaits_request(self) -> bool:
        return self.cycle is None or self.cycle.response_complete or self.cycle.disconnected

    @property
    def _awaits_client(self) -> bool:
        return self._awaits_request or self.cycle.more_body or self.flow.write_paused

    def _watch(self) -> None:
        """Note that something happened; begin or end the time for a head, or for reading."""
        self._silent_since_s = self.loop.time()
        if not (self._awaits_request or self.flow.write_paused):
            self._stop_watching()
        elif self._patience is None and self in self.connections:
            # not anew with each byte: a head has this time in all
            self._unsent_bytes = self.transport.get_write_buffer_size()
            self._patience = self.loop.call_later(self._limits.head_s, self._lose_patience)

    def _stop_watching(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        self._patience = None
        before, self._unsent_bytes = self._unsent_bytes, self.transport.get_write_buffer_size()
        if 0 < self._unsent_bytes < before:
            self._patience = self.loop.call_later(self._limits.head_s, self._lose_patience)
        else:
            self._drop()

    def _drop(self) -> None:
        self._stop_watching()
        self.connections.discard(self)  # asyncio says that it is lost a little later
        self.transport.abort()

    def _make_room(self) -> bool:
        """Drop a connection where there are too many; return whether there is room for this one.

        It is the one whose client has been silent longest: whoever sends or is being answered
        stays.
        """
        all_of_them = [each for each in self.connections if isinstance(each, Connection)]
        client = client_of(self._peer)
        groups = [(all_of_them, self._limits.connections)]
        if not is_loopback(self._peer):
            # of this machine's addresses a proxy may have many clients, and its owner is one
            own = [each for each in all_of_them if client_of(each._peer) == client]
            groups.insert(0, (own, self._limits.connections_per_address))
        for group, most in groups:
            if len(group) > most and self in self.connections:
                silent = [each for each in group if each is not self and each._awaits_client]
                if not silent:
                    return False
                min(silent, key=lambda each: each._silent_since_s)._drop()
                return True
        return True


async def _refuse_all(scope: Scope, receive: Receive, send: Send) -> None:
    why = "the server has as many requests as it can work on; try again in a while"
    await refuse(scope, receive, send, 503, why)
