"""Archives of corpora that may be fetched without an agreement: the facts of each, and unpacking.

An adapter states its archives in `DOWNLOADS`.
"""

import errno
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

from ser_aae.errors import UserError
from ser_aae.files.atomic import remove
from ser_aae.progress import Show, move_bar, open_bar, show_line


@dataclass(frozen=True)
class Archive:
    """A file that holds a corpus or a part of one.

    Attributes:
        url: Its address.
        checksum: Algorithm and hexadecimal digits, as in `md5:0a1b...`; `""` where nobody publishes
            one, as of archives that a server makes when they are asked for.
        source: Page or file that publishes the checksum.
        part: Subset of the corpus that it holds, `""` where it holds all.
        inner: Folder in it that the corpus lies in, as a pattern of names; `""` for the top.
        pointed: Address below which lie the recordings that a git repository only points to.
        recordings: Folder of those recordings, below `inner`.
    """

    url: str
    checksum: str = ""
    source: str = ""
    part: str = ""
    inner: str = ""
    pointed: str = ""
    recordings: str = ""

    @property
    def name(self) -> str:
        """Name of the file."""
        return PurePosixPath(urlsplit(self.url).path).name


Members = Iterator[tuple[str, bool, Callable[[Path], object]]]
"""Name of each member of an archive, whether it is a file or a folder, and its extraction to a
folder."""

_PIECE = 2**20
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
    *(EOFError, RuntimeError, OSError),
)
"""Errors of an archive that is cut off, or none.

A wrong bit may ask for a password (RuntimeError), or lead to before the file's begin (OSError).
"""
_DAMAGE_NUMBERS = (None, errno.EINVAL)
"""Numbers of errors of the system that an archive causes; others are the disk's, which is full."""


def unpack(path: Path, folder: Path, show: Show = show_line) -> None:
    """Unpack a zip, or a tar in any compression, into a folder that exists.

    Raises:
        UserError: It is no archive or a damaged one, or would write outside of the folder. Such an
            archive is removed. What was unpacked before that is left in the folder, which the
            caller throws away.
    """
    try:
        _unpack(path, folder, show)
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno not in _DAMAGE_NUMBERS:
            raise
        remove(path)
        raise UserError(
            f"{path}: expected a zip or tar archive, found none, or a damaged one ({error}), which "
            "was removed; give the same command again"
        ) from error
    except UserError:
        remove(path)
        raise


def _unpack(path: Path, folder: Path, show: Show) -> None:
    size = path.stat().st_size
    open_members = _zip_members if zipfile.is_zipfile(path) else _tar_members
    with path.open("rb") as stream, open_bar(_megabytes(size), "unpacking", "MB", show) as bar:
        for name, is_plain, extract in open_members(stream):
            _check_member(path, name, is_plain)
            extract(folder)
            move_bar(bar, _megabytes(stream.tell()))


def _zip_members(stream: IO[bytes]) -> Members:
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            is_plain = not stat.S_ISLNK(member.external_attr >> 16)
            yield member.filename, is_plain, partial(archive.extract, member)


def _tar_members(stream: IO[bytes]) -> Members:
    with tarfile.open(fileobj=stream) as archive:
        for member in archive:
            is_plain = member.isfile() or member.isdir()
            yield member.name, is_plain, partial(archive.extract, member, filter="data")
        # what follows the last member has the checksum of a compressed tar, and is compared here
        while archive.fileobj is not None and archive.fileobj.read(_PIECE):
            continue


def _check_member(path: Path, name: str, is_plain: bool) -> None:
    """Refuse a member that is a link or a device, or would lie outside of the folder."""
    pieces = PurePosixPath(name.replace("\\", "/"))
    is_outside = pieces.is_absolute() or ".." in pieces.parts or re.match("[A-Za-z]:", name)
    if is_outside or not is_plain:
        what = "outside of the corpus' folder" if is_outside else "as a link or a device"
        raise UserError(
            f"{path}: expected files in one folder, found {name!r}, which would be written {what}; "
            "nothing was unpacked. This is not what its authors publish, and was removed"
        )


def _megabytes(size: int) -> int:
    return round(size / 1e6)
