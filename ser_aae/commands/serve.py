"""`ser-aae serve`: a trained model as a web page and a JSON endpoint."""

import argparse
import socket
from functools import partial

from ser_aae.commands.options import Subparsers, add_options, folder
from ser_aae.errors import UserError
from ser_aae.progress import show_line

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "serve",
        help="a web page to record or upload, and the same as a JSON endpoint",
        description="Serve a model on this machine until interrupted. Recordings are removed "
        "when they are answered; nothing is sent to or fetched from elsewhere. Programs POST a "
        "form with a file to /api/predict; /api/openapi.json has the schema.",
    )
    parser.add_argument(
        "model", type=folder, metavar="MODEL", help="a run's folder, or a file of ser-aae export"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at (127.0.0.1: this machine alone; whoever reaches another "
        "address may use the model)",
    )
    parser.add_argument("--port", type=int, default=7860, help="port to listen at (7860)")
    parser.add_argument(
        "--max-mb", type=float, default=50.0, metavar="MB", help="largest recording (50)"
    )
    parser.add_argument(
        "--max-seconds", type=float, default=600.0, metavar="S", help="longest recording (600)"
    )
    parser.add_argument(
        "--speakers",
        type=folder,
        metavar="FILE",
        help="enrolled speakers, as ser-aae enrol writes them: the nearest are shown",
    )
    add_options(parser, "trust")
    parser.set_defaults(run=run, resumes=False)


def run(arguments: argparse.Namespace) -> None:
    """Load the model, then serve."""
    _check(arguments)
    import uvicorn

    from ser_aae.inference.recogniser import Recogniser
    from ser_aae.server.app import build_app
    from ser_aae.server.limits import Limits
    from ser_aae.server.queue import RecognitionQueue
    from ser_aae.server.uploads import Uploads

    listening = _listen(arguments.host, arguments.port)
    limits = Limits(arguments.max_mb, arguments.max_seconds)
    if arguments.speakers:
        from ser_aae.inference.voices import Voices, nearest, read_enrolled

        voices = Voices.load(arguments.model)
        enrolled = read_enrolled(arguments.speakers, voices)
        queue = RecognitionQueue(voices.recogniser, limits, partial(nearest, enrolled=enrolled))
    else:
        queue = RecognitionQueue(Recogniser.load(arguments.model, arguments.trust), limits)
    uploads = Uploads(limits)
    try:
        host = _url_host(arguments.host)
        hosts = _LOOPBACK if host in _LOOPBACK else ()
        config = uvicorn.Config(
            build_app(queue, uploads, hosts),
            log_level="info" if arguments.verbose else "warning",
            limit_concurrency=100,
            timeout_graceful_shutdown=3,  # an open page keeps a connection for ever
            server_header=False,
        )
        port = listening.getsockname()[1]
        for warning in (*queue.recogniser.remarks, *queue.recogniser.signature.warnings):
            show_line(f"warning: {warning}")
        print(f"http://{host}:{port}", flush=True)
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        queue.close()
        uploads.close()
        listening.close()


def _check(arguments: argparse.Namespace) -> None:
    if not 0 <= arguments.port <= 65535:
        raise UserError(f"--port: expected 0 (any that is free) to 65535, got {arguments.port}")
    for option in ("max_mb", "max_seconds"):
        value = getattr(arguments, option)
        if not 0 < value < float("inf"):
            name = option.replace("_", "-")
            raise UserError(f"--{name}: expected a number over 0, got {value:g}")


def _url_host(host: str) -> str:
    """Return an address as it stands before a port, and in the header `Host` (RFC 3986)."""
    return f"[{host}]" if ":" in host else host


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
