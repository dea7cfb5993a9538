"""Refusals of the operating system that the user can mend: a full disk, a read-only place."""

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ser_aae.files.container import explain_mount

_FULL = "the disk is full; make room and give the same command again"
_FORBIDDEN = "not permitted to {deed}; see to it that you may, or give another place"
_TOO_MANY = "too many files are open; raise the limit (ulimit -n) and give the same command again"

_MENDS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: "the file system is read-only; give another place, or mount it for writing",
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.ENOTDIR: "a file lies where a folder is needed; move it away, or give another place",
    errno.ELOOP: "symbolic links lead in a circle; mend them, or give another place",
    errno.ENAMETOOLONG: "the name is too long for the file system; give a shorter one",
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
}
"""Error numbers of the system, and what is wrong then and mends it."""

_QUOTED_PLACE = re.compile(r"'([^'\n]*/[^'\n]*)'|^([^;:\n]*/[^;:\n]*); ")
"""A path in an error of HDF5, of Arrow and of Python, or as TensorFlow begins with one."""

_PARTIAL_MARK = re.compile(r"\.\d+\.part-")
"""Beginning of the name under which a file is written before it gets its own."""

_LOCK = re.compile(r"(^|/)\.([^/]+)\.(?:lock|holder)$")
"""Name of a file that stands beside a place while it is held."""


def explain_refusal(error: BaseException, written: object = "") -> str:
    """Return one line on what the system refuses, where, and what mends it; "" on other errors.

    Libraries wrap the system's error, or tell it in words alone: HDF5, Arrow and TensorFlow do.

    Args:
        error: What was raised, with the errors that it was raised from.
        written: The place that a command writes to, for errors that name none.
    """
    for each in _chain(error):
        number = _error_number(each)
        if number is not None:
            place = _place(each) or written or "the output"
            mend = _MENDS[number].format(deed=_forbidden_deed(str(place)))
            return f"{place}: {explain_mount(number, str(place)) or mend}"
    return ""


def _forbidden_deed(place: str) -> str:
    """Return in words what is not permitted at a place, or near it where nothing is there yet."""
    if os.path.exists(place):
        if not os.access(place, os.R_OK):
            return "read it"
        writing = "write into it" if os.path.isdir(place) else "write it"
        return "read or write it" if os.access(place, os.W_OK) else writing
    above = next((each for each in Path(place).absolute().parents if os.path.exists(each)), None)
    if above is None or not os.access(above, os.X_OK) or os.access(above, os.W_OK):
        return "read or write it"
    return "write it"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _error_number(error: BaseException) -> int | None:
    """Return the number of a refusal that an error is, or tells in the system's words."""
    if isinstance(error, OSError) and error.errno in _MENDS:
        return error.errno
    text = str(error)
    return next((number for number in _MENDS if os.strerror(number) in text), None)


def _place(error: BaseException) -> str:
    found = getattr(error, "filename", None)
    if not found and (match := _QUOTED_PLACE.search(str(error))):
        found = match[1] or match[2]
    if isinstance(found, bytes | os.PathLike):
        found = os.fsdecode(found)
    if not isinstance(found, str):
        return ""
    return _LOCK.sub(r"\1\2", _PARTIAL_MARK.sub("", found))
