"""With a token nothing but the login and the health is open; over real sockets."""

import re

import pytest
from serving import serving

from ser_aae.errors import UserError
from ser_aae.server import login
from ser_aae.server.app import build_app
from ser_aae.server.limits import Limits
from ser_aae.server.login import check_token
from ser_aae.server.queue import RecognitionQueue
from ser_aae.server.uploads import Uploads

TOKEN = "a token of 32 letters and figures".replace(" ", "-")
BEARER = {"authorization": f"Bearer {TOKEN}"}
BROWSER = {"accept": "text/html,*/*"}


@pytest.fixture
def served(toy_recogniser):
    limits = Limits(megabytes=1.0)
    app = build_app(RecognitionQueue(toy_recogniser, limits), Uploads(limits), token=TOKEN)
    with serving(app, limits) as found:
        yield found


@pytest.fixture
def client(served):
    with served.client() as found:
        yield found


def log_in(client, token, **headers):
    return client.post("/login", data={"token": token}, headers=headers)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/page.js", "/api/model", "/api/predict", "/api/openapi.json", "/health/"),
        *("/login/", "/LOGIN", "/no/such/page", "/health/../api/model", "/%2e/health/x"),
        "//health",
    ],
)
def test_without_the_token_nothing_is_answered(client, method, path):
    found = client.request(method, path)
    assert found.status_code == 401
    assert found.headers["www-authenticate"] == "Bearer"
    if method != "HEAD":
        assert "expected the server's token" in found.json()["error"]


def test_the_login_and_the_health_are_open(client):
    assert client.get("/health").json()["status"] == "ok"
    found = client.get("/login")
    assert found.status_code == 200
    assert 'method="post" action="/login">' in found.text
    assert "<script" not in found.text
    assert "style=" not in found.text
    for address in re.findall(r'href="([^"]+)"', found.text):  # what the page shows
        assert client.get(f"/{address}").status_code == 200
    assert client.get("/", headers=BROWSER).headers["location"] == "/login"


def test_a_program_sends_the_token_with_each_request(client, recording):
    assert client.get("/api/model", headers=BEARER).status_code == 200
    with recording.open("rb") as file:
        found = client.post("/api/predict", files={"file": file}, headers=BEARER)
    assert found.status_code == 200
    assert client.get("/api/model", headers={"authorization": f"bearer  {TOKEN}"}).is_success
    assert client.get("/api/model").status_code == 401


@pytest.mark.parametrize(
    "header", [f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", TOKEN, f"Basic {TOKEN}", "é"]
)
def test_another_token_is_refused(client, header):
    found = client.get("/api/model", headers={"authorization": header.encode()})
    assert found.status_code == 401


def test_a_person_types_it_once(served, client, recording):
    found = log_in(client, TOKEN)
    assert (found.status_code, found.headers["location"]) == (303, "/")
    cookie = found.headers["set-cookie"]
    assert "; httponly" in cookie.lower()
    assert "; samesite=strict" in cookie.lower()
    assert "; secure" not in cookie.lower()
    assert TOKEN not in cookie
    assert client.get("/").status_code == 200
    with recording.open("rb") as file:
        assert client.post("/api/predict", files={"file": file}).status_code == 200
    with served.client() as other:
        assert other.get("/", headers={"cookie": cookie.partition(";")[0] + "x"}).status_code == 401
        again = log_in(other, TOKEN).headers["set-cookie"]
        assert again.partition("=")[0] == cookie.partition("=")[0]
        assert again != cookie


def test_a_browser_logs_in_and_then_has_the_page(served, start_browser, recording):
    page = start_browser()
    try:
        page.ask("Page.navigate", url=f"http://localhost:{served.port}/")
        page.wait_for("location.pathname == '/login' && !!document.forms[0]")
        page.wait_for("document.styleSheets.length == 1 && document.readyState == 'complete'")
        assert page.value("getComputedStyle(document.querySelector('.error')).display") == "none"
        page.value(f"document.forms[0].token.value = {TOKEN + 'x'!r}; document.forms[0].submit()")
        page.wait_for("document.body.innerText.includes('not the token')")
        page.wait_for("document.readyState == 'complete'")
        look = "getComputedStyle(document.querySelector('{}')).{}"
        assert page.value(look.format(".error", "display")) == "block"
        assert page.value(look.format("#login", "backgroundColor")) == "rgb(255, 255, 255)"
        page.value(f"document.forms[0].token.value = {TOKEN!r}; document.forms[0].submit()")
        page.wait_for("location.pathname == '/' && document.body.innerText.includes(' toy')")
        assert page.value("document.cookie") == ""  # no script may read it
        page.ask("Network.clearBrowserCookies")  # as if the session had ended
        page.choose_file("#file", recording)
        page.wait_for("location.pathname == '/login' && !!document.forms[0]")
        assert not [line for line in page.said if "Content Security Policy" in line]
    finally:
        page.close()


def test_over_tls_the_cookie_stays_with_tls(client):
    headers = {"origin": "https://speech.example", "sec-fetch-site": "same-origin"}
    assert "; secure" in log_in(client, TOKEN, **headers).headers["set-cookie"].lower()


def test_a_session_ends(client, monkeypatch):
    monkeypatch.setattr(login, "_SESSION_S", -1.0)
    assert log_in(client, TOKEN).status_code == 303
    assert client.get("/api/model").status_code == 401


def test_sessions_do_not_grow_without_end(client, served, monkeypatch):
    monkeypatch.setattr(login, "_MOST_SESSIONS", 3)
    assert log_in(client, TOKEN).status_code == 303
    for _ in range(3):
        with served.client() as other:
            log_in(other, TOKEN)
            assert other.get("/api/model").status_code == 200
    assert client.get("/api/model").status_code == 401


def test_what_is_no_login_form_is_refused(client):
    assert log_in(client, "").status_code == 401
    assert log_in(client, TOKEN[:-1]).status_code == 401
    assert client.post("/login", files={"token": TOKEN.encode()}).status_code == 400
    assert client.post("/login", json={"token": TOKEN}).status_code == 400
    assert client.put("/login").status_code == 400
    kind = {"content-type": "Application/X-WWW-Form-URLencoded; charset=utf-8"}
    for content in (b"", b"token", b"&" * 1000, b"token=%ff%00\xff", TOKEN.encode()):
        assert client.post("/login", content=content, headers=kind).status_code == 401


@pytest.mark.parametrize("length", [5000, 3 << 20])
def test_a_longer_form_than_that_of_the_login_is_refused(client, length):
    kind = {"content-type": "application/x-www-form-urlencoded"}
    whole = f"token={TOKEN}&".encode() + b"x" * length
    for content in (whole, iter([whole])):
        found = client.post("/login", content=content, headers=kind)
        assert found.status_code == 413
        assert "the form of /login, a token alone" in found.json()["error"]
    assert client.post("/login", content=whole, headers={"content-type": "a/b"}).status_code == 400


def test_what_a_note_says_is_text():
    assert "&lt;b&gt; $note" in login._page("<b> $note").body.decode()


@pytest.mark.parametrize("headers", [{"origin": "null"}, {"sec-fetch-site": "cross-site"}])
def test_a_page_elsewhere_logs_nobody_in(client, headers):
    assert log_in(client, TOKEN, **headers).status_code == 403


@pytest.mark.parametrize("by_form", [True, False])
def test_a_token_cannot_be_guessed_for_long(served, client, by_form):
    with served.client() as inside:
        assert log_in(inside, TOKEN).status_code == 303

        def guess(token):
            if by_form:
                return log_in(client, token)
            return client.get("/api/model", headers={"authorization": f"Bearer {token}"})

        found = [guess(f"{number:016}").status_code for number in range(10)]
        assert found == [401] * 10
        late = guess(TOKEN)  # nothing is compared any more
        assert late.status_code == 429
        assert 0 < int(late.headers["retry-after"]) <= 61
        assert client.get("/api/model", headers=BEARER).status_code == 429
        assert inside.get("/api/model").status_code == 200
        assert client.get("/health").status_code == 200


def test_after_a_minute_it_may_be_tried_again(client, monkeypatch):
    monkeypatch.setattr(login, "_TRIES_S", 0.0)
    for _ in range(12):
        assert log_in(client, "wrong").status_code == 401
    assert log_in(client, TOKEN).status_code == 303


@pytest.mark.parametrize("token", ["", "short", "x" * 15, "ü" * 20, "a b" * 9, "tab\t" * 9])
def test_a_token_that_is_none_is_the_users_to_mend(token):
    with pytest.raises(UserError, match=r"--token, SER_AAE_TOKEN: expected"):
        check_token(token)


def test_a_good_token_is_taken_as_it_is():
    assert check_token("x" * 16) == "x" * 16
    assert check_token(TOKEN) == TOKEN
