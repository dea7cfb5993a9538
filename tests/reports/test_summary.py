"""Summary of all runs of an experiment: which count, over what, how sure it is."""

from dataclasses import replace

import pandas as pd
import pytest

from reports.summary import (
    NOTHING,
    evaluate_all,
    interval_text,
    mean_text,
    sample_text,
    summarise,
)
from ser_aae.config import RunConfig
from ser_aae.errors import UserError
from ser_aae.labels import FOUR
from ser_aae.results.predictions import read_predictions
from ser_aae.results.statistics import Interval, bootstrap_unweighted_accuracy

SURE = Interval(0.6, 0.512, 0.688, 0.95, 24, 672, 2000)


def of_run(fold, seed=0):
    config = RunConfig()
    return replace(config, seed=seed, protocol=replace(config.protocol, fold=fold))


@pytest.fixture
def evaluate(tmp_path, leave_cell):
    """A function: (fold, seed) to how many of 4 are right -> the experiment evaluated."""

    def make(right, verification="", **options):
        for (fold, seed), count in right.items():
            config = replace(of_run(fold, seed), verification=verification)
            leave_cell(tmp_path, config, count, **options)
        (evaluation,) = evaluate_all(tmp_path).values()
        return evaluation

    return make


def test_the_interval_is_over_the_predictions_of_all_repetitions(evaluate, tmp_path):
    found = summarise(evaluate({(0, 0): 4, (0, 1): 2}, folds=1))
    frames = [read_predictions(path) for path in tmp_path.rglob("predictions.parquet")]
    assert found.interval == bootstrap_unweighted_accuracy(pd.concat(frames), FOUR)
    assert found.interval.estimate == pytest.approx(found.mean) == 0.75
    assert (found.interval.speakers, found.interval.utterances) == (5, 16)
    assert sample_text(found) == "16 utterances of 5 speakers"


def test_only_ua_has_an_interval(evaluate):
    evaluation = evaluate({(0, 0): 3})
    assert summarise(evaluation).interval is not None
    found = summarise(evaluation, "weighted_accuracy")
    assert (found.mean, found.interval) == (0.75, None)


@pytest.mark.parametrize("speakers", [1, 4])
def test_fewer_than_five_speakers_have_no_interval(evaluate, speakers):
    found = summarise(evaluate({(0, 0): 3}, speakers=speakers))
    assert (found.mean, found.interval, found.speakers) == (0.75, None, speakers)


def test_repetitions_with_most_folds_count(evaluate):
    found = summarise(evaluate({(0, 0): 4, (1, 0): 4, (0, 1): 0, (0, 2): 2, (1, 2): 2}, folds=3))
    assert (found.mean, found.repetitions, found.folds) == (0.75, 2, "2 of 3")
    assert found.interval.utterances == 32
    assert found.n == 32


def test_repetitions_that_were_tested_on_other_utterances_do_not_count(evaluate):
    found = summarise(evaluate({(0, 0): 4, (1, 1): 0, (0, 2): 2}, folds=3))
    assert (found.mean, found.repetitions, found.folds) == (0.75, 2, "1 of 3")


def test_a_figure_that_no_run_has_is_none(evaluate):
    found = summarise(evaluate({(0, 0): 4}), "speaker_accuracy")
    assert (found.mean, found.std, found.spread, found.repetitions) == (None, None, "", 0)


def test_an_error_rate_counts_the_trials_of_a_run_and_not_the_emotional_utterances(evaluate):
    runs = {(fold, seed): 3 for fold in range(2) for seed in range(2)}
    evaluation = evaluate(runs, folds=2, verification="voices")
    found = summarise(evaluation, "equal_error_rate")
    # three speakers, each against four utterances of all three
    assert found.n == 36
    assert found.repetitions == 2
    assert summarise(evaluation, "equal_error_rate_of_corpus").n == 16
    assert summarise(evaluation).n == 32


def test_runs_begun_are_no_experiment(leave_cell, tmp_path):
    (leave_cell(tmp_path, of_run(0)) / "result.json").unlink()
    with pytest.raises(UserError, match="found 1 begun and none complete"):
        evaluate_all(tmp_path)


def test_texts_are_in_per_cent():
    whole = replace(NOTHING, mean=0.6, std=0.0123, interval=SURE, repetitions=2)
    assert mean_text(whole) == "60.0 ± 1.2"
    assert mean_text(replace(whole, repetitions=1)) == "60.0 (folds ± 1.2)"
    assert mean_text(replace(whole, std=None)) == "60.0"
    assert mean_text(NOTHING) == "-"
    assert interval_text(SURE) == "51.2 to 68.8"
    assert interval_text(None) == "fewer than five speakers, no interval"
    assert sample_text(replace(NOTHING, n=7, speakers=1)) == "7 utterances of 1 speaker"
