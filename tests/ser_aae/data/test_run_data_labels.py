"""Which rows train where some have no label, and for how many steps."""

from dataclasses import replace

import numpy as np
import pytest

from ser_aae.batches.pipeline import measure_normalisation, steps_per_epoch
from ser_aae.config import DataConfig, ModelConfig
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError

WHOLE = DataConfig(segment_frames=64)
QUARTER = replace(WHOLE, labelled_fraction=0.25)


@pytest.fixture
def train(kfold_config, tiny_store):
    """A function: kind of model, data (auxiliary tasks) -> what is trained on, and warnings."""

    def make(kind, data, tasks=("gender", "speaker")):
        model = ModelConfig(kind=kind, auxiliary_tasks=tasks)
        found = assemble(replace(kfold_config, model=model, data=data), tiny_store)
        (part,) = found.train
        return part, found.warnings

    return make


def labels_of(part):
    return part.labels["emotion"][part.rows]


def test_a_supervised_cnn_trains_on_labelled_rows_alone(train):
    (whole, nothing), (part, warnings) = train("cnn", WHOLE), train("cnn", QUARTER)
    assert len(whole.rows) == 32
    assert sorted(labels_of(part)) == [0, 0, 1, 1, 2, 2, 3, 3]
    np.testing.assert_array_equal(labels_of(part), whole.labels["emotion"][part.rows])
    assert nothing == []
    assert warnings == ["24 of 32 training utterances have no label and are left out"]


def test_nothing_of_the_rows_left_out_is_in_the_normalisation(train):
    part, _ = train("cnn", QUARTER)
    labelled = replace(part, epoch_rows=None)
    found, expected = measure_normalisation([part]), measure_normalisation([labelled])
    np.testing.assert_array_equal(found.mean, expected.mean)
    whole = measure_normalisation([train("cnn", WHOLE)[0]])
    assert not np.allclose(found.mean, whole.mean)


@pytest.mark.parametrize("kind", ["cnn", "cnn-mtl", "mtl"])
@pytest.mark.parametrize("fraction", [0.1, 0.25, 1.0])
def test_an_epoch_has_the_same_steps_at_every_share(train, kind, fraction):
    part, _ = train(kind, replace(WHOLE, labelled_fraction=fraction))
    steps = steps_per_epoch([part], WHOLE, 4, mixed=False)
    assert steps == steps_per_epoch([train("mtl", WHOLE)[0]], WHOLE, 4, mixed=False)
    assert steps > len(part.rows) / 4


@pytest.mark.parametrize("kind", ["cnn-mtl", "ae", "stl", "mtl"])
def test_a_model_that_learns_from_other_rows_keeps_them(train, kind):
    part, warnings = train(kind, QUARTER)
    assert len(part.rows) == 32
    assert (labels_of(part) == -1).sum() == 24
    assert part.epoch_rows is None
    assert warnings == []


def test_a_cnn_whose_other_tasks_were_taken_away_is_a_supervised_one(train):
    assert len(train("cnn-mtl", QUARTER, tasks=())[0].rows) == 8


def test_where_all_rows_are_labelled_nothing_changes(train):
    for kind in ("cnn", "mtl"):
        part, _ = train(kind, WHOLE)
        assert part.rows.tolist() == train("ae", WHOLE)[0].rows.tolist()
        assert part.epoch_rows is None


def test_a_share_that_leaves_no_label_is_refused_where_labels_are_all(train):
    none = replace(WHOLE, labelled_fraction=0.0)
    with pytest.raises(UserError, match=r"labelled_fraction: 0 leaves .* choose a larger share"):
        train("cnn", none)
    assert len(train("mtl", none)[0].rows) == 32
