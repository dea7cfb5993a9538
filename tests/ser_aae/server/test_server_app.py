"""The JSON endpoint of a running server: what it answers, and what it survives."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

WELL = 200


def post(client, path, name="tone.wav", **query):
    with path.open("rb") as file:
        return client.post("/api/predict", files={"file": (name, file)}, params=query)


def test_a_recording_is_answered_as_the_schema_says(client, served, recording, toy_recogniser):
    found = post(client, recording, timeline_seconds=1).json()
    expected = toy_recogniser.recognise_file(recording, 1.0).to_dict()
    assert {key: found[key] for key in expected} == expected
    assert found["best"]["gender"] == "F"
    assert [step["silent"] for step in found["timeline"]] == [False, False, True, True]
    assert found["enrolled_speakers"][0] == {"name": "Anna <i>", "cosine": 0.9}
    assert set(found) == set(expected) | {"enrolled_speakers"}
    assert served.kept() == []


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
    assert (found["max_megabytes"], found["max_seconds"]) == (1.0, 20.0)
    assert found["enrolled_speakers"]
    assert found["warnings"]


def test_without_a_step_there_is_no_timeline(client, recording):
    assert post(client, recording).json()["timeline"] == []


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
    assert found.json()["error"].startswith("the recording: expected audio")
    assert str(served.uploads.folder) not in found.text
    assert served.kept() == []
    assert post(client, recording).status_code == WELL


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({}, 400, "expected a form"),
        ({"json": {"file": "x"}}, 400, "expected a form"),
        ({"files": {"other": b"x"}}, 400, "field 'file'"),
        ({"data": {"file": "text"}, "files": {"x": b""}}, 400, "field 'file'"),
        ({"files": [("file", b"x"), ("file", b"y")]}, 400, "Too many files"),
        ({"files": {"file": bytes(1100000)}}, 413, "at most 1 MB"),
        ({"files": {"file": b"x"}, "params": {"timeline_seconds": "soon"}}, 422, "valid number"),
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


@pytest.mark.parametrize("path", ["/api/predict", "/gradio_api/upload"])
def test_two_gigabytes_are_refused_as_soon_as_they_are_announced(served, client, recording, path):
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as talk:
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {2 << 30}\r\n"
        talk.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode())
        answer = talk.recv(4096)  # not a byte of the body was sent
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert post(client, recording).status_code == WELL


@pytest.mark.parametrize("path", ["/api/predict", "/gradio_api/upload"])
def test_a_client_that_sends_without_end_is_cut_off(served, client, recording, path):
    sent = []

    def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        while len(sent) < 1000:
            sent.append(1)
            yield bytes(1 << 20)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    # only the head of the answer is read: what follows may be lost where a connection is cut
    with client.stream("POST", path, content=endless(), headers=headers) as found:
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
    assert client.get("/api/model", headers={"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
@pytest.mark.parametrize("path", ["/api/predict", "/gradio_api/upload"])
def test_a_page_elsewhere_cannot_send_through_a_browser(client, served, path, headers):
    files = {"files" if "upload" in path else "file": b"x"}
    assert client.post(path, files=files, headers=headers).status_code == 403
    assert served.kept() == []
    own = {"origin": served.url, "sec-fetch-site": "same-origin"}
    assert client.post(path, files=files, headers=own).status_code in (WELL, 422)
    for kept in served.kept():
        served.uploads.remove(kept)


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
