"""The page: its files, each at an address of its own.

They are what `static/` has, written by hand: no script or style stands in the HTML, so that
`limits.POLICY` may refuse those that do. The page asks the endpoint, as any program does.
"""

from collections.abc import Awaitable, Callable
from importlib import resources

from fastapi import FastAPI
from fastapi.responses import Response

FILES = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/recorder.js": ("recorder.js", "text/javascript"),
    "/microphone.js": ("microphone.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
"""Address to the file that is answered, and its media type; nothing else of a disk is."""

OPEN_FILES = ("/page.css", "/icon.svg")
"""Those that the login's page shows too: nothing in them is secret."""


def mount_page(app: FastAPI) -> None:
    """Put the page at `/`."""
    for address, (name, media_type) in FILES.items():
        answer = _answer(read_file(name), media_type)
        app.add_api_route(address, answer, methods=["GET", "HEAD"], include_in_schema=False)


def read_file(name: str) -> bytes:
    """Return a file of `static/`."""
    return (resources.files("ser_aae.server") / "static" / name).read_bytes()


def _answer(content: bytes, media_type: str) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        # another version of this program may answer next
        return Response(content, media_type=media_type, headers={"cache-control": "no-cache"})

    return answer
