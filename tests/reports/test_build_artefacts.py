"""The whole report: the paper's tables and figures first, then the experiments behind them."""

import re
from dataclasses import replace

import pytest
from processes import run_code

from data_prep.corpora import known_facts
from reports.build import Wishes, build_report, find_artefacts
from ser_aae.config import RunConfig
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import Setup, write_setup
from ser_aae.results.folder import run_folder
from ser_aae.results.places import Places


@pytest.fixture(scope="module")
def some_runs(fill_all, smoke, tmp_path_factory):
    """Tables 3 to 5 whole, on corpora that the runs call synthetic; not to be changed."""
    runs = tmp_path_factory.mktemp("runs")
    write_setup(runs, smoke)
    for name in ("table-3", "table-4", "table-5"):
        fill_all(name, smoke, runs, synthetic=("iemocap", "msp"))
    return runs


@pytest.fixture(scope="module")
def report(some_runs, tmp_path_factory):
    """The files of the report of those runs, the page and the Markdown first."""
    out = tmp_path_factory.mktemp("out")
    return build_report(
        some_runs, out, out / "store", corpora=known_facts(), wishes=Wishes(check=True)
    )


def names_of(runs, evaluations):
    places = Places(runs=runs)
    return [
        item.artefact.name for item in find_artefacts(places, evaluations, corpora=known_facts())
    ]


def test_artefacts_with_a_run_are_found_and_table_2(some_runs, evaluate_all):
    places = Places(runs=some_runs)
    found = find_artefacts(places, evaluate_all(some_runs), corpora=known_facts())
    names = [item.artefact.name for item in found]
    assert names[:4] == ["table-2", "table-3", "table-4", "table-5"]
    missing = {item.artefact.name: len(item.missing) for item in found}
    assert missing["table-3"] == missing["table-5"] == 0
    # Fig. 3 shares the models of categorical emotions with Table 3
    assert 0 < missing["figure-3"] < 32
    assert "table-6" not in names


def test_without_a_setup_the_papers_corpora_under_a_budget_are_tried(
    fill_all, smoke, tmp_path, evaluate_all
):
    default = Setup(budget=smoke.budget, corpora=known_facts())
    fill_all("table-4", default, tmp_path)
    assert "table-4" in names_of(tmp_path, evaluate_all(tmp_path))
    assert "table-2" not in names_of(tmp_path, evaluate_all(tmp_path))


def test_runs_of_nothing_in_the_paper_are_no_artefact(leave_cell, tmp_path, evaluate_all):
    # the second has the settings of a cell of the table `ravdess`, which nobody asked for
    for dataset in ("demo", "ravdess"):
        leave_cell(tmp_path, RunConfig(dataset=dataset))
    assert names_of(tmp_path, evaluate_all(tmp_path)) == []


def test_a_table_that_two_setups_share_stands_once(fill_all, smoke, tmp_path, evaluate_all):
    other = replace(smoke, datasets=("demo", "ravdess"))
    for setup in (smoke, other):
        write_setup(tmp_path, setup)
    fill_all("ravdess", smoke, tmp_path)
    assert names_of(tmp_path, evaluate_all(tmp_path)).count("ravdess") == 1


def test_two_setups_of_one_table_have_files_of_their_own(fill_all, smoke, tmp_path):
    runs = tmp_path / "runs"
    for setup in (smoke, replace(smoke, datasets=("demo", "ravdess"))):
        write_setup(runs, setup)
        fill_all("table-4", setup, runs)
    written = {
        path.name
        for path in build_report(runs, tmp_path / "out", tmp_path / "store", corpora=known_facts())
    }
    assert {"table-4.md", "table-4-2.md"} <= written


def test_the_report_has_all_files_and_one_page_with_everything(report):
    assert report[0].name == "index.html"
    assert all(path.is_file() for path in report)
    assert len(set(report)) == len(report)
    page = report[0].read_text()
    for title in ("Table 3: ", "Table 4: ", "Table 5: ", "Figure 3: "):
        assert f'">{title}' in page
    assert ">68.8 ± 1.2</td>" in page
    assert 'src="data:image/png' in page
    assert "http" not in page.replace("http-equiv", "")
    assert "Checked " in page


def test_synthetic_speech_is_marked_above_everything(report):
    page, markdown, *_ = report
    text = page.read_text()
    assert text.index("Synthetic speech: iemocap, msp.") < text.index("<h2")
    assert '<span class="badge">synthetic</span>' in text
    assert "> Synthetic speech: iemocap, msp." in markdown.read_text()


def test_real_speech_has_no_such_mark(fill_all, smoke, tmp_path):
    fill_all("table-4", smoke, tmp_path / "runs")
    page = build_report(
        tmp_path / "runs", tmp_path / "out", tmp_path / "store", corpora=known_facts()
    )[0].read_text()
    assert "Synthetic speech" not in page
    assert 'badge">synthetic' not in page


def test_the_main_tables_experiments_are_shown_whole_and_the_others_in_a_line(report):
    page = report[0].read_text()
    assert ">IEMOCAP, four emotions, AAE, multi-task, tested on" in page
    assert "The other experiments of these tables and figures" in page
    assert page.count("<h2") < 30
    assert "Leakage check of 1 run:" in page


def test_what_was_not_run_is_listed_with_its_command(report):
    page = report[0].read_text()
    assert ">Not run yet" in page
    assert "ser-aae reproduce table-6 --budget smoke --auxiliary-speakers 9" in page
    assert "ser-aae reproduce table-3" not in page


def test_missing_cells_of_a_table_begun_are_filled_by_its_command(
    leave_cell, smoke, tmp_path, evaluate_all
):
    runs = tmp_path / "runs"
    write_setup(runs, smoke)
    cell = ARTEFACTS["table-6"](smoke).cells[0]
    leave_cell(runs, cell.config)
    page = build_report(runs, tmp_path / "out", tmp_path / "store", corpora=known_facts())[
        0
    ].read_text()
    assert "1 of 32 cells filled" in page
    assert "ser-aae reproduce table-6 --budget smoke" in page
    assert page.count("ser-aae train --dataset") >= 31
    assert run_folder(runs, cell.config).is_dir()


def test_commands_of_a_report_name_the_places_they_need(leave_cell, smoke, tmp_path):
    runs, store = tmp_path / "runs", tmp_path / "store"
    write_setup(runs, replace(smoke, data_root="/corpora", allow_partial=True))
    leave_cell(runs, ARTEFACTS["table-3"](smoke).cells[0].config)
    (page, *_) = build_report(runs, tmp_path / "out", store, corpora=known_facts())
    commands = re.findall(r"ser-aae (?:train|reproduce|prepare) [^<]+", page.read_text())
    # a missing cell, an artefact not run, a corpus of Table 2, and a fold of an experiment
    for word in ("train --dataset", "train --config", "reproduce table-6", "prepare"):
        assert any(word in command for command in commands), word
    for command in commands:
        assert f"--data-root /corpora --store {store} --allow-partial" in command


def test_of_two_setups_that_share_a_cell_the_one_that_asks_for_more_says_what_it_lacks(
    fill_all, smoke, tmp_path, evaluate_all
):
    others = (("demo", "ravdess"), ("ravdess", "urdu"), ("urdu", "demo"))
    for number, datasets in enumerate(others, start=1):
        write_setup(tmp_path, replace(smoke, datasets=datasets, repetitions=number))
    fill_all("ravdess", smoke, tmp_path)
    places = Places(runs=tmp_path)
    found = find_artefacts(places, evaluate_all(tmp_path), corpora=known_facts())
    (table,) = (item for item in found if item.artefact.name == "ravdess")
    assert {item.lacks for item in table.cells} == {"1 of 3 repetitions"}


def test_the_same_runs_give_the_same_files(fill_all, smoke, tmp_path):
    fill_all("table-4", smoke, tmp_path / "runs")
    for name in ("one", "two"):
        build_report(tmp_path / "runs", tmp_path / name, tmp_path / "store", corpora=known_facts())
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_the_command_runs_where_tensorflow_is_absent(leave_cell, smoke, tmp_path):
    runs = tmp_path / "runs"
    write_setup(runs, smoke)
    leave_cell(runs, ARTEFACTS["table-4"](smoke).cells[0].config)
    words = ["report", "--runs", str(runs), "--out", str(tmp_path / "out"), "--check"]
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'keras_tuner'): sys.modules[name] = None\n"
        f"from ser_aae.cli import main; sys.exit(main({words!r}))"
    )
    done = run_code(code)
    assert done.stdout.splitlines()[0] == str(tmp_path / "out/index.html")
