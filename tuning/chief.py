"""The chief of a distributed search: Keras Tuner's oracle behind gRPC, and an end to it.

Keras Tuner's own chief hears nothing of a worker that dies, and waits for that worker for ever.
This chief answers two more calls: `Define` returns the search, and by `Beat` a worker tells its
trial and its lines every second. A worker without a beat for `PATIENCE_S` is dead.
"""

import hashlib
import json
import socket
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from ser_aae.errors import UserError
from ser_aae.progress import Show
from tuning.definition import Search
from tuning.local_workers import LocalWorkers
from tuning.oracles import STOPPED, DurableOracle

SERVICE = "ser_aae.Search"
"""gRPC service of `Define` and `Beat`; requests and answers are JSON."""

PATIENCE_S = 60.0
"""Silence after which a worker is taken for dead; its trial is then given to another."""

_POLL_S = 0.2
_NOBODY = "nobody"
_ALL_ADDRESSES = ("0.0.0.0", "[::]")  # noqa: S104 (compared with, not listened on)


def digest_of(definition: bytes) -> str:
    """Return the digest of a search as `Define` returns it."""
    return hashlib.sha256(definition).hexdigest()[:8]


class Chief(OracleServicer):
    """Server of workers; all of it runs in one thread.

    Attributes:
        error: The error that ended the search early, if one did.
    """

    def __init__(
        self, oracle: DurableOracle, search: Search, show: Show, patience_s: float = PATIENCE_S
    ) -> None:
        """Wait for workers; see the class."""
        super().__init__(oracle)
        self.search = search
        self.show = show
        self.patience_s = patience_s
        self.error: Exception | None = None
        self._definition = json.dumps(search.to_dict()).encode()
        self._last_beats: dict[str, float] = {}
        self._dismissed: set[str] = set()
        if oracle.end_order:
            self._look_for_trial()

    def CreateTrial(self, request: Any, context: Any) -> Any:  # noqa: N802 (Keras Tuner's name)
        """Give a worker its next trial, first those of the dead."""
        self._note_life(request.tuner_id)
        self._give_back_trials()
        response = self._guard(super().CreateTrial, request, context)
        if response.trial.status == protos.get_proto().TrialStatus.STOPPED:
            self.forget(request.tuner_id)
            self._dismissed.add(request.tuner_id)
        return response

    def EndTrial(self, request: Any, context: Any) -> Any:  # noqa: N802 (Keras Tuner's name)
        """Take the outcome of a trial."""
        return self._guard(super().EndTrial, request, context)

    def define(self, request: bytes, context: Any) -> bytes:
        """Return the search to a worker."""
        return self._definition

    def beat(self, request: bytes, context: Any) -> bytes:
        """Take a worker's message: its name, its trial, its lines, its failure.

        A worker of another search, whose chief was here before, is ignored: its trials are not
        this search's, whatever their numbers. It ends by itself.
        """
        message = json.loads(request)
        if message["search"] != digest_of(self._definition):
            return b"{}"
        name, trial = message["worker"], message["trial"]
        self._note_life(name)
        for line in message["lines"]:
            self.show(f"[{name}] {line}")
        if message["failure"]:
            self.error = UserError(message["failure"])
        elif trial is not None:
            self._guard(self.oracle.adopt, name, trial)
        self._give_back_trials()
        return b"{}"

    def forget(self, name: str) -> None:
        """Take a worker for dead."""
        self._last_beats.pop(name, None)

    def finished(self) -> bool:
        """Return whether nothing is left to do and no living worker waits for an answer."""
        return self.stop_triggered and not self.oracle.ongoing_trials and not self._living()

    def _look_for_trial(self) -> None:
        """End a search that goes on without a trial left: no worker may come to ask."""
        if self.oracle.create_trial(_NOBODY).status == STOPPED:
            self.stop_triggered = True
        else:
            self.oracle.give_back(_NOBODY)

    def _note_life(self, name: str) -> None:
        if name not in self._dismissed:
            self._last_beats[name] = time.monotonic()

    def _living(self) -> list[str]:
        now = time.monotonic()
        # a copy: the thread that waits for the end asks too
        return [name for name, at in list(self._last_beats.items()) if now - at < self.patience_s]

    def _give_back_trials(self) -> None:
        alive = self._living()
        for name in [n for n in self.oracle.ongoing_trials if n not in alive]:
            self.forget(name)
            trial = self._guard(self.oracle.give_back, name)
            self.show(f"[{name}] is not heard of any more; trial {trial} will be run again")

    def _guard(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """Do a step whose failure, as on a full disk, has to end the search."""
        try:
            return step(*arguments)
        except Exception as error:
            self.error = error
            raise


def serve(chief: Chief, address: str, helpers: LocalWorkers | None = None) -> None:
    """Serve a search until it has ended; `helpers` are started, and end with the chief.

    The address is `HOST:PORT`; port 0 takes one that is free.

    Raises:
        UserError: The address cannot be listened on, or a trial failed.
        Exception: The oracle cannot go on, as with a full disk.
    """
    # one thread, so that the oracle is never asked two things at once; and no second chief on
    # the port, which Linux would else allow
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=1), options=[("grpc.so_reuseport", 0)]
    )
    protos.get_service_grpc().add_OracleServicer_to_server(chief, server)
    handlers = {
        "Define": grpc.unary_unary_rpc_method_handler(chief.define),
        "Beat": grpc.unary_unary_rpc_method_handler(chief.beat),
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])
    port = _listen(server, address)
    server.start()
    try:
        if helpers is not None:
            helpers.start(port)
        elif not chief.finished():
            host = address.rpartition(":")[0]
            # all addresses of this machine are none that another one could name
            reached = socket.gethostname() if host in _ALL_ADDRESSES else host
            chief.show(
                f"listens at {host}:{port}; start workers: ser-aae tune --worker {reached}:{port}"
            )
        _wait(chief, helpers)
    finally:
        if helpers is not None:
            helpers.end()
        server.stop(grace=1).wait()


def _listen(server: grpc.Server, address: str) -> int:
    try:
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise UserError(
            f"--chief {address}: cannot listen there; expected HOST:PORT of this machine, and a "
            "port that is free"
        ) from error


def _wait(chief: Chief, helpers: LocalWorkers | None) -> None:
    while not chief.finished():
        if chief.error is not None:
            raise chief.error
        for name in helpers.lost() if helpers is not None else ():
            chief.forget(name)
        time.sleep(_POLL_S)
