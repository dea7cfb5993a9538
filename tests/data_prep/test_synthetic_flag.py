"""The mark of synthetic corpora goes from the folder into the store, whatever the layout."""

from stored import read_unsealed, write_unsealed

from data_prep.build import prepare
from data_prep.manifest import read_manifest
from data_prep.synthetic import MARKER, synthesise
from ser_aae.config import FrontEndConfig
from ser_aae.store.corpus import MANIFEST, load_corpus

FRONTEND = FrontEndConfig(bins=32, scale="linear")


def prepared(root, store):
    return prepare("librispeech", root, store, FRONTEND, allow_partial=True).folder


def test_a_synthetic_corpus_says_so_in_the_store_and_one_without_the_marker_does_not(tmp_path):
    root = tmp_path / "data"
    folder = synthesise("librispeech", root, speakers=2)
    assert read_manifest(prepared(root, tmp_path / "made"))["synthetic"] is True
    assert load_corpus(tmp_path / "made", "librispeech", FRONTEND).synthetic
    (folder / MARKER).unlink()
    assert read_manifest(prepared(root, tmp_path / "real"))["synthetic"] is False
    made, real = (
        load_corpus(tmp_path / name, "librispeech", FRONTEND) for name in ("made", "real")
    )
    assert not real.synthetic
    assert made.digest == real.digest  # it is no part of the content: older stores stay valid


def test_a_store_that_was_written_before_there_was_the_flag_is_not_synthetic(tmp_path):
    root = tmp_path / "data"
    synthesise("librispeech", root, speakers=2)
    manifest = prepared(root, tmp_path / "store") / MANIFEST
    content = read_unsealed(manifest)
    del content["synthetic"]
    write_unsealed(manifest, content)
    assert not load_corpus(tmp_path / "store", "librispeech", FRONTEND).synthetic
