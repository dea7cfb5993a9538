"""Limits of the server: too large is refused, announced or not; browsers are told to stay here."""

import asyncio
import json

import pytest

from ser_aae.server.limits import MEBIBYTE, BodyLimit, Guard, Limits

LIMITS = Limits(megabytes=2.0)
FORM = (b"content-type", b"multipart/form-data; boundary=x")


async def read_all(scope, receive, send):
    """An app that reads its whole body and says how long it was."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message["body"])
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


async def read_all_and_catch(scope, receive, send):
    """An app that makes an answer of its own of every exception."""
    try:
        await read_all(scope, receive, send)
    except Exception:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"oops"})


def call(app, headers=(), chunks=(), method="POST"):
    """Call an app; return status, headers, body and how many chunks it took."""
    sent, taken = [], []

    async def receive():
        taken.append(1)
        number = len(taken)
        return {
            "type": "http.request",
            "body": chunks[number - 1],
            "more_body": number < len(chunks),
        }

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "headers": list(headers)}
    asyncio.run(app(scope, receive, send))
    starts = [each for each in sent if each["type"] == "http.response.start"]
    assert len(starts) == 1
    body = b"".join(each.get("body", b"") for each in sent)
    return starts[0]["status"], dict(starts[0]["headers"]), body, len(taken)


def test_an_announced_body_over_the_limit_is_refused_without_reading_it():
    headers = [FORM, (b"content-length", str(2 << 30).encode())]
    status, said, body, taken = call(BodyLimit(read_all, LIMITS), headers)
    assert (status, taken) == (413, 0)
    assert "at most 2 MB" in json.loads(body)["error"]
    assert said[b"connection"] == b"close"


@pytest.mark.parametrize("length", [b"-1", b"many", b"1e3", b"0x10"])
def test_a_length_that_is_none_is_refused(length):
    assert call(BodyLimit(read_all, LIMITS), [FORM, (b"content-length", length)])[0] == 413


@pytest.mark.parametrize("app", [read_all, read_all_and_catch])
def test_an_unannounced_body_is_cut_off_at_the_limit(app):
    # four in all: the file's two, one beside it, and the one that is too many
    status, _, body, taken = call(BodyLimit(app, LIMITS), [FORM], [bytes(MEBIBYTE)] * 100)
    assert (status, taken) == (413, 4)
    assert "error" in json.loads(body)


def test_what_is_within_the_limit_passes_whole():
    chunks = [bytes(MEBIBYTE), bytes(MEBIBYTE), b"abc"]
    status, _, body, _ = call(BodyLimit(read_all, LIMITS), [FORM], chunks)
    assert (status, body) == (200, b"2097155")


def test_only_a_form_may_be_as_large_as_a_recording():
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1500000")]
    found = call(BodyLimit(read_all, LIMITS), headers, [bytes(MEBIBYTE), bytes(1000), b""])
    status, _, body, taken = found
    assert (status, taken) == (413, 2)
    assert "no form" in json.loads(body)["error"]


def test_other_errors_are_none_of_its_business():
    async def broken(scope, receive, send):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        call(BodyLimit(broken, LIMITS))


def test_every_answer_tells_the_browser_to_fetch_from_here_alone():
    _, said, _, _ = call(Guard(read_all), [HOST], chunks=[b""])
    policy = said[b"content-security-policy"].decode()
    assert "default-src 'none'" in policy
    # neither a scheme nor a host of elsewhere
    assert "http" not in policy
    assert "*" not in policy
    # with "no-referrer" a browser would send the login as from nowhere
    assert said[b"referrer-policy"] == b"same-origin"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (b"localhost:7860", 200),
        (b"127.0.0.1", 200),
        (b"[::1]:7860", 200),
        (b"evil.example", 421),
        (b"localhost.evil.example:7860", 421),
        (b"", 421),
    ],
)
def test_a_name_that_is_not_the_servers_is_refused(host, status):
    assert call(Guard(read_all), [(b"host", host)], [b""])[0] == status


HOST = (b"host", b"localhost:7860")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 200),  # curl
        ([(b"origin", b"http://localhost:7860")], 200),
        ([(b"origin", b"http://localhost:7861")], 403),
        ([(b"origin", b"http://evil.example")], 403),
        ([(b"origin", b"http://evil.example/localhost:7860")], 403),
        ([(b"origin", b"http://localhost:7860@evil.example")], 403),
        ([(b"origin", b"null")], 403),
        ([(b"sec-fetch-site", b"cross-site")], 403),
        ([(b"sec-fetch-site", b"same-site")], 403),
        ([(b"sec-fetch-site", b"none")], 200),
        # behind a proxy that ends TLS, `Host` may be another than the browser's
        ([(b"sec-fetch-site", b"same-origin"), (b"origin", b"https://speech.example")], 200),
    ],
)
def test_what_a_page_elsewhere_has_a_browser_send_is_refused_unread(headers, status):
    found, _, body, taken = call(Guard(read_all), [HOST, *headers], [b"abc"])
    assert (found, taken) == (status, int(status == 200))
    assert status == 200 or "own page" in json.loads(body)["error"]
    # a link from elsewhere to the page still leads there
    assert call(Guard(read_all), [HOST, *headers], [b""], method="GET")[0] == 200


@pytest.mark.parametrize("layer", [Guard, lambda app: BodyLimit(app, LIMITS)])
def test_what_is_no_request_passes(layer):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(layer(app)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
