"""`report --complete`: a report with a gap is refused before anything of it is written."""

from dataclasses import replace

import pytest

from reports.artefact_sections import refuse_gaps
from reports.filling import fill
from ser_aae.cli import main
from ser_aae.errors import UserError
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import write_setup
from ser_aae.results.places import Places


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def report(tmp_path, runs):
    """A function: options -> exit code of `ser-aae report` of those runs."""
    places = ["--runs", str(runs), "--out", str(tmp_path / "out"), "--store", str(tmp_path)]
    return lambda *options: main(["report", *places, *options])


def test_nothing_is_said_of_a_table_that_is_whole(fill_all, smoke, runs):
    refuse_gaps([fill_all("table-4", smoke, runs)], Places(runs=runs))


def test_cells_without_a_run_are_counted_with_the_command_that_fills_them(
    leave_cell, smoke, runs, evaluate_all
):
    artefact = ARTEFACTS["table-4"](smoke)
    leave_cell(runs, artefact.cells[0].config)
    filling = fill(artefact, smoke, Places(runs=runs), evaluate_all(runs))
    lacking = len(filling.missing)
    assert 0 < lacking < len(filling.cells)
    pattern = (
        rf"table-4: {lacking} of {len(filling.cells)} cells without all runs; run ser-aae reproduce"
    )
    with pytest.raises(UserError, match=pattern):
        refuse_gaps([filling], Places(runs=runs))


def test_a_figure_over_less_than_was_asked_for_is_a_gap(fill_all, smoke, runs):
    filling = fill_all("table-4", replace(smoke, repetitions=2), runs)
    assert not filling.missing
    with pytest.raises(UserError, match=r"table-4: (\d+) of \1 cells without all runs"):
        refuse_gaps([filling], Places(runs=runs))


def test_a_table_that_cannot_be_counted_is_a_gap(smoke, runs, tmp_path):
    places = Places(runs=runs, store=tmp_path / "store")
    filling = fill(ARTEFACTS["table-2"](smoke), smoke, places, {})
    with pytest.raises(UserError, match="table-2: Not counted: IEMOCAP and MSP-IMPROV not prep"):
        refuse_gaps([filling], places)


def test_what_two_setups_lack_is_said_once(smoke, runs):
    filling = fill(ARTEFACTS["table-5"](smoke), smoke, Places(runs=runs), {})
    with pytest.raises(UserError) as raised:
        refuse_gaps([filling, filling], Places(runs=runs))
    assert str(raised.value).count("table-5") == 2  # the name, and its command


def test_the_command_refuses_artefacts_that_no_run_is_there_for(
    fill_all, smoke, runs, report, tmp_path, capsys
):
    write_setup(runs, smoke)
    fill_all("table-4", smoke, runs)
    assert report("--complete") == 2
    error = capsys.readouterr().err
    assert "table-6: 32 of 32 cells without all runs" in error
    assert "table-4" not in error
    assert "ravdess" not in error  # brings a corpus that nobody may have
    assert not (tmp_path / "out").exists()
    assert report() == 0
    assert (tmp_path / "out/index.html").is_file()


def test_runs_of_no_table_are_no_complete_report(leave_cell, smoke, runs, report, capsys):
    config = ARTEFACTS["table-4"](smoke).cells[0].config
    leave_cell(runs, replace(config, dataset="demo"))
    assert report("--complete") == 2
    assert "expected the runs of a table or figure, found none" in capsys.readouterr().err
