"""`ser-aae tune` from the command line to `best.yaml`, and on to `ser-aae train`."""

import json
from pathlib import Path

import pytest
from processes import run_program

from ser_aae import cli
from ser_aae.commands import tune
from ser_aae.config.build import build_config
from ser_aae.errors import UserError
from ser_aae.experiments.tuned import read_tuned
from ser_aae.files.atomic import read_jsonl
from ser_aae.results.folder import find_runs, is_complete, is_validated
from ser_aae.training.ending import validation_accuracy

pytestmark = [
    pytest.mark.usefixtures("few_steps"),
    pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning"),
]

SMALL = [
    *("frontend.bins=32", "frontend.scale=linear", "data.segment_frames=64"),
    *("data.evaluation_shift_frames=32", "model.filters=4,4", "model.dense_units=8,8"),
    *("model.latent_channels=4", "training.batch_size=64", "training.epochs=1"),
]
SETTINGS = [word for each in SMALL for word in ("--set", each)]
BASE = ["--dataset", "tiny", "--protocol", "loso-session", *SETTINGS]
COMPARED = ["--dataset", "tiny", *SETTINGS]
QUICK = [*BASE, "--model", "cnn"]
"""Settings with short trainings: around these a search does the same for every model."""


@pytest.fixture
def tune_with(tiny_store, tmp_path):
    """A function: words -> exit code; the tiny store, runs in `tmp_path / "runs"`."""

    def run(*words, base=BASE):
        places = ["--store", str(tiny_store), "--runs", str(tmp_path / "runs")]
        return cli.main(["tune", *base, *places, *words])

    return run


@pytest.fixture
def searched(monkeypatch):
    """Keep the searches that the command would begin; nothing is trained."""
    from tuning import search

    kept = []

    def stop(definition, *_):
        kept.append(definition)
        raise UserError("that is as far as it goes")

    for name in ("search_alone", "search_with_workers"):
        monkeypatch.setattr(search, name, stop)
    return kept


def test_a_search_and_then_the_best_is_only_scored(tune_with, tiny_store, tmp_path, capsys):
    assert tune_with("--space", "rate", "--trials", "2", "--fold", "0,1", base=QUICK) == 0
    captured = capsys.readouterr()
    best = Path(captured.out.splitlines()[-1])
    assert best.name == "best.yaml"
    assert captured.out.startswith("best so far: UA ")
    assert "2 of 2 trials done" in captured.err
    runs = tmp_path / "runs"
    folders = find_runs(runs)
    assert len(folders) == 4
    assert all(is_validated(folder) and not is_complete(folder) for folder in folders)
    trials = json.loads((best.parent / "trials.json").read_text())["trials"]
    for row in trials:
        values = [validation_accuracy(runs / run["folder"]) for run in row["runs"]]
        assert row["objective"] == pytest.approx(sum(values) / 2, abs=1e-12)

    places = ["--store", str(tiny_store), "--runs", str(runs)]
    assert cli.main(["train", "--config", str(best), "--fold", "1", *places]) == 0
    folder = Path(capsys.readouterr().out.splitlines()[-1])
    assert folder in folders
    assert is_complete(folder)
    assert len(read_jsonl(folder / "epochs.jsonl")) == 1
    assert folder.parent.name == build_config(file=best).digest()

    # a run that was scored meanwhile counts as it is
    assert tune_with("--space", "rate", "--trials", "2", "--fold", "0,1", base=QUICK) == 0
    assert "goes on" in capsys.readouterr().err


def test_two_workers_of_this_machine(tiny_store, tmp_path):
    words = ["--space", "rate", "--trials", "3", "--workers", "2"]
    places = ["--store", str(tiny_store), "--runs", str(tmp_path / "runs")]
    environment = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    done = run_program(
        *("tune", *QUICK, *places, *words), check=False, timeout=900, env=environment
    )
    assert done.returncode == 0, done.stderr
    best = Path(done.stdout.splitlines()[-1])
    assert len(json.loads((best.parent / "trials.json").read_text())["trials"]) == 3
    for name in ("worker-1", "worker-2"):
        assert f"[{name}] trial " in done.stderr
    assert "epoch 1/1" in done.stderr
    assert len(find_runs(tmp_path / "runs")) == 3


def test_a_trial_that_diverges_is_the_users_to_mend(tune_with, capsys):
    wild = ["--set", "training.optimiser=sgd", "--set", "training.learning_rate=1e30"]
    assert tune_with("--space", "latent", *wild, "--model", "ae") == 2
    said = capsys.readouterr().err
    assert "trial 00 with model.latent_channels" in said
    assert "lower training.learning_rate" in said
    assert "the trials that are done stay done" in said


def test_the_definition_follows_the_flags(tune_with, searched):
    assert tune_with("--fold", "all", "--executions", "2", "--algorithm", "bayesian") == 2
    (search,) = searched
    assert search.folds == (0, 1, 2, 3)
    assert (search.executions, search.trials, search.algorithm) == (2, 30, "bayesian")
    assert search.space.name == "latent,alpha,beta"
    assert search.config.training.epochs == 1
    (name,) = search.corpora
    assert name == f"tiny-{search.config.frontend.digest()}"
    assert tune_with("--algorithm", "grid", "--space", "figure-5") == 2
    assert searched[1].trials == 0


def test_a_front_end_that_is_searched_is_prepared_too(searched, monkeypatch):
    from ser_aae.commands.run_config import read_config
    from tuning.definition import Search
    from tuning.space import read_space

    parser = cli.build_parser()
    arguments = parser.parse_args(["tune", *BASE, "--space", "frontend"])
    config = read_config(arguments)
    prepared = []
    monkeypatch.setattr(tune, "prepare_missing", lambda configs, _: prepared.extend(configs))

    class Stored:
        name, digest = "tiny", "00"

    monkeypatch.setattr("ser_aae.data.run_data.read_corpora", lambda *_: [Stored()])
    found = tune._prepare(Search(config, read_space("frontend")), arguments)
    assert [each.frontend.scale for each in prepared] == ["linear", "mel"]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fold", "9"], "--fold: expected all, or different numbers from 0 to 3"),
        (["--fold", "1,1"], "got '1,1'"),
        (["--fold", "one"], "got 'one'"),
        (["--trials", "0"], "--trials: expected 1 or more, got 0"),
        (["--algorithm", "grid", "--trials", "3"], "leave --trials away"),
        (["--algorithm", "best"], "--algorithm: expected one of"),
        (["--space", "gamma"], "--space: there is no 'gamma'"),
        (["--model", "cnn"], "latent changes nothing here"),
        (["--workers", "0"], "--workers: expected 1 or more, got 0"),
        (["--workers", "2", "--chief", "a:1"], "not allowed with argument"),
        (["--chief", "here"], "expected HOST:PORT, got 'here'"),
    ],
)
def test_mistakes_are_told_before_anything_begins(tune_with, tmp_path, capsys, words, message):
    assert tune_with(*words) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--for", "table-33"], "table-33: expected some of table-2, table-3"),
        (["--for", "all"], "--for all: expected one table or figure; name it"),
        (["--for", "table-2"], "--for table-2: trains nothing"),
        (["--for", "table-3", "--space", "auxiliary-ratio"], "changes no model of table-3"),
        (["--for", "table-4"], "table-4: expected two corpora"),
        (["--for", "table-3", "--model", "ae"], "the cells of table-3 say it"),
        (["--for", "table-3", "--protocol", "loso"], "--protocol: cannot stand beside --for"),
        (["--for", "table-3", "--chief", "a:1"], "take --workers"),
        (["--for", "table-3", "--algorithm", "grid"], "take random, bayesian or hyperband"),
        (["--for", "table-3", "--auxiliary", "a", "b"], "expected one corpus beside --for"),
    ],
)
def test_mistakes_beside_for_are_told(tune_with, tmp_path, capsys, words, message):
    assert tune_with(*words, base=COMPARED) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_every_model_of_a_comparison_is_searched_with_as_many_trials(
    tune_with, tmp_path, capsys, monkeypatch
):
    from tuning import search as searching

    asked = []

    def search_alone(search, runs, *_):
        asked.append(search)
        folder = search.folder(runs)
        folder.mkdir(parents=True)
        alpha, kind = 0.9 - 0.2 * len(asked), search.config.model.kind
        text = f"task: emotion\nmodel: {{kind: {kind}, alpha: {alpha:.1f}}}\n"
        (folder / "best.yaml").write_text(text)
        return folder

    monkeypatch.setattr(searching, "search_alone", search_alone)
    monkeypatch.setattr("tuning.record.best_line", lambda search, folder: "the best")
    words = ["--for", "ravdess", "--space", "alpha,beta", "--trials", "5"]
    monkeypatch.setattr(tune, "_prepare", lambda search, arguments: {"ravdess": "00"})
    monkeypatch.setattr(tune, "_read_folds", lambda text, config, store: (0, 3))
    assert tune_with(*words, base=["--dataset", "ravdess", *SETTINGS]) == 0
    captured = capsys.readouterr()
    assert [search.config.model.kind for search in asked] == ["ae", "stl", "mtl"]
    assert {search.trials for search in asked} == {5}
    assert [search.space.name for search in asked] == ["alpha,beta"] * 3
    assert "cnn, task emotion: nothing to search, for none of alpha,beta" in captured.err
    assert "search 2 of 3, stl, task emotion: alpha,beta" in captured.err
    tuned = read_tuned(Path(captured.out.splitlines()[-1]))
    found = {kind: tuned.settings_for("emotion", kind) for kind in ("cnn", "ae", "stl", "mtl")}
    alphas = {"ae": 0.7, "stl": 0.5, "mtl": 0.3}
    assert found == {"cnn": {}} | {kind: {"model.alpha": alpha} for kind, alpha in alphas.items()}
    # the searched runs are those of the comparison: no other speech, all with one stage 1
    assert not any(search.config.data.unlabelled_rest for search in asked)
    assert {search.config.training.pretraining for search in asked} == {"supervised"}


def test_of_models_of_a_kind_the_one_with_most_tasks_is_searched():
    from ser_aae.commands.run_config import read_config

    words = ["tune", *COMPARED, "--for", "table-5"]
    arguments = cli.build_parser().parse_args(words)
    models = tune._list_models(read_config(arguments), arguments)
    assert [model.tasks for model in models] == [(), ("gender", "speaker")]


def test_a_search_for_a_comparison_is_of_the_models_it_compares(tune_with, searched):
    assert tune_with("--for", "table-5", "--trials", "3", base=COMPARED) == 2
    (first,) = searched
    assert (first.config.model.kind, first.config.task) == ("stl", "emotion")
    assert first.config.protocol.name == "loso"


def test_a_data_set_has_to_be_named(tune_with, capsys):
    assert tune_with(base=[]) == 2
    assert "expected --dataset" in capsys.readouterr().err


def test_a_worker_whose_corpora_differ_takes_no_trial(tune_with, monkeypatch, capsys):
    from ser_aae.config import RunConfig
    from tuning import worker
    from tuning.definition import Search
    from tuning.space import read_space

    config = RunConfig(dataset="tiny")
    search = Search(config, read_space("alpha"), corpora={"tiny-00": "the chief's"})
    monkeypatch.setattr(tune, "_prepare", lambda *_: {"tiny-00": "another"})

    def run_worker(address, run, show, ready):
        assert address == "127.0.0.1:9"
        ready(search)

    monkeypatch.setattr(worker, "run_worker", run_worker)
    assert tune_with("--worker", "127.0.0.1:9", base=[]) == 2
    said = capsys.readouterr().err
    assert "expected the chief's corpora" in said
    assert "another" in said


@pytest.fixture
def worked(monkeypatch):
    """A function: the words of a worker, what its chief searches -> whether it takes a trial."""
    from tuning import worker

    def work(search, runs, *words):
        taken = []

        def run_worker(address, run, show, ready):
            ready(search)
            taken.append(address)

        monkeypatch.setattr(worker, "run_worker", run_worker)
        monkeypatch.setattr(tune, "_prepare", lambda search, arguments: search.corpora)
        places = ["--store", "store", "--runs", str(runs)]
        code = cli.main(["tune", "--worker", "127.0.0.1:1", *places, *map(str, words)])
        return code, bool(taken)

    return work


def test_all_trials_start_from_a_model(tune_with, searched, worked, recorded_run, tmp_path, capsys):
    from_model = ["--start-from", str(recorded_run.folder)]
    tune_with("--space", "rate", *from_model)
    tune_with("--space", "rate")
    started, plain = searched
    start = started.config.training.start
    assert (tmp_path / "runs" / "starts" / start / "weights.npz").exists()
    assert not plain.config.training.start
    assert started.folder(tmp_path) != plain.folder(tmp_path)
    # a worker needs the model too, and the same one
    assert worked(started, tmp_path / "runs") == (0, True)
    assert worked(plain, tmp_path / "elsewhere") == (0, True)
    capsys.readouterr()
    assert worked(started, tmp_path / "elsewhere") == (2, False)
    assert "give --start-from MODEL again" in capsys.readouterr().err
    assert worked(plain, tmp_path / "elsewhere", *from_model) == (2, False)
    assert "the chief's trials start from (none)" in capsys.readouterr().err
    assert worked(started, tmp_path / "elsewhere", *from_model) == (0, True)
