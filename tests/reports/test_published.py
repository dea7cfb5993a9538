"""The paper's own figures, against the text of the paper where it is at hand."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.corpora import known_facts
from reports.published import LEVELS, REMARKS, Stated, cited_figures, stated_figure
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import Setup

PAPER = Path(__file__).resolve().parents[3] / "shared" / "paper" / "paper.txt"
SETUP = Setup(corpora=known_facts())


def all_stated(setup=SETUP):
    return [
        (name, cell, figure)
        for name, make in ARTEFACTS.items()
        for cell in make(setup).cells
        if (figure := stated_figure(name, cell)) is not None
    ]


def test_every_figure_that_the_paper_prints_has_a_cell_of_ours():
    counts = dict.fromkeys(ARTEFACTS, 0)
    for name, _, _ in all_stated():
        counts[name] += 1
    assert counts == dict.fromkeys(ARTEFACTS, 0) | {
        "table-3": 10,
        "table-4": 1,
        "table-5": 12 + 2,
        "table-6": 24,
    }


@pytest.mark.parametrize(
    ("name", "panel", "row", "column", "text"),
    [
        ("table-3", "10-fold", "AAE, multi-task", "IEMOCAP", "68.8 ± 1.2"),
        ("table-3", "loso", "AAE, multi-task", "MSP-IMPROV", "60.3 ± 1.1"),
        ("table-4", "", "Proposed", "UA", "46.41 ± 0.32"),
        ("table-5", "", "Both", "MSP-IMPROV UA", "60.2 ± 1.2"),
        ("table-5", "", "Gender", "IEMOCAP WA", "67.5 ± 1.5"),
        ("table-6", "individual levels", "Gender", "MSP-IMPROV Valence", "53.4 ± 1.8"),
        ("table-6", "joint activation-valence space", "Both", "IEMOCAP 5 clusters", "55.1 ± 1.4"),
    ],
)
def test_figures_stand_in_their_cells(name, panel, row, column, text):
    places = {
        (cell.panel, cell.row, cell.column): str(figure)
        for own, cell, figure in all_stated()
        if own == name
    }
    assert places[panel, row, column] == text


def test_the_second_reading_of_table_4_and_rows_of_ours_have_none():
    second = ARTEFACTS["table-4"](SETUP).cells[1]
    assert stated_figure("table-4", second) is None
    none = [c for c in ARTEFACTS["table-6"](SETUP).cells if c.row == "None"]
    assert {stated_figure("table-6", cell) for cell in none} == {None}


@pytest.mark.parametrize("datasets", [("ravdess", "demo"), ("msp", "iemocap")])
def test_table_4_on_other_corpora_has_no_figure_of_the_paper(datasets):
    cells = ARTEFACTS["table-4"](replace(SETUP, datasets=datasets)).cells
    assert [stated_figure("table-4", cell) for cell in cells] == [None, None]


def test_other_corpora_have_no_figure_of_the_paper():
    assert all_stated(replace(SETUP, datasets=("demo", "ravdess"))) == []


def test_figures_without_numbers_say_so():
    for name in ("figure-2", "figure-3", "figure-4", "figure-4-multitask", "figure-5"):
        assert re.search("without numbers|no numbers", REMARKS[name])
        assert not [item for item in all_stated() if item[0] == name]


def test_the_disagreement_of_tables_3_and_5_is_told_at_both():
    for name in ("table-3", "table-5"):
        assert "60.3 ± 1.1" in REMARKS[name]
        assert "60.2 ± 1.2" in REMARKS[name]


def test_other_authors_stand_in_tables_3_and_4_alone():
    assert len(cited_figures("table-3")) == 6
    assert len(cited_figures("table-4")) == 3
    assert cited_figures("table-5") == []
    assert all("cited" in figure.source for *_, figure in cited_figures("table-3"))


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Stated(62.2, None, ""), "62.2"),
        (Stated(45.4, None, "", 2), "45.40"),
        (Stated(46.41, 0.32, "", 2), "46.41 ± 0.32"),
        (Stated(66, 1, ""), "66.0 ± 1.0"),
    ],
)
def test_a_figure_is_written_with_the_digits_it_is_printed_with(figure, text):
    assert str(figure) == text


def text_of_the_paper():
    if not PAPER.is_file():
        pytest.skip(f"the paper's text is not at hand: {PAPER}")
    return PAPER.read_text(encoding="utf-8")


CORPORA = ("IEMOCAP", "MSP-IMPROV")
SECONDARY = {"Gender": "Gender", "Speaker": "Speaker", "Both": "Both"}
PRINTED = {
    ("table-3", "10-fold"): (
        ("10-fold cross validation results", "leave-one-speaker-out"),
        CORPORA,
        {
            "ProgNet (Transfer Learning) [88]": "ProgNet, transfer learning [88]",
            "CNN (Muli-task implementation)": "CNN, multi-task",
            "Semi-supervised AE (Muli-task implementation)": "AE, multi-task",
            "Semi-supervised AAE (Proposed)": "AAE, multi-task",
        },
    ),
    ("table-3", "loso"): (
        ("leave-one-speaker-out\n", "For 10-fold cross validation"),
        CORPORA,
        {
            "DBN (Multi-task) [30]": "DBN, multi-task [30]",
            "CNN (Multi-task) [106]": "CNN, multi-task [106]",
            "Semi-supervised AAE (proposed)": "AAE, multi-task",
            "CVAE-LSTM (Single Task) [20]": "CVAE-LSTM, single task [20]",
            "CNN (Single Task) [107]": "CNN, single task [107]",
            "Proposed (Single Task)": "AAE, single task",
        },
    ),
    ("table-4", ""): (
        ("Model UA (%)", "6 ANALYSIS"),
        ("UA",),
        {
            "Attentive CNN [106]": "Attentive CNN [106]",
            "Conditional-GAN [109]": "Conditional-GAN [109]",
            "CycleGAN-DNN [108]": "CycleGAN-DNN [108]",
            "Proposed": "Proposed",
        },
    ),
    ("table-5", ""): (
        ("WA UA WA UA", "Table 6:"),
        ("IEMOCAP WA", "IEMOCAP UA", "MSP-IMPROV WA", "MSP-IMPROV UA"),
        SECONDARY,
    ),
    ("table-6", "individual levels"): (
        ("Activation Valence Activation Valence", "Joint activation-valence space"),
        tuple(f"{corpus} {name}" for corpus in CORPORA for name in ("Activation", "Valence")),
        SECONDARY,
    ),
    ("table-6", "joint activation-valence space"): (
        ("3 Clusters 5 Clusters 3 Clusters 5 Clusters", "4.1. We also use"),
        tuple(f"{corpus} {name} clusters" for corpus in CORPORA for name in ("3", "5")),
        SECONDARY,
    ),
}
"""Table and panel to the texts it is printed between, our names of its columns from left to right,
and its rows from top to bottom: as printed, and as ours are called."""


def rows_between(text, start, end):
    """Return the lines that hold a figure, with one way to write `±`."""
    inside = text.partition(start)[2].partition(end)[0]
    lines = [re.sub(r"\s*±\s*", " ± ", line.strip()) for line in inside.splitlines()]
    return [line for line in lines if re.search(r"\d\.\d", line)]


@pytest.mark.parametrize(("name", "panel"), PRINTED)
def test_every_row_is_the_papers_figure_by_figure(name, panel):
    edges, columns, rows = PRINTED[name, panel]
    own = [(cell.panel, cell.row, cell.column, figure)
           for table, cell, figure in all_stated() if table == name]  # fmt: skip
    figures = {tuple(place): str(figure) for *place, figure in [*own, *cited_figures(name)]}
    wanted = [
        " ".join([text, *(figures.get((panel, row, column), "–") for column in columns)])
        for text, row in rows.items()
    ]
    assert rows_between(text_of_the_paper(), *edges) == wanted


def test_no_figure_of_a_table_is_in_no_printed_row():
    printed = {
        (name, panel, row, column)
        for (name, panel), (_, columns, rows) in PRINTED.items()
        for row in rows.values()
        for column in columns
    }
    stating = {(name, cell.panel, cell.row, cell.column) for name, cell, _ in all_stated()}
    citing = {(name, *place) for name in ARTEFACTS for *place, _ in cited_figures(name)}
    # what Table 5 lacks, models without a secondary task, is taken from Table 3
    taken = {("table-5", "", "None", f"{corpus} UA") for corpus in CORPORA}
    assert (stating | citing) - printed == taken


def test_the_models_without_a_secondary_task_are_those_of_table_3():
    figures = {(name, cell.row, cell.column): str(figure) for name, cell, figure in all_stated()}
    for corpus in CORPORA:
        own = figures["table-5", "None", f"{corpus} UA"]
        assert own == figures["table-3", "AAE, single task", corpus]


def test_the_ranges_of_table_2_are_printed_in_the_paper():
    printed = text_of_the_paper()
    for corpus, ranges in LEVELS.items():
        assert f"{corpus} {' '.join(ranges)}" in printed
