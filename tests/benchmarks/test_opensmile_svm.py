import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.utterance import Utterance

ROOT = Path(__file__).parents[2]
CLASSES = ("anger", "happiness", "neutral", "sadness")


@pytest.fixture(scope="module")
def bench():
    """The benchmark as a module; it lies outside the packages."""
    path = ROOT / "benchmarks" / "opensmile_svm.py"
    spec = importlib.util.spec_from_file_location("opensmile_svm", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["opensmile_svm"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["opensmile_svm"]


@pytest.fixture
def utterances():
    return [
        Utterance("demo", f"{s}-{n}", f"{s}/{n}.wav", f"demo:{s}", "F", emotion=CLASSES[n % 4])
        for s in range(1, 10)
        for n in range(8)
    ]


def features_of(utterances, seed=0):
    """Ten features; one of the first four is high, and says the emotion."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(len(utterances), 10)).astype(np.float32)
    for row, item in enumerate(utterances):
        features[row, CLASSES.index(item.emotion)] += 6
    return features


def test_what_can_be_learnt_is_learnt_on_every_fold(bench, utterances):
    results = [
        bench.run_fold(
            features_of(utterances), utterances, ProtocolConfig(folds=3, fold=fold), seed=0
        )
        for fold in range(3)
    ]
    assert sorted(row for result in results for row in result.rows) == list(range(72))
    assert all(result.c in bench.GRID for result in results)
    text = bench.summarise(results, utterances, CLASSES)
    pooled = next(line for line in text.splitlines() if line.startswith("pooled"))
    assert pooled.split()[1] == "72"
    assert float(pooled.split()[-1]) > 90


def test_only_training_speakers_are_learnt_from(bench, utterances):
    protocol = ProtocolConfig(folds=3, fold=0)
    features = features_of(utterances)
    plain = bench.run_fold(features, utterances, protocol, seed=0)
    # the test part is moved and stretched beyond all recognition: C and its validation stay
    changed = features.copy()
    changed[list(plain.rows)] = 1e3 * changed[list(plain.rows)] - 5e4
    other = bench.run_fold(changed, utterances, protocol, seed=0)
    assert (other.c, other.validation_unweighted_accuracy) == (
        plain.c,
        plain.validation_unweighted_accuracy,
    )
    assert other.predicted != plain.predicted


def test_the_cache_is_used_and_checked(bench, utterances, tmp_path, monkeypatch):
    cache = tmp_path / "features.npz"
    monkeypatch.setattr(bench, "extract", lambda items, *_: features_of(items))
    first = bench.cached_features(utterances, tmp_path, "eGeMAPSv02", cache)
    monkeypatch.delattr(bench, "extract")
    again = bench.cached_features(utterances, tmp_path, "eGeMAPSv02", cache)
    assert np.array_equal(first, again)
    with pytest.raises(UserError, match="expected ComParE_2016 of 72 utterances"):
        bench.cached_features(utterances, tmp_path, "ComParE_2016", cache)
    with pytest.raises(UserError, match="name another --cache"):
        bench.cached_features(utterances[1:], tmp_path, "eGeMAPSv02", cache)
    cache.write_bytes(b"PK\x03\x04")
    with pytest.raises(UserError, match="not a cache of features"):
        bench.cached_features(utterances, tmp_path, "eGeMAPSv02", cache)


def test_classes_are_resolved(bench, utterances):
    assert bench.resolve_classes("four", utterances) == CLASSES
    assert bench.resolve_classes("all", utterances[:2]) == ("anger", "happiness")
    assert bench.resolve_classes("sadness, anger", utterances) == ("sadness", "anger")
    with pytest.raises(UserError, match="received fear"):
        bench.resolve_classes("anger,fear", utterances)


def test_a_mistake_is_one_message_and_status_2(bench, tmp_path, capsys):
    assert bench.main(["--dataset", "no-such-corpus", "--data-root", str(tmp_path)]) == 2
    assert "no-such-corpus" in capsys.readouterr().err
