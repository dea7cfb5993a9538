"""`ser-aae reproduce`: what it lists, prepares, trains and says; once with real workers."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from processes import MOST_SECONDS, ROOT, wait_for

from data_prep.synthetic import synthesise
from ser_aae.cli import build_parser, main
from ser_aae.commands import options, preparation, reproduce
from ser_aae.data import run_data
from ser_aae.experiments.setup import read_setups
from ser_aae.files.atomic import read_jsonl, write_json
from ser_aae.grid import cluster as grid
from ser_aae.grid.cluster import Failure
from ser_aae.results.evaluation import evaluate
from ser_aae.results.folder import find_experiments, run_folder
from ser_aae.training.planning import StepTimes

SMALL = (
    *("--auxiliary", "none", "--budget", "smoke"),
    *("--set", "frontend.bins=32", "--set", "frontend.scale=linear"),
    *("--set", "data.segment_frames=64", "--set", "data.evaluation_shift_frames=64"),
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SER_AAE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def words(tiny_store):
    """Table 5 on the tiny corpus: four models, one fold, one repetition."""
    return ["reproduce", "table-5", "--datasets", "tiny", "--store", str(tiny_store), *SMALL]


@pytest.fixture
def trained(monkeypatch):
    """A cluster that completes every run but those of a model with gender alone."""
    calls = []

    @contextmanager
    def no_cluster(workers, scheduler):
        calls.append((workers, scheduler))
        yield None

    def complete(configs, places, client, show):
        failures = []
        for config in configs:
            folder = run_folder(Path(places.runs.removeprefix("file://")), config)
            if config.model.auxiliary_tasks == ("gender",):
                failures.append(Failure(config, "loss became nan"))
            else:
                write_json(folder / "result.json", {"seconds": 1})
        calls.append(len(configs))
        return failures

    monkeypatch.setattr(grid, "open_client", no_cluster)
    monkeypatch.setattr(grid, "count_workers", lambda client: 2)
    monkeypatch.setattr(grid, "run_grid", complete)
    return calls


@pytest.fixture
def measured(monkeypatch):
    """Steps that take 5 s each, and no time to be measured; the models that were asked for."""
    asked = []

    def measure(config, _classes):
        asked.append(config)
        return StepTimes(5.0, 0.0)

    monkeypatch.setattr("ser_aae.grid.estimate.measure_steps", measure)
    return asked


def test_a_plan_counts_and_changes_nothing(words, capsys, measured, tmp_path):
    assert main([*words, "--plan"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "4 runs: 0 done, 4 to do"
    assert re.fullmatch(r"by measured steps at most about .* on this machine alone", out[1])
    assert len(measured) == len({config.tasks for config in measured}) == 4
    assert main([*words, "--plan", "--repetitions", "3"]) == 0
    assert capsys.readouterr().out.startswith("12 runs: 0 done")
    assert list(tmp_path.iterdir()) == []


def test_a_plan_reads_a_corpus_once_for_all_experiments(words, measured, monkeypatch):
    counted = []
    inner = run_data.count_folds

    def spy(config, store):
        counted.append(config)
        return inner(config, store)

    monkeypatch.setattr(run_data, "count_folds", spy)
    assert main([*words, "--plan"]) == 0
    assert len(measured) == 4
    assert len(counted) == 1


def test_a_plan_prepares_nothing_and_says_what_is_missing(words, refused, tmp_path):
    places = ["--store", str(tmp_path / "empty"), "--data-root", str(tmp_path / "none")]
    error = refused(*words, "--plan", *places, "--datasets", "savee")
    assert "expected SAVEE" in error
    assert not (tmp_path / "empty").exists()
    assert "expected a data set (baved, " in refused(*words, "--plan", *places)


def test_a_plan_needs_no_store_where_the_recordings_are(measured, capsys, tmp_path):
    synthesise("demo", tmp_path / "data", speakers=4)
    words = ["reproduce", "table-5", "--datasets", "demo", *SMALL]
    words += ["--data-root", str(tmp_path / "data")]
    assert main([*words, "--store", str(tmp_path / "empty"), "--plan"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("4 runs: 0 done, 4 to do\nby measured steps")
    assert said.err.count("demo: not prepared, so counted with its pauses") == 1
    assert not (tmp_path / "empty").exists()


def test_failures_are_listed_and_the_second_call_tries_them_alone(
    words, trained, refused, tmp_path
):
    error = refused(*words, "--workers", "3")
    assert "4 runs: 0 done, 4 to do" in error
    listed, _, last = error.partition("ser-aae: error: ")
    assert last.startswith("1 of 4 runs failed, see above")
    assert "loss became nan" in listed
    assert "model.auxiliary_tasks=gender" in listed
    refused(*words)
    assert trained[0] == (3, "")
    assert [call for call in trained if isinstance(call, int)] == [4, 1]
    assert len(read_setups(tmp_path / "runs")) == 1


def test_a_complete_grid_starts_no_cluster(words, trained, capsys, tmp_path):
    words = ["table-6" if word == "table-5" else word for word in words]
    kept = [word.replace("table-6", "semi-supervised") for word in words]
    assert main(kept) == 0
    trained.clear()
    capsys.readouterr()
    assert main(kept) == 0
    assert trained == []
    assert capsys.readouterr().out == f"{tmp_path / 'runs'}\n"


def test_the_report_finds_what_was_run_for(words, trained, tmp_path, capsys):
    main([*words, "--auxiliary-speakers", "18", "--preset", "default"])
    (setup,) = read_setups(tmp_path / "runs")
    assert setup == reproduce.read_setup(
        build_parser().parse_args([*words, "--auxiliary-speakers", "18"])
    )
    assert (setup.datasets, setup.auxiliary) == (("tiny",), "")
    assert (setup.budget.name, setup.max_auxiliary_speakers) == ("smoke", 18)
    assert setup.base.frontend.bins == 32


def test_runs_at_a_url_have_their_setup_there(words, trained, tmp_path, capsys):
    main([*words, "--runs", f"file://{tmp_path}/far"])
    assert len(read_setups(tmp_path / "far")) == 1


def test_a_store_at_a_url_is_copied_to_count_folds(words, few_steps, capsys, tiny_store, tmp_path):
    place = words.index(str(tiny_store))
    words[place] = f"file://{tiny_store}"
    assert main([*words, "--plan"]) == 0
    assert capsys.readouterr().out.startswith("4 runs")
    copied = [path.name for path in (tmp_path / "cache").glob("*/*")]
    assert len(copied) == 1
    assert copied[0].startswith("tiny-")


def test_what_the_store_lacks_is_prepared_once_as_it_was_named(
    words, trained, tiny_store, tmp_path, monkeypatch, capsys
):
    store = tmp_path / "new"
    asked = []

    def prepare(dataset, config, options):
        asked.append((dataset, options.workers, options.allow_partial))
        name = next(tiny_store.glob(f"{dataset.casefold()}-*")).name
        shutil.copytree(tiny_store / name, store / name)
        return [f"prepared {dataset}"]

    monkeypatch.setattr(preparation, "prepare_corpus", prepare)
    words[words.index("tiny")] = "TINY"
    words[words.index("none")] = "voices"
    main([*words, "--store", str(store), "--workers", "2", "--allow-partial"])
    assert asked == [("tiny", 2, True), ("voices", 2, True)]
    assert "prepared voices" in capsys.readouterr().err


def test_paths_are_made_absolute_and_urls_are_left(tmp_path):
    assert options.address("runs") == str(tmp_path / "runs")
    assert options.address("~/runs") == str(Path.home() / "runs")
    assert options.address("s3://bucket/runs") == "s3://bucket/runs"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["table-7"], "table-7: expected some of table-2"),
        (["table-5", "--budget", "huge"], "invalid choice: 'huge'"),
        (["table-5", "--plan", "--workers", "0"], "--workers: expected 1 or more, got 0"),
        (["table-5", "--workers", "2", "--scheduler", "tcp://a:1"], "not allowed with"),
        (["table-5", "--repetitions", "0"], "repetitions: expected 1 or more"),
        (["table-5", "--auxiliary-speakers", "-1"], "--auxiliary-speakers: expected 0 or more"),
        (["table-5", "--datasets", "tiny", "tiny"], "--datasets: expected each once"),
        (["table-5", "--set", "model.alfa=1"], "did you mean model.alpha?"),
    ],
)
def test_mistakes_are_told(given, said, words, trained, refused):
    assert said in refused("reproduce", given[0], *words[2:], *given[1:])
    assert not trained


@pytest.fixture
def best(tmp_path):
    """A function: task -> a file as a search leaves it."""

    def write(task):
        path = tmp_path / "best.yaml"
        path.write_text(f"task: {task}\ndataset: tiny\nmodel: {{alpha: 0.7}}\n")
        return str(path)

    return write


def test_what_a_search_has_chosen_is_trained_with(words, trained, best, tmp_path, capsys):
    main([*words, "--tuned", best("emotion")])
    found = [read_setups(tmp_path / "runs")[0].tuned.outcomes[0].values, trained[-1]]
    assert found == [{"model.alpha": 0.7}, 4]
    assert main(words) == 2
    # without it they are other runs
    assert trained[-1] == 4


def test_what_was_chosen_for_another_task_is_refused(words, trained, best, refused):
    said = refused(*words, "--tuned", best("valence"))
    assert "chosen for the task valence, and no cell of table-5 has it" in said
    assert not trained


def test_more_speech_for_all_of_an_experiment_is_refused(words, trained, refused):
    said = refused(*words, "--set", "data.unlabelled_rest=true")
    assert "--set data.unlabelled_rest: the paper's experiments have utterances of" in said
    assert not trained
    # to say what they have anyway is no mistake
    assert main([*words, "--set", "data.unlabelled_rest=false"]) == 2
    assert trained


def test_a_setting_that_the_budget_sets_is_refused(words, trained, tmp_path, refused):
    said = refused(*words, "--set", "training.epochs=60")
    assert "--set training.epochs: --budget smoke sets it to 2" in said
    path = tmp_path / "mine.yaml"
    path.write_text("seed: 0\nmodel:\n  latent_channels: 16\n")
    said = refused(*words, "--config", str(path))
    assert "mine.yaml:3: model.latent_channels: --budget smoke sets it to 4" in said
    assert not trained


def test_labelled_rows_that_no_batch_has_room_for_are_refused(words, trained, refused):
    said = refused(*words, "--set", "data.labelled_rows=33")
    assert "data.labelled_rows: expected at most the 32 rows of a batch" in said
    assert not trained


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(tiny_store, tmp_path):
    command = [sys.executable, "-m", "ser_aae", "reproduce", "table-4", "--workers", "1"]
    command += ["--datasets", "tiny", "foreign", "--store", str(tiny_store), *SMALL]
    command += ["--set", "protocol.selection_fraction=0.5"]
    named = {
        "env": {**os.environ, "PYTHONPATH": str(ROOT)},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    with subprocess.Popen(command, **named) as process:
        wait_for(lambda: any(map(read_jsonl, tmp_path.rglob("epochs.jsonl"))), process)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in error
    assert error.splitlines()[-1] == "interrupted; the same command goes on where it stopped"
    _, alive = psutil.wait_procs(children, timeout=MOST_SECONDS)
    assert not alive

    again = subprocess.run(command, check=True, timeout=MOST_SECONDS, **named)
    assert again.stdout == f"{tmp_path / 'runs'}\n"
    assert "1 of them begun" in again.stderr or "1 done" in again.stderr
    assert "runs an hour" in again.stderr
    experiments = find_experiments(tmp_path / "runs")
    assert [evaluate(folder)["missing"] for folder in experiments] == [[], []]
