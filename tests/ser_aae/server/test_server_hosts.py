"""Names of hosts: one spelling each, and only the machine's own or given ones are answered."""

import asyncio
import socket

import pytest

from ser_aae.errors import UserError
from ser_aae.server.hosts import allowed_hosts, client_of, host_name, is_loopback
from ser_aae.server.limits import Guard

ANYWHERE = "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost", "localhost"),
        ("LocalHost.:7860", "localhost"),
        ("Speech.Example:443", "speech.example"),
        ("127.0.0.1:7860", "127.0.0.1"),
        ("[::1]:7860", "::1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("[::FFFF:10.0.0.7]:80", "10.0.0.7"),
        (" localhost ", "localhost"),
        *((text, "") for text in ("", ":7860", "[::1", "::1", "a@localhost", "localhost/x")),
        *((text, "") for text in ("localhost:78x", "localhost, evil", "localhost:1:2", "[]:80")),
    ],
)
def test_a_name_has_one_spelling(header, name):
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Speech.Example.", "speech.example"),
        ("192.168.1.5", "192.168.1.5"),
        ("FD00::5", "fd00::5"),
        ("[fd00::5]", "fd00::5"),
    ],
)
def test_a_name_may_be_given(given, name):
    assert name in allowed_hosts([given], is_open=False)


@pytest.mark.parametrize(
    "given", ["", "speech.example:443", "https://speech.example", "*", "a b", "[::1]:80", "a/b"]
)
def test_what_is_no_name_is_refused(given):
    with pytest.raises(UserError, match="--allowed-host: expected a name or an address without"):
        allowed_hosts([given], is_open=False)


def test_an_open_server_goes_by_the_names_of_its_machine(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Box.lan")
    monkeypatch.setattr(socket, "getfqdn", lambda: "box.lan.example.")
    assert allowed_hosts([], is_open=True) == {
        *("localhost", "127.0.0.1", "::1"),
        *("box.lan", "box", "box.local", "box.lan.example"),
    }
    assert allowed_hosts([], is_open=False) == {"localhost", "127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("arrived", "host", "status"),
    [
        ("192.168.1.5", "192.168.1.5:7860", 200),
        ("::ffff:192.168.1.5", "192.168.1.5", 200),
        ("fe80::1%eth0", "[fe80::1]:7860", 200),
        ("192.168.1.5", "192.168.1.6", 421),
        ("192.168.1.5", "0.0.0.0:7860", 421),
        ("192.168.1.5", "evil.example:7860", 421),
        ("192.168.1.5", "", 421),
        ("", "", 421),
    ],
)
def test_the_address_that_a_connection_comes_to_is_a_name_too(arrived, host, status):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    scope = {"type": "http", "method": "GET", "headers": [(b"host", host.encode())]}
    scope["server"] = (arrived, 7860) if arrived else None
    asyncio.run(Guard(app)(scope, receive, send))
    assert sent[0]["status"] == status


def test_clients_are_counted_by_address_or_by_the_network_of_a_host():
    assert client_of("::ffff:10.0.0.7") == client_of("10.0.0.7") != client_of("10.0.0.8")
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff:1") != client_of("2001:db8:0:1::1")
    assert client_of("fe80::1%eth0") == client_of("fe80::2%eth1")


def test_loopback_is_told_from_what_others_reach():
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")))
    assert not any(map(is_loopback, (ANYWHERE, "::", "10.0.0.7", "")))
