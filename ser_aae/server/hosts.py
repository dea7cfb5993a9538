"""Names of hosts: the ones that this machine goes by, and the one that a request asks for.

A page elsewhere can give its own name the address of this machine and have a browser read the
server's answers (DNS rebinding). Its requests name it in the header `Host`.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable

from ser_aae.errors import UserError

LOOPBACK = ("localhost", "127.0.0.1", "::1")

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{0,5})?")
_NAME = re.compile(r"[a-z0-9._-]+")
_IPV6_CLIENT_BITS = 64


def host_name(header: str) -> str:
    """Return the name in a header `Host` in its one spelling: without port, brackets, final dot.

    What is no name or address has the name `""`.
    """
    found = _HOST.fullmatch(header.strip().lower())
    return _one_spelling(found[1] or found[2]) if found else ""


def allowed_hosts(given: Iterable[str], is_open: bool) -> frozenset[str]:
    """Return the names by which the server may be asked.

    The address that a connection comes to is one more name, which the connection itself says.

    Args:
        given: Further names and addresses, without a port.
        is_open: Whether the server listens to other machines, which call this one by its name.

    Raises:
        UserError: One of these is no name.
    """
    names = {*LOOPBACK, *map(_given_name, given)}
    if is_open:
        own = socket.gethostname().lower()
        first = own.partition(".")[0]
        names |= {own, first, f"{first}.local", _one_spelling(socket.getfqdn().lower())}
    return frozenset(names - {""})


def local_name(address: str) -> str:
    """Return the address at which a connection arrived as `host_name` spells it."""
    return _one_spelling(address.partition("%")[0])


def client_of(address: str) -> str:
    """Return what counts as one client: an address, or the network of a host in IPv6."""
    name = local_name(address)
    if ":" in name:
        return str(ipaddress.ip_network((name, _IPV6_CLIENT_BITS), strict=False))
    return name


def is_loopback(address: str) -> bool:
    """Return whether an address is reached from this machine alone."""
    found = _address(local_name(address))
    return found is not None and found.is_loopback


def _given_name(text: str) -> str:
    name = _one_spelling(text.strip().lower().removeprefix("[").removesuffix("]"))
    if not _NAME.fullmatch(name) and _address(name) is None:
        raise UserError(
            "--allowed-host: expected a name or an address without a port, such as "
            f"speech.example, got {text!r}"
        )
    return name


def _one_spelling(name: str) -> str:
    name = name.removesuffix(".")
    return str(_address(name) or name)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # a socket that takes IPv6 has IPv4 clients too, and writes them so
    return getattr(address, "ipv4_mapped", None) or address
