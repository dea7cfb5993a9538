"""Kinds of file by their first bytes, for whoever gave one that is no sound."""

import codecs

_BEGINNINGS = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"PK\x03\x04", "a ZIP archive, or a document of an office program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x1aE\xdf\xa3", "a WebM or Matroska file"),
    (b"#!AMR", "an AMR file"),
    (b"0&\xb2u\x8ef\xcf\x11", "a WMA or WMV file"),
    (b"RIFF", "a damaged WAV file"),
    (b"fLaC", "a damaged FLAC file"),
    (b"OggS", "a damaged OGG file"),
    (b"ID3", "a damaged MP3 file"),
)
"""First bytes of a file, and what it then is."""

HEAD_BYTES = 512
"""Bytes that are enough to tell."""


def describe_content(head: bytes) -> str:
    """Return what a file is that begins with these bytes and could not be read as sound."""
    if not head:
        return "an empty file"
    if head[4:8] == b"ftyp":
        return "an MP4 or M4A file"
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if b"\0" not in head:
        try:
            codecs.getincrementaldecoder("utf-8")().decode(head)  # the last letter may be cut
        except UnicodeDecodeError:
            return "something else"
        return "a web page" if b"<html" in head.lower() else "text"
    return "something else"
