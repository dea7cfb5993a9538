"""Uploads lie under names of ours, and are gone when they were answered."""

import asyncio
import io

import pytest
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ser_aae.server.limits import Limits
from ser_aae.server.uploads import Uploads


@pytest.fixture
def uploads():
    found = Uploads(Limits(megabytes=1.0))
    yield found
    found.close()


def keep(uploads, name, content=b"sound"):
    return uploads._keep(UploadFile(io.BytesIO(content), filename=name))


@pytest.mark.parametrize(
    "name",
    ["speech.wav", "../../../etc/passwd", "..", "/etc/cron.d/x.wav", "..\\..\\boot.ini", "", None],
)
def test_a_name_never_becomes_part_of_a_path(uploads, name):
    path = keep(uploads, name)
    assert path.parent == uploads.folder
    assert path.suffix == ""
    assert path.read_bytes() == b"sound"


def test_the_same_file_sent_twice_is_kept_twice(uploads):
    first, second = keep(uploads, "a.wav"), keep(uploads, "a.wav")
    uploads.remove(first)
    assert list(uploads.folder.iterdir()) == [second]


def test_nobody_else_can_look_into_the_folder(uploads):
    assert uploads.folder.stat().st_mode & 0o077 == 0


def request(length, announced):
    """Return a request with a form that has one file of so many bytes."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    whole = head + bytes(length) + b"\r\n--x--\r\n"
    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    if announced:
        headers.append((b"content-length", str(len(whole)).encode()))

    async def receive():
        return {"type": "http.request", "body": whole, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


@pytest.mark.parametrize("announced", [True, False])
def test_all_uploads_together_have_a_limit(announced):
    uploads = Uploads(Limits(megabytes=1.0, waiting=2))

    async def send():
        return await uploads.receive(request(900000, announced), "file")

    async def send_all():
        return await asyncio.gather(*(send() for _ in range(4)), return_exceptions=True)

    found = asyncio.run(send_all())
    kept = [each for each in found if not isinstance(each, HTTPException)]
    refused = [each for each in found if isinstance(each, HTTPException)]
    assert (len(kept), len(refused)) == (2, 2)
    assert {each.status_code for each in refused} == {503}
    assert "try again" in refused[0].detail
    uploads.remove(kept[0])
    uploads.remove(kept[1])
    assert asyncio.run(send()).is_file()  # neither those refused nor those gone take room
    uploads.close()


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
