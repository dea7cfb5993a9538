"""Curves of detection errors, and what is drawn of them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from reports import det
from ser_aae.results.trials import det_curve


def curve(shift, seed=0, targets=400, impostors=4000):
    draw = np.random.default_rng(seed)
    scores = np.concatenate([draw.normal(shift, 1, targets), draw.normal(0, 1, impostors)])
    target = np.arange(len(scores)) < targets
    return det_curve(pd.DataFrame({"target": target, "score": scores}))


@pytest.fixture
def drawn(monkeypatch):
    """Keep the figures that are drawn, to look at what is in them."""
    kept = []
    inner = det.drawn_to

    class Spy:
        def __init__(self, *arguments, **options):
            self.manager = inner(*arguments, **options)

        def __enter__(self):
            kept.append(self.manager.__enter__())
            return kept[-1]

        def __exit__(self, *error):
            return self.manager.__exit__(*error)

    monkeypatch.setattr(det, "drawn_to", Spy)
    return kept


def lines_of(figure):
    """Return the curves; their markers and the diagonal are lines too."""
    return [line for line in figure.axes[0].lines if "equal at" in str(line.get_label())]


def test_a_line_a_model_with_the_equal_error_rate_in_the_legend(
    tmp_path, drawn, pixels, check_nothing_is_cut_off
):
    det.draw_det({"CNN": curve(1.0), "AAE": curve(2.0)}, tmp_path / "det.png", in_paper=True)
    pixels(tmp_path / "det.png")
    assert (tmp_path / "det.pdf").stat().st_size > 1000
    (figure,) = drawn
    cnn, aae = lines_of(figure)
    assert cnn.get_linestyle() != aae.get_linestyle()
    # normals that lie 1 and 2 apart cross at 30.9 and 15.9 per cent
    for line, wanted in ((cnn, 30.9), (aae, 15.9)):
        told = float(line.get_label().split("equal at ")[1].split()[0])
        assert told == pytest.approx(wanted, abs=2)
    check_nothing_is_cut_off(figure)


def test_normal_scores_are_a_straight_line(tmp_path, drawn):
    det.draw_det({"AAE": curve(2.0, targets=4000, impostors=40000)}, tmp_path / "det.png")
    (line,) = lines_of(drawn[0])
    x, y = line.get_data()
    # where there are enough trials to tell rates apart
    middle = (np.abs(x) < 1.5) & (np.abs(y) < 1.5)
    slope, height = np.polyfit(x[middle], y[middle], 1)
    assert slope == pytest.approx(-1, abs=0.1)
    assert height == pytest.approx(-2, abs=0.15)


def test_scores_that_part_perfectly_can_be_drawn(tmp_path, drawn):
    det.draw_det({"perfect": curve(50.0)}, tmp_path / "det.png")
    (line,) = lines_of(drawn[0])
    assert np.isfinite(line.get_data()).all()
    assert "equal at 0.0 %" in line.get_label()


def test_the_axes_name_rates_in_per_cent_and_are_alike(tmp_path, drawn):
    det.draw_det({"AAE": curve(1.0)}, tmp_path / "det.png", mark="synthetic")
    (axes,) = drawn[0].axes
    assert axes.get_xlim() == axes.get_ylim()
    names = [text.get_text() for text in axes.get_xticklabels()]
    assert names[:4] == ["0.1", "1", "5", "20"]
    np.testing.assert_allclose(norm.cdf(axes.get_xticks()), det.TICKS)
    assert [text.get_text() for text in drawn[0].texts] == ["synthetic"]
