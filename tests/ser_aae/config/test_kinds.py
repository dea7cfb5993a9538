"""The table of kinds: each baseline as a subset of the method."""

from dataclasses import replace

import pytest

from ser_aae.config import ModelConfig, RunConfig
from ser_aae.config.fields import choices
from ser_aae.config.kinds import KINDS


def run_of(kind, tasks=("gender",), task="emotion"):
    model = replace(ModelConfig(), kind=kind, auxiliary_tasks=tasks)
    return RunConfig(task=task, model=model)


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
    assert run_of(kind).tasks == run_of(kind).voice_tasks == tasks


def test_without_reconstruction_and_other_tasks_labels_are_all_there_is():
    alone = {kind for kind in KINDS if run_of(kind).learns_from_labels_alone}
    assert alone == {kind for kind in KINDS if not run_of(kind).learns_from_auxiliary} == {"cnn"}
    assert run_of("cnn-mtl", tasks=()).learns_from_labels_alone


def test_a_primary_task_has_no_second_head_beside_it():
    both = ("gender", "speaker")
    assert run_of("mtl", both, "gender").tasks == ("speaker",)
    assert run_of("mtl", both, "gender").voice_tasks == both
    assert run_of("mtl", both, "speaker").voice_tasks == ("speaker", "gender")
    assert run_of("mtl", ("gender",), "gender").tasks == ()
    assert run_of("stl", both, "speaker").tasks == ()


def test_auxiliary_corpora_have_labels_of_voices_for_a_model_that_learns_from_labels_alone():
    own = run_of("cnn", task="gender")
    assert own.learns_from_labels_alone
    assert own.learns_from_auxiliary
    assert not run_of("cnn", task="valence").learns_from_auxiliary
