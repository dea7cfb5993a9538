"""The space as data."""

from dataclasses import replace

import pytest

from ser_aae.config import ModelConfig, RunConfig, TrainingConfig
from ser_aae.config.fields import Given, read_value, with_settings
from ser_aae.errors import UserError
from tuning.space import DIMENSIONS, check_space, narrow_space, read_space


def test_the_space_is_the_papers_by_default():
    space = read_space("latent,alpha,beta")
    values = {item.keys: item.values for item in space.dimensions}
    assert values == {
        ("model.latent_channels",): (8, 16, 32, 64),
        ("model.alpha",): (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        ("model.beta",): (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    }
    assert space.size() == 4 * 10 * 9


def test_what_is_recorded_of_a_dimension_stays_as_it_is():
    assert read_space("masks,auxiliary-ratio").to_dict() == {
        "masks": {
            "keys": ["data.mask_bins", "data.mask_frames"],
            "values": [0, 8, 16, 32],
            "doc": "widest masks",
        },
        "auxiliary-ratio": {
            "keys": ["data.auxiliary_ratio"],
            "values": [0.1, 0.25, 0.5, 0.75],
            "doc": "share of auxiliary rows in a batch",
        },
    }


@pytest.mark.parametrize("name", DIMENSIONS)
def test_every_value_is_one_a_user_could_have_set(name):
    dimension = DIMENSIONS[name]
    assert len(set(dimension.values)) == len(dimension.values) > 1
    for key in dimension.keys:
        for value in dimension.values:
            assert read_value(Given(key, str(value), "")) == value
            config = with_settings(RunConfig(), {key: value})
            group, _, leaf = key.partition(".")
            assert getattr(getattr(config, group), leaf) == value


def test_points_are_all_combinations_each_once():
    space = read_space("optimiser,latent")
    points = list(space.points())
    assert points == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)]
    assert space.settings(points[5]) == {"training.optimiser": "sgd", "model.latent_channels": 16}


def test_masks_are_as_long_as_they_are_wide():
    assert read_space("masks").settings([2]) == {"data.mask_bins": 16, "data.mask_frames": 16}


def test_a_point_of_the_wrong_length_is_no_point():
    with pytest.raises(ValueError, match="shorter"):
        read_space("alpha,beta").settings([1])


def test_figure_5_lists_its_points():
    space = read_space("figure-5")
    found = [tuple(space.settings(point).values()) for point in space.points()]
    tenths = [number / 10 for number in range(1, 11)]
    assert set(found) == {(a, 0.5) for a in tenths} | {(1.0, b) for b in tenths[:9]}
    assert len(found) == space.size() == 18


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latent,alpa", "there is no 'alpa'; did you mean alpha"),
        ("", "there is no ''"),
        ("alpha,beta,alpha", "alpha is named twice"),
        ("figure5", "did you mean figure-5"),
    ],
)
def test_a_space_that_is_none_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        read_space(text)


@pytest.mark.parametrize(
    ("kind", "space", "message"),
    [
        ("cnn", "alpha", "a CNN reconstructs nothing"),
        ("cnn", "latent", "a CNN has no latent code"),
        ("stl", "beta", "against no other"),
        ("mtl", "auxiliary-ratio", "goes with --auxiliary"),
    ],
)
def test_what_changes_nothing_is_not_searched(kind, space, message):
    serial = replace(TrainingConfig(), update="serial")
    config = RunConfig(model=replace(ModelConfig(), kind=kind), training=serial)
    with pytest.raises(UserError, match=message):
        check_space(read_space(space), config)


def test_a_space_is_narrowed_to_what_changes_a_model():
    cnn = RunConfig(model=replace(ModelConfig(), kind="cnn"))
    space = read_space("latent,rate,alpha,beta")
    assert narrow_space(space, cnn).name == "rate"
    assert narrow_space(space, RunConfig()) is space
    assert not narrow_space(read_space("alpha,beta"), cnn).dimensions


def test_what_changes_something_is():
    check_space(read_space("latent,alpha,beta"), RunConfig())
    check_space(read_space("auxiliary-ratio,rate"), RunConfig(auxiliary=("voices",)))
    check_space(read_space("alpha"), RunConfig(model=replace(ModelConfig(), kind="ae")))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [("ae", {"optimiser": "sgd"}), ("cnn", {"optimiser": "sgd"}), ("stl", {"update": "joint"})],
)
def test_beta_of_one_task_is_searched_where_its_gradient_keeps_it(kind, changes):
    training = replace(TrainingConfig(), **changes)
    model = replace(ModelConfig(), kind=kind)
    check_space(read_space("beta"), RunConfig(model=model, training=training))


def test_a_cnn_of_one_task_has_one_gradient_in_either_update():
    training = replace(TrainingConfig(), update="joint")
    config = RunConfig(model=replace(ModelConfig(), kind="cnn"), training=training)
    with pytest.raises(UserError, match="against no other"):
        check_space(read_space("beta"), config)
