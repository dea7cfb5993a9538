"""An artefact's section and files: ours beside the paper's, gaps, marks, LaTeX."""

import csv
from dataclasses import replace

import pandas as pd
import pytest

from data_prep.corpora import known_facts
from reports.artefact_sections import draw_artefact
from reports.artefact_tables import cells_table, confidence_table, our_text, side_by_side
from reports.filling import MISSING, fill
from reports.page import page
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import BUDGETS, Budget, Setup
from ser_aae.results.places import Places


@pytest.fixture
def draw(tmp_path):
    """A function: a filled artefact -> what became of it."""

    def make(filling):
        stem = tmp_path / "out" / filling.artefact.name
        return draw_artefact(
            filling, stem, Places(runs=tmp_path / "runs", store=tmp_path / "store")
        )

    return make


@pytest.fixture
def table_3(fill_all, smoke, tmp_path):
    return fill_all("table-3", smoke, tmp_path / "runs")


def test_table_3_stands_in_two_parts_with_other_authors_below_ours(table_3):
    parts = side_by_side(table_3)
    assert list(parts) == ["10-fold", "loso"]
    frame = parts["10-fold"].set_index("")
    assert frame.loc["AAE, multi-task"].tolist() == ["75.0", "68.8 ± 1.2", "75.0", "63.6 ± 1.7"]
    assert frame.index[-1] == "ProgNet, transfer learning [88]"
    assert frame.loc[frame.index[-1]].tolist() == ["-", "65.7 ± 1.8", "-", "60.5 ± 2.1"]


def test_a_column_that_the_paper_says_nothing_of_is_left_out(fill_all, smoke, tmp_path):
    (frame,) = side_by_side(fill_all("ravdess", smoke, tmp_path)).values()
    assert list(frame) == ["", "WA, ours", "UA, ours"]


def test_what_the_paper_cites_is_left_out_on_other_corpora(fill_all, smoke, tmp_path):
    other = replace(smoke, datasets=("ravdess", "demo"))
    (frame,) = side_by_side(fill_all("table-4", other, tmp_path)).values()
    assert len(frame) == 2
    assert "UA, paper" not in frame


def test_a_missing_cell_says_so(table_3):
    item = table_3.cells[0]
    assert our_text(item) == "75.0"
    assert our_text(replace(item, std=0.012)) == "75.0 (folds ± 1.2)"
    assert our_text(replace(item, lacks="2 of 10 folds")) == "75.0 (2 of 10 folds)"
    assert our_text(replace(item, mean=None)) == MISSING


@pytest.fixture
def half_run(leave_cell, evaluate_all, tmp_path):
    """Table 4 of two repetitions, of which the one cell has one and the other has both."""
    setup = Setup(budget=Budget("own", repetitions=2), corpora=known_facts())
    artefact = ARTEFACTS["table-4"](setup)
    one, two = (cell.config for cell in artefact.cells[:2])
    for config in (one, two, replace(two, seed=1)):
        leave_cell(tmp_path / "runs", config, folds=1)
    runs = tmp_path / "runs"
    return fill(artefact, setup, Places(runs=runs), evaluate_all(runs))


def test_a_half_run_cell_says_so_in_every_file(half_run, draw, tmp_path):
    drawn = draw(half_run)
    text = "75.0 (1 of 2 repetitions)"
    out = tmp_path / "out"
    for suffix in (".md", ".tex"):
        assert (out / f"table-4{suffix}").read_text().count(text) == 2  # and beside its interval
    with (out / "table-4.csv").open(encoding="utf-8") as file:
        told = [row["incomplete"] for row in csv.DictReader(file)]
    assert told == ["1 of 2 repetitions", "no"]
    assert f">{text}</td>" in page("", "", [drawn[0]])


def test_a_half_run_cell_is_not_counted_as_filled_and_has_its_command(half_run, draw):
    section = draw(half_run)[0]
    assert section.lead.startswith("1 of 2 cells filled, 1 incomplete.")
    assert section.tables[0][2].startswith("ser-aae reproduce table-4 --budget own")
    _, cells = section.details[-1]
    first, second = cells["command"]
    assert first.startswith("ser-aae train")
    assert second.startswith("ser-aae evaluate")


def test_intervals_stand_beside_the_folds_and_repetitions_they_are_over(half_run):
    frame = confidence_table(half_run)
    assert frame["folds run"].tolist() == ["1 of 1", "1 of 1"]
    assert frame["repetitions"].tolist() == ["1 of 2", "2 of 2"]


def test_the_folds_of_a_test_stand_beside_those_that_were_run(table_3):
    frame = confidence_table(table_3)
    assert set(frame["folds run"]) == {"1 of 10"}
    assert set(frame["folds"]) == {"-", "1"}  # the reference is tested against nothing


def test_a_figure_says_below_it_how_many_cells_are_incomplete(
    leave_cell, evaluate_all, draw, tmp_path
):
    setup = Setup(budget=Budget("own", repetitions=2), corpora=known_facts())
    artefact, runs = ARTEFACTS["ravdess"](setup), tmp_path / "runs"
    leave_cell(runs, artefact.cells[0].config)
    filling = fill(artefact, setup, Places(runs=runs), evaluate_all(runs))
    ((_, caption),) = draw(filling)[0].pictures
    assert f" Incomplete: 2 of {len(filling.cells)} cells." in caption  # WA and UA of a model


def test_each_cell_is_told_whole(table_3):
    frame = cells_table(table_3)
    assert len(frame) == len(table_3.cells)
    row = frame.iloc[0]
    assert (row["ours"], row["deviation"], row["n"], row["folds"]) == ("75.00", "", "16", "1 of 10")
    assert (row["paper"], row["source"]) == ("65.6 ± 2.0", "Table 3, Sec. 5.2")
    assert row["spread"] == "one fold of one repetition, no spread"
    assert float(row["interval from"]) < 75 < float(row["interval to"])
    assert all(frame["command"].str.startswith("ser-aae evaluate"))


def test_a_table_is_written_as_markdown_latex_and_csv(table_3, draw, tmp_path):
    drawn = draw(table_3)
    names = [path.name for path in drawn[1]]
    assert names == ["table-3.md", "table-3.tex", "table-3.csv"]
    markdown = (tmp_path / "out/table-3.md").read_text()
    assert markdown.startswith("# Table 3: Categorical emotions, UA %\n")
    assert "| AAE, multi-task | 75.0 | 68.8 ± 1.2 | 75.0 | 63.6 ± 1.7 |" in markdown
    assert "60.2 ± 1.2" in markdown  # the disagreement is told
    latex = (tmp_path / "out/table-3.tex").read_text()
    assert latex.count(r"\begin{tabular}{lcccc}") == 2
    assert latex.count(r"\end{table}") == 3  # and the one of intervals and tests
    assert r"AAE, multi-task & 75.0 & 68.8 $\pm$ 1.2 & 75.0 & 63.6 $\pm$ 1.7 \\" in latex
    assert r"UA \%" in latex
    with (tmp_path / "out/table-3.csv").open(encoding="utf-8") as file:
        assert [row["row"] for row in csv.DictReader(file)] == [c.cell.row for c in table_3.cells]


def test_two_tables_of_one_file_have_two_labels(table_3, draw, tmp_path):
    draw(table_3)
    latex = (tmp_path / "out/table-3.tex").read_text()
    assert r"\label{tab:table-3}" in latex
    assert r"\label{tab:table-3-2}" in latex


@pytest.mark.parametrize(
    "name",
    ["figure-3", "figure-4", "figure-4-multitask", "figure-5", "semi-supervised", "ravdess"],
)
def test_a_figure_is_drawn_with_the_data_behind_it(name, fill_all, smoke, draw, tmp_path):
    filling = fill_all(name, smoke, tmp_path / "runs", speaker_accuracy=0.5)
    drawn = draw(filling)
    out = tmp_path / "out"
    assert drawn[0].pictures[0][0] == out / f"{name}.png"
    assert {path.suffix for path in drawn[1]} == {".md", ".tex", ".csv", ".png", ".pdf"}
    assert all(path.is_file() for path in drawn[1])
    assert drawn[0].lead.startswith(f"{len(filling.cells)} of {len(filling.cells)} cells")


def test_figure_4_comes_with_the_errors_of_verification(fill_all, smoke, draw, tmp_path):
    drawn = draw(fill_all("figure-4", smoke, tmp_path / "runs", speaker_accuracy=0.5))
    assert [path.name for path, _ in drawn[0].pictures] == ["figure-4.png", "figure-4-det.png"]
    assert tmp_path / "out/figure-4-det.pdf" in drawn[1]
    behind = pd.read_csv(tmp_path / "out/figure-4-det.csv")
    assert tmp_path / "out/figure-4-det.csv" in drawn[1]
    assert set(behind["curve"]) == {"IEMOCAP, 9 speakers", "MSP-IMPROV, 9 speakers"}
    assert {"false_match_rate", "false_non_match_rate"} <= set(behind)
    (rates,) = (frame for title, frame, _ in drawn[0].tables if title.startswith("Equal error"))
    assert list(rates) == [
        "", "corpus", "both together", "verified corpus alone", "test part alone"
    ]  # fmt: skip
    assert len(rates) == 6


def test_a_figure_with_nothing_in_it_is_not_drawn(smoke, draw, tmp_path):
    artefact = ARTEFACTS["figure-3"](smoke)
    drawn = draw(fill(artefact, smoke, Places(runs=tmp_path / "runs"), {}))
    assert drawn[0].pictures == []
    assert drawn[0].lead == "0 of 32 cells filled."
    ((_, frame, command), *_) = drawn[0].tables
    assert (frame.filter(like="ours") == MISSING).all().all()
    assert command.startswith("ser-aae reproduce figure-3 --budget smoke")


def test_a_table_that_is_whole_needs_no_command(table_3, draw):
    assert {command for *_, command in draw(table_3)[0].tables} == {""}


def test_synthetic_speech_is_marked_wherever_it_is_shown(fill_all, smoke, draw, tmp_path):
    drawn = draw(fill_all("figure-3", smoke, tmp_path / "runs", synthetic=("iemocap", "msp")))
    assert drawn[0].badges[0] == "synthetic"
    assert "no person spoke in iemocap, msp" in drawn[0].warnings[0]
    assert "Synthetic" in drawn[0].pictures[0][1]
    for suffix in (".md", ".tex"):
        assert "Synthetic: no person" in (tmp_path / f"out/figure-3{suffix}").read_text()
    assert '"iemocap, msp"' in (tmp_path / "out/figure-3.csv").read_text()


def test_real_speech_is_not(table_3, draw, tmp_path):
    drawn = draw(table_3)
    assert "synthetic" not in drawn[0].badges
    assert "ynthetic: no person" not in (tmp_path / "out/table-3.md").read_text()


def test_a_smoke_budget_warns_and_another_does_not(fill_all, table_3, draw, tmp_path):
    assert any("Budget smoke" in text for text in draw(table_3)[0].warnings)
    own = Setup(budget=Budget("own", max_folds=1), corpora=known_facts())
    drawn = draw(fill_all("table-4", own, tmp_path / "other"))
    assert drawn[0].warnings == []
    assert "budget own" in drawn[0].badges


def test_a_protocol_that_knows_the_speakers_is_named(table_3, draw):
    assert "Not speaker-independent: 10-fold, speaker-dependent." in draw(table_3)[0].warnings


def test_so_is_one_whose_selection_does(smoke, leave_cell, draw, tmp_path, evaluate_all):
    artefact, runs = ARTEFACTS["table-4"](smoke), tmp_path / "runs"
    for cell in artefact.cells:
        pair = {"validation-test": ["a"]} if cell.config.protocol.target_speakers != "apart" else {}
        leakage = {"speaker_independent": not pair, "shared_speakers": pair}
        leave_cell(runs, cell.config, leakage=leakage)
    (warning,) = [
        text
        for text in draw(fill(artefact, smoke, Places(runs=runs), evaluate_all(runs)))[0].warnings
        if text.startswith("Not speaker-independent")
    ]
    words = "cross-corpus, selection shares speakers with the test part"
    assert warning == f"Not speaker-independent: {words}."


def test_figure_2_without_its_corpus_says_what_prepares_it(fill_all, smoke, draw, tmp_path):
    filling = fill_all("figure-2", smoke, tmp_path / "runs", centroids=[[2, 2], [3, 3], [4, 4]])
    section = draw(filling)[0]
    assert section.pictures == []
    store = tmp_path / "store"
    (hint,) = (text for text in section.warnings if "No picture" in text)
    assert hint == (
        f"No picture: MSP-IMPROV not prepared in {store}; give --store, or run: "
        f"ser-aae prepare --dataset msp --store {store}"
    )
    assert hint in (tmp_path / "out/figure-2.md").read_text()


def test_figure_2_without_centroids_says_so(fill_all, smoke, draw, tmp_path):
    section = draw(fill_all("figure-2", smoke, tmp_path / "runs"))[0]
    assert section.pictures == []
    assert any("wrote no centroids" in text for text in section.warnings)


def test_figure_2_that_was_not_run_asks_for_no_corpus(smoke, draw, tmp_path):
    filling = fill(ARTEFACTS["figure-2"](smoke), smoke, Places(runs=tmp_path / "runs"), {})
    assert not any("No picture" in text for text in draw(filling)[0].warnings)


def test_the_badges_name_the_corpora_of_the_cells(fill_all, draw, tmp_path):
    setup = Setup(budget=BUDGETS["smoke"], corpora=known_facts())
    badges = draw(fill_all("ravdess", setup, tmp_path / "runs"))[0].badges
    assert badges == ["budget smoke", "RAVDESS"]
