"""Login: whoever has the token may use the server.

A program sends it with each request (`Authorization: Bearer TOKEN`). A person types it once, and
the browser keeps the name of a session, from which the token cannot be found.
"""

import hmac
import secrets
import time
from html import escape
from string import Template
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ser_aae.errors import UserError
from ser_aae.server.health import HEALTH
from ser_aae.server.hosts import client_of
from ser_aae.server.page import OPEN_FILES, read_file

LOGIN = "/login"

_OPEN = (HEALTH, *OPEN_FILES)

FEWEST_CHARACTERS = 16

_SESSION_S = 12 * 3600.0
_MOST_SESSIONS = 1000

_MOST_TRIES = 10
_TRIES_S = 60.0
_MOST_CLIENTS = 10_000

_FORM = "application/x-www-form-urlencoded"
_FORM_BYTES = 4096

_PAGE = "login.html"


def check_token(token: str) -> str:
    """Return a token that is good enough.

    Raises:
        UserError: It is too short, or cannot stand in a header.
    """
    if len(token) < FEWEST_CHARACTERS or not token.isascii() or not token.isprintable():
        raise UserError(
            f"--token, SER_AAE_TOKEN: expected at least {FEWEST_CHARACTERS} characters of ASCII, "
            f"got {len(token)} characters; `openssl rand -hex 16` makes one"
        )
    if " " in token:
        raise UserError("--token, SER_AAE_TOKEN: expected no spaces in it")
    return token


class Login:
    """Layer that lets nobody pass who has neither the token nor a session.

    Open to all are the login itself, the files of its page, and whether the server is well.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        """Begin without sessions."""
        self._app = app
        self._token = token
        self._sessions: dict[str, float] = {}
        self._tries = _Tries()
        # cookies do not tell ports apart: another server of this machine has a name of its own
        self._cookie = f"ser-aae-{secrets.token_hex(4)}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or ask who sends it."""
        if scope["type"] != "http" or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        if scope["path"] == LOGIN:
            answer: Response | None = await self._answer_login(request)
        else:
            answer = self._refusal(request)
        await (self._app if answer is None else answer)(scope, receive, send)

    async def _answer_login(self, request: Request) -> Response:
        if request.method in ("GET", "HEAD"):
            return _page("")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method != "POST" or kind != _FORM:
            return JSONResponse({"error": f"expected the form of {LOGIN}"}, 400)
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > _FORM_BYTES:
                error = f"expected the form of {LOGIN}, a token alone; got more than that"
                return JSONResponse({"error": error}, 413)
        form = dict(parse_qsl(body.decode(errors="replace")))
        wait_s = self._tries.wait_s(request)
        if wait_s:
            return _page("Too many wrong tokens; try again in a minute.", 429, wait_s)
        if not self._is_token(form.get("token", "")):
            self._tries.count(request)
            return _page("That is not the token.", 401)
        answer = RedirectResponse("/", 303)
        # as the browser names the server: a proxy may have ended TLS
        is_secure = request.headers.get("origin", "").startswith("https:")
        name = self._begin_session()
        answer.set_cookie(
            self._cookie, name, httponly=True, samesite="strict", secure=is_secure, path="/"
        )
        return answer

    def _refusal(self, request: Request) -> Response | None:
        if self._sessions.get(request.cookies.get(self._cookie, ""), 0) > time.monotonic():
            return None
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if wait_s := self._tries.wait_s(request):
                error = {"error": "too many wrong tokens; try again in a minute"}
                return JSONResponse(error, 429, {"retry-after": str(wait_s)})
            if self._is_token(bearer.strip()):
                return None
            self._tries.count(request)
        elif request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(LOGIN, 303)
        error = {"error": f"expected the server's token, as a bearer or by the page {LOGIN}"}
        return JSONResponse(error, 401, {"www-authenticate": "Bearer"})

    def _is_token(self, text: str) -> bool:
        # takes as long wherever the two differ
        return hmac.compare_digest(text.encode(), self._token.encode())

    def _begin_session(self) -> str:
        now_s = time.monotonic()
        lasting = [item for item in self._sessions.items() if item[1] > now_s]
        self._sessions = dict(lasting[-_MOST_SESSIONS + 1 :])
        name = secrets.token_urlsafe(32)
        self._sessions[name] = now_s + _SESSION_S
        return name


class _Tries:
    """Wrong tokens of each client within a minute of its first one."""

    def __init__(self) -> None:
        self._begun_s: dict[str, float] = {}
        self._number: dict[str, int] = {}

    def wait_s(self, request: Request) -> int:
        """Return how many seconds nothing is compared for this client; 0 for nothing to wait."""
        client = _client(request)
        left_s = self._begun_s.get(client, -_TRIES_S) + _TRIES_S - time.monotonic()
        if left_s <= 0:
            self._begun_s.pop(client, None)
            self._number.pop(client, None)
        return int(left_s) + 1 if self._number.get(client, 0) >= _MOST_TRIES else 0

    def count(self, request: Request) -> None:
        """Remember a wrong token; of too many clients the first one is forgotten."""
        client = _client(request)
        self._begun_s.setdefault(client, time.monotonic())
        self._number[client] = self._number.get(client, 0) + 1
        if len(self._begun_s) > _MOST_CLIENTS:
            first = next(iter(self._begun_s))
            del self._begun_s[first], self._number[first]


def _client(request: Request) -> str:
    return client_of(request.client.host) if request.client else ""


def _page(note: str, status: int = 200, wait_s: int = 0) -> Response:
    headers = {"cache-control": "no-store"} | ({"retry-after": str(wait_s)} if wait_s else {})
    text = Template(read_file(_PAGE).decode()).substitute(note=escape(note))
    return HTMLResponse(text, status, headers)
