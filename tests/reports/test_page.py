"""The page of a report: one file that reads nothing from elsewhere."""

import base64
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imsave

from reports.page import Section, page
from reports.picture_form import PictureForm
from reports.style import drawn_to

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+M8AAAMBAQAY3Y2wAAAAAElFTkSuQmCC"
)
NASTY = "</style><script>alert(\"1\")</script><img src=x onerror='y'>"


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(PIXEL)
    return path


def test_every_field_of_a_section_is_escaped(picture):
    frame = pd.DataFrame({NASTY: [NASTY]})
    section = Section(
        title=NASTY,
        badges=[NASTY],
        lead=NASTY,
        warnings=[NASTY],
        tables=[(NASTY, frame, NASTY)],
        pictures=[(picture, NASTY)],
        notes=[(NASTY, NASTY)],
        details=[(NASTY, frame)],
    )
    text = page(NASTY, NASTY, [section])
    assert "<script" not in text
    assert "onerror='y'" not in text
    assert text.count("</style>") == 1
    # title twice (tab and heading), introduction, and 17 places of the section, of which two are
    # the heads of its tables again
    assert text.count("&lt;script&gt;") == 20


def test_pictures_are_inside_the_page_and_described(picture):
    text = page("t", "i", [Section(title="s", pictures=[(picture, "A picture")])])
    encoded = base64.b64encode(PIXEL).decode()
    shown = f'<img alt="A picture" style="--width: 1px" src="data:image/png;base64,{encoded}">'
    assert shown in text
    assert "<figcaption>A picture</figcaption>" in text


def test_what_a_section_lacks_leaves_nothing_behind():
    text = page("t", "i", [Section(title="s")])
    for tag in ("<table", "<figure", "<details", "<code>", 'class="warn"', 'class="lead"'):
        assert tag not in text


def test_an_empty_table_is_not_folded_away_to_be_found_empty():
    full, empty = pd.DataFrame({"a": [1]}), pd.DataFrame()
    text = page("t", "i", [Section(title="s", details=[("full", full), ("empty", empty)])])
    assert "<summary>full</summary>" in text
    assert "<summary>empty</summary>" not in text


def test_a_note_without_command_is_a_sentence():
    text = page("t", "i", [Section(title="s", notes=[("Just so.", "")])])
    assert "<p>Just so.</p>" in text
    assert "<code>" not in text


def test_the_order_puts_the_figure_before_its_warnings_and_both_before_tables(picture):
    section = Section(
        title="title",
        badges=["badge"],
        lead="lead",
        warnings=["warning"],
        tables=[("table", pd.DataFrame({"a": [1]}), "command")],
        pictures=[(picture, "caption")],
        details=[("details", pd.DataFrame({"a": [1]}))],
    )
    text = page("t", "i", [section])
    order = [">title", ">badge<", ">lead<", ">warning<", "<h3>table", ">command<", "<img"]
    places = [text.index(word) for word in [*order, "<summary>details"]]
    assert places == sorted(places)


@pytest.mark.parametrize("dpi", [50, 130, 600])
@pytest.mark.parametrize(("width", "pixels"), [("", 1040), ("column", 455), ("page", 819)])
def test_a_picture_is_as_wide_on_the_page_as_its_inches_whatever_its_resolution(
    tmp_path, dpi, width, pixels
):
    path = tmp_path / "a.png"
    with drawn_to(path, 1.0, form=PictureForm(dpi=dpi, width=width)):
        pass
    text = page("title", "words", [Section("a", pictures=[(path, "caption")])])
    (shown,) = re.findall(r"--width: (\d+)px", text)
    assert int(shown) == pytest.approx(pixels, abs=12)
    assert 'class="scroll"><img' in text


def test_a_picture_without_a_resolution_has_a_pixel_for_a_pixel(tmp_path):
    path = tmp_path / "a.png"
    imsave(path, np.zeros((4, 60)))
    content = path.read_bytes()
    (start,) = [match.start() for match in re.finditer(b"pHYs", content)]
    path.write_bytes(content[: start - 4] + content[start + 17 :])
    text = page("title", "words", [Section("a", pictures=[(path, "caption")])])
    assert "--width: 60px" in text
