"""Locks: one process at a time for a folder; a lock falls with the process that holds it."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ser_aae.errors import UserError
from ser_aae.files.atomic import write_bytes

CACHE_VARIABLE = "SER_AAE_CACHE"
"""Variable that names the folder of a worker's copies; read on the worker, whose disk it is."""

_WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)


class LocklessError(UserError):
    """A file system that knows no locks."""


@contextmanager
def claim(folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold a folder against every other process that asks, on any machine.

    The lock is the operating system's, on a file beside the folder: it falls with the process
    that holds it, so nothing stale is left by one that was killed. The folder need not exist.
    `wait` is whether to wait for another holder to let go.

    Yields:
        Whether this process holds it; `False` where another one does.

    Raises:
        LocklessError: The file system knows no locks.
    """
    path, name = _path_beside(folder, "lock"), _path_beside(folder, "holder")
    path.parent.mkdir(parents=True, exist_ok=True)
    # never a mere file that stands for a lock: it would outlive a process that is killed
    lock = FileLock(path, fallback_to_soft=False)
    if not _acquire(lock, path, wait):
        yield False
        return
    try:
        write_bytes(name, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield True
    finally:
        name.unlink(missing_ok=True)
        # before the release, so that a process which has opened the file meanwhile finds it gone;
        # Windows refuses that, and removes the file with the release
        with suppress(PermissionError):
            path.unlink(missing_ok=True)
        lock.release()


def holder(folder: Path) -> str:
    """Return the process that holds a folder, as far as known: `"process 4711 on node3"`."""
    try:
        return _path_beside(folder, "holder").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:  # the holder has let go since
        return "another process"


def _path_beside(folder: Path, ending: str) -> Path:
    return folder.with_name(f".{folder.name}.{ending}")


def _acquire(lock: FileLock, path: Path, wait: bool) -> bool:
    """Return whether the lock is held from now on."""
    try:
        lock.acquire(blocking=wait)
    except Timeout:
        return False
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        raise LocklessError(
            f"{path}: expected a file system with locks ({error.strerror}); train on a local "
            f"disk, or set ${CACHE_VARIABLE} to a folder on one and give ser-aae reproduce "
            "--store and --runs as URLs (file:///...)"
        ) from error
    return True
