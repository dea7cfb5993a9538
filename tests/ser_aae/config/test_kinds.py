"""The table of kinds: each baseline as a subset of the method."""

from dataclasses import replace

import pytest

from ser_aae.config import ModelConfig
from ser_aae.config.fields import choices
from ser_aae.config.kinds import KINDS


def model(kind, tasks=("gender",)):
    return replace(ModelConfig(), kind=kind, auxiliary_tasks=tasks)


def test_every_kind_that_can_be_set_has_a_row():
    assert choices("model.kind") == tuple(KINDS)
    assert all(name == kind.name for name, kind in KINDS.items())


def test_kinds_are_told_apart_by_title_and_sentence():
    assert len({kind.title for kind in KINDS.values()}) == len(KINDS)
    assert len({kind.sentence for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_phases_are_some_of_the_methods_in_its_order(kind):
    whole = KINDS["mtl"].phases
    assert [phase for phase in whole if phase in kind.phases] == list(kind.phases)
    assert kind.phases[-1] == "classification"
    assert kind.reconstructs == (kind.trunk == "encoder") == (kind.family != "cnn")


@pytest.mark.parametrize(
    ("kind", "tasks"),
    [
        *(("mtl", ("gender",)), ("ae-mtl", ("gender",)), ("cnn-mtl", ("gender",))),
        *(("stl", ()), ("ae", ()), ("cnn", ())),
    ],
)
def test_only_multi_task_kinds_have_the_tasks_that_are_set(kind, tasks):
    assert model(kind).tasks == tasks


def test_without_reconstruction_and_other_tasks_labels_are_all_there_is():
    alone = {kind for kind in KINDS if model(kind).learns_from_labels_alone}
    assert alone == {"cnn"}
    assert model("cnn-mtl", tasks=()).learns_from_labels_alone
