"""Pictures of a run: losses, confusions and examples."""

import math

import numpy as np
import pytest

from reports import run_plots
from reports.picture_form import DPI, WIDTH_INCHES, WIDTHS, PictureForm
from reports.style import drawn_to


def history(stage_1=2, stage_2=6, adversary=True):
    """Epochs of both stages; the rate is halved in the fourth epoch of stage 2."""
    rows = []
    for epoch in range(stage_1 + stage_2):
        stage = 1 if epoch < stage_1 else 2
        train = {"reconstruction_loss": 1 / (epoch + 1), "gender_loss": 0.5, "gender_accuracy": 0.8}
        if adversary:
            train |= {"discriminator_loss": 0.6, "generator_loss": 0.9}
            train |= {"discriminator_accuracy": 0.7}
        validation = {}
        if stage == 2:
            train |= {"emotion_loss": 1.2, "emotion_accuracy": 0.5}
            validation = {"unweighted_accuracy": 0.4, "weighted_accuracy": 0.45}
        rates = {"reconstruction": 1e-3 if epoch < stage_1 + 3 else 5e-4}
        rows.append(
            {
                "stage": stage,
                "epoch": epoch,
                "learning_rates": rates,
                "train": train,
                "validation": validation,
            }
        )
    return rows


def test_a_picture_is_written_whole_with_the_same_bytes_each_time(tmp_path, pixels):
    for name in ("one.png", "two.png"):
        with drawn_to(tmp_path / name, 2.0) as figure:
            figure.subplots().plot([0, 1], [0, 1])
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert pixels(tmp_path / "one.png").shape[:2] == (2 * DPI, WIDTH_INCHES * DPI)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_failure_while_drawing_leaves_no_picture(tmp_path):
    with pytest.raises(RuntimeError), drawn_to(tmp_path / "p.png", 2.0):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_segment_and_reconstruction_share_scale_and_time(tmp_path, figure_spy, pixels):
    segment = np.random.default_rng(0).normal(size=(128, 256))
    run_plots.segment_and_reconstruction([segment, 0.1 * segment], tmp_path / "s.png")
    pixels(tmp_path / "s.png")
    upper, lower, bar = figure_spy[0].axes
    assert upper.images[0].get_clim() == lower.images[0].get_clim()
    assert upper.images[0].get_extent()[1] == pytest.approx(2.56)
    assert bar.get_ylabel() == "normalised level"
    # a run of before kept neither where its bins lie nor whose segment it is
    assert (upper.get_ylabel(), upper.get_title(loc="left")) == ("frequency bin", "Segment")


def test_a_segment_is_drawn_in_khz_with_whose_it_is(tmp_path, figure_spy):
    band_hz = np.linspace(50, 7950, 80)
    image = np.random.default_rng(0).normal(size=(80, 40))
    named = {"band_hz": band_hz, "whose": "a-1, anger, demo:s1"}
    run_plots.segment_and_reconstruction([image], tmp_path / "s.png", **named)
    axes, _ = figure_spy[0].axes  # a model without a decoder has no second panel
    assert axes.get_title(loc="left") == "Segment\na-1, anger, demo:s1"
    assert axes.get_ylabel() == "kHz"
    ticks = {float(label.get_text()): label.get_position()[1] for label in axes.get_yticklabels()}
    assert {1.0, 2.0, 4.0} <= set(ticks)
    for khz, place in ticks.items():
        assert np.interp(place, np.arange(80), band_hz) == pytest.approx(1000 * khz)


def test_the_emotion_has_no_line_in_stage_1_whatever_was_logged(tmp_path, figure_spy):
    rows = history()
    for row in rows[:2]:
        row["train"] |= {"emotion_loss": 0.0, "emotion_accuracy": 0.0}
    run_plots.learning_curves(rows, tmp_path / "c.png")
    for axes in figure_spy[0].axes:
        for line in (line for line in axes.lines if line.get_label() in ("emotion", "gender")):
            known = np.isfinite(line.get_ydata()).tolist()
            # the line is broken between the stages
            assert known == [line.get_label() == "gender"] * 2 + [False] + [True] * 6


def test_learning_curves_have_the_phases_the_band_and_the_schedule(tmp_path, figure_spy, pixels):
    run_plots.learning_curves(history(), tmp_path / "c.png")
    pixels(tmp_path / "c.png")
    panels = {axes.get_title(loc="left"): axes for axes in figure_spy[0].axes}
    assert len(panels) == 6
    adversary = panels["Adversary"]
    lines = {line.get_label(): line for line in adversary.lines}
    assert set(lines["guess"].get_ydata()) == {math.log(2)}
    band = next(patch for patch in adversary.patches if patch.get_label() == "alive")
    assert (band.get_y(), band.get_y() + band.get_height()) == (0.3, pytest.approx(1.0))
    for axes in panels.values():
        ticks = [line.get_xdata() for line in axes.lines if line.get_marker() == "^"]
        assert [list(tick) for tick in ticks] == [[4]]  # the fourth of stage 2
        assert any(list(line.get_xdata()) == [0.5, 0.5] for line in axes.lines)


def test_the_epochs_of_each_stage_count_from_1_and_no_line_joins_the_stages(tmp_path, figure_spy):
    run_plots.learning_curves(history(), tmp_path / "c.png")
    axes = figure_spy[0].axes[0]
    form = axes.xaxis.get_major_formatter()
    places = [-1, 0, 1, 2, 6]  # two epochs of stage 1, then those of stage 2
    assert [form(place, 0) for place in places] == ["1", "2", "1", "2", "6"]
    assert form(1.5, 0) == ""
    places, values = axes.lines[0].get_data()
    assert np.isnan(values[list(places).index(0.5)])
    assert "on grey: of stage 1" in figure_spy[0].get_supxlabel()
    run_plots.learning_curves(history(stage_1=0), tmp_path / "c.png")
    assert figure_spy[1].get_supxlabel() == "epoch of stage 2 (▲ learning rate lowered)"
    run_plots.learning_curves(history(0, 3), tmp_path / "c.png")
    assert figure_spy[2].get_supxlabel() == "epoch of stage 2"


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ("alive", "Adversary: alive"),
        ("discriminator wins", "Adversary: dead, the discriminator wins"),
        ("guessing", "Adversary: guessing"),
        ("not settled", "Adversary: not settled"),
        ("", "Adversary"),
    ],
)
def test_the_panel_of_the_adversary_says_in_words_how_it_is(tmp_path, figure_spy, state, title):
    run_plots.learning_curves(history(), tmp_path / "c.png", adversary=state)
    assert title in [axes.get_title(loc="left") for axes in figure_spy[0].axes]


def test_in_a_column_all_panels_lie_one_above_the_other(
    tmp_path, figure_spy, check_nothing_is_cut_off
):
    form = PictureForm(width="column")
    run_plots.learning_curves(history(), tmp_path / "c.png", form=form)
    names = ["anger", "happiness", "neutral", "sadness"]
    run_plots.confusion_matrix(np.eye(4), names, tmp_path / "m.png", form=form)
    image = np.random.default_rng(0).normal(size=(80, 40))
    whose = "03-01-03-01-02-02-10, happiness, ravdess:10"
    images = [image, image]
    run_plots.segment_and_reconstruction(images, tmp_path / "s.png", whose=whose, form=form)
    for figure in figure_spy:
        assert len({round(axes.get_position().y0, 3) for axes in figure.axes}) > 1
        assert figure.get_figwidth() == WIDTHS["column"]
        check_nothing_is_cut_off(figure)


def test_an_autoencoder_has_no_panels_of_the_adversary(tmp_path, figure_spy):
    run_plots.learning_curves(history(stage_1=0, adversary=False), tmp_path / "c.png")
    titles = [axes.get_title(loc="left") for axes in figure_spy[0].axes]
    assert not [title for title in titles if "Adversary" in title]
    assert len(titles) == 4


@pytest.mark.parametrize("rows", [history(0, 1), [{"stage": 2, "epoch": 0}]])
def test_one_epoch_and_an_empty_one_can_be_drawn(tmp_path, rows):
    run_plots.learning_curves(rows, tmp_path / "c.png")
    assert (tmp_path / "c.png").is_file()


def test_figures_that_an_epoch_lacks_leave_a_gap(tmp_path, figure_spy):
    rows = history(0, 5)
    rows[2]["train"]["gender_loss"] = None
    run_plots.learning_curves(rows, tmp_path / "c.png")
    lines = [line for axes in figure_spy[0].axes for line in axes.lines]
    gaps = [line for line in lines if np.isnan(np.asarray(line.get_ydata(), float)).sum() == 1]
    assert [line.get_label() for line in gaps] == ["gender"]


@pytest.mark.parametrize("count", [2, 4, 8])
def test_confusion_has_counts_and_shares(tmp_path, figure_spy, count, pixels):
    matrix = np.arange(count * count).reshape(count, count)
    matrix[0] = 0  # a class without truth has no shares, and no warning
    run_plots.confusion_matrix(matrix, [f"class {n}" for n in range(count)], tmp_path / "m.png")
    pixels(tmp_path / "m.png")
    counts, shares = figure_spy[0].axes
    assert [text.get_text() for text in counts.texts] == [str(n) for n in matrix.flat]
    rows = np.array([float(text.get_text()) for text in shares.texts]).reshape(count, count)
    assert rows.sum(axis=1) == pytest.approx([0] + [100] * (count - 1), abs=0.5)


def test_no_text_of_a_picture_is_cut_off(tmp_path, figure_spy, check_nothing_is_cut_off):
    run_plots.learning_curves(history(8, 30), tmp_path / "c.png")
    names = ["anger", "happiness", "neutral", "sadness"]
    run_plots.confusion_matrix(np.eye(4, dtype=int), names, tmp_path / "m.png")
    for figure in figure_spy:
        check_nothing_is_cut_off(figure)
