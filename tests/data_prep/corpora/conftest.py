"""Fixtures of the adapters' tests: the corpus that a test module is called after."""

import importlib

import pytest


@pytest.fixture
def corpus(request, tmp_path):
    """The corpus of a module, of `emodb` for `test_emodb.py`, read from its layout."""
    name = request.path.stem.removeprefix("test_")
    importlib.import_module(f"corpus_layouts.{name}").write(tmp_path)
    return importlib.import_module(f"data_prep.corpora.{name}").read(tmp_path / name)


@pytest.fixture
def by_id(corpus):
    """The corpus' utterances by their ids."""
    return {item.utterance_id: item for item in corpus.utterances}


@pytest.fixture
def left_out(corpus):
    """Pairs of place and reason of what became no utterance of the corpus."""
    return {(item.where, item.reason) for item in corpus.dropped}
