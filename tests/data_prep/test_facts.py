"""Facts of corpora: from the adapters into the store, also into one of an earlier version."""

import errno
import json
import os

import pytest
from stored import read_unsealed

from data_prep.build import prepare
from data_prep.corpora import corpus_name, find_adapter, known_facts, list_corpora
from data_prep.synthetic import synthesise
from ser_aae.cli import build_parser
from ser_aae.commands.run_config import read_config
from ser_aae.config import FrontEndConfig
from ser_aae.corpus_facts import ELICITATIONS, CorpusFacts
from ser_aae.store.corpus import MANIFEST, is_prepared, load_corpus

FRONTEND = FrontEndConfig(scale="linear", bins=32)


@pytest.mark.parametrize("adapter", list_corpora(), ids=lambda adapter: adapter.name)
def test_every_adapter_states_facts(adapter):
    facts = adapter.facts
    assert isinstance(facts, CorpusFacts)
    assert facts.elicitation in ("", *ELICITATIONS)
    assert all(alias == alias.casefold() != adapter.name for alias in facts.aliases)


@pytest.mark.parametrize(
    ("given", "name"),
    [("MSP-IMPROV", "msp"), ("msp_improv", "msp"), ("Crema-D", "cremad"), ("emo-db", "emodb"),
     ("RAVDESS", "ravdess"), ("xyzzy", "xyzzy")],
)  # fmt: skip
def test_a_corpus_has_one_name(given, name):
    assert corpus_name(given) == name
    if name != "xyzzy":
        assert find_adapter(given).name == name


@pytest.fixture
def stored(tmp_path):
    """Return a data root, a store of the demo corpus, and its folder."""
    synthesise("demo", tmp_path / "data", 2)
    result = prepare("demo", tmp_path / "data", tmp_path / "store", FRONTEND)
    return tmp_path / "data", tmp_path / "store", result.folder


def test_facts_reach_whoever_loads_a_corpus(stored):
    _, store, _ = stored
    assert load_corpus(store, "demo", FRONTEND).facts == known_facts()["demo"]


@pytest.mark.parametrize("damage", ["absent", "another version's"])
def test_what_an_earlier_version_prepared_gets_them_and_nothing_else(stored, damage):
    data_root, store, folder = stored
    now = read_unsealed(folder / MANIFEST)
    before = dict(now)
    before.pop("facts")
    if damage != "absent":
        before["facts"] = {"title": "Demo"}
    (folder / MANIFEST).write_text(json.dumps(before))
    times = {path: path.stat().st_mtime_ns for path in folder.glob("shard-*")}
    assert not is_prepared(store, "demo", FRONTEND)
    assert load_corpus(store, "demo", FRONTEND).facts is None

    assert not prepare("demo", data_root, store, FRONTEND).is_new
    assert is_prepared(store, "demo", FRONTEND)
    assert read_unsealed(folder / MANIFEST) == now
    assert times == {path: path.stat().st_mtime_ns for path in folder.glob("shard-*")}


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_store_that_may_only_be_read_is_used_without_them(stored, number, monkeypatch):
    data_root, store, folder = stored
    before = read_unsealed(folder / MANIFEST)
    before.pop("facts")
    (folder / MANIFEST).write_text(json.dumps(before))

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("data_prep.manifest.write_json", refuse)
    assert not prepare("demo", data_root, store, FRONTEND).is_new
    assert load_corpus(store, "demo", FRONTEND).facts is None


def test_commands_take_an_alias_for_the_corpus(tmp_path):
    (tmp_path / "mine.yaml").write_text("auxiliary: [Crema-D, csv:a.csv]\n")
    words = ["train", "--dataset", "MSP-IMPROV", "--config", str(tmp_path / "mine.yaml")]
    config = read_config(build_parser().parse_args(words))
    assert (config.dataset, config.auxiliary) == ("msp", ("cremad", "csv:a.csv"))
