"""Container that this program runs in: which folders outlive it, and how it is called to keep them.

Docker mounts a volume without a name wherever an image declares one and the caller gives none: the
next container has another one. So inside a container "the same command" begins anew. `docker start`
goes on, in the same container, or the caller mounts folders.
"""

import errno
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_MARK = "SER_AAE_CONTAINER"
"""Variable that the image sets."""

_MOUNTS = Path("/proc/self/mountinfo")
_GPU = Path("/dev/nvidiactl")

_VOLUME_WITHOUT_NAME = re.compile(r"/volumes/[0-9a-f]{64}/_data$")
_CONTAINER = re.compile(r"/(?:overlay-)?containers/([0-9a-f]{12})[0-9a-f]{52}/")
"""Beginning of the folder that Docker and Podman mount a container's own `/etc/hostname` from."""

_ESCAPED = re.compile(r"\\([0-7]{3})")

_CORPORA = "/my/corpora"
"""Folder that stands for the one in which a caller has corpora."""

_USER = '--user "$(id -u):$(id -g)"'
"""Option by which results are the caller's."""


@dataclass(frozen=True)
class _Mount:
    """Mount: the point where it is seen, and what of its file system is seen there."""

    point: Path
    source: str


def is_container() -> bool:
    """Return whether this program runs in a container of its image."""
    return bool(os.environ.get(_MARK))


def explain_repeat(places: Sequence[Path], words: Sequence[str]) -> str:
    """Return how a command goes on that did not end, `""` where the same one does.

    Args:
        places: Folders in which the command keeps what is done.
        words: The command line, without the program.
    """
    lost = _fleeting(places)
    if not lost:
        return ""
    name = _container_name()
    lines = [f"{_describe_loss(lost)}, and the same docker run begins anew"]
    if name:
        lines[0] += ". In this container it goes on, unless docker run --rm has removed it:"
        lines += [f"  docker start -a {name}", "or in folders of yours:"]
        lines += [f"  docker cp {name}:{place} ." for place in lost]
    else:
        lines[0] += ". To keep what is done, mount folders:"
    return "\n".join([*lines, *mounting_command(places, words)])


def tell_where_results_are(
    written: Path, places: Sequence[Path], words: Sequence[str]
) -> list[str]:
    """Return lines on what a command has written, where it is gone with the container.

    Args:
        written: The file or folder that the command writes.
        places: Folders that the command takes.
        words: The command line, without the program.
    """
    lost = _fleeting([written.absolute()])
    if not lost:
        return []
    lines, name = [_describe_loss(lost)], _container_name()
    if name:
        lines = [f"{lines[0]}; it is copied out by (not after docker run --rm):"]
        lines += [f"  docker cp {name}:{place} ." for place in lost]
    return [*lines, "To have results in folders of yours:", *mounting_command(places, words)]


def mounting_command(
    places: Sequence[Path], words: Sequence[str], corpora: Path | None = None
) -> list[str]:
    """Return the lines by which a command is given with folders of the caller's mounted.

    Args:
        places: Where the container sees folders; in the caller's folder they have the same names.
        words: The command line, without the program.
        corpora: That one of them in which the caller has corpora already.
    """
    made = [place for place in places if place != corpora]
    mounts = [
        f"-v {_CORPORA}:{place}:ro" if place == corpora else f'-v "$PWD/{place.name}:{place}"'
        for place in places
    ]
    options = [_USER, *(["--gpus all"] if _GPU.exists() else []), *mounts]
    return [
        f"  mkdir -p {shlex.join(place.name for place in made)}",
        f"  docker run {' '.join(options)} ser-aae {shlex.join(words)}",
    ]


def explain_mount(number: int, place: str | Path) -> str:
    """Return what mends a place of a container that may not be written, `""` where that is no help.

    Args:
        number: The system's error: only of EROFS, EACCES and EPERM is anything known.
        place: What cannot be written.
    """
    if not is_container() or number not in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ""
    folder = _nearest(Path(place))
    mount = _mount_of(folder)
    if number == errno.EROFS:
        if mount.point == Path("/"):
            return "the container itself is read-only; mount a folder there"
        return (
            f"{mount.point} is mounted read-only; mount it without :ro, for this command writes "
            "there, or give another place"
        )
    owner = _owner(folder)
    if owner == os.getuid() or mount.point == Path("/"):
        return ""
    if owner == 0:
        return (
            f"root owns what is mounted at {mount.point}, as it does where Docker makes a folder "
            'that is not there; on the host give it to yourself (sudo chown "$(id -u):$(id -g)" '
            f"FOLDER), make it by mkdir before docker run, and run with {_USER}"
        )
    return (
        f"what is mounted at {mount.point} belongs to user {owner}, and this container runs as "
        f"user {os.getuid()}; say docker run {_USER}, as the owner"
    )


def _fleeting(places: Sequence[Path]) -> list[Path]:
    """Return the places that hold something and are gone with this container."""
    if not is_container():
        return []
    return [place for place in places if _has_content(place) and _ends(place)]


def _has_content(place: Path) -> bool:
    return place.is_file() or (place.is_dir() and any(place.iterdir()))


def _ends(place: Path) -> bool:
    mount = _mount_of(place)
    return mount.point == Path("/") or bool(_VOLUME_WITHOUT_NAME.search(mount.source))


def _describe_loss(lost: Sequence[Path]) -> str:
    *others, last = map(str, lost)
    named = f"{', '.join(others)} and {last} lie" if others else f"{last} lies"
    return f"{named} in this container alone"


def _container_name() -> str:
    """Return the name by which Docker knows this container, `""` where it cannot be told."""
    found = (_CONTAINER.search(mount.source) for mount in _mounts())
    return next((match[1] for match in found if match), "")


def _mount_of(place: Path) -> _Mount:
    """Return the mount that a place lies in, the last one where several cover each other."""
    place = place.resolve()
    around = [each for each in _mounts() if place.is_relative_to(each.point)]
    return max(around, key=lambda each: len(each.point.parts), default=_Mount(Path("/"), "/"))


def _mounts() -> list[_Mount]:
    """Return what is mounted, from Linux's table (proc(5)); nothing where there is none."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    fields = [[_ESCAPED.sub(_character, word) for word in line.split()] for line in lines]
    return [_Mount(Path(words[4]), words[3]) for words in reversed(fields) if len(words) > 4]


def _character(match: re.Match[str]) -> str:
    return chr(int(match[1], 8))


def _owner(place: Path) -> int:
    return place.stat().st_uid


def _nearest(place: Path) -> Path:
    """Return a place, or the nearest folder above it that is there and may not be written."""
    place = place.absolute()
    around = [each for each in (place, *place.parents) if each.exists()]
    return next((each for each in around if not os.access(each, os.W_OK)), around[0])
