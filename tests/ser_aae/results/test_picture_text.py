"""Names in pictures that matplotlib would leave out or could not draw."""

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from reports.style import drawn_to
from ser_aae.results import picture_text
from ser_aae.results.picture_text import font_families, legend_name


@pytest.fixture
def fresh_fonts():
    """Fonts are looked for anew, before and after."""
    font_families.cache_clear()
    yield
    font_families.cache_clear()


@pytest.mark.parametrize(("name", "shown"), [("anna", "anna"), ("_anna", "_anna"), ("", "")])
def test_a_legend_has_a_name_whatever_it_begins_with(name, shown):
    axes = Figure().subplots()
    axes.plot([0, 1], label=legend_name(name))
    handles, labels = axes.get_legend_handles_labels()
    legend = axes.legend(handles, labels)
    assert [text.get_text().strip() for text in legend.get_texts()] == ([shown] if shown else [])


def test_only_installed_fonts_follow_the_first(fresh_fonts, monkeypatch):
    monkeypatch.setattr(fontManager, "get_font_names", lambda: ["SimHei", "Comic", "DejaVu Sans"])
    assert font_families() == ("DejaVu Sans", "SimHei")


def test_a_picture_is_drawn_with_all_of_them(tmp_path):
    with drawn_to(tmp_path / "a.png", 2.0):
        assert mpl.rcParams["font.family"] == list(font_families())


def test_chinese_is_drawn_where_a_font_has_it(tmp_path):
    if len(font_families()) == 1:
        pytest.skip(f"none of {', '.join(picture_text._FURTHER_FONTS)} is installed")
    # a letter that no font has is a warning, and that an error here
    with drawn_to(tmp_path / "a.png", 2.0) as figure:
        figure.text(0.5, 0.5, "愤怒")
