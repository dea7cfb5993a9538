"""A file that may not be read, or whose reader is not installed, is not called damaged."""

import errno
import os

import numpy as np
import pandas as pd
import pytest

from data_prep.corpus import read_label_file
from reports.experiment_sections import _read_examples
from ser_aae.errors import DamagedError, UserError
from ser_aae.files import refusals
from ser_aae.files.damage import damage_told
from ser_aae.files.refusals import explain_refusal
from ser_aae.results.parquet import read_table


def refuse(path):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (KeyError("pandas"), "'pandas'"),
        (ValueError(), "ValueError"),
        (OSError("Couldn't deserialize thrift\nsecond line"), "Couldn't deserialize thrift"),
    ],
)
def test_whatever_a_reader_raises_is_damage_with_its_first_line(tmp_path, error, why):
    with (
        pytest.raises(DamagedError) as caught,
        damage_told(tmp_path / "a.parquet", "train the run again"),
    ):
        raise error
    assert str(caught.value) == f"{tmp_path / 'a.parquet'}: damaged ({why}); train the run again"


@pytest.mark.parametrize(
    "error",
    [
        UserError("in words already"),
        PermissionError(errno.EACCES, "Permission denied", "a.npz"),
        OSError("Unable to open file (errno = 13, error message = 'Permission denied')"),
        OSError(errno.EMFILE, "Too many open files"),
        ModuleNotFoundError("No module named 'onnxruntime'", name="onnxruntime"),
    ],
)
def test_what_is_no_fault_of_the_file_stays_as_it_is(tmp_path, error):
    with pytest.raises(type(error)) as caught, damage_told(tmp_path, "train the run again"):
        raise error
    assert caught.value is error


def test_tables_examples_and_labels_that_may_not_be_read_are_refused_as_that(tmp_path, monkeypatch):
    table, examples, labels = (tmp_path / name for name in ("a.parquet", "a.npz", "a.csv"))
    pd.DataFrame({"a": [1]}).to_parquet(table)
    np.savez(examples, a=np.zeros(2))
    labels.write_text("file,emotion\n")
    monkeypatch.setattr("pathlib.Path.open", lambda path, *_, **__: refuse(path))
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    monkeypatch.setattr(pd, "read_parquet", refuse)
    monkeypatch.setattr(os, "access", lambda place, mode: not mode & os.R_OK)
    monkeypatch.setattr("reports.experiment_sections.refuse_changed", lambda *_: None)
    for read, path in (
        (lambda path: read_table(path, "predictions"), table),
        (_read_examples, examples),
    ):
        with pytest.raises(PermissionError) as caught:
            read(path)
        assert explain_refusal(caught.value) == (
            f"{path}: not permitted to read it; see to it that you may, or give another place"
        )
    with pytest.raises(UserError) as told:
        read_label_file(labels)
    assert str(told.value).startswith(f"{labels}: not permitted to read it")


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOTDIR, "a file lies"), (errno.ELOOP, "lead in a circle")]
)
def test_places_that_cannot_be_are_the_users_to_mend(tmp_path, number, words):
    error = OSError(number, os.strerror(number), str(tmp_path / "file/token"))
    assert explain_refusal(error).startswith(f"{tmp_path / 'file/token'}: ")
    assert words in explain_refusal(error)


@pytest.mark.parametrize(
    ("place", "forbidden", "deed"),
    [
        ("file", os.R_OK, "read it"),
        ("file", os.W_OK, "write it"),
        ("", os.W_OK, "write into it"),
        ("file", 0, "read or write it"),
        ("absent", os.W_OK, "write it"),
        ("absent", os.X_OK, "read or write it"),
        ("absent/deeper", 0, "read or write it"),
    ],
)
def test_a_refusal_says_what_is_not_permitted(tmp_path, monkeypatch, place, forbidden, deed):
    (tmp_path / "file").touch()
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & forbidden)
    error = PermissionError(errno.EACCES, "", str(tmp_path / place))
    assert f": not permitted to {deed};" in refusals.explain_refusal(error)
