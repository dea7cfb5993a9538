"""Line under a table or figure beside the paper's, and settings that depart from the presets."""

from dataclasses import replace

import pytest

from data_prep.corpora import known_facts
from reports.artefact_sections import draw_artefact
from reports.filling import fill
from reports.origins import departures_table, departures_text, origin_line
from reports.page import Section, page
from ser_aae.config.build import build_config
from ser_aae.config.fields import with_settings
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.experiments.setup import Budget, Setup
from ser_aae.results.places import Places

WHOLE = Setup(budget=Budget("few", max_folds=1, repetitions=1), corpora=known_facts())
PAPERS = replace(WHOLE, base=build_config("paper"))


@pytest.fixture
def filled(tmp_path):
    """A function: name and setup of an artefact -> its filling without a run."""
    return lambda name, setup: fill(ARTEFACTS[name](setup), setup, Places(runs=tmp_path), {})


def test_the_line_names_all_that_ours_is_made_of(filled):
    line = origin_line(filled("table-3", WHOLE))
    # the paper's tables are of utterances of their classes alone, whatever the preset
    start = "Ours: no preset, differs from default in data.unlabelled_rest; update joint; "
    assert line.startswith(f"{start}front end mel, 128 bands; stage 1 ")
    assert "in all phases on LibriSpeech, 10 epochs; class_weights balanced, logit_adj" in line
    assert "; updates: nothing was run yet. Departs from the preset paper in " in line
    assert "more, listed below." in line
    assert "\n" not in line


def test_the_preset_paper_departs_in_nothing_with_the_weights_that_the_paper_states(filled):
    filling = filled("table-3", PAPERS)
    line = origin_line(filling)
    assert line.startswith("Ours: preset paper; update serial; front end linear, 128 bands; ")
    assert "stage 1 supervised on LibriSpeech" in line
    assert line.endswith("No setting departs from the preset paper.")
    assert departures_table(filling).empty
    assert departures_text(filling) == ""


def test_a_setting_that_no_preset_has_is_named(filled):
    base = with_settings(PAPERS.base, {"training.batch_size": 16, "model.dense_units": (64, 32)})
    filling = filled("table-3", replace(PAPERS, base=base))
    line = origin_line(filling)
    both = "model.dense_units, training.batch_size"
    assert f"no preset, differs from paper in {both}; update serial" in line
    assert line.endswith(f"Departs from the preset paper in 2 settings: {both}.")
    table = departures_table(filling).set_index("setting")
    assert table.loc["training.batch_size"].tolist() == ["16", "32"]
    assert "training.batch_size 16 (paper: 32)" in departures_text(filling)


def test_the_table_has_the_nearest_preset_beside_the_papers(filled):
    base = with_settings(WHOLE.base, {"training.batch_size": 16})
    table = departures_table(filled("table-3", replace(WHOLE, base=base))).set_index("setting")
    assert list(table) == ["ours", "paper", "default"]
    assert table.loc["training.batch_size"].tolist() == ["16", "32", "32"]
    assert table.loc["training.update"].tolist() == ["joint", "serial", "joint"]


def test_what_an_artefact_measures_is_no_departure(filled):
    for name in ("figure-4", "figure-5", "semi-supervised", "table-4"):
        named = departures_text(filled(name, PAPERS))
        for setting in ("labelled_fraction", "auxiliary_speakers", "protocol", "model.kind"):
            assert setting not in named, name
    assert departures_text(filled("figure-5", PAPERS)) == ""


def test_cells_that_differ_are_told_with_the_values_of_both(filled):
    line = origin_line(filled("figure-4", WHOLE))
    assert "; stage 1 none or in all phases on LibriSpeech, 10 epochs; " in line
    cells = filled("table-3", WHOLE)
    first, *rest = cells.cells
    changed = {"training.update": "serial", "frontend.scale": "linear"}
    other = replace(first.cell, config=with_settings(first.cell.config, changed))
    line = origin_line(replace(cells, cells=(replace(first, cell=other), *rest)))
    assert "update serial or joint; front end linear, 128 bands or mel, 128 bands; " in line
    changed = {"training.class_weights": "none", "training.logit_adjustment": 1.0}
    other = replace(first.cell, config=with_settings(first.cell.config, changed))
    line = origin_line(replace(cells, cells=(*rest, replace(first, cell=other))))
    both = "class_weights balanced, logit_adjustment 0 or class_weights none, logit_adjustment 1"
    assert f"; {both}; " in line


def test_runs_that_two_cells_show_count_once(filled):
    filling = filled("ravdess", WHOLE)  # UA and WA of each model
    runs = {item.folder: {"epochs": 3, "updates": 7} for item in filling.cells}
    known, *_ = runs
    del runs[known]["updates"]
    cells = tuple(replace(item, stored=(runs[item.folder],)) for item in filling.cells)
    line = origin_line(replace(filling, cells=cells))
    assert f"(1 of {len(runs)} runs did not write them down)" in line
    assert len(runs) < len(filling.cells)


def test_the_updates_are_those_that_runs_wrote_down(filled):
    filling = filled("table-3", WHOLE)

    def line_of(*results):
        return origin_line(replace(filling, cells=(replace(filling.cells[0], stored=results),)))

    made = {"pretraining_updates": 300, "updates": 1260, "epochs": 12}
    assert "updates: 1,260 of stage 2 a run after 300 of stage 1." in line_of(made, made)
    more = made | {"updates": 2520, "pretraining_updates": 0}
    assert "updates: 1,260 to 2,520 of stage 2 a run after 0 to 300 of stage 1." in (
        line_of(made, more)
    )
    few, many = (made | {"labelled_rows": rows} for rows in (1.6, 16.0))
    assert "of stage 1, with 1.6 to 16 labelled rows in each." in line_of(few, many)
    before = {"epochs": 60}
    assert "(1 of 2 runs did not write them down)" in line_of(made, before)
    assert "updates: the runs did not write them down (60 epochs)." in line_of(before)


def test_the_line_stands_under_table_or_picture_and_in_every_file(fill_all, smoke, tmp_path):
    places = Places(runs=tmp_path / "runs", store=tmp_path)
    for name in ("table-3", "figure-3"):
        filling = fill_all(name, smoke, places.runs)
        section, files = draw_artefact(filling, tmp_path / "out" / name, places)
        assert section.origin == origin_line(filling)
        html = page("Report", "", [section])
        before = "<figcaption>" if section.pictures else "</table>"
        assert html.index(before) < html.index('<p class="origin">Ours: ')
        folded = html.index("<summary>Settings of ours that depart from the presets</summary>")
        assert html.index('<p class="origin">') < folded
        texts = {path.suffix: path.read_text() for path in files if path.suffix in (".md", ".tex")}
        assert section.origin in texts[".md"]
        assert departures_text(filling) in texts[".md"]
        assert "no preset, differs from default" in texts[".tex"]


def test_a_table_that_trains_nothing_has_no_line(filled):
    assert origin_line(filled("table-2", WHOLE)) == ""
    assert "origin" not in page("Report", "", [Section("empty")]).partition("</style>")[2]
