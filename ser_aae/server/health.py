"""Health of a server: the answer that says so, and the container's question.

`python -m ser_aae.server.health` ends with 0 where the container's first process is no server, or
one that answers, or one whose port its command does not tell; else with 1. It needs nothing but the
standard library.
"""

import argparse
import contextlib
import http.client
import json
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ser_aae import __version__
from ser_aae.server.address import DEFAULT_HOST, add_address, local_host

HEALTH = "/health"

FIRST_PROCESS = Path("/proc/1/cmdline")
"""Its words, each with a zero behind it."""

_PATIENCE_S = 5.0

_SHELLS = ("sh", "bash", "dash", "ash")


def health() -> dict[str, str]:
    """Return what a server that is well says."""
    return {"status": "ok", "version": __version__}


def served_address(command: Sequence[str]) -> tuple[str, int] | None:
    """Return where the server of a command line is asked; `None` where it is no `ser-aae serve`.

    The port is 0 where the command does not tell where.
    """
    command = _words_in_shell(command)
    names = [Path(word).name for word in command]
    program = next((name for name in ("ser-aae", "ser_aae") if name in names), None)
    if program is None:
        return None
    words = list(command[names.index(program) + 1 :])
    if next((word for word in words if not word.startswith("-")), None) != "serve":
        return None
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False, exit_on_error=False)
    add_address(parser)
    try:
        found, _ = parser.parse_known_args(words)
    except argparse.ArgumentError:  # a variable of the shell, for one
        return DEFAULT_HOST, 0
    if "$" in found.host:
        return DEFAULT_HOST, 0
    return local_host(found.host), found.port


def _words_in_shell(command: Sequence[str]) -> list[str]:
    """Return the words of a simple command that a shell was given (`sh -c TEXT`), else these."""
    words = list(command)
    after = next((n + 1 for n, word in enumerate(words[:-1]) if re.fullmatch("-[a-z]*c", word)), 0)
    if Path(words[0]).name not in _SHELLS or not after:
        return words
    lexer = shlex.shlex(words[after], posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # a quotation without an end
        return words


def main() -> int:
    """Ask the server that the first process is, if it is one; return the exit code."""
    words = FIRST_PROCESS.read_bytes().decode(errors="replace").split("\0")
    address = served_address(words)
    if address is None:
        print("no server was asked for")
        return 0
    if address[1] == 0:
        print("a server without a fixed port, which cannot be asked")
        return 0
    try:
        with contextlib.closing(http.client.HTTPConnection(*address, timeout=_PATIENCE_S)) as asked:
            asked.request("GET", HEALTH)
            answer = asked.getresponse()
            text = answer.read(1000).decode()
        well = answer.status == http.HTTPStatus.OK and json.loads(text)["status"] == "ok"
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        print(f"the server does not answer: {error}")
        return 1
    print(text)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
