"""Descriptions of files that are no sound."""

import zipfile

import pytest

from ser_aae.frontend.content import HEAD_BYTES, describe_content


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "an empty file"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\0\0\0\x1cftypisom", "an MP4 or M4A file"),
        (b"\x1aE\xdf\xa3\x9f", "a WebM or Matroska file"),
        (b"OggS\0\x02", "a damaged OGG file"),
        (b"<!doctype html>\n<HTML>", "a web page"),
        ("Grüße".encode(), "text"),
        ("ä".encode() * 256, "text"),
        (b"\0\x01\x02\x03", "something else"),
        (b"\xfe\xfa" * 20, "something else"),
    ],
)
def test_the_first_bytes_tell(head, kind):
    assert describe_content(head) == kind


def test_an_archive_as_it_is_written(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with (tmp_path / "a.docx").open("rb") as stream:
        assert describe_content(stream.read(HEAD_BYTES)).startswith("a ZIP archive")
