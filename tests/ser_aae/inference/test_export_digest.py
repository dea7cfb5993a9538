"""Digests of exported files: not a byte changes unnoticed, and earlier files are told apart."""

import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from tiny import DATA, FRONTEND, append, export_small

from ser_aae.errors import UserError
from ser_aae.inference.exported_model import SUFFIXES, load_exported
from ser_aae.inference.recogniser import Recogniser

FILES = [kind for kind, suffix in SUFFIXES.items() if suffix]
SEGMENTS = np.full((1, DATA.segment_frames, FRONTEND.bins), -40.0, np.float32)
LIST = "assets.extra/ser_aae.sha256"
CHANGED = "it is damaged or was changed after the export .*; export the run again"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A function: format -> an exported file, made once and not to be changed."""
    made = {}

    def write(kind):
        if kind not in made:
            made[kind] = export_small(tmp_path_factory.mktemp(kind), kind)
        return made[kind]

    return write


@pytest.fixture
def copied(written, tmp_path):
    """A function: format -> a copy that may be changed."""

    def copy(kind):
        source = written(kind)
        target = tmp_path / source.name
        return Path((shutil.copytree if source.is_dir() else shutil.copy)(source, target))

    return copy


@pytest.mark.parametrize("kind", list(SUFFIXES))
def test_a_file_as_it_was_written_is_checked(written, kind):
    model = Recogniser.load(written(kind), trust=True)
    assert model.remarks == ()
    assert model.forward(SEGMENTS)["emotion"].sum() == pytest.approx(1)


@pytest.mark.parametrize("kind", FILES)
def test_the_end_of_a_file_is_the_digest_of_all_before_it(written, kind):
    content = written(kind).read_bytes()
    assert hashlib.sha256(content[:-64]).hexdigest().encode() == content[-64:]


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum here")
def test_the_list_of_a_saved_model_is_read_by_sha256sum(written):
    command = ["sha256sum", "--check", "--strict", LIST]
    done = subprocess.run(command, cwd=written("saved-model"), check=False, capture_output=True)
    assert done.returncode == 0
    assert done.stdout.count(b": OK") == len(done.stdout.splitlines()) > 3


@pytest.mark.parametrize("kind", FILES)
def test_not_a_bit_of_a_file_changes_unnoticed(copied, kind):
    path = copied(kind)
    content = path.read_bytes()
    draw = np.random.default_rng(0)
    # the last places are the digest, the text before it, and what is around them
    places = [0, *draw.integers(0, len(content), 40), *range(len(content) - 90, len(content))]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << int(draw.integers(8))
        path.write_bytes(changed)
        with pytest.raises(UserError, match=rf"{path.name}: {CHANGED}"):
            load_exported(path)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("more", [b"\0", b"\n", b"0" * 64, b"\x72\x00"])
def test_bytes_that_are_appended_are_noticed(copied, kind, more):
    path = copied(kind)
    append(path, more)
    with pytest.raises(UserError, match=rf"{path.name}: {CHANGED}"):
        load_exported(path)


def weights_in(folder):
    return folder / "variables" / "variables.data-00000-of-00001"


def spoil(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "another weight": (lambda folder: spoil(weights_in(folder)), "variables.data"),
    "an appended byte": (lambda folder: append(weights_in(folder)), "variables"),
    "another graph": (lambda folder: spoil(folder / "saved_model.pb"), "saved_model.pb"),
    "another description": (
        lambda folder: spoil(folder / "assets.extra" / "ser_aae.json"),
        "ser_aae.json",
    ),
    "a file that is gone": (lambda folder: weights_in(folder).unlink(), "variables.data"),
    "one more file": (lambda folder: (folder / "assets" / "a.txt").write_text("a"), "a.txt"),
    "no list": (lambda folder: (folder / LIST).write_bytes(b"\xff\n"), "ser_aae.sha256"),
    "a cut list": (lambda folder: (folder / LIST).write_text("0"), "ser_aae.sha256"),
    "an empty list": (lambda folder: (folder / LIST).write_text(""), "model/.*"),
}


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_no_file_of_a_saved_model_changes_unnoticed(copied, damage):
    folder = copied("saved-model")
    (folder / "assets").mkdir(exist_ok=True)
    change, name = DAMAGES[damage]
    change(folder)
    with pytest.raises(UserError, match=rf"{name}.*: {CHANGED}"):
        load_exported(folder, trust=True)


def forget_digest(path, kind):
    """Make an exported file one of a version that wrote no digest."""
    if kind == "saved-model":
        (path / LIST).unlink()
    elif kind == "onnx":
        model = onnx.load(path)
        del model.metadata_props[-1]
        onnx.save(model, path)
    else:
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = b""


@pytest.mark.parametrize("kind", list(SUFFIXES))
def test_a_file_of_before_is_read_unchecked_and_said_to_be(copied, written, kind):
    path = copied(kind)
    forget_digest(path, kind)
    model = Recogniser.load(path, trust=True)
    assert model.remarks == (f"{path}: made before digests of weights were kept: not checked",)
    wanted = load_exported(written(kind), trust=True)[1](SEGMENTS)["emotion"]
    np.testing.assert_array_equal(model.forward(SEGMENTS)["emotion"], wanted)


def test_a_saved_model_is_not_touched_without_trust(written, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.saved_model, "load", None)
    for load in (load_exported, Recogniser.load):
        with pytest.raises(UserError, match=r"a SavedModel is a program .*--trust if you know"):
            load(written("saved-model"))
