"""The tuner's own manners: it waits before it asks again, and leaves no file of its own."""

from types import SimpleNamespace

import pytest

from tuning import tuner
from tuning.hypermodel import Reporter, SettingsModel
from tuning.oracles import STATE, build_oracle
from tuning.tuner import TrialTuner

pytestmark = pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning")


@pytest.fixture
def tuner_of(search_of, cheap_runs, tmp_path):
    """A function: what `search_of` takes -> a tuner and what it reports to."""

    def make(*arguments):
        search = search_of(*arguments)
        report = Reporter(print)
        model = SettingsModel(search, cheap_runs, report)
        return TrialTuner(build_oracle(search, tmp_path), model, tmp_path), report

    return make


def test_it_waits_only_where_it_was_given_nothing(tuner_of, monkeypatch):
    waited = []
    monkeypatch.setattr(tuner, "time", SimpleNamespace(sleep=waited.append))
    one, _ = tuner_of("optimiser", "grid", 0)
    one.search()
    # two trials, and the question that ends it: none of them after an idle answer
    assert waited == []
    one.pre_create_trial()
    one.pre_create_trial()
    assert waited == [tuner._WAIT_S, tuner._WAIT_S]


def test_it_leaves_the_oracles_files_and_no_other(tuner_of, tmp_path):
    one, _ = tuner_of("optimiser", "grid", 0)
    one.search()
    left = sorted(path.relative_to(tmp_path / STATE).as_posix() for path in tmp_path.rglob("*.*"))
    assert left == ["oracle.json", "trial_0000/trial.json", "trial_0001/trial.json"]


def test_it_says_which_trial_runs_and_that_none_does(tuner_of):
    one, report = tuner_of("optimiser", "grid", 0)
    said = []
    begin = report.begin
    report.begin = lambda trial: (said.append(trial), begin(trial))
    one.search()
    assert said == ["0000", None, "0001", None]
    assert report.trial is None
