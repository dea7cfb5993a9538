"""The JSON endpoint of a running server: what it answers, and what it survives."""

import asyncio
import base64
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from ser_aae.frontend.wav import NO_LENGTH
from ser_aae.server.app import build_app
from ser_aae.server.limits import Limits
from ser_aae.server.queue import RecognitionQueue
from ser_aae.server.uploads import Uploads

WELL = 200

ALLOWED = {
    ("GET", "/"),
    ("GET", "/icon.svg"),
    ("GET", "/microphone.js"),
    ("GET", "/page.css"),
    ("GET", "/page.js"),
    ("GET", "/recorder.js"),
    ("GET", "/health"),
    ("GET", "/api/model"),
    ("GET", "/api/openapi.json"),
    ("POST", "/api/predict"),
    *(
        ("HEAD", address)
        for address in (
            *("/", "/icon.svg", "/microphone.js", "/page.css", "/page.js", "/recorder.js"),
            "/health",
        )
    ),
}
"""Everything that the server answers. What is not written here is closed."""


def post(client, path, name="tone.wav", **query):
    with path.open("rb") as file:
        return client.post("/api/predict", files={"file": (name, file)}, params=query)


def test_a_recording_is_answered_as_the_schema_says(client, served, recording, toy_recogniser):
    found = post(client, recording, timeline_seconds=1).json()
    expected = toy_recogniser.recognise_file(recording, 1.0).to_dict() | {"picture": ""}
    assert {key: found[key] for key in expected} == expected
    assert found["best"]["gender"] == "F"
    assert [step["silent"] for step in found["timeline"]] == [False, False, True, True]
    assert found["enrolled_speakers"][0] == {"name": "Anna <i>", "cosine": 0.9}
    assert set(found) == set(expected) | {"enrolled_speakers"}
    assert served.kept() == []


def test_a_header_that_lies_is_told_to_clients_too(client, tmp_path, recording):
    content = bytearray(recording.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = bytes(4)
    (tmp_path / "died.wav").write_bytes(content)
    found, whole = (post(client, path).json() for path in (tmp_path / "died.wav", recording))
    assert found == whole | {"oddities": [*whole["oddities"], NO_LENGTH]}


def test_the_schema_documents_every_key_of_an_answer(client, recording):
    schema = client.get("/api/openapi.json").json()
    operation = schema["paths"]["/api/predict"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]
    assert {"200", "400", "413", "422"} <= set(operation["responses"])
    parts = schema["components"]["schemas"]
    assert set(parts["Prediction"]["properties"]) == set(post(client, recording).json())
    for part in ("Prediction", "Step", "Model"):
        assert all(each.get("description") for each in parts[part]["properties"].values())


def test_the_model_says_what_it_takes_and_tells_apart(client):
    found = client.get("/api/model").json()
    assert found["primary"] == "emotion"
    assert found["classes"]["gender"] == ["F", "M"]
    assert found["names"] == {"gender": {"F": "female", "M": "male"}}
    assert (found["max_megabytes"], found["max_seconds"]) == (1.0, 20.0)
    assert found["enrolled_speakers"]
    assert found["warnings"]


def test_without_a_step_there_is_no_timeline(client, recording):
    assert post(client, recording).json()["timeline"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_comes_where_it_is_asked_for(client, recording, scheme):
    found = post(client, recording, timeline_seconds=1, picture=scheme).json()["picture"]
    assert base64.b64decode(found, validate=True).startswith(b"\x89PNG")


def broken(tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF but nothing more")
    return path


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b.wav", "x\\y.wav", "nul\0.wav", "a" * 999]
)
def test_tricks_in_a_name_change_nothing(client, served, recording, name):
    before = sorted(served.uploads.folder.parent.iterdir())
    assert post(client, recording, name=name).status_code == WELL
    assert sorted(served.uploads.folder.parent.iterdir()) == before
    assert served.kept() == []


def test_a_broken_file_is_refused_and_removed(client, served, tmp_path, recording):
    found = post(client, broken(tmp_path))
    assert found.status_code == 422
    assert found.json()["error"].startswith("the recording: expected sound")
    assert str(served.uploads.folder) not in found.text
    assert served.kept() == []
    assert post(client, recording).status_code == WELL


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({}, 400, "expected a form"),
        ({"json": {"file": "x"}}, 400, "expected a form"),
        (
            {"content": bytes(2 << 20), "headers": {"content-type": "audio/wav"}},
            400,
            "expected a form (multipart/form-data)",
        ),
        ({"content": iter([bytes(1 << 20)] * 2)}, 400, "expected a form (multipart/form-data)"),
        ({"files": {"other": b"x"}}, 400, "field 'file'"),
        ({"data": {"file": "text"}, "files": {"x": b""}}, 400, "field 'file'"),
        (
            {"files": [("file", b"x"), ("file", b"y")]},
            400,
            "one file, in its field 'file': too many files",
        ),
        ({"files": {"file": b""}}, 422, "a file of zero bytes"),
        ({"files": {"file": b"x"}, "data": {"channel": "left"}}, 422, "alone, got 'channel'"),
        ({"files": {"file": bytes(1100000)}}, 413, "at most 1 MB"),
        (
            {"files": {"file": b"x"}, "params": {"timeline_seconds": "soon"}},
            422,
            "a number, got 'soon'",
        ),
        ({"files": {"file": b"x"}, "params": {"picture": "light"}}, 422, "timeline_seconds too"),
        (
            {"files": {"file": b"x"}, "params": {"timeline_seconds": 1, "picture": "red"}},
            422,
            "'light' or 'dark'",
        ),
    ],
)
def test_what_cannot_be_answered_is_said(client, served, sent, status, said):
    found = client.post("/api/predict", **sent)
    assert found.status_code == status
    assert said in found.json()["error"]
    assert served.kept() == []


def test_a_step_out_of_range_is_said(client, recording):
    found = post(client, recording, timeline_seconds=0.01)
    assert found.status_code == 422
    assert "0.1 to 10" in found.json()["error"]


def test_two_gigabytes_are_refused_as_soon_as_they_are_announced(served, client, recording):
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as talk:
        head = f"POST /api/predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: {2 << 30}\r\n"
        talk.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode())
        answer = talk.recv(4096)  # not a byte of the body was sent
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert post(client, recording).status_code == WELL


def test_a_client_that_sends_without_end_is_cut_off(served, client, recording):
    sent = []

    def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        while len(sent) < 1000:
            sent.append(1)
            yield bytes(1 << 20)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    # only the head of the answer is read: what follows may be lost where a connection is cut
    with client.stream("POST", "/api/predict", content=endless(), headers=headers) as found:
        assert found.status_code == 413
    assert len(sent) < 100
    assert served.kept() == []
    assert post(client, recording).status_code == WELL


def test_a_client_that_goes_away_leaves_nothing(served, client, recording):
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as talk:
        head = f"POST /api/predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: 900000\r\n"
        talk.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode())
    assert post(client, recording).status_code == WELL
    assert served.kept() == []


def test_ten_clients_at_once_get_the_same_answer(client, served, recording):
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: post(client, recording, timeline_seconds=1), range(10)))
    assert [each.status_code for each in found] == [WELL] * 10
    assert len({each.text for each in found}) == 1
    assert served.kept() == []


def test_other_names_for_this_machine_are_refused(client):
    found = client.get("/api/model", headers={"host": f"evil.example{'x' * 200}"})
    assert found.status_code == 421
    assert "--allowed-host; got one to 'evil.example" in found.json()["error"]
    assert len(found.json()["error"]) < 250


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_page_elsewhere_cannot_send_through_a_browser(client, served, recording, headers):
    files = {"file": recording.read_bytes()}
    assert client.post("/api/predict", files=files, headers=headers).status_code == 403
    own = {"origin": served.url, "sec-fetch-site": "same-origin"}
    assert client.post("/api/predict", files=files, headers=own).status_code == WELL
    assert served.kept() == []


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [(OSError(28, "secret"), 507, "disk is full"), (PermissionError(13, "secret"), 500, "its log")],
)
@pytest.mark.parametrize(
    "fails", ["server.uploads.Uploads._keep", "inference.recogniser.Recogniser.recognise_file"]
)
def test_only_a_full_disk_is_called_so(client, recording, monkeypatch, fails, error, status, said):
    def fail(*_):
        raise error

    monkeypatch.setattr(f"ser_aae.{fails}", fail)
    found = post(client, recording)
    assert found.status_code == status
    assert said in found.json()["error"]
    assert "secret" not in found.text


def test_a_fault_is_told_without_its_inside(client, recording, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr("ser_aae.inference.recogniser.Recogniser.recognise_file", fail)
    found = post(client, recording)
    assert found.status_code == 500
    assert "secret" not in found.text
    monkeypatch.undo()
    assert post(client, recording).status_code == WELL


@pytest.fixture
def offline(toy_recogniser, monkeypatch):
    """Ask the server in this process, where whatever reaches for a network fails the test."""
    tried = []

    def fail(name):
        def failing(*arguments, **_):
            tried.append((name, arguments))
            raise OSError("a test has no network")

        return failing

    for name in ("connect", "connect_ex", "sendto", "sendmsg", "bind"):
        monkeypatch.setattr(socket.socket, name, fail(name))
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, fail(name))
    limits = Limits(megabytes=1.0, seconds=20.0)
    queue, uploads = RecognitionQueue(toy_recogniser, limits), Uploads(limits)
    transport = httpx.ASGITransport(build_app(queue, uploads))

    def ask(method, address, **sent):
        async def send():
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, address, **sent)

        return asyncio.run(send())

    yield ask
    queue.close()
    uploads.close()
    assert tried == []


def routes(app):
    while hasattr(app, "app"):
        app = app.app
    return {(method, route.path) for route in app.routes for method in route.methods}


def test_nothing_is_open_that_is_not_written_here(toy_recogniser):
    limits = Limits()
    queue, uploads = RecognitionQueue(toy_recogniser, limits), Uploads(limits)
    app = build_app(queue, uploads)
    queue.close()
    uploads.close()
    assert routes(app) == ALLOWED


def test_no_route_reaches_for_a_network(offline, recording):
    for method, address in sorted(ALLOWED):
        sent = {}
        if method == "POST":
            sent["files"] = {"file": recording.read_bytes()}
            sent["params"] = {"timeline_seconds": 1, "picture": "dark"}
        assert offline(method, address, **sent).status_code == WELL, address


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@pytest.mark.parametrize("address", sorted({address for _, address in ALLOWED}))
def test_other_methods_are_closed(offline, address):
    closed = [method for method in METHODS if (method, address) not in ALLOWED]
    for method in closed:
        answer = offline(method, address)
        assert answer.status_code == 405, method
        allowed = {each for each, at in ALLOWED if at == address}
        assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("address", sorted({at for method, at in ALLOWED if method == "HEAD"}))
def test_a_head_is_that_of_the_whole_answer(offline, address):
    whole, head = offline("GET", address), offline("HEAD", address)
    assert head.status_code == 200
    assert head.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/gradio_api/file=http://93.184.216.34/a.png"),
        ("GET", "/gradio_api/file=http://100.100.100.200/latest/meta-data"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/file=http://93.184.216.34/a.png"),
        ("GET", "/gradio_api/proxy=http://93.184.216.34/a.png"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/config"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/static/index.html"),
        ("GET", "/index.html"),
        ("GET", "/page.js/"),
        ("GET", "/api/model/"),
        ("GET", "/page.js%2F..%2F..%2Fapp.py"),
        ("GET", "/..%2F..%2F..%2Fetc%2Fpasswd"),
        ("GET", "/http://93.184.216.34/a.png"),
    ],
)
@pytest.mark.parametrize("site", ["none", "cross-site"])
def test_other_addresses_are_closed(offline, method, address, site):
    found = offline(method, address, headers={"sec-fetch-site": site})
    # a page elsewhere may not send, whatever the address is
    assert found.status_code == (403 if (method, site) == ("POST", "cross-site") else 404)
    assert set(found.json()) == {"error"}


@pytest.mark.parametrize(("method", "address"), sorted(ALLOWED))
@pytest.mark.parametrize("name", ["file", "url", "Timeline_seconds", "__theme", ""])
def test_other_parameters_are_refused(offline, method, address, name):
    found = offline(method, address, params={name: "http://93.184.216.34/a.png"})
    assert found.status_code == 422
    wanted = "picture or timeline_seconds" if method == "POST" else "none"
    if method != "HEAD":
        assert found.json()["error"] == f"expected {wanted} as query parameter, got {name!r}"


def test_a_known_parameter_is_another_routes_alone(offline):
    assert offline("GET", "/api/model", params={"picture": "light"}).status_code == 422


@pytest.mark.parametrize(
    ("method", "place", "status", "said"),
    [
        ("GET", "/api/predict", 405, "/api/predict: expected POST, got GET"),
        ("POST", "/api/model", 405, "/api/model: expected GET, got POST"),
        ("DELETE", "/", 405, "/: expected GET or HEAD, got DELETE"),
        ("GET", "/predict", 404, "expected /, /api/predict, /api/model, "),
        ("GET", "/api/predict/", 404, "or a file of the page, got /api/predict/"),
    ],
)
def test_an_address_or_a_method_that_is_none_is_answered_in_words(
    client, served, method, place, status, said
):
    found = client.request(method, place)
    assert found.status_code == status
    assert said in found.json()["error"]
