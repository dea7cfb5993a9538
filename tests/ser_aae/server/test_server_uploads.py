"""Uploads lie under names of ours, and are gone when they were answered or forgotten."""

import io
import os

import pytest
from starlette.datastructures import UploadFile

from ser_aae.server.limits import Limits
from ser_aae.server.uploads import FORGOTTEN_S, Uploads


@pytest.fixture
def uploads():
    found = Uploads(Limits(megabytes=1.0))
    yield found
    found.close()


def keep(uploads, name, content=b"sound"):
    return uploads._keep(UploadFile(io.BytesIO(content), filename=name))


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("speech.wav", ".wav"),
        ("SPEECH.FLAC", ".flac"),
        ("../../../etc/passwd", ""),
        ("..", ""),
        ("/etc/cron.d/x.wav", ".wav"),
        ("..\\..\\boot.ini", ""),
        ("a.wav\x00.sh", ""),
        ("a.w/../../v", ""),
        ("x." + "v" * 300, ""),
        ("page.html", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_name_never_becomes_part_of_a_path(uploads, name, suffix):
    path = keep(uploads, name)
    assert path.name == f"recording{suffix}"
    assert path.parent.parent == uploads.folder
    assert path.read_bytes() == b"sound"


def test_the_same_file_sent_twice_is_kept_twice(uploads):
    first, second = keep(uploads, "a.wav"), keep(uploads, "a.wav")
    uploads.remove(first)
    assert not first.parent.exists()
    assert second.is_file()


def test_nobody_else_can_look_into_the_folder(uploads):
    assert uploads.folder.stat().st_mode & 0o077 == 0


def test_only_what_was_received_is_owned_or_removed(uploads, tmp_path):
    other = tmp_path / "recording.wav"
    other.write_bytes(b"mine")
    link = uploads.folder / "x" / "recording.wav"
    link.parent.mkdir()
    link.symlink_to(other)
    for path in (other, link, uploads.folder, f"{uploads.folder}/../x", "http://elsewhere/x.wav"):
        assert not uploads.owns(path)
        uploads.remove(path)
    assert other.read_bytes() == b"mine"
    assert uploads.owns(keep(uploads, "a.wav"))


def test_the_forgotten_is_swept_away_and_the_new_stays(uploads):
    old, new = keep(uploads, "old.wav"), keep(uploads, "new.wav")
    past = old.parent.stat().st_mtime - FORGOTTEN_S - 1
    os.utime(old.parent, (past, past))
    uploads.sweep()
    assert not old.exists()
    assert new.is_file()


def test_nothing_half_written_stays_when_the_disk_is_full(uploads, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", fail)
    with pytest.raises(OSError, match="No space"):
        keep(uploads, "a.wav")
    assert list(uploads.folder.iterdir()) == []


def test_all_goes_with_the_server(uploads):
    keep(uploads, "a.wav")
    uploads.close()
    assert not uploads.folder.exists()
