"""Searches on the page of the report, from files written here as a search writes them."""

import shlex

import numpy as np
import pytest

from data_prep.corpora import known_facts
from reports.build import build_report
from reports.search_sections import search_sections
from ser_aae.cli import build_parser, main
from ser_aae.errors import UserError
from ser_aae.results.places import Places
from ser_aae.results.search_folder import read_searches

TENTHS = [number / 10 for number in range(1, 11)]
LATENT = {"latent": [8, 16, 32, 64]}
WEIGHTS = {"alpha": TENTHS, "beta": TENTHS[:9]}


def rows_of(values, objectives, epochs=10):
    names = list(values)
    return [
        {
            "trial": f"{number:02d}",
            "values": {name: values[name][number % len(values[name])] for name in names},
            "objective": objective,
            "epochs": epochs,
            "runs": [{"validation_unweighted_accuracy": objective + off} for off in (0.1, -0.1)],
        }
        for number, objective in enumerate(objectives)
    ]


@pytest.fixture
def left(leave_search):
    """A function: a search's digest, rows, dimensions, task, space -> its files below `runs`."""

    def write(digest, rows, values=LATENT, task="emotion", space="latent", kind="mtl"):
        return leave_search(rows, values, digest=digest, task=task, space=space, kind=kind)

    return write


def draw_all(folder):
    """The sections of all searches below `runs` in a folder."""
    runs = folder / "runs"
    return search_sections(read_searches(runs), Places(runs=runs), folder / "out")


def test_a_search_says_what_was_best_and_what_takes_it_up(left, tmp_path):
    folder = left("0123abcd", rows_of(LATENT, [0.5, 0.7, 0.6]))
    (section,) = draw_all(tmp_path)
    assert section.title.startswith("Search: ")
    assert "emotion, mtl, bayesian" in section.title
    assert section.name == "0123abcd"
    assert "/home/me" not in section.title
    assert "Best of 3 trials: validation UA 70.0 with latent 16" in section.lead
    assert "mean over 2 runs of 10 epochs" in section.lead
    heading, frame, _ = section.tables[0]
    assert heading == "The best 3 trials"
    assert list(frame["UA"]) == ["70.0", "60.0", "50.0"]
    assert list(frame["latent"]) == ["16", "32", "8"]
    assert len(section.pictures) == 3
    (command,) = [command for _, command in section.notes if command]
    words = shlex.split(command)
    arguments = build_parser().parse_args(words[1:])
    assert (arguments.config, arguments.fold) == (folder / "best.yaml", "all")
    assert arguments.runs == tmp_path / "runs"
    assert list(frame["each run"]) == ["80.0, 60.0", "70.0, 50.0", "60.0, 40.0"]
    heading, means = section.details[-1]
    assert heading == "Mean over the trials of each value"
    assert list(means["value"]) == ["8", "16", "32"]
    assert list(means["UA"]) == ["50.0", "70.0", "60.0"]


def test_long_trials_stand_before_short_ones_however_good(left, tmp_path):
    rows = rows_of(LATENT, [0.9], epochs=3) + rows_of(LATENT, [0.6] * 11)[1:]
    left("0123abcd", rows)
    (section,) = draw_all(tmp_path)
    assert "validation UA 60.0" in section.lead
    (heading, frame), (_, shown, _) = section.details[0], section.tables[0]
    assert heading == "All trials"
    assert (len(shown), len(frame)) == (10, 11)
    assert frame["UA"].iloc[-1] == "90.0"


def test_a_search_without_a_completed_trial_is_not_shown(left, tmp_path):
    left("0123abcd", [])
    assert draw_all(tmp_path) == []


def test_searches_of_figure_5_for_three_tasks_share_one_figure(left, tmp_path, figure_spy):
    values = rows_of(WEIGHTS, np.linspace(0.3, 0.6, 5))
    for task in ("valence", "emotion", "activation"):
        left(task, values, WEIGHTS, task, "figure-5")
    first, *rest = draw_all(tmp_path)
    assert first.title.startswith("Figure 5 by search")
    assert "emotion, activation, valence" in first.lead
    assert len(rest) == 3
    figure = figure_spy[0]
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["emotion", "activation", "valence"]


def test_those_that_differ_in_more_than_the_task_do_not(left, tmp_path):
    values = rows_of(WEIGHTS, [0.5])
    left("one", values, WEIGHTS, "emotion", "figure-5", kind="mtl")
    left("two", values, WEIGHTS, "valence", "figure-5", kind="ae")
    titles = [section.title for section in draw_all(tmp_path)]
    assert not [title for title in titles if title.startswith("Figure 5")]


def test_a_search_alone_has_a_report(left, tmp_path, capsys):
    left("0123abcd", rows_of(LATENT, [0.5, 0.7]))
    out = tmp_path / "out"
    words = ["report", "--runs", str(tmp_path / "runs"), "--out", str(out), "--check"]
    assert main(words) == 0
    files = capsys.readouterr().out.splitlines()
    assert files[0] == str(out / "index.html")
    assert {"search-tiny-mtl-0123abcd-parallel.png"} <= {path.rpartition("/")[2] for path in files}
    page = (out / "index.html").read_text()
    assert "validation UA 70.0 with latent 16" in page
    assert "how sure they are" not in page
    assert "No test speaker was looked at" in (out / "results.md").read_text()


def test_a_search_stands_beside_runs_and_their_tables(left, leave_cell, tmp_path):
    from ser_aae.config import RunConfig

    runs = tmp_path / "runs"
    leave_cell(runs, RunConfig(dataset="tiny"))
    left("0123abcd", rows_of(LATENT, [0.5]))
    build_report(runs, tmp_path / "out", corpora=known_facts())
    page = (tmp_path / "out" / "index.html").read_text()
    assert "Search: " in page
    assert "how sure they are" in page


def test_without_runs_and_searches_there_is_nothing_to_report(tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(UserError, match="0 begun and none complete"):
        build_report(tmp_path / "runs", tmp_path / "out", corpora=known_facts())
