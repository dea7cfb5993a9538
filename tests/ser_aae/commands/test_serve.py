"""`ser-aae serve` as a user starts and ends it."""

import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from ser_aae.cli import main
from ser_aae.commands import serve

PATIENCE_S = 300


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
    ("host", "found"), [("::1", "[::1]"), ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost")]
)
def test_an_address_is_written_as_a_url_has_it(host, found):
    assert serve._url_host(host) == found
    assert found in serve._LOOPBACK  # and only its own names are answered there


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
        (["--speakers", "absent.json"], "absent.json: expected enrolled speakers"),
    ],
)
def test_mistakes_are_said_before_anything_is_served(recorded_run, capsys, option, said):
    assert main(["serve", str(recorded_run.folder), "--port", "0", *option]) == 2
    assert said in capsys.readouterr().err


def test_what_is_no_model_is_said(tmp_path, capsys):
    assert main(["serve", str(tmp_path), "--port", "0"]) == 2
    assert str(tmp_path) in capsys.readouterr().err
