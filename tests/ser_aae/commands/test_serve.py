"""`ser-aae serve` as a user starts and ends it."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
import soundfile
from processes import wait_for

from ser_aae.cli import main
from ser_aae.server.address import container_remark, local_host, url_host

PATIENCE_S = 300
ANYWHERE = "0.0.0.0"  # noqa: S104
TOKEN = "-".join(["sixteen", "or", "more", "letters"])
HOSTS = {
    "localhost:7860": 200,
    "127.0.0.1": 200,
    socket.gethostname().upper(): 200,
    "speech.example.": 200,
    ANYWHERE: 421,
    "evil.example": 421,
}  # fmt: skip
"""Name that a request asks for, to the status that an open server answers."""


@pytest.fixture(scope="module")
def running(recorded_run, tmp_path_factory):
    """A server of its own process at any free port: its URL, process and temporary folder."""
    place = tmp_path_factory.mktemp("serving")
    order = [sys.executable, "-m", "ser_aae", "serve", str(recorded_run.folder), "--port", "0"]
    process = subprocess.Popen(
        [*order, "--max-seconds", "5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(place)},
    )
    url = process.stdout.readline().strip()
    if not url:
        pytest.fail(process.communicate(timeout=PATIENCE_S)[1])
    yield url, process, place
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def recording(recorded_run):
    return recorded_run.recordings / "00" / "anger-0.wav"


def test_it_listens_here_alone_and_answers_with_the_runs_model(running, recording):
    url, _, place = running
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    files = {"file": ("../../x.wav", recording.read_bytes())}
    with httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False) as client:
        found = client.post("/api/predict", files=files).json()
        model = client.get("/api/model").json()
    assert set(found["posteriors"]) == {"emotion", "gender", "speaker"}
    assert model["max_seconds"] == 5
    assert found["warnings"] == model["warnings"]
    assert "tones" in found["warnings"][0]
    (uploads,) = place.glob("ser-aae-serve-*")
    assert not [path for path in uploads.rglob("*") if path.is_file()]


def test_interrupted_it_ends_and_leaves_nothing(running):
    _, process, place = running
    assert any(place.glob("ser-aae-serve-*"))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "interrupted"
    assert "warning: trained on one corpus (tones)" in errors
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("::1", "[::1]"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        (ANYWHERE, "127.0.0.1"),
        ("::", "[::1]"),
    ],
)
def test_an_address_is_written_as_a_url_has_it(host, found):
    assert url_host(local_host(host)) == found


def test_in_a_container_it_says_which_port_to_publish(monkeypatch):
    assert container_remark(ANYWHERE, 7860) == ""
    monkeypatch.setenv("SER_AAE_CONTAINER", "1")
    told = container_remark(ANYWHERE, 80)
    assert "docker run -p 127.0.0.1:80:80 ..." in told
    assert "warning" not in told
    for alone in ("127.0.0.1", "localhost"):
        told = container_remark(alone, 80)
        assert told.startswith("warning: nobody outside of this container reaches ")
        assert "--host 0.0.0.0" in told
        assert "docker run -p 127.0.0.1:80:80 ..." in told


def test_ended_it_tells_its_clients_and_lets_strangers_do_nothing(recorded_run, tmp_path):
    """Open to others, with a token from the environment; then SIGTERM while many wait."""
    recording = io.BytesIO()
    tone = 0.3 * np.sin(np.arange(16000 * 590) / 7)
    soundfile.write(recording, tone, 16000, format="FLAC")
    errors = tmp_path / "errors.txt"
    order = [sys.executable, "-m", "ser_aae", "serve", str(recorded_run.folder), "--port", "0"]
    order += ["--host", ANYWHERE, "--allowed-host", "Speech.Example"]
    with errors.open("w") as file:
        process = subprocess.Popen(
            order, stdout=subprocess.PIPE, stderr=file, text=True,
            env=os.environ | {"TMPDIR": str(tmp_path), "SER_AAE_TOKEN": TOKEN},
        )  # fmt: skip
    try:
        url = process.stdout.readline().strip()
        bearer = {"authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=url, headers=bearer, timeout=300, trust_env=False) as client:
            for name, status in HOSTS.items():
                assert client.get("/api/model", headers={"host": name}).status_code == status, name
            assert httpx.get(f"{url}/api/model", trust_env=False).status_code == 401
            with ThreadPoolExecutor(12) as pool:
                files = {"file": recording.getvalue()}
                sent = [pool.submit(client.post, "/api/predict", files=files) for _ in range(12)]
                (place,) = tmp_path.glob("ser-aae-serve-*")
                wait_for(lambda: len(list(place.iterdir())) >= 3, process)
                process.send_signal(signal.SIGTERM)
                found = [each.result() for each in sent]
        process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    assert {each.status_code for each in found} <= {200, 503}
    assert all("has been ended" in each.text for each in found if each.status_code == 503)
    assert "Traceback" not in errors.read_text()
    assert "may use the server" not in errors.read_text()
    assert not list(tmp_path.glob("ser-aae-serve-*"))


@pytest.mark.parametrize(
    ("words", "is_told"),
    [
        ((), False),
        (("--host", ANYWHERE), True),
        (("--host", ANYWHERE, "--token", "t" * 16), False),
        (("--host", "localhost"), False),
    ],
)
def test_a_server_that_is_open_to_all_says_so(recorded_run, capsys, monkeypatch, words, is_told):
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: None)
    assert main(["serve", str(recorded_run.folder), "--port", "0", *words]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "may use the server" in line]
    assert len(lines) == is_told


def test_an_empty_token_in_the_environment_is_a_mistake(recorded_run, refused, monkeypatch):
    monkeypatch.setenv("SER_AAE_TOKEN", "")
    assert "expected at least 16 characters" in refused("serve", recorded_run.folder)


def test_a_port_that_is_taken_is_said(recorded_run, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["serve", str(recorded_run.folder), "--port", port]) == 2
    assert f"--port {port}: cannot listen there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--port", "70000"], "--port: expected 0"),
        (["--max-mb", "0"], "--max-mb: expected a number over 0"),
        (["--max-seconds", "nan"], "--max-seconds: expected a number over 0"),
        (["--host", "no.such.host.invalid"], "cannot listen there"),
        (["--token", ""], "--token, SER_AAE_TOKEN: expected at least 16"),
        (["--token", "short"], "--token, SER_AAE_TOKEN: expected at least 16"),
        (["--allowed-host", "a.example:80"], "--allowed-host: expected a name or an address"),
        (["--connections-per-address", "0"], "--connections-per-address: expected 1 or more"),
        (["--speakers", "absent.json"], "absent.json: expected enrolled speakers"),
    ],
)
def test_mistakes_are_said_before_anything_is_served(recorded_run, capsys, option, said):
    assert main(["serve", str(recorded_run.folder), "--port", "0", *option]) == 2
    assert said in capsys.readouterr().err


def test_what_is_no_model_is_said(tmp_path, capsys):
    assert main(["serve", str(tmp_path), "--port", "0"]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_the_loading_is_told(tmp_path, capsys):
    assert main(["serve", str(tmp_path / "none.onnx"), "--port", "0"]) == 2
    told, _ = capsys.readouterr().err.splitlines()
    assert told.startswith(f"loading {tmp_path / 'none.onnx'}: importing its runtime takes longest")
