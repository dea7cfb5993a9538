"""The benchmark of openSMILE features with an SVM."""

from types import SimpleNamespace

import numpy as np
import pytest
from answers import predictions

from benchmarks import opensmile_svm as bench
from ser_aae.config import ProtocolConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import write_json
from ser_aae.results.predictions import write_predictions
from ser_aae.utterance import Utterance

CLASSES = ("anger", "happiness", "neutral", "sadness")


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


def test_what_can_be_learnt_is_learnt_on_every_fold(utterances):
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


def test_only_training_speakers_are_learnt_from(utterances):
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


def test_one_against_the_rest_is_another_svm(utterances):
    features = features_of(utterances)
    noise = np.random.default_rng(1).normal(scale=5, size=features.shape)
    features += noise.astype(np.float32)  # so that there is something to disagree on
    one, rest = (
        bench.run_fold(features, utterances, ProtocolConfig(folds=3), 0, one_vs_rest=each)
        for each in (False, True)
    )
    assert one.rows == rest.rows
    assert one.predicted != rest.predicted


def leave_run(runs, results, utterances, name, right):
    """Leave a complete run that is right on the first `right` of the test utterances."""
    rows = [row for result in results for row in result.rows]
    truth = [utterances[row].emotion for row in rows]
    wrong = [CLASSES[(CLASSES.index(emotion) + 1) % 4] for emotion in truth]
    names, speakers = zip(
        *((utterances[row].utterance_id, utterances[row].speaker) for row in rows), strict=True
    )
    answers = truth[:right] + wrong[right:]
    frame = predictions(truth, answers, CLASSES, utterance_id=names, speaker=speakers)
    write_predictions(runs / name / "predictions.parquet", frame)
    write_json(runs / name / "config.json", {})
    write_json(runs / name / "result.json", {})


def test_runs_on_the_same_utterances_are_put_beside_it(utterances, tmp_path):
    results = [bench.FoldResult(1.0, 0.5, tuple(range(72)), ("anger",) * 72)]  # UA 25
    leave_run(tmp_path, results, utterances, "fold00-rep00", 72)
    text = bench.compare(results, utterances, CLASSES, bench.read_answers(tmp_path))
    assert "1 repetition(s): UA +75.0 against the SVM" in text
    assert "over 9 test speakers from +75.0 to +75.0" in text
    leave_run(tmp_path, results, utterances, "fold00-rep01", 36)
    text = bench.compare(results, utterances, CLASSES, bench.read_answers(tmp_path))
    assert "2 repetition(s): UA +50.0 against the SVM" in text


def test_fewer_than_five_speakers_have_no_interval(utterances, tmp_path):
    results = [bench.FoldResult(1.0, 0.5, tuple(range(32)), ("anger",) * 32)]
    assert len({item.speaker for item in utterances[:32]}) < 5
    leave_run(tmp_path, results, utterances, "fold00-rep00", 32)
    text = bench.compare(results, utterances, CLASSES, bench.read_answers(tmp_path))
    assert text.endswith("against the SVM, fewer than five speakers, no interval")


def test_runs_on_other_utterances_are_refused(utterances, tmp_path):
    results = [bench.FoldResult(1.0, 0.5, tuple(range(72)), ("anger",) * 72)]
    with pytest.raises(UserError, match="complete runs of one experiment, found those of 0"):
        bench.read_answers(tmp_path)
    part = [bench.FoldResult(1.0, 0.5, tuple(range(40)), ("anger",) * 40)]
    leave_run(tmp_path, part, utterances, "fold00-rep00", 40)
    answers = bench.read_answers(tmp_path)
    with pytest.raises(UserError, match=r"--runs: .*32 that only the first has"):
        bench.compare(results, utterances, CLASSES, answers)
    leave_run(tmp_path / "other", results, utterances, "fold00-rep00", 72)
    with pytest.raises(UserError, match="found those of 2; name the folder"):
        bench.read_answers(tmp_path)


def test_what_is_asked_for_on_the_command_line_is_printed(
    utterances, tmp_path, monkeypatch, capsys
):
    corpus = SimpleNamespace(utterances=utterances, root=tmp_path)
    monkeypatch.setattr(bench, "find_adapter", lambda _: SimpleNamespace(read=lambda _: corpus))
    monkeypatch.setattr(bench, "extract", lambda items, *_: features_of(items))
    arguments = ["--data-root", str(tmp_path), "--folds", "3"]
    assert bench.main(arguments) == 0
    plain = capsys.readouterr().out
    assert "linear SVM, one against one, ravdess, 72 utterances" in plain
    results = [bench.FoldResult(1.0, 0.5, tuple(range(72)), ())]
    leave_run(tmp_path, results, utterances, "fold00-rep00", 72)
    assert bench.main([*arguments, "--one-vs-rest", "--runs", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "one against the rest" in text
    assert "the network, 1 repetition(s): UA" in text


def test_the_cache_is_used_and_checked(utterances, tmp_path, monkeypatch):
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


def test_classes_are_resolved(utterances):
    assert bench.resolve_classes("four", utterances) == CLASSES
    assert bench.resolve_classes("all", utterances[:2]) == ("anger", "happiness")
    assert bench.resolve_classes("sadness, anger", utterances) == ("sadness", "anger")
    with pytest.raises(UserError, match="received fear"):
        bench.resolve_classes("anger,fear", utterances)


def test_a_mistake_is_one_message_and_status_2(tmp_path, capsys):
    assert bench.main(["--dataset", "no-such-corpus", "--data-root", str(tmp_path)]) == 2
    assert "no-such-corpus" in capsys.readouterr().err


def test_runs_that_cannot_be_read_are_refused_before_anything_is_computed(
    utterances, tmp_path, monkeypatch, capsys
):
    monkeypatch.delattr(bench, "find_adapter")
    results = [bench.FoldResult(1.0, 0.5, tuple(range(72)), ())]
    leave_run(tmp_path, results, utterances, "fold00-rep00", 72)
    file = tmp_path / "fold00-rep00" / "predictions.parquet"
    file.write_bytes(file.read_bytes()[:100])
    assert bench.main(["--data-root", str(tmp_path), "--runs", str(tmp_path)]) == 2
    assert "predictions.parquet: damaged" in capsys.readouterr().err
