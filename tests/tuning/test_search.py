"""Whole searches in one process: what they cover, leave behind, and go on with."""

import json
import zlib
from contextlib import suppress
from dataclasses import replace

import pytest
import yaml
from stored import read_unsealed

from ser_aae.config import RunConfig, TrainingConfig
from ser_aae.config.build import build_config
from ser_aae.errors import UserError
from ser_aae.results.search_folder import BEST, SEARCH, TRIALS
from tuning.hypermodel import TrialFailedError
from tuning.search import search_alone

pytestmark = pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning")


def trials_of(folder):
    return json.loads((folder / TRIALS).read_text())


def points_of(folder):
    return [tuple(row["values"].values()) for row in trials_of(folder)["trials"]]


def test_a_grid_covers_every_point_once(search_of, cheap_runs, tmp_path):
    search = search_of("alpha,beta", "grid", trials=0)
    folder = search_alone(search, tmp_path, cheap_runs, print)
    points = points_of(folder)
    assert len(points) == len(set(points)) == len(cheap_runs.asked) == 10 * 9
    content = trials_of(folder)
    best = next(row for row in content["trials"] if row["trial"] == content["best"])
    assert best["values"] == {"alpha": 0.4, "beta": 0.6}
    assert content["not_completed"] == []


def test_figure_5_has_the_papers_points(search_of, cheap_runs, tmp_path):
    search = search_of("figure-5", "grid", trials=0)
    points = points_of(search_alone(search, tmp_path, cheap_runs, print))
    tenths = [number / 10 for number in range(1, 11)]
    assert points[:10] == [(alpha, 0.5) for alpha in tenths]
    assert set(points[10:]) == {(1.0, beta) for beta in tenths[:9]} - {(1.0, 0.5)}
    assert len(points) == 18


@pytest.mark.parametrize("algorithm", ["random", "bayesian"])
def test_as_many_different_trials_as_asked_for(search_of, cheap_runs, tmp_path, algorithm):
    folder = search_alone(search_of(algorithm=algorithm, trials=8), tmp_path, cheap_runs, print)
    assert len(set(points_of(folder))) == len(cheap_runs.asked) == 8


def test_hyperband_gives_the_better_points_more_epochs(search_of, cheap_runs, tmp_path):
    folder = search_alone(search_of(algorithm="hyperband", trials=0), tmp_path, cheap_runs, print)
    rows = trials_of(folder)["trials"]
    epochs = {row["epochs"] for row in rows}
    assert max(epochs) == 60
    assert len(epochs) > 2
    few = [row["objective"] for row in rows if row["epochs"] == min(epochs)]
    many = [row["objective"] for row in rows if row["epochs"] == 60]
    assert sum(many) / len(many) > sum(few) / len(few)


def test_a_trial_is_the_mean_over_folds_and_seeds(search_of, cheap_runs, folder_of, tmp_path):
    search = search_of(trials=1, folds=(0, 2), executions=2)
    folder = search_alone(search, tmp_path, cheap_runs, print)
    (row,) = trials_of(folder)["trials"]
    assert [name for _, name in cheap_runs.asked] == [
        "fold00-rep00",
        "fold02-rep00",
        "fold00-rep01",
        "fold02-rep01",
    ]
    values = [run["validation_unweighted_accuracy"] for run in row["runs"]]
    assert row["objective"] == pytest.approx(sum(values) / 4, abs=1e-12)
    assert [run["seed"] for run in row["runs"]] == [0, 0, 1, 1]
    assert row["seeds"] == [0, 1]
    config = build_config(file=folder / BEST)
    assert row["runs"][1]["folder"] == folder_of(config, fold=2)


def test_best_yaml_is_the_best_trials_config(search_of, cheap_runs, tmp_path):
    folder = search_alone(search_of(trials=8), tmp_path, cheap_runs, print)
    content = trials_of(folder)
    best = max(content["trials"], key=lambda row: row["objective"])
    text = (folder / BEST).read_text()
    values = yaml.safe_load(text)
    assert values == {"dataset": "tiny", "model": best["values"]}
    assert "# searched: model.alpha, model.beta" in text
    config = build_config(file=folder / BEST)
    digests = dict(zip([row["trial"] for row in content["trials"]], cheap_runs.asked, strict=True))
    assert config.digest() == digests[best["trial"]][0]


@pytest.mark.parametrize("algorithm", ["grid", "random", "bayesian", "hyperband"])
def test_an_interrupted_search_goes_on_and_repeats_nothing(
    search_of, cheap_runs, tmp_path, algorithm, sought_among_few
):
    own = algorithm in ("grid", "hyperband")
    search = search_of("latent", algorithm, trials=0) if algorithm == "grid" else None
    search = search or search_of(algorithm=algorithm, trials=0 if own else 8)

    def interrupted(config, show):
        value = cheap_runs(config, show)
        if len(cheap_runs.asked) == 3:
            raise KeyboardInterrupt
        return value

    with pytest.raises(KeyboardInterrupt):
        search_alone(search, tmp_path, interrupted, print)
    assert len(trials_of(search.folder(tmp_path))["trials"]) == 2
    shown = []
    folder = search_alone(search, tmp_path, cheap_runs, shown.append)
    assert any(line.endswith("goes on") for line in shown)
    # the third was cut short, and is the only one asked for twice
    assert cheap_runs.asked[2] == cheap_runs.asked[3]
    assert len(cheap_runs.asked) - 1 == len(set(cheap_runs.asked)) or algorithm == "hyperband"
    assert len(points_of(folder)) == len(cheap_runs.asked) - 1
    if not own:
        assert len(points_of(folder)) == 8
    again = len(cheap_runs.asked)
    search_alone(search, tmp_path, cheap_runs, print)
    assert len(cheap_runs.asked) == again


def test_an_interrupted_random_search_tries_what_an_undisturbed_one_tries(
    search_of, cheap_runs, tmp_path
):
    whole = search_alone(search_of(trials=6), tmp_path / "whole", cheap_runs, print)
    search_alone(search_of(trials=3), tmp_path / "parts", cheap_runs, print)
    parts = search_alone(search_of(trials=6), tmp_path / "parts", cheap_runs, print)
    assert points_of(parts) == points_of(whole)
    other = search_of(trials=6, config=search_of().config.__class__(dataset="tiny", seed=1))
    assert points_of(search_alone(other, tmp_path / "other", cheap_runs, print)) != points_of(whole)


def test_a_failing_trial_fails_loudly_with_its_settings(search_of, cheap_runs, tmp_path):
    def failing(config, show):
        if config.model.alpha > 0.25:
            raise ArithmeticError("the loss became NaN")
        return cheap_runs(config, show)

    search = search_of("alpha", "grid", trials=0)
    wanted = r"trial .*2 with model.alpha 0.3 failed in fold00-rep00: .*NaN"
    for _ in range(2):
        with pytest.raises(TrialFailedError, match=wanted):
            search_alone(search, tmp_path, failing, print)
    assert len(cheap_runs.asked) == 2
    folder = search_alone(search, tmp_path, cheap_runs, print)
    assert len(points_of(folder)) == len(cheap_runs.asked) == 10


def test_two_processes_are_kept_from_one_search(search_of, cheap_runs, tmp_path):
    search = search_of(trials=1)

    def meddle(config, show):
        search_alone(search, tmp_path, cheap_runs, print)

    with pytest.raises(TrialFailedError, match=r"process \d+ on .* is at this search") as caught:
        search_alone(search, tmp_path, meddle, print)
    assert isinstance(caught.value.__cause__, UserError)


def test_a_search_that_cannot_be_leaves_nothing(search_of, cheap_runs, tmp_path):
    with pytest.raises(UserError, match="covers the whole grid"):
        search_alone(search_of(algorithm="grid", trials=5), tmp_path, cheap_runs, print)
    assert not list(tmp_path.iterdir())


def test_the_search_is_written_before_its_first_trial(search_of, tmp_path):
    search = search_of(folds=(1,), trials=1)
    found = []

    def look(config, show):
        found.append(read_unsealed(search.folder(tmp_path) / SEARCH))
        return 0.5

    search_alone(search, tmp_path, look, print)
    assert found == [search.to_dict()]
    assert found[0]["dimensions"]["beta"]["values"][0] == 0.1
    assert found[0]["seeds"] == [0]


def test_progress_tells_trials_and_the_best_so_far(search_of, cheap_runs, tmp_path):
    shown = []
    search_alone(search_of(trials=2), tmp_path, cheap_runs, shown.append)
    assert shown[0] == "0 of 2 trials done"
    assert shown[1].startswith("trial 0: run 1 of 1: fold00-rep00")
    assert shown[2] == "trial 0: an epoch"
    assert shown[3].startswith("1 of 2 trials done; best so far: UA ")
    assert "model.alpha" in shown[3]


class RuggedRuns:
    """Runs whose objective jumps from point to point, and some of which are interrupted.

    Args:
        every: Number of the call that is interrupted, and of each as many later; 0 for none.
    """

    def __init__(self, every):
        self.every = every
        self.calls = self.interruptions = 0

    def __call__(self, config, show):
        self.calls += 1
        if self.every and self.calls % self.every == 0:
            self.interruptions += 1
            raise KeyboardInterrupt
        return zlib.crc32(config.digest().encode()) / 2**32


@pytest.mark.filterwarnings("ignore:The optimal value found for dimension")  # so rugged is it
@pytest.mark.parametrize("algorithm", ["grid", "random", "bayesian", "hyperband"])
@pytest.mark.parametrize("every", [2, 5])
def test_an_interrupted_search_ends_as_an_undisturbed_one(
    search_of, tmp_path, algorithm, every, sought_among_few
):
    # hyperband goes on until its space is exhausted
    space = {"grid": "latent,optimiser", "hyperband": "alpha"}.get(algorithm, "alpha,beta,latent")
    config = replace(RunConfig(dataset="tiny"), training=replace(TrainingConfig(), epochs=4))
    trials = {"random": 12, "bayesian": 16}.get(algorithm, 0)
    search = search_of(space, algorithm, trials, config=config)
    one = search_alone(search, tmp_path / "one", RuggedRuns(0), print)
    runs, other = RuggedRuns(every), None
    while other is None:
        with suppress(KeyboardInterrupt):
            other = search_alone(search, tmp_path / "other", runs, print)
    assert runs.interruptions
    for name in (TRIALS, BEST):
        assert (other / name).read_text() == (one / name).read_text()
