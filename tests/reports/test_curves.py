"""Figures with axes: what stands in them, and that grey prints tell lines and bars apart."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.container import BarContainer

from reports.curves import AXES, STACKED, SWEPT, draw_bars, draw_curves, group_cells
from reports.filling import Filling
from ser_aae.experiments.artefacts import ARTEFACTS
from ser_aae.results.statistics import Interval


@pytest.fixture(scope="module")
def bars(fill_all, smoke, tmp_path_factory):
    return fill_all("figure-3", smoke, tmp_path_factory.mktemp("runs"))


def bar_heights(axes):
    return [[patch.get_height() for patch in bars] for bars in axes.containers if len(bars) == 4]


def test_bars_have_a_panel_a_corpus_a_group_a_task_and_a_bar_a_model(
    bars, tmp_path, figure_spy, pixels
):
    draw_bars(bars, tmp_path / "bars.png")
    pixels(tmp_path / "bars.png")
    (figure,) = figure_spy
    assert [axes.get_title("left") for axes in figure.axes] == ["IEMOCAP", "MSP-IMPROV"]
    for axes in figure.axes:
        names = [label.get_text() for label in axes.get_xticklabels()]
        assert names == ["categorical", "activation", "valence", "3 clusters"]
        assert axes.get_legend_handles_labels()[1] == ["CNN", "AE", "STL", "MTL"]
        assert bar_heights(axes) == [[pytest.approx(75)] * 4] * 4
        assert axes.get_ylim() == (0, 100)


def test_bars_differ_without_colour(bars, tmp_path, figure_spy):
    draw_bars(bars, tmp_path / "bars.png")
    hatches = [bar[0].get_hatch() for bar in figure_spy[0].axes[0].containers if len(bar) == 4]
    assert len(set(hatches)) == 4


def test_a_missing_bar_is_a_gap_and_no_zero(bars, tmp_path, figure_spy):
    gone = replace(bars.cells[0], mean=None)
    filling = Filling(bars.artefact, bars.setup, (gone, *bars.cells[1:]), "")
    draw_bars(filling, tmp_path / "bars.png")
    heights = bar_heights(figure_spy[0].axes[0])
    assert np.isnan(heights[0][0])
    assert not np.isnan(heights[1][0])
    draw_bars(bars, tmp_path / "whole.png")
    partly, whole = (figure.axes[0].get_xlim() for figure in figure_spy)
    assert partly == whole


@pytest.mark.parametrize("name", SWEPT)
def test_curves_have_their_panels_and_lines(name, fill_all, smoke, tmp_path, figure_spy, pixels):
    filling = fill_all(name, smoke, tmp_path / "runs", speaker_accuracy=0.5)
    draw_curves(filling, tmp_path / "curves.png")
    pixels(tmp_path / "curves.png")
    (figure,) = figure_spy
    panels = group_cells(filling.cells)
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == [f"({'abcd'[i]}) {panel}" for i, panel in enumerate(panels)]
    for axes, cells in zip(figure.axes, panels.values(), strict=True):
        assert axes.get_ylabel() == AXES[cells[0].cell.score]
        lines = axes.get_legend_handles_labels()[1]
        assert lines == list(dict.fromkeys(item.cell.column for item in cells))
        drawn = [line.lines[0] for line in axes.containers]
        assert len({line.get_linestyle() for line in drawn}) == len(lines)
        assert len({line.get_marker() for line in drawn}) == len(lines)


@pytest.mark.parametrize(("name", "rows"), [("figure-4", 1), ("figure-5", 3)])
def test_panels_lie_as_in_the_paper(name, rows, fill_all, smoke, tmp_path, figure_spy):
    filling = fill_all(name, smoke, tmp_path / "runs", speaker_accuracy=0.5)
    draw_curves(filling, tmp_path / "curves.png")
    heights = {round(axes.get_position().y0, 2) for axes in figure_spy[0].axes}
    assert len(heights) == rows
    assert (name in STACKED) == (rows > 1)


@pytest.mark.parametrize(
    ("name", "heights"), [("figure-4", (50, 50, 50)), ("figure-4-multitask", (50, 100, 25))]
)
def test_points_stand_at_their_values(name, heights, fill_all, smoke, tmp_path, figure_spy):
    filling = fill_all(name, smoke, tmp_path / "runs", right=2, speaker_accuracy=0.25)
    draw_curves(filling, tmp_path / "curves.png")
    for axes, height in zip(figure_spy[0].axes, heights, strict=False):
        line = axes.containers[0].lines[0]
        assert line.get_xdata().tolist() == [0, 4, 9]
        assert line.get_ydata().tolist() == pytest.approx([height] * 3)


def test_nothing_of_a_figure_lies_outside_it_or_under_its_legend(
    fill_all, smoke, tmp_path, figure_spy, check_nothing_is_cut_off
):
    for name in ("figure-4", "figure-4-multitask", "figure-5", "semi-supervised"):
        filling = fill_all(name, smoke, tmp_path / name, speaker_accuracy=0.5)
        draw_curves(filling, tmp_path / f"{name}.png", "synthetic speech")
        figure = figure_spy[-1]
        check_nothing_is_cut_off(figure)
        legend = figure.legends[0].get_window_extent()
        assert legend.x0 >= 0
        assert legend.x1 <= figure.bbox.width
        for axes in figure.axes:
            label = axes.xaxis.label.get_window_extent()
            assert not axes.get_xlabel() or label.y0 >= legend.y1 - 1


def test_a_mark_stands_in_the_picture_and_a_pdf_beside_it(bars, tmp_path, figure_spy):
    draw_bars(bars, tmp_path / "bars.png", "synthetic speech")
    draw_bars(bars, tmp_path / "plain.png")
    assert figure_spy[0].get_suptitle() == "synthetic speech"
    assert figure_spy[1].get_suptitle() == ""
    assert (tmp_path / "bars.pdf").read_bytes().startswith(b"%PDF")


def test_the_same_cells_give_the_same_bytes(bars, tmp_path):
    for name in ("one", "two"):
        draw_bars(bars, tmp_path / f"{name}.png")
    for kind in ("png", "pdf"):
        one, two = (tmp_path / f"{name}.{kind}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_panels_keep_the_order_of_the_cells(bars):
    panels = group_cells(bars.cells)
    assert list(panels) == ["IEMOCAP", "MSP-IMPROV"]
    assert [item for cells in panels.values() for item in cells] == list(bars.cells)


def test_every_swept_artefact_is_one():
    assert set(SWEPT) <= set(ARTEFACTS)
    assert set(STACKED) <= set(SWEPT)


def test_the_whiskers_of_bars_are_intervals(bars, tmp_path, figure_spy):
    sure = Interval(0.75, 0.6, 0.85, 0.95, 4, 32, 2000)
    first, second, *rest = bars.cells
    cells = (replace(first, interval=sure), replace(second, interval=None), *rest)
    draw_bars(Filling(bars.artefact, bars.setup, cells, ""), tmp_path / "bars.png")
    whiskers = [
        bar for bar in figure_spy[0].axes[0].containers if not isinstance(bar, BarContainer)
    ]
    cnn, ae = (whisker.lines[2][0].get_segments()[0] for whisker in whiskers[:2])
    assert cnn[:, 1].tolist() == pytest.approx([60, 85])
    assert ae.size == 0


@pytest.mark.parametrize("accuracy", [1.0, 0.0])
def test_no_axis_names_a_share_that_there_is_not(accuracy, fill_all, smoke, tmp_path, figure_spy):
    draw_curves(
        fill_all("figure-4-multitask", smoke, tmp_path / "runs", speaker_accuracy=accuracy),
        tmp_path / "curves.png",
    )
    axes = figure_spy[0].axes[2]
    low, high = axes.get_ylim()
    assert low < 100 * accuracy < high
    assert high - low >= 4
    assert all(max(low, 0) <= tick <= min(high, 100) for tick in axes.get_yticks())
