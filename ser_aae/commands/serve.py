"""`ser-aae serve`: a trained model as a web page and a JSON endpoint."""

import argparse
import os
import socket
from functools import partial
from typing import TYPE_CHECKING

from ser_aae.commands.options import (
    Subparsers,
    add_model,
    add_options,
    count,
    fetch_model,
    folder,
    number_over_zero,
)
from ser_aae.errors import UserError
from ser_aae.progress import LOADING, show_line
from ser_aae.server.address import add_address, container_remark, local_host, url_host
from ser_aae.server.hosts import allowed_hosts, is_loopback

if TYPE_CHECKING:
    from ser_aae.server.limits import Limits
    from ser_aae.server.queue import RecognitionQueue

_TOKEN = "SER_AAE_TOKEN"  # noqa: S105


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "serve",
        help="a web page to record or upload, and the same as a JSON endpoint",
        description="Serve a model on this machine until interrupted. Recordings are removed "
        "when they are answered; nothing is sent to or fetched from elsewhere. Programs POST a "
        "form with a file to /api/predict; /api/openapi.json has the schema.",
    )
    add_model(parser)
    add_address(parser)
    _add_guards(parser)
    parser.add_argument(
        "--max-mb", type=number_over_zero, default=50.0, metavar="MB", help="largest recording (50)"
    )
    parser.add_argument(
        "--max-seconds",
        type=number_over_zero,
        default=600.0,
        metavar="S",
        help="longest recording (600)",
    )
    parser.add_argument(
        "--speakers",
        type=folder,
        metavar="FILE",
        help="enrolled speakers, as ser-aae enrol writes them: the nearest are shown",
    )
    add_options(parser, "trust")
    parser.set_defaults(run=run, resumes=False, extra="serve")


def _add_guards(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="one more name or address by which browsers ask for the server, without a port; may "
        "be given several times (the machine's own are known)",
    )
    parser.add_argument(
        "--token",
        help=f"what a client has to know, at least 16 characters (${_TOKEN}, which no list of "
        "processes shows)",
    )
    parser.add_argument(
        "--connections-per-address",
        type=count,
        default=50,
        metavar="N",
        help="connections that one address of another machine may have (50); more where a proxy "
        "there asks for everybody",
    )


def run(arguments: argparse.Namespace) -> None:
    """Load the model, then serve."""
    from ser_aae.server.app import build_app
    from ser_aae.server.connections import build_server
    from ser_aae.server.limits import Limits
    from ser_aae.server.uploads import Uploads

    token = _token(arguments.token)

    listening = _listen(arguments.host, arguments.port)
    is_open = not is_loopback(listening.getsockname()[0])
    hosts = allowed_hosts([*arguments.allowed_host, local_host(arguments.host)], is_open)
    limits = Limits(
        arguments.max_mb,
        arguments.max_seconds,
        connections_per_address=arguments.connections_per_address,
    )
    show_line(LOADING.format(model=arguments.model))
    queue = _load(arguments, limits)
    uploads = Uploads(limits)
    try:
        for warning in (*queue.recogniser.remarks, *queue.recogniser.signature.warnings):
            show_line(f"warning: {warning}")
        if is_open and not token:
            show_line(
                f"warning: whoever reaches {arguments.host} may use the server; --token, or "
                f"${_TOKEN}, asks for a token"
            )
        app = build_app(queue, uploads, hosts, token)
        server = build_server(app, limits, "info" if arguments.verbose else "warning")
        host, port = url_host(local_host(arguments.host)), listening.getsockname()[1]
        print(f"http://{host}:{port}", flush=True)
        if remark := container_remark(arguments.host, port):
            show_line(remark)
        server.run(sockets=[listening])
    finally:
        queue.close()
        uploads.close()
        listening.close()


def _token(given: str | None) -> str | None:
    """Return the token of the option, else of the environment; it is checked."""
    from ser_aae.server.login import check_token

    token = os.environ.get(_TOKEN) if given is None else given
    return None if token is None else check_token(token)


def _load(arguments: argparse.Namespace, limits: "Limits") -> "RecognitionQueue":
    """Load the model, and the speakers where some are enrolled."""
    from ser_aae.inference.recogniser import Recogniser
    from ser_aae.server.queue import RecognitionQueue

    if arguments.speakers is None:
        return RecognitionQueue(
            Recogniser.load(fetch_model(arguments.model), arguments.trust), limits
        )
    from ser_aae.inference.voices import Voices, nearest, read_enrolled

    voices = Voices.load(fetch_model(arguments.model), arguments.trust)
    enrolled = read_enrolled(arguments.speakers, voices)
    return RecognitionQueue(voices.recogniser, limits, partial(nearest, enrolled=enrolled))


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before the model is loaded, which takes its time."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        raise UserError(
            f"--host {host} --port {port}: cannot listen there ({error.strerror or error}); "
            "choose another port, or 0 for any that is free"
        ) from error
    return listening
