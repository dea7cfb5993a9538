"""A web server on this machine whose answers a test decides: cut short, in parts, or refused."""

import hashlib
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Content:
    """A file of the server.

    Attributes:
        data: Bytes of it.
        cuts: Numbers of bytes after which the next answers break off, one an answer; what follows
            the last is whole.
        has_length: Whether answers say how long they are.
        has_rests: Whether a rest of it can be asked for.
        is_careless: Whether it gives the rest of whatever version is asked for.
    """

    data: bytes
    cuts: list[int] = field(default_factory=list)
    has_length: bool = True
    has_rests: bool = True
    is_careless: bool = False

    @property
    def version(self):
        return f'"{hashlib.sha256(self.data).hexdigest()}"'


class Web(ThreadingHTTPServer):
    """A server of the files in `files`, path to content; `asked` has each path and its range."""

    daemon_threads = True

    def __init__(self):
        self.files: dict[str, Content] = {}
        self.asked: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        path = urlsplit(self.path).path.lstrip("/")
        asked = self.headers.get("Range", "")
        self.server.asked.append((path, asked))
        content = self.server.files.get(path)
        if content is None:
            self.send_error(404)
            return
        begin = 0
        match = re.fullmatch(r"bytes=(\d+)-", asked)
        is_same = content.is_careless or self.headers.get("If-Range") == content.version
        if match and content.has_rests and is_same:
            begin = int(match[1])
        if begin >= len(content.data) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content.data)}")
            self.end_headers()
            return
        rest = content.data[begin:]
        self.send_response(206 if begin else 200)
        if begin:
            end = len(content.data)
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{end}")
        if content.has_length:
            self.send_header("Content-Length", str(len(rest)))
        if content.has_rests:
            self.send_header("ETag", content.version)
        self.end_headers()
        self.wfile.write(rest[: content.cuts.pop(0)] if content.cuts else rest)

    def log_message(self, *_):
        """Keep quiet."""
