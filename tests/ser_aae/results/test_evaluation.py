"""Evaluating runs and experiments from what is stored."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from answers import predictions

from ser_aae.config import ModelConfig, ProtocolConfig, RunConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json, write_json
from ser_aae.protocols.leakage import check_leakage
from ser_aae.protocols.splits import make_split
from ser_aae.results.evaluation import evaluate
from ser_aae.results.folder import run_folder
from ser_aae.results.predictions import classes_of, read_predictions, score, write_predictions
from ser_aae.results.text import format_evaluation
from ser_aae.utterance import Utterance

CLASSES = ("anger", "happiness", "neutral", "sadness")
FOLDS = 3


def answers(fold, seed, count=24):
    """Predictions on the utterances of one fold, right about two times in three."""
    generator = np.random.default_rng([fold, seed])
    truth = [CLASSES[row % 4] for row in range(count)]
    predicted = [
        name if generator.random() < 0.66 else str(generator.choice(CLASSES)) for name in truth
    ]
    names = [f"u{fold}-{row}" for row in range(count)]
    speakers = [f"demo:{fold}{row % 2}" for row in range(count)]
    return predictions(truth, predicted, CLASSES, utterance_id=names, speaker=speakers)


def leave_run(runs, fold, seed, *, complete=True, config=None, **result):
    config = replace(
        config or RunConfig(), seed=seed, protocol=ProtocolConfig(fold=fold, folds=FOLDS)
    )
    folder = run_folder(runs, config)
    write_json(folder / "config.json", config.to_dict())
    if complete:
        frame = answers(fold, seed)
        write_predictions(folder / "predictions.parquet", frame)
        write_json(folder / "result.json", score(frame, classes_of(frame)) | result)
    return folder


@pytest.fixture
def run(tmp_path):
    return leave_run(tmp_path, 0, 0)


@pytest.fixture
def experiment(tmp_path):
    for seed in (0, 1):
        for fold in range(FOLDS):
            folder = leave_run(tmp_path, fold, seed, leakage={"speaker_independent": True})
    return folder.parent


def test_a_run_is_recomputed(run):
    found = evaluate(run)
    assert found["kind"] == "run"
    assert (found["fold"], found["repetition"], found["n"]) == (0, 0, 24)
    frame = read_predictions(run / "predictions.parquet")
    assert found["weighted_accuracy"] == (frame["truth"] == frame["predicted"]).mean()
    json.dumps(found, allow_nan=False)


def alter(run, row, answer):
    """Change one prediction as a consistent forger would, posteriors included."""
    frame = read_predictions(run / "predictions.parquet")
    frame.loc[row, "predicted"] = answer
    for name in CLASSES:
        frame.loc[row, f"p_{name}"] = 0.7 if name == answer else 0.1
    write_predictions(run / "predictions.parquet", frame)


@pytest.mark.parametrize("row", range(0, 24, 5))
def test_one_altered_prediction_is_found(run, row):
    before = read_predictions(run / "predictions.parquet")["predicted"][row]
    alter(run, row, next(name for name in CLASSES if name != before))
    with pytest.raises(UserError, match=r"result\.json says .*, predictions\.parquet gives"):
        evaluate(run)


def test_a_wrong_answer_changed_into_another_wrong_one_is_found(run):
    frame = read_predictions(run / "predictions.parquet")
    row = int(np.flatnonzero(frame["truth"] != frame["predicted"])[0])
    used = {frame["truth"][row], frame["predicted"][row]}
    alter(run, row, next(name for name in CLASSES if name not in used))
    with pytest.raises(UserError, match=r"predictions\.parquet: (macro_f1|confusion)"):
        evaluate(run)


@pytest.mark.parametrize(
    "figure",
    ["weighted_accuracy", "unweighted_accuracy", "macro_f1", "n", "chance", "test_ids_digest"],
)
def test_an_altered_or_missing_figure_is_named(run, figure):
    stored = read_json(run / "result.json")
    altered = "x" if figure == "test_ids_digest" else stored[figure] + 1e-6
    for change in ({figure: altered}, {figure: None}):
        write_json(run / "result.json", stored | change)
        with pytest.raises(UserError, match=f"{figure}: result.json says"):
            evaluate(run)
    del stored[figure]
    write_json(run / "result.json", stored)
    with pytest.raises(UserError, match=f"{figure}: result.json says None"):
        evaluate(run)


def test_what_is_no_run_or_is_incomplete_is_refused(tmp_path):
    with pytest.raises(UserError, match="expected a run"):
        evaluate(tmp_path)
    begun = leave_run(tmp_path, 0, 0, complete=False)
    with pytest.raises(UserError, match=r"not complete .*; train it again"):
        evaluate(begun)
    write_json(begun / "validation.json", {})
    with pytest.raises(UserError, match="without --validation-only scores it"):
        evaluate(begun)
    with pytest.raises(UserError, match="found 1 begun and none complete"):
        evaluate(begun.parent)
    with pytest.raises(UserError, match="expected a run"):
        evaluate(tmp_path)  # two levels above the folds: there may be several experiments


def test_folds_are_pooled_within_a_repetition(experiment):
    found = evaluate(experiment)
    assert found["kind"] == "folds"
    assert len(found["runs"]) == 6
    assert found["speaker_independent"] is True
    assert found["folds_expected"] == FOLDS
    assert not found["missing"]
    assert not found["incomplete"]
    for seed, item in enumerate(found["repetitions"]):
        together = pd.concat([answers(fold, seed) for fold in range(FOLDS)])
        figures = score(together, CLASSES)
        assert item["unweighted_accuracy"] == figures["unweighted_accuracy"]
        assert item["n"] == 24 * FOLDS
        assert item["complete"]
        each = [score(answers(fold, seed), CLASSES)["unweighted_accuracy"] for fold in range(FOLDS)]
        over = item["over_folds"]["unweighted_accuracy"]
        assert over["mean"] == pytest.approx(np.mean(each))
        assert over["std"] == pytest.approx(np.std(each, ddof=1))
    pooled = [item["unweighted_accuracy"] for item in found["repetitions"]]
    over = found["over_repetitions"]["unweighted_accuracy"]
    assert (over["mean"], over["n"]) == (pytest.approx(np.mean(pooled)), 2)
    assert over["std"] == pytest.approx(abs(pooled[0] - pooled[1]) / np.sqrt(2))
    assert (found["ensemble"]["members"], found["ensemble"]["n"]) == (2, 24 * FOLDS)
    json.dumps(found, allow_nan=False)


def test_missing_and_incomplete_folds_are_named_and_not_averaged(tmp_path):
    leave_run(tmp_path, 0, 0)
    folder = leave_run(tmp_path, 2, 0, complete=False)
    found = evaluate(folder.parent)
    assert found["missing"] == ["fold01-rep00"]
    assert found["incomplete"] == ["fold02-rep00"]
    assert found["over_repetitions"]["unweighted_accuracy"] == {"mean": None, "std": None, "n": 0}
    assert found["ensemble"] is None
    text = format_evaluation(found)
    assert "missing: fold01-rep00" in text
    assert "incomplete: fold02-rep00" in text
    assert "1 of 3 folds pooled" in text
    assert "cover a part" in text


def test_the_leakage_check_knows_how_many_folds_there_are(tmp_path):
    folder = leave_run(tmp_path, 0, 0, leakage={"folds": 5, "speaker_independent": False})
    found = evaluate(folder.parent)
    assert found["folds_expected"] == 5
    assert found["missing"] == [f"fold{fold:02d}-rep00" for fold in (1, 2, 3, 4)]
    assert "speaker-dependent" in format_evaluation(found)


def test_an_utterance_in_two_test_parts_is_refused(tmp_path):
    first = leave_run(tmp_path, 0, 0)
    second = leave_run(tmp_path, 1, 0)
    frame = read_predictions(second / "predictions.parquet")
    frame.loc[3, "utterance_id"] = "u0-7"
    write_predictions(second / "predictions.parquet", frame)
    write_json(second / "result.json", score(frame, CLASSES))
    with pytest.raises(UserError, match="u0-7 is in the test parts of fold00-rep00 and fold01"):
        evaluate(first.parent)


def test_runs_of_another_config_are_not_pooled(tmp_path):
    first = leave_run(tmp_path, 0, 0)
    other = leave_run(tmp_path, 1, 0, config=RunConfig(model=ModelConfig(alpha=0.9)))
    other.rename(first.with_name(other.name))
    with pytest.raises(UserError, match=r"model\.alpha is 0\.9, in fold00-rep00 beside it 0\.4"):
        evaluate(first.parent)


def test_an_altered_run_spoils_its_experiment(experiment):
    stored = read_json(experiment / "fold01-rep01" / "result.json")
    write_json(experiment / "fold01-rep01" / "result.json", stored | {"macro_f1": 0.99})
    with pytest.raises(UserError, match=r"fold01-rep01/predictions\.parquet: macro_f1"):
        evaluate(experiment)


def test_a_run_as_text_is_aligned_and_complete(run):
    found = evaluate(run)
    lines = format_evaluation(found).splitlines()
    assert f"{100 * found['unweighted_accuracy']:.1f}" in lines[1]
    table = lines[3:8]
    assert len({len(line) for line in table}) == 1
    assert "guessing 25.0" in lines[-1]


def test_folds_as_text_have_every_run_and_the_spread(experiment):
    text = format_evaluation(evaluate(experiment))
    assert text.splitlines()[0] == "demo, emotion, mtl, speaker-kfold (speaker-independent)"
    for name in ("fold00-rep00", "fold02-rep01", "rep01, 3 of 3 folds pooled"):
        assert name in text
    assert "over 2 repetitions" in text
    assert "±" in text


def test_a_class_without_truth_is_said_in_the_text(tmp_path):
    folder = leave_run(tmp_path, 0, 0)
    frame = answers(0, 0)
    frame = frame[frame["truth"] != "sadness"].reset_index(drop=True)
    write_predictions(folder / "predictions.parquet", frame)
    write_json(folder / "result.json", score(frame, CLASSES))
    for evaluation in (evaluate(folder), evaluate(folder.parent)):
        assert "without truth, left out of UA and F1: sadness" in format_evaluation(evaluation)


def test_real_folds_of_a_protocol_pool_to_the_whole_corpus(tmp_path):
    utterances = [
        Utterance("demo", f"{s}-{n}", f"{s}/{n}.wav", f"demo:{s}", "F", emotion=CLASSES[n % 4])
        for s in range(7)
        for n in range(8)
    ]
    for fold in range(FOLDS):
        config = RunConfig(protocol=ProtocolConfig(fold=fold, folds=FOLDS))
        split = make_split(utterances, config.protocol, 0)
        frame = answers(fold, 0, count=len(split.test)).assign(
            utterance_id=[utterances[row].utterance_id for row in split.test]
        )
        folder = run_folder(tmp_path, config)
        write_json(folder / "config.json", config.to_dict())
        write_predictions(folder / "predictions.parquet", frame)
        leakage = check_leakage(split, utterances)
        write_json(folder / "result.json", score(frame, CLASSES) | {"leakage": leakage})
    found = evaluate(folder.parent)
    assert found["repetitions"][0]["n"] == len(utterances)
    assert found["repetitions"][0]["complete"]
    assert found["speaker_independent"] is True


def test_a_leakage_check_that_is_null_breaks_nothing(tmp_path):
    folder = leave_run(tmp_path, 0, 0, leakage=None)
    found = evaluate(folder.parent)
    assert found["speaker_independent"] is None
    assert found["folds_expected"] == FOLDS


def test_corpora_that_changed_between_folds_are_not_pooled(tmp_path):
    first, second = leave_run(tmp_path, 0, 0), leave_run(tmp_path, 1, 0)
    for folder, digest in ((first, "aaaa"), (second, "bbbb")):
        config = read_json(folder / "config.json")
        write_json(folder / "config.json", config | {"corpora": {"demo": digest}})
    with pytest.raises(
        UserError, match=r"corpora\.demo is 'bbbb', in fold00-rep00 beside it 'aaaa'"
    ):
        evaluate(first.parent)


@pytest.mark.parametrize("task", ["gender", "speaker"])
def test_the_score_of_knowing_the_speaker_is_left_out_of_tasks_of_voices(tmp_path, task):
    config = RunConfig(task=task)
    runs = [leave_run(tmp_path, fold, seed, config=config) for fold in (0, 1) for seed in (0, 1)]
    assert "speaker_only_unweighted_accuracy" in read_json(runs[0] / "result.json")
    run, folds = evaluate(runs[0]), evaluate(runs[0].parent)
    for row in (run, *folds["runs"], *folds["repetitions"]):
        assert "speaker_only_unweighted_accuracy" not in row
        assert row["unweighted_accuracy"] > 0
    for text in (format_evaluation(run), format_evaluation(folds)):
        assert "speaker-only" not in text


def test_an_ensemble_of_a_task_of_voices_has_no_score_of_knowing_the_speaker(tmp_path):
    config = RunConfig(task="gender")
    leave = {"config": config, "leakage": {"folds": 1}}
    runs = [leave_run(tmp_path, 0, seed, **leave) for seed in (0, 1)]
    together = evaluate(runs[0].parent)["ensemble"]
    assert together["members"] == 2
    assert "speaker_only_unweighted_accuracy" not in together
