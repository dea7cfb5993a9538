"""The name of stage 1: every influence changes it, and nothing else does."""

from dataclasses import replace

import pytest

from ser_aae.config import RunConfig
from ser_aae.config.fields import settings, with_settings
from ser_aae.data.run_data import assemble
from ser_aae.files.digests import digest_of_plain
from ser_aae.training import pretraining_key as stage_one
from ser_aae.training.pretraining_key import describe_stage_one, settings_of_stage_one

PACKAGES = ("tensorflow", "tensorflow-io", "keras", "numpy")


@pytest.fixture(scope="module")
def config(kfold_config):
    return replace(kfold_config, auxiliary=("voices",))


def name_of(config, store, devices=("cpu",)):
    return digest_of_plain(describe_stage_one(config, assemble(config, store), devices), 16)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dataset", "foreign"),
        ("task", "emotion"),
        ("classes", "anger,neutral"),
        ("protocol.fold", 2),
        ("protocol.seed", 9),
        ("protocol.name", "loso-session"),
        ("data.labelled_fraction", 0.5),
        ("data.auxiliary_ratio", 0.1),
        ("data.unlabelled_rest", False),
        ("data.labelled_rows", 4),
        ("training.epochs", 3),
        ("training.class_weights", "none"),
        ("training.logit_adjustment", 0.0),
        ("training.patience_epochs", 2),
    ],
)
def test_runs_share_it_that_differ_in_their_second_stage(config, tiny_store, name, value):
    other = with_settings(config, {name: value})
    assert name_of(other, tiny_store) == name_of(config, tiny_store)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 1),
        ("auxiliary", ("foreign",)),
        ("data.auxiliary_speakers", 3),
        ("data.segment_frames", 96),
        ("data.warp_time", 0.0),
        ("data.cache_mb", 0),
        ("model.kind", "ae-mtl"),
        ("model.auxiliary_tasks", ("gender",)),
        ("model.alpha", 0.1),
        ("model.beta", 0.1),
        ("training.learning_rate", 1e-5),
        ("training.batch_size", 8),
        ("training.pretraining_epochs", 2),
        ("training.pretraining_steps", 4),
        ("training.average_decay", 0.5),
    ],
)
def test_runs_do_not_share_it_that_differ_in_the_first(config, tiny_store, name, value):
    other = with_settings(config, {name: value})
    assert name_of(other, tiny_store) != name_of(config, tiny_store)


def test_the_seed_of_the_protocol_counts_where_it_draws_speakers(config, tiny_store):
    drawn = with_settings(config, {"data.auxiliary_speakers": 3})
    names = {name_of(with_settings(drawn, {"protocol.seed": s}), tiny_store) for s in range(8)}
    assert len(names) > 1
    by_another_name = with_settings(config, {"data.auxiliary_speakers": 6})
    assert name_of(by_another_name, tiny_store) == name_of(config, tiny_store)


def test_other_content_of_the_corpus_is_another_one(config, tiny_store):
    data = assemble(config, tiny_store)
    (part,) = data.auxiliary
    changed = replace(part, corpus=replace(part.corpus, digest="0" * 16))
    other = describe_stage_one(config, replace(data, auxiliary=[changed]), ["cpu"])
    assert digest_of_plain(other, 16) != name_of(config, tiny_store)


def test_every_setting_counts_that_does_not_say_otherwise():
    # settings of later versions, away from the value of before that keeps their names
    config = with_settings(
        RunConfig(),
        {
            "frontend.speech_detector": "silero",
            "data.mask_bins": 8,
            "model.adversarial_weight": 0.5,
            "training.update": "joint",
            "training.compile": "off",
            "training.precision": "mixed_bfloat16",
            "training.pretraining_steps": 5,
        },
    )
    counted = settings_of_stage_one(config)
    known = settings()
    without = {name for name, (item, _) in known.items() if not item.metadata["stage_one"]}
    # the last one takes the others' place where it has another value
    assert counted.keys() | {"training.pretraining"} == known.keys() - without
    assert "training.pretraining" in settings_of_stage_one(supervised(RunConfig()))
    assert {"seed", "model.alpha", "frontend.scale"} <= counted.keys()
    assert "data.labelled_fraction" in without


def test_where_it_is_computed_counts(config, tiny_store, monkeypatch):
    here = name_of(config, tiny_store)
    assert name_of(config, tiny_store, ["cpu", "gpu"]) != here
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "17")
    threads = name_of(config, tiny_store)
    monkeypatch.setattr(stage_one, "_processor", lambda: "another")
    processor = name_of(config, tiny_store)
    monkeypatch.setattr(stage_one, "environment", lambda: {"packages": dict.fromkeys(PACKAGES)})
    assert len({here, threads, processor, name_of(config, tiny_store)}) == 4


def test_another_version_of_the_computation_computes_anew(config, tiny_store, monkeypatch):
    here = name_of(config, tiny_store)
    monkeypatch.setattr(stage_one, "VERSION", stage_one.VERSION + 1)
    assert name_of(config, tiny_store) != here


def test_the_processor_is_told_by_its_name(tmp_path):
    table = tmp_path / "cpuinfo"
    table.write_text("processor\t: 0\nmodel name\t: Chip 9000\nflags\t: fast\nmodel name\t: x\n")
    assert stage_one._processor(table).endswith(" Chip 9000")
    assert stage_one._processor(tmp_path / "none")


def supervised(config, **values):
    return with_settings(config, {"training.pretraining": "supervised", **values})


def test_a_serial_run_has_a_stage_1_of_its_own_unless_it_is_supervised(config, tiny_store):
    def with_update(update, **values):
        return with_settings(config, {"training.update": update, **values})

    serial, joint = (with_update(update) for update in ("serial", "joint"))
    assert name_of(serial, tiny_store) != name_of(joint, tiny_store)
    supervised_ones = (supervised(each) for each in (serial, joint))
    assert len({name_of(each, tiny_store) for each in supervised_ones}) == 1
    for run, name in (
        (serial, "training.generator_rate_ratio"),
        (joint, "model.adversarial_weight"),
    ):
        other = with_settings(run, {name: 0.7})
        assert name_of(other, tiny_store) != name_of(run, tiny_store), name
        assert name_of(supervised(other), tiny_store) == name_of(supervised(run), tiny_store), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model.kind", "stl"),
        ("model.kind", "ae"),
        ("model.kind", "ae-mtl"),
        ("model.alpha", 0.1),
        ("model.beta", 0.1),
        ("model.auxiliary_tasks", ("gender",)),
        ("model.reconstruction", "sum"),
        ("model.discriminator_noise", 0.0),
        ("training.update", "joint"),
        ("training.discriminator_rate_ratio", 1.0),
    ],
)
def test_all_models_with_the_encoder_share_a_supervised_one(config, tiny_store, name, value):
    one, other = supervised(config), supervised(config, **{name: value})
    assert name_of(other, tiny_store) == name_of(one, tiny_store)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model.kind", "cnn"),
        ("model.filters", (2, 4)),
        ("model.dropout", 0.1),
        ("training.learning_rate", 1e-5),
        ("training.pretraining_epochs", 2),
        ("training.pretraining", "all"),
    ],
)
def test_what_a_supervised_one_is_computed_by_tells_it_apart(config, tiny_store, name, value):
    one, other = supervised(config), supervised(config, **{name: value})
    assert name_of(other, tiny_store) != name_of(one, tiny_store)


def test_the_two_kinds_of_the_cnn_share_theirs(config, tiny_store):
    names = {
        name_of(supervised(config, **{"model.kind": kind}), tiny_store)
        for kind in ("cnn", "cnn-mtl")
    }
    assert len(names) == 1
