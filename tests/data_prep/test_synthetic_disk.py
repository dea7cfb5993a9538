"""A corpus of synthetic speech that has no room: one line, and nothing is left of it."""

import errno
import os

import pytest
import soundfile

from data_prep.synthetic import demo, synthesise
from ser_aae.errors import UserError


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/.demo-x/new/utterances.csv"),
        soundfile.LibsndfileError(2, prefix="Error opening '/data/.demo-x/new/a.wav': "),
    ],
    ids=["table", "recording"],
)
def test_a_full_disk_is_told_with_the_folder(tmp_path, monkeypatch, error):
    def fill(*_):
        raise error

    monkeypatch.setattr(demo, "write", fill)
    with pytest.raises(UserError) as caught:
        synthesise("demo", tmp_path / "data")

    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'data' / 'demo'}: ")
    assert "the disk is full" in said
    assert ".demo-x" not in said
    assert "\n" not in said
    assert not list((tmp_path / "data").iterdir())


def test_a_read_only_place_is_no_full_disk(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "/data/.demo-x")

    monkeypatch.setattr(demo, "write", refuse)
    with pytest.raises(UserError, match="read-only") as caught:
        synthesise("demo", tmp_path / "data")
    assert "full" not in str(caught.value)
