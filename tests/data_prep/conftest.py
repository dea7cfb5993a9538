"""Fixtures of the data_prep tests: the real corpora, and small corpora to prepare."""

from pathlib import Path

import numpy as np
import pytest
from corpus_layouts.sound import write_tone

from data_prep import build
from data_prep.corpora import known_facts
from ser_aae.config import RunConfig
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.data.targets import make_target, select_pool
from ser_aae.store.corpus import StoredCorpus

REAL_CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"


@pytest.fixture
def real_corpora():
    """The folder of real corpora; tests on them are skipped where it is absent."""
    if not REAL_CORPORA.is_dir():
        pytest.skip("no real corpora in ../shared/corpora, beside the project")
    return REAL_CORPORA


@pytest.fixture
def small_shards(monkeypatch):
    """Shards of 16 utterances, so that a small corpus has several."""
    monkeypatch.setattr(build, "UTTERANCES_PER_SHARD", 16)
    return 16


@pytest.fixture
def count_levels():
    """Return a function that counts a corpus' levels of a dimension, as a run takes them."""

    def count(utterances, dimension, classes="all"):
        name, frames = utterances[0].corpus, np.ones(len(utterances))
        stored = StoredCorpus(
            name,
            None,
            None,
            tuple(utterances),
            frames,
            (),
            "digest",
            facts=known_facts().get(name, CorpusFacts()),
        )
        config = RunConfig(task=dimension, classes=classes)
        pool = select_pool(config, [stored])
        numbers = make_target(config, pool).numbers
        return tuple(np.bincount(numbers, minlength=3).tolist())

    return count


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a table and a second of sound for each file that it lists."""

    def write(*rows, columns="file,speaker,gender,emotion"):
        for row in rows:
            path = tmp_path / row.split(",")[0]
            if not path.exists():
                write_tone(path, seconds=1.0)
        (tmp_path / "table.csv").write_text("\n".join([columns, *rows]), encoding="utf-8")
        return f"csv:{tmp_path / 'table.csv'}"

    return write
