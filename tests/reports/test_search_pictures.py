"""Pictures of a search, from files written here as a search writes them."""

import numpy as np
import pytest

from reports import search_sections
from ser_aae.errors import UserError
from ser_aae.results.search_folder import find_searches, read_search

TENTHS = [number / 10 for number in range(1, 11)]
VALUES = {"latent": [8, 16, 32, 64], "alpha": TENTHS, "optimiser": ["adam", "sgd"]}


def row(number, values, objective, epochs=10):
    return {
        "trial": f"{number:02d}",
        "values": values,
        "objective": objective,
        "epochs": epochs,
        "runs": [{"validation_unweighted_accuracy": objective}],
    }


def some_rows(count, values=VALUES):
    draw = np.random.default_rng(0)
    return [
        row(
            number,
            {name: own[draw.integers(len(own))] for name, own in values.items()},
            draw.random(),
        )
        for number in range(count)
    ]


@pytest.fixture
def left(leave_search):
    """A function: rows (dimensions, name of the space) -> the folder of their search."""

    def write(rows, values=VALUES, space="latent,alpha,optimiser"):
        return leave_search(rows, values, space=space, executions=2)

    return write


def draw_search(folder, out):
    return search_sections.draw_search(read_search(folder), folder, out)


def test_a_search_gives_three_pictures(left, tmp_path, pixels):
    drawn = draw_search(left(some_rows(12)), tmp_path / "out")
    assert [path.name.rpartition("-")[2] for path, _ in drawn] == [
        "parameters.png",
        "parallel.png",
        "best.png",
    ]
    assert all(path.name.startswith("search-tiny-mtl-0123abcd-") for path, _ in drawn)
    assert [pixels(path).ndim for path, _ in drawn] == [3, 3, 3]
    assert "12 trials, each the mean of 4 runs" in drawn[0][1]


def test_the_same_search_gives_the_same_bytes(left, tmp_path):
    folder = left(some_rows(5))
    for name in ("one", "two"):
        draw_search(folder, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_before_the_first_trial_there_is_nothing_to_draw(left, tmp_path):
    folder = left(None)
    assert draw_search(folder, tmp_path / "out") == []
    assert not (tmp_path / "out").exists()


def test_one_trial_is_drawn_too(left, tmp_path):
    assert len(draw_search(left(some_rows(1)), tmp_path / "out")) == 3


def test_panels_show_every_trial_and_the_mean_of_a_value(left, tmp_path, figure_spy):
    rows = [
        row(0, {"latent": 8, "alpha": 0.1, "optimiser": "adam"}, 0.40),
        row(1, {"latent": 8, "alpha": 0.3, "optimiser": "sgd"}, 0.60),
        row(2, {"latent": 64, "alpha": 0.3, "optimiser": "sgd"}, 0.70),
    ]
    search_sections.objective_by_parameter(read_search(left(rows)), tmp_path / "a.png")
    latent, alpha, _ = figure_spy[-1].axes
    points, means, best = latent.lines
    np.testing.assert_allclose(points.get_ydata(), [40, 60, 70])
    np.testing.assert_array_equal(points.get_xdata(), [0, 0, 3])
    np.testing.assert_allclose(means.get_ydata(), [50, 70])
    assert best.get_xdata() == [3]
    assert [text.get_text() for text in latent.get_xticklabels()] == ["8", "16", "32", "64"]
    np.testing.assert_array_equal(alpha.lines[0].get_xdata(), [0, 2, 2])


def test_parallel_coordinates_end_at_the_accuracy_and_the_best_is_thick(left, tmp_path, figure_spy):
    rows = some_rows(6)
    search_sections.parallel_coordinates(read_search(left(rows)), tmp_path / "a.png")
    lines = figure_spy[-1].axes[0].lines
    ends = [line.get_ydata()[-1] for line in lines]
    assert len(lines) == 6
    assert ends == sorted(ends)
    assert [line.get_linewidth() for line in lines] == [1, 1, 1, 1, 1, 3]
    best = max(rows, key=lambda item: item["objective"])["values"]
    heights = [VALUES[n].index(best[n]) / (len(VALUES[n]) - 1) for n in VALUES]
    np.testing.assert_allclose(lines[-1].get_ydata()[:3], heights)


def test_best_so_far_never_falls(left, tmp_path, figure_spy):
    values = [0.3, 0.5, 0.4, 0.6, 0.1]
    rows = [item | {"objective": value} for item, value in zip(some_rows(5), values, strict=True)]
    search_sections.best_so_far(read_search(left(rows)), tmp_path / "a.png")
    trials, best = figure_spy[-1].axes[0].lines
    np.testing.assert_allclose(trials.get_ydata(), [30, 50, 40, 60, 10])
    np.testing.assert_allclose(best.get_ydata(), [30, 50, 50, 60, 60])


def test_figure_5_has_its_two_curves(left, tmp_path, figure_spy, check_nothing_is_cut_off):
    values = {"alpha": TENTHS, "beta": TENTHS[:9]}
    points = [(alpha, 0.5) for alpha in TENTHS] + [(1.0, b) for b in TENTHS[:9] if b != 0.5]
    rows = [
        row(number, {"alpha": alpha, "beta": beta}, alpha / 2 + beta / 4)
        for number, (alpha, beta) in enumerate(points)
    ]
    drawn = draw_search(left(rows, values, "figure-5"), tmp_path / "out")
    assert len(drawn) == 4
    assert "Fig. 5" in drawn[0][1]
    figure = figure_spy[-1]
    over_alpha, over_beta = figure.axes[0].lines
    np.testing.assert_allclose(over_alpha.get_xdata(), TENTHS)
    np.testing.assert_allclose(over_beta.get_xdata(), TENTHS[:9])
    np.testing.assert_allclose(over_beta.get_ydata(), [50 + 25 * beta for beta in TENTHS[:9]])
    assert over_alpha.get_linestyle() != over_beta.get_linestyle()
    check_nothing_is_cut_off(figure)


def test_figure_5_of_three_tasks_has_three_panels(left, tmp_path, figure_spy):
    values = {"alpha": TENTHS, "beta": TENTHS[:9]}
    one = read_search(left([row(0, {"alpha": 1.0, "beta": 0.5}, 0.5)], values, "figure-5"))
    tasks = ("emotion", "activation", "valence")
    search_sections.alpha_and_beta(dict.fromkeys(tasks, one), tmp_path / "a.png")
    assert [axes.get_title(loc="left") for axes in figure_spy[-1].axes] == list(tasks)


def test_hyperbands_short_trials_are_not_compared_with_long_ones(left, tmp_path):
    rows = some_rows(6)
    rows = [item | {"epochs": 2 if number < 4 else 9} for number, item in enumerate(rows)]
    (_, caption), _, (_, best) = draw_search(left(rows), tmp_path / "out")
    assert "2 trials" in caption
    assert "4 with fewer epochs left out" in caption
    assert "over 6 trials" in best


def test_searches_are_found_below_the_runs(left, tmp_path):
    folder = left(some_rows(1))
    assert find_searches(tmp_path / "runs") == [folder]
    assert find_searches(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    "broken",
    [
        {"values": {"latent": 9, "alpha": 0.1, "optimiser": "adam"}},
        {"values": {"latent": 8}},
        {"objective": "good"},
        {"epochs": "many"},
        {"runs": [{}]},
    ],
)
def test_files_that_do_not_fit_are_told_as_such(left, tmp_path, broken):
    folder = left([some_rows(1)[0] | broken])
    with pytest.raises(UserError, match=r"trials\.json: .*; give the search's command again"):
        draw_search(folder, tmp_path / "out")


@pytest.mark.parametrize("name", ["search.json", "trials.json"])
def test_half_a_file_is_mended_by_the_searchs_command(left, tmp_path, name):
    folder = left(some_rows(1))
    (folder / name).write_text("{")
    with pytest.raises(UserError, match=rf"{name}: not JSON .*; give the search's command again"):
        draw_search(folder, tmp_path / "out")
