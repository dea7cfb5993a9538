"""What the tests of pictures share."""

import pytest
from matplotlib.image import imread

from reports import figures, scatter


@pytest.fixture
def pixels():
    """A function: path of a PNG, which must show something, to its pixels."""

    def read(path):
        image = imread(path)
        assert image.std() > 0.01
        return image

    return read


@pytest.fixture
def figure_spy(monkeypatch):
    """Keep the figures that are drawn, to look at what is in them."""
    kept = []
    inner = figures.drawn_to

    def spy(*arguments, **options):
        manager = inner(*arguments, **options)
        enter = manager.__enter__

        class Kept:
            def __enter__(self):
                kept.append(enter())
                return kept[-1]

            def __exit__(self, *error):
                return manager.__exit__(*error)

        return Kept()

    for module in (figures, scatter):
        monkeypatch.setattr(module, "drawn_to", spy)
    return kept


@pytest.fixture
def check_nothing_is_cut_off():
    """A function: a figure, none of whose texts may reach over its edge."""

    def check(figure):
        whole = figure.bbox
        for axes in figure.axes:
            texts = [*axes.texts, axes.title, axes._left_title]
            boxes = [text.get_window_extent() for text in texts if text.get_text()]
            if axes.get_legend():
                boxes.append(axes.get_legend().get_window_extent())
            for box in boxes:
                assert box.x0 >= whole.x0 - 1
                assert box.x1 <= whole.x1 + 1
                assert box.y1 <= whole.y1 + 1

    return check
