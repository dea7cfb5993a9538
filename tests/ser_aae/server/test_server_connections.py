"""Clients that keep the server waiting shut nobody out: real sockets, patience of a moment."""

import contextlib
import logging
import threading
import time
from dataclasses import replace

import pytest
from processes import wait_for
from serving import FORM_BEGIN, FORM_END, read_all, read_answer, serving, upload_head

from ser_aae.server import connections
from ser_aae.server.app import build_app
from ser_aae.server.limits import Limits
from ser_aae.server.queue import RecognitionQueue
from ser_aae.server.uploads import Uploads

LIMITS = Limits(megabytes=1.0)
ASK = b"GET /api/model HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def serve(toy_recogniser):
    """A function: limits -> a server with the toy model, that ends with the test."""
    with contextlib.ExitStack() as stack:

        def start(limits=LIMITS, recogniser=toy_recogniser):
            uploads = Uploads(limits)
            app = build_app(RecognitionQueue(recogniser, limits), uploads)
            talk = stack.enter_context(serving(app, limits))
            talk.uploads = uploads
            return talk

        yield start


def answer(served, recording):
    with served.client() as client, recording.open("rb") as file:
        return client.post("/api/predict", files={"file": file})


def test_announced_uploads_that_never_come_take_no_room(serve, recording):
    served = serve(replace(LIMITS, waiting=2))
    for _ in range(25):
        served.connect(upload_head(1_000_000))
    assert answer(served, recording).status_code == 200


def test_what_has_arrived_takes_room_until_it_breaks_off(serve, recording):
    served = serve(replace(LIMITS, waiting=1))
    held = served.connect(upload_head(1_000_000) + FORM_BEGIN + bytes(990_000))
    found = wait_for(lambda: (each := answer(served, recording)).status_code == 503 and each)
    assert "room" in found.json()["error"]
    held.close()
    assert wait_for(lambda: answer(served, recording).status_code == 200)


def test_heads_that_never_end_make_room_for_whoever_comes(serve, recording):
    served = serve(replace(LIMITS, connections=20))
    slow = [served.connect(b"GET / HTTP/1.1\r\nHost: loc") for _ in range(150)]
    assert answer(served, recording).status_code == 200
    assert read_all(slow[0]) == b""  # the first of them had to go


def test_bytes_that_trickle_do_not_lengthen_the_time_for_a_head(serve):
    served = serve(replace(LIMITS, head_s=0.5))
    talk = served.connect(ASK)

    def trickle():
        for _ in range(3000):
            talk.sendall(b"X-A: b\r\n")
            time.sleep(0.1)

    with pytest.raises(OSError, match=r"reset|pipe"):
        trickle()


def test_so_it_is_for_a_second_request_and_for_none(serve):
    served = serve(replace(LIMITS, head_s=0.5))
    for rest in (b"", b"GET /api"):
        talk = served.connect(ASK + b"\r\n")
        assert talk.recv(4096).startswith(b"HTTP/1.1 200")
        talk.sendall(rest)
        read_all(talk)  # ends


def test_requests_that_come_in_time_keep_their_connection(serve):
    served = serve(replace(LIMITS, head_s=3.0))
    talk = served.connect()
    for _ in range(8):
        time.sleep(0.5)
        talk.sendall(ASK + b"\r\n")
        assert read_answer(talk)[0] == 200


@pytest.mark.parametrize("begin", [b"", FORM_BEGIN + bytes(500)])
def test_a_body_that_stops_is_answered(serve, begin):
    served = serve(replace(LIMITS, silent_s=0.5))
    found = read_all(served.connect(upload_head(1_000_000) + begin))
    assert found.startswith(b"HTTP/1.1 408 ")
    assert b"expected 4 KiB a second" in found
    assert list(served.uploads.folder.iterdir()) == []


def test_a_body_that_trickles_is_answered_too(serve):
    served = serve(replace(LIMITS, silent_s=0.5))
    talk = served.connect(upload_head(1_000_000) + FORM_BEGIN)
    talk.settimeout(0.05)

    def trickle():
        with contextlib.suppress(TimeoutError):
            return talk.recv(4096)
        return talk.sendall(b"0" * 10)

    assert wait_for(trickle).startswith(b"HTTP/1.1 408 ")


def test_a_whole_body_has_its_time(serve):
    served = serve(replace(LIMITS, body_s=0.5))
    found = read_all(served.connect(upload_head(1_000_000) + FORM_BEGIN + bytes(900_000)))
    assert found.startswith(b"HTTP/1.1 408 ")


def test_a_slow_client_that_goes_on_sending_is_answered(serve, recording):
    """It takes several times the longest silence: a phone on a bad network."""
    served = serve(replace(LIMITS, silent_s=3.0))
    form = FORM_BEGIN + recording.read_bytes() + FORM_END
    talk = served.connect(upload_head(len(form)))
    for start in range(0, len(form), len(form) // 10):
        talk.sendall(form[start : start + len(form) // 10])
        time.sleep(0.5)
    assert talk.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_one_address_has_its_share_and_a_proxy_of_this_machine_all(serve, monkeypatch, recording):
    few = replace(LIMITS, connections_per_address=5)
    served = serve(few)
    here = [served.connect(ASK) for _ in range(12)]
    for talk in here:
        talk.sendall(b"\r\n")
        assert talk.recv(4096).startswith(b"HTTP/1.1 200")
    monkeypatch.setattr(connections, "is_loopback", lambda _: False)
    elsewhere = serve(few)
    silent = [elsewhere.connect(ASK) for _ in range(12)]
    assert answer(elsewhere, recording).status_code == 200
    assert [read_all(talk) for talk in silent[:7]] == [b""] * 7


def test_who_is_being_answered_stays_and_who_comes_too_much_is_told(
    serve, toy_recogniser, recording
):
    go_on = threading.Event()

    class Slow:
        signature = toy_recogniser.signature

        def recognise_file(self, *words):
            go_on.wait(300)
            return toy_recogniser.recognise_file(*words)

    served = serve(replace(LIMITS, connections=3), Slow())
    form = FORM_BEGIN + recording.read_bytes() + FORM_END
    working = [served.connect(upload_head(len(form)) + form) for _ in range(3)]
    wait_for(lambda: len(list(served.uploads.folder.iterdir())) == 3)
    talk = served.connect(ASK + b"\r\n")
    assert talk.recv(4096).startswith(b"HTTP/1.1 503 ")
    go_on.set()
    assert [each.recv(4096)[:12] for each in working] == [b"HTTP/1.1 200"] * 3


def test_whether_it_is_well_is_said_while_a_recording_is_worked_on(
    serve, toy_recogniser, recording
):
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        signature = toy_recogniser.signature

        def recognise_file(self, *words):
            begun.set()
            go_on.wait(300)
            return toy_recogniser.recognise_file(*words)

    served = serve(LIMITS, Slow())
    form = FORM_BEGIN + recording.read_bytes() + FORM_END
    working = served.connect(upload_head(len(form)) + form)
    assert begun.wait(300)
    with served.client() as client:
        found = client.get("/health")
    assert (found.status_code, found.json()["status"]) == (200, "ok")
    assert set(found.json()) == {"status", "version"}
    go_on.set()
    assert working.recv(4096).startswith(b"HTTP/1.1 200")


def test_who_is_not_answered_when_the_server_ends_is_told_so(toy_recogniser, recording, caplog):
    go_on = threading.Event()

    class Slow:
        signature = toy_recogniser.signature

        def recognise_file(self, *words):
            go_on.wait(300)
            return toy_recogniser.recognise_file(*words)

    uploads = Uploads(LIMITS)
    form = FORM_BEGIN + recording.read_bytes() + FORM_END
    with serving(build_app(RecognitionQueue(Slow(), LIMITS), uploads), LIMITS) as served:
        # the first is worked on, the second waits, the third is still to come
        talks = [served.connect(upload_head(len(form)) + form) for _ in range(2)]
        wait_for(lambda: len(list(uploads.folder.iterdir())) == 2)
        talks.append(served.connect(upload_head(len(form)) + FORM_BEGIN))
        served.end()
        found = [read_answer(talk) for talk in talks]
    go_on.set()
    assert [status for status, _ in found] == [503] * 3
    assert all(b"has been ended" in content for _, content in found)
    (line,) = [each for each in caplog.records if each.levelno > logging.DEBUG]
    assert line.exc_info is None
    assert not uploads.folder.exists()


def test_a_client_that_does_not_read_is_dropped():
    left = []

    async def much(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(200):
                body = bytes(1 << 20)
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body"})
            left.append((await receive())["type"])

    with serving(much, replace(LIMITS, head_s=0.5)) as served:
        served.connect(ASK + b"\r\n")
        assert wait_for(lambda: left) == ["http.disconnect"]


@pytest.mark.parametrize("head", [upload_head(3_000_000), upload_head(3_000_000, "evil.example")])
def test_a_client_that_goes_on_sending_reads_its_answer(serve, head):
    served = serve()
    for _ in range(10):
        talk = served.connect(head)
        for _ in range(20):  # within as much again as is allowed
            talk.sendall(bytes(100_000))
        assert talk.recv(4096).startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 421 "))


def test_it_is_not_read_for_ever(serve):
    served = serve(replace(LIMITS, linger_s=0.5))
    talk = served.connect(upload_head(1 << 30))
    assert read_all(talk).startswith(b"HTTP/1.1 413 ")
    talk = served.connect(upload_head(1 << 30))

    def go_on():
        for _ in range(1000):
            talk.sendall(bytes(1 << 20))

    with pytest.raises(OSError, match=r"reset|pipe"):
        go_on()


def test_an_upload_that_breaks_off_is_no_fault(serve, recording, caplog):
    served = serve()
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            served.connect(upload_head(900_000) + FORM_BEGIN + bytes(1000)).close()
        wait_for(lambda: sum("went away" in text for text in caplog.messages) == 3)
    assert not [each for each in caplog.records if each.levelno > logging.DEBUG]
    assert list(served.uploads.folder.iterdir()) == []


@pytest.mark.parametrize(
    "kind", ["Multipart/Form-Data", "MULTIPART/FORM-DATA ", "multipart/form-data"]
)
def test_a_form_is_one_however_it_is_spelt(serve, recording, kind):
    content = FORM_BEGIN + recording.read_bytes() + FORM_END
    with serve().client() as client:
        headers = {"content-type": f"{kind}; boundary=x"}
        assert client.post("/api/predict", content=content, headers=headers).status_code == 200
        headers = {"content-type": f"{kind.strip()}ish; boundary=x"}
        assert client.post("/api/predict", content=content, headers=headers).status_code == 400


FIELD_BEGIN = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n'


@pytest.mark.parametrize("charset", ["punycode", "undefined", "idna", "utf-7", "zlib", '"a;b"'])
def test_no_client_says_how_its_text_is_decoded(serve, recording, caplog, charset):
    kind = {"content-type": f"multipart/form-data; charset={charset}; boundary=x"}
    field = FIELD_BEGIN + b"a-" * 500 + b"\r\n"
    sound = FORM_BEGIN + recording.read_bytes() + FORM_END
    with serve().client() as client:
        assert client.post("/api/predict", content=sound, headers=kind).status_code == 200
        both = client.post("/api/predict", content=field + sound, headers=kind)
        found = client.post("/api/predict", content=field + FORM_END[2:], headers=kind)
    assert both.status_code == 422
    assert "got 'text'" in both.json()["error"]
    assert found.status_code == 400
    assert "field 'file'" in found.json()["error"]
    assert not [each for each in caplog.records if each.levelno > logging.DEBUG]


def test_text_that_nobody_asked_for_is_short(serve):
    kind = {"content-type": "multipart/form-data; boundary=x"}
    long = FIELD_BEGIN + bytes(5000) + FORM_END
    many = (FIELD_BEGIN + b"a\r\n") * 9 + FORM_END[2:]
    with serve().client() as client:
        for content in (long, many):
            found = client.post("/api/predict", content=content, headers=kind)
            assert found.status_code == 400
            assert "maximum" in found.json()["error"].lower()


@pytest.mark.parametrize(
    "rest", ["", "; boundary=", '; boundary="a\\"b"', "; boundary=é", f"; boundary={'x' * 71}"]
)
def test_a_boundary_that_is_none_is_refused(serve, rest):
    kind = {"content-type": f"multipart/form-data{rest}".encode("latin-1")}
    with serve().client() as client:
        found = client.post("/api/predict", content=FORM_BEGIN + FORM_END, headers=kind)
    assert (found.status_code, "boundary" in found.json()["error"]) == (400, True)


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: evil\r\n" + CHUNKED + b"zz\r\n",
        b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n" + CHUNKED + b"1\r\na\r\nzz\r\n",
        b"no HTTP at all\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        ASK + b"\r\nno HTTP either\r\n\r\n",
        ASK + b"Connection: upgrade, close\r\nUpgrade: websocket\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_without_a_word(serve, caplog, sent):
    served = serve()
    found = read_all(served.connect(sent))
    assert found.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 200 "))
    with served.client() as client:
        assert client.get("/health").status_code == 200
    assert not [each for each in caplog.records if each.levelno > logging.DEBUG]


def test_so_it_is_after_an_answer_has_begun(serve, caplog):
    served = serve()
    talk = served.connect(b"GET / HTTP/1.1\r\nHost: evil\r\n" + CHUNKED)
    assert read_answer(talk)[0] == 421
    talk.sendall(b"zz\r\n")
    assert read_all(talk) == b""
    with served.client() as client:
        assert client.get("/health").status_code == 200
    assert not [each for each in caplog.records if each.levelno > logging.DEBUG]
