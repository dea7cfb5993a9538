"""Worker of a distributed search: it asks a chief for trials, and runs them."""

import json
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc

from ser_aae.errors import UserError
from ser_aae.progress import Show
from tuning.chief import SERVICE, digest_of
from tuning.definition import Search, read_search
from tuning.hypermodel import NoChiefError, Reporter, Run, SettingsModel, TrialFailedError
from tuning.oracles import build_oracle
from tuning.tuner import TrialTuner

_BEAT_S = 1.0
CHIEF_RETURNS_S = 3600.0
"""Time that a worker waits for a chief that went away, as Keras Tuner does."""


class Messenger(Reporter):
    """Reporter who also tells the chief, every second, that this worker lives, and its trial.

    Args:
        definition: The chief's search, as `Define` first returned it.
    """

    def __init__(self, channel: grpc.Channel, definition: bytes, name: str, show: Show) -> None:
        """Say nothing yet; see the class."""
        super().__init__(show)
        self.name = name
        self.definition = definition
        self._define = channel.unary_unary(f"/{SERVICE}/Define")
        self._beat = channel.unary_unary(f"/{SERVICE}/Beat")
        self._lines: list[str] = []
        self._telling = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, daemon=True)

    def __enter__(self) -> "Messenger":
        """Begin to tell."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Tell the rest and end."""
        self._ended.set()
        self._thread.join()

    def say(self, line: str) -> None:
        """Show a line of the present trial, here and at the chief."""
        super().say(line)
        self._lines.append(f"trial {self.trial}: {line}")

    def check(self) -> None:
        """Ask the chief whether it still searches the same; wait for it to be started again.

        Raises:
            NoChiefError: It searches something else, or is not there.
        """
        try:
            found = self._define(b"{}", wait_for_ready=True, timeout=CHIEF_RETURNS_S)
        except grpc.RpcError as error:
            raise NoChiefError(_explain_loss(error)) from error
        if found != self.definition:
            raise NoChiefError(
                "the chief searches something else now; start this worker again to work for it. "
                "Its runs stay where they are"
            )

    def tell(self, failure: str = "") -> bool:
        """Send the chief the lines that it has not got; return whether it got them."""
        with self._telling:
            lines = self._lines[:]
            message = {"worker": self.name, "trial": self.trial, "lines": lines}
            message["search"] = digest_of(self.definition)
            try:
                self._beat(json.dumps(message | {"failure": failure}).encode(), timeout=10)
            except grpc.RpcError:
                return False  # told with the next beat
            del self._lines[: len(lines)]
            return True

    def _keep_beating(self) -> None:
        while not self._ended.wait(_BEAT_S):
            self.tell()
        self.tell()


def run_worker(
    address: str,
    run: Run,
    show: Show,
    ready: Callable[[Search], None] = lambda search: None,
    first_answer_s: float = 600.0,
) -> None:
    """Run trials for the chief at an address, `HOST:PORT`, until it has no more.

    `ready` is called with the search before the first trial; it raises if this machine lacks what
    the search needs, so that no trial fails for it. The worker waits `first_answer_s` for the
    chief to be started.

    Raises:
        UserError: No chief answers there, or it went away.
        TrialFailedError: A trial failed; the chief was told.
    """
    name = os.environ.get("KERASTUNER_TUNER_ID") or f"worker-{uuid.uuid4().hex[:8]}"
    show(f"waits for the chief at {address}")
    with grpc.insecure_channel(address) as channel:
        definition = _ask(channel, address, first_answer_s)
        search = read_search(json.loads(definition))
        ready(search)
        show(f"works for the chief at {address} as {name}")
        with (
            Messenger(channel, definition, name, show) as messenger,
            TemporaryDirectory() as scratch,
            _keras_tuner_environment(address, name),
        ):
            model = SettingsModel(search, run, messenger)
            tuner = TrialTuner(build_oracle(search, Path(scratch)), model, Path(scratch))
            try:
                tuner.search()
            except TrialFailedError as error:
                messenger.tell(failure=str(error))
                raise
            except (NoChiefError, grpc.RpcError) as error:
                why = _explain_loss(error) if isinstance(error, grpc.RpcError) else error
                raise UserError(f"--worker {address}: {why}") from error


def _explain_loss(error: grpc.RpcError) -> str:
    return f"the chief went away ({error.details()}); start both again: what is done stays done"


def _ask(channel: grpc.Channel, address: str, timeout_s: float) -> bytes:
    define = channel.unary_unary(f"/{SERVICE}/Define")
    try:
        return define(b"{}", wait_for_ready=True, timeout=timeout_s)
    except grpc.RpcError as error:
        raise UserError(
            f"--worker {address}: no chief answers there ({error.details()}); start it with "
            "ser-aae tune --dataset ... --chief HOST:PORT"
        ) from error


@contextmanager
def _keras_tuner_environment(address: str, name: str) -> Iterator[None]:
    """Set the variables by which Keras Tuner finds its chief, and put back what was there."""
    host, _, port = address.rpartition(":")
    wanted = {
        "KERASTUNER_TUNER_ID": name,
        "KERASTUNER_ORACLE_IP": host,
        "KERASTUNER_ORACLE_PORT": port,
    }
    before = {key: os.environ[key] for key in wanted if key in os.environ}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for key in wanted:
            del os.environ[key]
        os.environ.update(before)
