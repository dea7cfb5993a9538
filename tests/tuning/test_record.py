"""Record of a search for people, for the report and for TensorBoard."""

import json

import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from reports.search_sections import draw_search
from ser_aae.config import ProtocolConfig, RunConfig
from ser_aae.config.build import build_config
from ser_aae.results.search_folder import BEST, OBJECTIVE, TRIALS, read_search
from tuning.record import TENSORBOARD, best_line
from tuning.search import search_alone

pytestmark = pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning")


@pytest.fixture
def left(search_of, cheap_runs, tmp_path):
    """A function: what `search_of` takes -> the search and its folder."""

    def make(*arguments, **more):
        search = search_of(*arguments, **more)
        return search, search_alone(search, tmp_path, cheap_runs, print)

    return make


def test_each_trial_is_recorded_with_settings_seeds_and_runs(left):
    _, folder = left("latent,masks", trials=3, folds=(0, 1), executions=2)
    content = json.loads((folder / TRIALS).read_text())
    assert [row["trial"] for row in content["trials"]] == ["0", "1", "2"]
    for row in content["trials"]:
        assert row["status"] == "COMPLETED"
        assert row["seeds"] == [0, 1]
        assert row["epochs"] == 60
        assert row["values"]["latent"] in (8, 16, 32, 64)
        assert len(row["runs"]) == 4
        values = [run[OBJECTIVE] for run in row["runs"]]
        assert values == pytest.approx([0.9, 0.901, 0.9001, 0.9011], abs=1e-12)
        names = [run["folder"].rpartition("/")[2] for run in row["runs"]]
        assert names == ["fold00-rep00", "fold01-rep00", "fold00-rep01", "fold01-rep01"]
    assert len({run["folder"] for row in content["trials"] for run in row["runs"]}) == 12


def test_the_report_reads_and_draws_it(left, tmp_path):
    _, folder = left("latent,alpha,optimiser", trials=5)
    searched = read_search(folder)
    assert len(searched.rows) == 5
    assert list(searched.dimensions) == ["latent", "alpha", "optimiser"]
    drawn = draw_search(searched, folder, tmp_path / "out")
    assert len(drawn) == 3
    assert all(path.is_file() for path, _ in drawn)


def test_best_yaml_gives_the_config_whatever_preset_it_was_searched_from(left):
    config = build_config("paper")
    _, folder = left("frontend,masks", trials=4, config=config)
    best = build_config(file=folder / BEST)
    rows = json.loads((folder / TRIALS).read_text())["trials"]
    assert best.model == config.model
    assert best.training == config.training
    digests = {row["runs"][0]["folder"].split("/")[1] for row in rows}
    assert best.digest() in digests


def test_best_yaml_says_what_was_searched_even_where_the_default_won(left):
    _, folder = left("optimiser", "grid", 0)
    assert yaml.safe_load((folder / BEST).read_text()) == {
        "dataset": "tiny",
        "training": {"optimiser": "adam"},
    }


def test_best_yaml_keeps_what_the_search_was_about(left):
    config = RunConfig(dataset="tiny", seed=2, protocol=ProtocolConfig(name="loso", fold=3))
    _, folder = left("alpha", "grid", 0, config=config)
    best = build_config(file=folder / BEST)
    assert (best.protocol, best.seed, best.model.alpha) == (config.protocol, 2, 0.4)


def test_best_yaml_of_hyperband_has_the_epochs_the_best_was_given(left):
    _, folder = left("alpha,beta", "hyperband", 0)
    content = json.loads((folder / TRIALS).read_text())
    best = next(row for row in content["trials"] if row["trial"] == content["best"])
    # trials with fewer epochs were heats, however good they were
    assert best["epochs"] == max(row["epochs"] for row in content["trials"]) == 60
    assert len({row["epochs"] for row in content["trials"]}) > 1
    whole = [row["objective"] for row in content["trials"] if row["epochs"] == 60]
    assert best["objective"] == max(whole)
    assert build_config(file=folder / BEST).training.epochs == 60


def test_tensorboard_has_the_hyperparameters_of_each_trial(left):
    _, folder = left("latent,alpha", trials=2)
    places = sorted(path for path in (folder / TENSORBOARD).iterdir() if path.is_dir())
    assert [path.name for path in places] == ["space", "trial-0", "trial-1"]
    events = EventAccumulator(str(places[0]))
    events.Reload()
    content = events.SummaryMetadata("_hparams_/experiment").plugin_data.content
    experiment = plugin_data_pb2.HParamsPluginData.FromString(content).experiment
    assert [info.name for info in experiment.hparam_infos] == ["latent", "alpha"]
    assert [info.display_name for info in experiment.metric_infos] == ["validation UA"]
    rows = json.loads((folder / TRIALS).read_text())["trials"]
    for path, row in zip(places[1:], rows, strict=True):
        events = EventAccumulator(str(path))
        events.Reload()
        content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
        found = {name: value.number_value for name, value in start.hparams.items()}
        assert found == pytest.approx(row["values"])
        assert OBJECTIVE in events.Tags()["tensors"]
    before = [sorted(path.iterdir()) for path in places]
    left("latent,alpha", trials=3)
    assert [sorted(path.iterdir()) for path in places] == before


def test_what_tensorboard_has_half_of_is_written_anew(left):
    _, folder = left("alpha", trials=1)
    place = folder / TENSORBOARD / "trial-0"
    place.rename(place.with_name(".1.part-trial-0"))
    left("alpha", trials=2)
    names = sorted(path.name for path in (folder / TENSORBOARD).iterdir())
    assert names == ["space", "trial-0", "trial-1"]


def test_the_best_in_one_line(left, search_of, tmp_path):
    assert best_line(search_of(), tmp_path / "nowhere") is None
    search, folder = left("alpha", "grid", 0)
    assert best_line(search, folder) == ("best so far: UA 90.00, trial 0003: model.alpha 0.4")
