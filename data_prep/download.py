"""Fetching corpora that may be had without an agreement into the place where they should lie.

What is fetched waits below `<data root>/.downloads`, and goes on after an interrupt. It is unpacked
beside the corpus' place and gets its name when it is whole. Checksums are compared where somebody
publishes them; else the counts of the corpus decide.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.archives import Archive, unpack
from data_prep.corpora import Adapter, find_adapter
from ser_aae.errors import UserError
from ser_aae.files.atomic import has_file, make_folder, remove
from ser_aae.files.locks import claim, holder
from ser_aae.progress import Show, move_bar, open_bar, show_line

if TYPE_CHECKING:
    import requests

UNTRIED = "no address here was ever tried by those who wrote this program"

_DOWNLOADS = ".downloads"
_TRIES = 3
"""Tries in a row that bring not a single byte before a download is given up."""
_CHUNK = 2**16
"""Bytes that are written at a time: what a cut connection has left of the last is lost."""
_TIMEOUT_S = (30, 60)
"""Seconds to connect, and from one piece to the next."""
_POINTER = re.compile(
    rb"version https://git-lfs\S*\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\nsize \d+\n"
)
_LONGEST_POINTER = 1024


@dataclass(frozen=True)
class Wanted:
    """A corpus, or a part of one, that is asked for."""

    adapter: Adapter
    archive: Archive

    @property
    def name(self) -> str:
        """Name as it is given."""
        return ":".join(filter(None, (self.adapter.name, self.archive.part)))

    @property
    def file_name(self) -> str:
        """The same as a file may be called."""
        return self.name.replace(":", "-")

    def is_there(self, data_root: Path) -> bool:
        """Return whether anything lies in its place."""
        if not self.archive.part:
            return self.adapter.is_found(data_root)
        return (self.root(data_root) / self.archive.part).exists()

    def root(self, data_root: Path) -> Path:
        """Return the folder in which the parts of a corpus lie: its own, or the one within."""
        location = self.adapter.location(data_root)
        inner = location / self.archive.inner
        return inner if inner.is_dir() or not self.adapter.is_found(data_root) else location


def choose_archives(name: str) -> list[Wanted]:
    """Return what a name stands for: a corpus, or `librispeech:test-clean`, a part of one.

    Of a corpus in parts, the name alone stands for those that the paper takes of it.

    Raises:
        UserError: There is no such corpus or part, or others have to grant it.
    """
    corpus, _, part = name.partition(":")
    adapter = find_adapter(corpus)
    if not adapter.downloads:
        raise UserError(f"{adapter.name}: this command cannot fetch it. {adapter.obtain}")
    facts = adapter.facts
    parts = {part} if part else {facts.subset, facts.verification_subset}
    chosen = [item for item in adapter.downloads if not item.part or item.part in parts]
    if not chosen or (part and not chosen[0].part):
        known = ", ".join(filter(None, (item.part for item in adapter.downloads))) or "none"
        raise UserError(f"{name}: expected a part of {adapter.name} ({known}), got {part!r}")
    return [Wanted(adapter, archive) for archive in chosen]


def fetch(wanted: Wanted, data_root: Path, show: Show = show_line) -> None:
    """Fetch a corpus, or a part of one, and unpack it into its place, where nothing lies yet.

    Raises:
        UserError: It cannot be fetched, has another checksum than is published, or is no archive
            that may be unpacked; or another process is at it.
    """
    archive = wanted.archive
    folder = data_root / _DOWNLOADS / wanted.file_name
    with claim(folder) as is_free:
        if not is_free:
            raise UserError(f"{folder}: {holder(folder)} fetches it already; wait for that")
        path = fetch_file(archive, folder, wanted.adapter.obtain, show)
        with _unpacked(wanted, path, data_root, show) as root:
            if archive.pointed:
                _fetch_pointed(archive, root, folder, wanted.adapter.obtain, show)
            _place(wanted, root, data_root)
        remove(folder)


def fetch_file(archive: Archive, folder: Path, obtain: str, show: Show = show_line) -> Path:
    """Fetch a file, or what is missing of it, and return where it lies.

    Raises:
        UserError: It cannot be fetched, or has another checksum than is published. The beginning of
            one that was cut off is kept, a file with another checksum is not.
    """
    import pooch  # loads requests
    import requests

    pooch.get_logger().setLevel("ERROR")  # its lines are of no use where no checksum is known
    make_folder(folder)
    try:
        found = pooch.retrieve(
            archive.url,
            archive.checksum or None,
            fname=archive.name,
            path=folder,
            downloader=_Receiver(folder / f"{archive.name}.part", show),
        )
    except requests.HTTPError as error:
        raise UserError(f"{error}; {UNTRIED}. {obtain}") from error
    except requests.RequestException as error:
        raise UserError(
            f"{archive.url}: the connection failed ({error}); give the same command again: it goes "
            f"on where it stopped. {UNTRIED}. {obtain}"
        ) from error
    except ValueError as error:  # pooch has removed it
        raise UserError(
            f"{archive.url}: expected a file with {archive.checksum}, as {archive.source} says, "
            "received another, which was removed; give the same command again, or fetch it by "
            f"hand. {obtain}"
        ) from error
    return Path(found)


class _Receiver:
    """Receiver of a file for pooch, which goes on with what an earlier try has left.

    The beginning lies in `part`; what the server calls this version of the file, beside it.
    """

    def __init__(self, part: Path, show: Show) -> None:
        self.part = part
        self.show = show
        self.version = part.with_name(f"{part.name}-of")

    def __call__(
        self, url: str, output_file: str, _pooch: object, check_only: bool = False
    ) -> None:
        import requests

        tries = 0
        while True:
            before = self._size()
            try:
                self._receive(url)
                break
            except requests.HTTPError:
                raise
            except requests.RequestException:
                tries = 1 if self._size() > before else tries + 1
                if tries == _TRIES:
                    raise
        self.part.replace(output_file)
        self.version.unlink(missing_ok=True)

    def _size(self) -> int:
        return self.part.stat().st_size if has_file(self.part) else 0

    def _known_version(self) -> str:
        """Return the version of which the beginning is there, `""` where nothing tells it."""
        if not has_file(self.version):
            return ""
        version = self.version.read_text(encoding="ascii", errors="replace")
        # what is damaged is no version, and no header either
        is_header = version.isascii() and version.isprintable() and version == version.strip()
        return version if is_header else ""

    def _receive(self, url: str) -> None:
        """Receive the rest of the file, or all of it where the server has another one now."""
        import requests

        size = self._size()
        version = self._known_version()
        headers = {"Accept-Encoding": "identity"}
        if size and version:
            headers |= {"Range": f"bytes={size}-", "If-Range": version}
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                if response.headers.get("Content-Range") == f"bytes */{size}":
                    return  # a command was killed when all had come
                remove(self.part)
                raise requests.ConnectionError("the server has no such rest of the file")
            response.raise_for_status()
            found = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
            is_rest = response.status_code == requests.codes.partial_content
            if is_rest and found not in ("", version):
                remove(self.part)
                raise requests.ConnectionError("the server gives the rest of another file")
            begin = size if is_rest else 0
            version = version if is_rest else found
            # a weak version may be that of a file with other bytes
            self.version.write_text("" if version.startswith("W/") else version, encoding="utf-8")
            length = response.headers.get("Content-Length")
            total = None if length is None else begin + int(length)
            self._write(response, begin, total)
        if total not in (None, self._size()):
            raise requests.ConnectionError(f"received {self._size()} of {total} bytes")

    def _write(self, response: "requests.Response", begin: int, total: int | None) -> None:
        megabytes = None if total is None else round(total / 1e6)
        title = self.part.name.removesuffix(".part")
        with (
            self.part.open("ab" if begin else "wb") as file,
            open_bar(megabytes, title, "MB", self.show) as bar,
        ):
            for piece in response.iter_content(_CHUNK):
                file.write(piece)
                begin += len(piece)
                move_bar(bar, round(begin / 1e6))


@contextmanager
def _unpacked(wanted: Wanted, path: Path, data_root: Path, show: Show) -> Iterator[Path]:
    """Give the folder of a corpus, or of its parts, unpacked beside its place for a while."""
    archive, place = wanted.archive, wanted.adapter.location(data_root).resolve()
    temporary = place.with_name(f".{place.name}.part-{wanted.file_name}")
    remove(temporary)  # of a killed process
    make_folder(temporary)
    try:
        unpack(path, temporary, show)
        found = temporary.glob(archive.inner) if archive.inner else [temporary]
        inner = [item for item in found if item.is_dir()]
        if len(inner) != 1:
            raise UserError(
                f"{path}: expected one folder {archive.inner} in it, found {len(inner)}; the "
                f"archive is another one now. {wanted.adapter.obtain}"
            )
        yield inner[0]
    finally:
        remove(temporary)


def _place(wanted: Wanted, root: Path, data_root: Path) -> None:
    """Give what is unpacked its name: the corpus, or a part of it with the tables beside it."""
    location = wanted.adapter.location(data_root).resolve()  # what a link leads to
    if not wanted.archive.part:
        if location.is_dir():
            for item in location.iterdir():  # hidden files alone
                item.replace(root / item.name)
            location.rmdir()
        root.replace(location)
        return
    target = wanted.root(data_root)
    make_folder(target)
    for item in sorted(root.iterdir()):
        if item.is_file() and not (target / item.name).exists():
            item.replace(target / item.name)
    (root / wanted.archive.part).replace(target / wanted.archive.part)


def _fetch_pointed(archive: Archive, root: Path, folder: Path, obtain: str, show: Show) -> None:
    """Put recordings in the place of what a git repository points to them with.

    A pointer has the checksum of its recording. Pointers to anything but recordings, as to videos,
    are removed.
    """
    pointers = {path: _pointed_checksum(path) for path in sorted(root.rglob("*")) if path.is_file()}
    pointers = {path: checksum for path, checksum in pointers.items() if checksum}
    recordings = root / archive.recordings
    found: dict[Path, Path] = {}
    wanted = [path for path in pointers if path.is_relative_to(recordings)]
    with open_bar(len(wanted), "recordings", "file", show) as bar:
        for path in wanted:
            source = f"{archive.pointed}{path.relative_to(root).as_posix()}"
            pointer = f"the pointer to {path.name} in {archive.name}"
            one = Archive(source, f"sha256:{pointers[path]}", pointer)
            found[path] = fetch_file(one, folder / "recordings", obtain, _no_bar)
            bar.update()
    for path in pointers:
        path.unlink()
    for path, file in found.items():
        file.replace(path)


def _pointed_checksum(path: Path) -> str:
    """Return the SHA-256 of what git-lfs has left a pointer to, `""` where it is none."""
    if path.stat().st_size > _LONGEST_POINTER:
        return ""
    match = _POINTER.match(path.read_bytes())
    return match[1].decode() if match else ""


def _no_bar(line: str) -> None:
    """Show a line, and no bar: there is one over all files."""
    show_line(line)
