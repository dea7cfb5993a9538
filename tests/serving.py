"""A server of a test's own: in a thread, over real sockets."""

import asyncio
import contextlib
import http.client
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from processes import wait_for

from ser_aae.server.connections import build_server


@dataclass
class Talk:
    """A server that runs; `serving` ends it."""

    port: int
    end: Callable[[], None]
    opened: list = field(default_factory=list)

    def client(self, **named):
        """Return a client that patiently waits for answers."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", timeout=300, trust_env=False, **named
        )

    def connect(self, sent=b""):
        """Open a connection and send some bytes; it is closed at the test's end."""
        talk = socket.create_connection(("127.0.0.1", self.port), timeout=300)
        self.opened.append(talk)
        talk.sendall(sent)
        return talk


@contextlib.contextmanager
def serving(app, limits):
    """Serve an app with the limits, and end it."""
    running = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))

        async def serve():
            running.append(build_server(app, limits))
            await running[0].serve(sockets=[listening])

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        wait_for(lambda: running and running[0].started)

        def end():
            running[0].should_exit = True
            thread.join(300)

        found = Talk(listening.getsockname()[1], end)
        try:
            yield found
        finally:
            for talk in found.opened:
                talk.close()
            end()


def read_all(talk):
    """Return what comes until the other side ends the connection, or resets it."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := talk.recv(1 << 16):
            found += piece
    return found


def read_answer(talk):
    """Return status and content of the next answer."""
    answer = http.client.HTTPResponse(talk)
    answer.begin()
    return answer.status, answer.read()


def upload_head(length, host="localhost"):
    """Return the head of an upload of so many bytes, and the beginning of its form."""
    return (
        f"POST /api/predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    ).encode()


FORM_BEGIN = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
FORM_END = b"\r\n--x--\r\n"
