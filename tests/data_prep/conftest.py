"""Fixtures of the data_prep tests: where real corpora lie, and small corpora to prepare."""

from pathlib import Path

import pytest

from data_prep import build
from data_prep.synthetic import synthesise

REAL_CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"


@pytest.fixture
def real_corpora():
    """The folder of real corpora; tests on them are skipped where it is absent."""
    if not REAL_CORPORA.is_dir():
        pytest.skip("no real corpora in ../shared/corpora, beside the project")
    return REAL_CORPORA


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory):
    """A data root with a demo corpus of two voices, 80 utterances; not to be changed."""
    root = tmp_path_factory.mktemp("data")
    synthesise("demo", root, speakers=2)
    return root


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of 16 utterances, so that a small corpus has several."""
    monkeypatch.setattr(build, "UTTERANCES_PER_SHARD", 16)
    return 16
