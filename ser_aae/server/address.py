"""Address that `serve` listens at: its options, which the container's check reads again."""

import argparse

from ser_aae.files.container import is_container

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7860

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Addresses that stand for all of a machine, which nobody can ask for."""


def add_address(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say where the server listens."""
    parser.add_argument(
        "--host",
        default=DEFAULT_HOST,
        help=f"address to listen at ({DEFAULT_HOST}: this machine alone; whoever reaches another "
        "address may use the model, unless there is a token)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help=f"port to listen at ({DEFAULT_PORT})",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected 0 (any that is free) to 65535, got {text}")
    return int(text)


def url_host(host: str) -> str:
    """Return an address as it stands before a port, and in the header `Host` (RFC 3986)."""
    return f"[{host}]" if ":" in host else host


def local_host(host: str) -> str:
    """Return where a server that listens at an address is asked on its own machine."""
    return _ANYWHERE.get(host, host)


def container_remark(host: str, port: int) -> str:
    """Return what makes a server in a container reachable at its address, `""` outside of one."""
    if not is_container():
        return ""
    publish = f"docker run -p {DEFAULT_HOST}:{port}:{port}"
    if host in _ANYWHERE:
        return f"in a container: the address opens where the port is published, {publish} ..."
    return (
        f"warning: nobody outside of this container reaches {host}; give --host 0.0.0.0 and "
        f"publish the port, {publish} ..."
    )
