"""Kinds, resolution and width of a report's pictures: each changes the files."""

import pytest
from matplotlib.image import imread

from reports import curves, det, run_plots, scatter, search_sections
from reports.picture_form import KINDS, ON_SCREEN, WIDTHS, PictureForm
from reports.style import drawn_to


def draw(folder, form, **options):
    path = folder / "p.png"
    with drawn_to(path, 2.0, form=form, **options) as figure:
        figure.subplots().plot([0, 1], [0, 1])
    return {file.suffix[1:]: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("kinds", "in_paper", "written"),
    [
        (None, False, {"png"}),
        (None, True, {"png", "pdf"}),
        (("png",), True, {"png"}),
        (("svg",), False, {"png", "svg"}),
        (KINDS, False, {"png", "pdf", "svg"}),
    ],
)
def test_a_picture_has_the_kinds_of_files_that_are_asked_for(tmp_path, kinds, in_paper, written):
    form = PictureForm(kinds)
    found = draw(tmp_path, form, in_paper=in_paper)
    assert set(found) == written
    listed = form.files_of(tmp_path / "p.png", in_paper=in_paper)
    assert (listed[0].name, {file.suffix[1:] for file in listed}) == ("p.png", written)


def test_the_same_picture_has_the_same_bytes_in_each_kind(tmp_path):
    found = []
    for name in "ab":
        (tmp_path / name).mkdir()
        found.append(draw(tmp_path / name, PictureForm(KINDS)))
    assert found[0] == found[1]
    assert found[0]["pdf"].startswith(b"%PDF")
    assert b"<svg" in found[0]["svg"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dpi", [100, 300])
def test_width_and_resolution_are_those_that_are_asked_for(tmp_path, width, dpi):
    draw(tmp_path, PictureForm(dpi=dpi, width=width))
    shape = imread(tmp_path / "p.png").shape
    assert shape[:2] == (2 * dpi, int(WIDTHS[width] * dpi))


def test_panels_lie_side_by_side_where_there_is_room():
    assert ON_SCREEN.columns(3, 9.5, 4.0) == 3  # a screen scrolls
    assert PictureForm(width="page").columns(3, 9.5, 2.0) == 3
    assert PictureForm(width="page").columns(3, 9.5, 3.0) == 2
    assert PictureForm(width="column").columns(3, 9.5, 4.0) == 1


def test_no_module_draws_a_picture_past_the_form():
    for module in (curves, det, run_plots, scatter, search_sections):
        assert module.drawn_to is drawn_to
