"""The container's question: a server that was asked for answers, and none else is asked for."""

import subprocess
import sys

import pytest
from processes import ROOT
from serving import serving

from ser_aae.server import health
from ser_aae.server.app import build_app
from ser_aae.server.limits import Limits
from ser_aae.server.queue import RecognitionQueue
from ser_aae.server.uploads import Uploads

SCRIPT = ("/opt/ser-aae/bin/python", "/opt/ser-aae/bin/ser-aae")
ANYWHERE = "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ((*SCRIPT, "serve", "/runs/RUN"), ("127.0.0.1", 7860)),
        ((*SCRIPT, "serve", "/runs/RUN", "--host", ANYWHERE), ("127.0.0.1", 7860)),
        ((*SCRIPT, "serve", "--host=::", "--port=80", "/runs/RUN"), ("::1", 80)),
        ((*SCRIPT, "-v", "serve", "R", "--port", "81", "--max-mb", "5"), ("127.0.0.1", 81)),
        (("/sbin/docker-init", "--", "ser-aae", "serve", "R"), ("127.0.0.1", 7860)),
        (("tini", "-s", "--", "ser-aae", "serve", "R"), ("127.0.0.1", 7860)),
        (("python", "-m", "ser_aae", "serve", "R", "--host", "10.0.0.7"), ("10.0.0.7", 7860)),
        ((*SCRIPT, "train", "--dataset", "serve"), None),
        ((*SCRIPT, "--help"), None),
        (SCRIPT, None),
        (("/bin/bash",), None),
        (("/bin/sh", "-c", "ser-aae serve /runs/RUN --port 80"), ("127.0.0.1", 80)),
        (("sh", "-c", "ser-aae serve R --host $HOST --port 80"), ("127.0.0.1", 0)),
        (("bash", "-lc", "cd /a && exec ser-aae serve 'R 1'; echo"), ("127.0.0.1", 7860)),
        (("sh", "-c", 'ser-aae serve R --port "$PORT"'), ("127.0.0.1", 0)),
        (("sh", "-c", "ser-aae train; echo serve"), None),
        (("sh", "-c", "ser-aae serve 'R"), None),
        (("sh", "-c"), None),
        ((*SCRIPT, "serve", "R", "--port", "0"), ("127.0.0.1", 0)),
        (("",), None),
    ],
)
def test_the_address_is_read_from_the_command(words, address):
    assert health.served_address([*words, ""]) == address


def asked(tmp_path, monkeypatch, capsys, *words):
    place = tmp_path / "cmdline"
    place.write_bytes("\0".join([*words, ""]).encode())
    monkeypatch.setattr(health, "FIRST_PROCESS", place)
    return health.main(), capsys.readouterr().out


def test_a_server_that_answers_is_well(tmp_path, monkeypatch, capsys, toy_recogniser):
    limits = Limits()
    app = build_app(RecognitionQueue(toy_recogniser, limits), Uploads(limits), token="t" * 16)
    with serving(app, limits) as served:
        words = (*SCRIPT, "serve", "R", "--host", ANYWHERE, "--port", str(served.port))
        code, said = asked(tmp_path, monkeypatch, capsys, *words)
    assert (code, '"ok"' in said) == (0, True)
    code, said = asked(tmp_path, monkeypatch, capsys, *words)
    assert (code, "does not answer" in said) == (1, True)


def test_where_no_server_was_asked_for_all_is_well(tmp_path, monkeypatch, capsys):
    assert asked(tmp_path, monkeypatch, capsys, *SCRIPT, "train")[0] == 0


def test_a_server_whose_port_nobody_knows_is_well(tmp_path, monkeypatch, capsys):
    code, said = asked(tmp_path, monkeypatch, capsys, *SCRIPT, "serve", "R", "--port", "0")
    assert (code, "without a fixed port" in said) == (0, True)


def test_the_check_of_the_image_needs_the_standard_library_alone():
    (line,) = [
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if "server.health" in line
    ]
    assert '["python", "-m", "ser_aae.server.health"]' in line
    code = "import sys; before = set(sys.modules); import ser_aae.server.health; " + (
        "found = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(found - set(sys.stdlib_module_names)))"
    )
    run = [sys.executable, "-c", code]
    found = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "['ser_aae']"
