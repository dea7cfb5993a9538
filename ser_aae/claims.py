"""One process at a time for a folder: a lock that falls with whoever holds it."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ser_aae.errors import UserError

CACHE_VARIABLE = "SER_AAE_CACHE"
"""Names the folder of a worker's copies; read on the worker, whose disk it is."""


@contextmanager
def claim(folder: Path, *, wait: bool = False) -> Iterator[int | None]:
    """Hold a folder against every other process that asks, on whatever machine.

    The lock is the operating system's, on a file beside the folder: it falls with the process
    that holds it, so nothing stale is left by one that was killed.

    Args:
        folder: It need not exist.
        wait: Until whoever holds it lets go, instead of going on without it.

    Yields:
        The descriptor that holds it, `None` where another process has it.

    Raises:
        UserError: The file system knows no locks.
    """
    lock = _lock_of(folder)
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _lock(lock, wait)
    try:
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        yield descriptor
    finally:
        if descriptor is not None:
            # while it is held: whoever has opened it meanwhile finds that it is gone
            lock.unlink(missing_ok=True)
            os.close(descriptor)


def holder(folder: Path) -> str:
    """Return who holds a folder, as far as can be told: `"process 4711 on node3"`."""
    try:
        said = _lock_of(folder).read_text(encoding="utf-8")
    except FileNotFoundError:  # it has let go since
        said = ""
    return said or "another process"


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _lock(path: Path, wait: bool) -> int | None:
    """Return the descriptor that holds the lock, `None` where another one does."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.is_file() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            os.close(descriptor)
            raise UserError(
                f"{path}: expected a file system with locks ({error.strerror}); train on a local "
                f"disk, or set ${CACHE_VARIABLE} to a folder on one and give ser-aae reproduce "
                "--store and --runs as URLs (file:///...)"
            ) from error
        os.close(descriptor)  # of a file that was removed while this waited for it
