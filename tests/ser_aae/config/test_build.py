"""Building a config: from a preset, a file and settings, and every mistake in them."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from ser_aae.config import RunConfig
from ser_aae.config.build import (
    FREQUENCY_POOLS,
    TIME_POOLS,
    build_config,
    describe_synonyms,
    parse_assignment,
    read_file,
)
from ser_aae.config.fields import Given, choices, nearest, settings, with_settings
from ser_aae.errors import UserError


@pytest.fixture
def config_file(tmp_path):
    """Return a function that writes text to a file and gives its path."""

    def write(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def message(action, *arguments, **named):
    with pytest.raises(UserError) as caught:
        action(*arguments, **named)
    return str(caught.value)


def test_nothing_given_is_the_default_config():
    assert build_config() == RunConfig()


def test_later_sources_win(config_file):
    path = config_file("model: {alpha: 0.1, beta: 0.2, dropout: 0.25}\n")
    flags = [Given("model.beta", "0.3", "--beta"), Given("model.dropout", "0.4", "--dropout")]
    config = build_config("paper", path, flags, ["model.dropout=0.5"])
    model = config.model
    assert (model.alpha, model.beta, model.dropout) == (0.1, 0.3, 0.5)
    assert config.training.optimiser == "sgd"
    assert build_config("paper", assignments=["training.optimiser=adam"]).training.optimiser == (
        "adam"
    )


def test_yaml_holds_the_fields_of_the_config(config_file):
    path = config_file(
        "dataset: ravdess\nauxiliary: [librispeech, urdu]\nseed: 4\n"
        "training:\n  learning_rate: 1e-4\n  deterministic: no\n"
        'model:\n  filters: [8, 16]\n  alpha: "0.5"\n  auxiliary_tasks: []\n'
        "protocol.name: loso\n"
    )
    config = build_config(file=path)
    assert (config.dataset, config.auxiliary, config.seed) == (
        "ravdess",
        ("librispeech", "urdu"),
        4,
    )
    assert config.training.learning_rate == 1e-4
    assert config.training.deterministic is False
    assert (config.model.filters, config.model.auxiliary_tasks) == ((8, 16), ())
    assert (config.model.alpha, config.protocol.name) == (0.5, "loso")


def test_the_config_of_a_run_can_be_given_again(config_file):
    config = build_config("paper", assignments=["seed=3", "auxiliary=librispeech"])
    path = config_file(json.dumps({**config.to_dict(), "corpora": {"demo": "1234"}}, indent=2))
    assert build_config(file=path) == config
    assert build_config(file=path, assignments=["protocol.fold=2"]).digest() == config.digest()


@pytest.mark.parametrize(
    "kind", [["model.kind=cnn"], ["model.kind=cnn-mtl", "model.auxiliary_tasks="]]
)
def test_a_model_that_learns_from_labels_alone_takes_no_corpus_without(kind):
    assert build_config(assignments=kind).auxiliary == ()
    text = message(build_config, assignments=[*kind, "auxiliary=urdu"])
    assert text.startswith("auxiliary: expected none, for cnn")
    assert "labels of emotion alone, got urdu; leave it out" in text


def test_it_takes_one_for_a_supervised_stage_1():
    given = ["model.kind=cnn", "auxiliary=urdu", "training.pretraining=supervised"]
    assert build_config(assignments=given).auxiliary == ("urdu",)
    text = message(build_config, assignments=[*given, "training.pretraining_epochs=0"])
    assert text.startswith("auxiliary: expected none, for cnn")


@pytest.mark.parametrize("kind", ["cnn-mtl", "ae", "stl", "mtl"])
def test_any_other_model_takes_one(kind):
    assert build_config(assignments=[f"model.kind={kind}", "auxiliary=urdu"]).auxiliary == ("urdu",)


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_says_nothing(config_file, text):
    assert read_file(config_file(text)) == []


def test_an_unknown_key_of_a_file_is_named_with_its_line_and_the_nearest(config_file):
    path = config_file("model:\n  alpha: 0.4\n  drpout: 0.1\n")
    text = message(build_config, file=path)
    assert f"{path}:3: model.drpout" in text
    assert "did you mean model.dropout?" in text


def test_a_wrong_value_of_a_file_is_named_with_its_line(config_file):
    path = config_file("training:\n  epochs: many\n")
    assert message(build_config, file=path) == (
        f"{path}:2: training.epochs: expected a whole number from 1, got 'many'"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model: 3\n", ":1: expected settings, each with its name, below model"),
        ("- model\n", ":1: expected settings"),
        ("model: {alpha: {x: 1}}\n", "model.alpha: expected a number from 0, got 'a mapping'"),
        ("model: {alpha: [0.1, 0.2]}\n", "model.alpha: expected a number from 0, got [0.1, 0.2]"),
        ("seed:\n", "seed: expected a whole number from 0, got ''"),
        ("seed: 1\nseed: 2\n", ":2: seed: said already"),
        ("model: {alpha: 1}\nmodel.alpha: 2\n", ":2: model.alpha: said already"),
        ("model: [\n", "expected YAML"),
        ("seed: 1\n---\nseed: 2\n", ":3: expected one document of settings, got 2"),
        ("&a [*b]\n", "expected YAML"),
        ("seed: \x00\n", "expected YAML"),
    ],
)
def test_a_file_that_is_no_config_is_refused(config_file, text, expected):
    path = config_file(text)
    said = message(build_config, file=path)
    assert str(path) in said
    assert expected in said


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    assert "cannot be read" in message(build_config, file=tmp_path / "absent.yaml")
    assert "cannot be read" in message(build_config, file=tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"dataset: \xe4rger\n")
    assert "expected UTF-8" in message(build_config, file=latin)


def test_yaml_that_would_run_code_is_only_text(config_file, tmp_path):
    victim = tmp_path / "made"
    path = config_file(f"dataset: !!python/object/apply:os.mkdir ['{victim}']\n")
    assert "dataset: expected one text" in message(build_config, file=path)
    assert not victim.exists()


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("model.alpa=1", "--set model.alpa: there is no such setting; did you mean model.alpha?"),
        ("alpha=1", "did you mean model.alpha?"),
        ("mdel.dropout=1", "did you mean model.dropout?"),
        ("model=1", "there is no such setting"),
        ("model.alpha=-1", "--set model.alpha: expected a number from 0, got '-1'"),
        ("model.beta=1.5", "expected a number from 0 to 1, got '1.5'"),
        ("model.alpha=nan", "expected a number from 0, got 'nan'"),
        ("model.alpha=inf", "expected a number from 0, got 'inf'"),
        ("model.alpha=", "expected a number from 0, got ''"),
        ("model.kind=aae", "expected one of mtl, stl, ae, ae-mtl, cnn, cnn-mtl, got 'aae'"),
        ("model.filters=16", "expected 2 whole numbers from 1, commas between, got '16'"),
        ("model.filters=16,0", "expected 2 whole numbers from 1, commas between, got '16,0'"),
        ("model.auxiliary_tasks=gender,age", "expected some of gender, speaker"),
        ("training.epochs=2.5", "expected a whole number from 1, got '2.5'"),
        ("training.deterministic=perhaps", "expected true or false, got 'perhaps'"),
        ("task=arousal", "clusters-5, gender, speaker, got 'arousal'"),
        ("model.alpha", "--set: expected KEY=VALUE, as in model.alpha=0.4, got 'model.alpha'"),
    ],
)
def test_an_assignment_that_cannot_be_is_refused(assignment, expected):
    assert expected in message(build_config, assignments=[assignment])


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("model.filters=8,16", (8, 16)),
        ("model.filters=[8, 16]", (8, 16)),
        ("model.auxiliary_tasks=gender", ("gender",)),
        ("model.auxiliary_tasks=", ()),
        ("training.learning_rate=1e-5", 1e-5),
        ("training.deterministic=False", False),
        ("training.epochs = 7", 7),
        ("protocol.name=10-fold", "10-fold"),
    ],
)
def test_an_assignment_is_read_by_the_type_of_its_field(assignment, value):
    key = parse_assignment(assignment).key
    config = build_config(assignments=[assignment]).to_dict()
    for part in key.split("."):
        config = config[part]
    assert config == (list(value) if isinstance(value, tuple) else value)
    assert type(config) is (list if isinstance(value, tuple) else type(value))


def test_a_value_may_hold_an_equals_sign():
    assert parse_assignment("dataset=csv:a=b.csv").text == "csv:a=b.csv"


def test_a_required_setting_has_to_be_given_somewhere(config_file):
    assert "expected --dataset" in message(build_config, required=["dataset"])
    path = config_file("dataset: demo\n")
    assert build_config(file=path, required=["dataset"]) == RunConfig()


def test_an_unknown_preset_names_those_known():
    assert "expected one of default, paper, got 'papre'" in message(build_config, "papre")


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("frontend.bins=100", "frontend.bins: expected a multiple of 8"),
        ("frontend.bins=8", "from 16"),
        ("frontend.bins=512", "half of fft_size (256)"),
        ("frontend.fft_size=256", "expected at least the 400 samples of a window of 25 ms"),
        ("frontend.window_ms=50", "expected at least the 800 samples"),
        ("frontend.sample_rate_hz=1000", "frontend.bins"),
        ("data.segment_frames=250", "data.segment_frames: expected a multiple of 16"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(assignment, expected):
    more = ["frontend.fft_size=64"] if "rate" in assignment else []
    assert expected in message(build_config, assignments=[assignment, *more])


@pytest.mark.parametrize(
    ("update", "key", "instead"),
    [
        ("joint", "training.generator_rate_ratio", "model.adversarial_weight"),
        ("serial", "model.adversarial_weight", "training.generator_rate_ratio"),
    ],
)
def test_a_weight_that_the_update_leaves_without_effect_is_refused(update, key, instead):
    given = [f"training.update={update}", f"{key}=0.7"]
    with pytest.raises(UserError, match=rf"{key}: expected .* no effect .*; give {instead}"):
        build_config(assignments=given)
    build_config(assignments=[given[0], f"{instead}=0.7"])


def test_a_step_is_not_compiled_where_its_kernels_are_to_repeat():
    with pytest.raises(UserError, match=r"compile: .*set training\.deterministic to false"):
        build_config(assignments=["training.compile=xla"])
    both = ["training.compile=xla", "training.deterministic=false"]
    assert build_config(assignments=both).training.compile == "xla"


def test_the_paper_updates_in_series_and_so_does_a_stored_run_of_before():
    assert build_config("paper").training.update == "serial"
    folder = Path(__file__).parent / "stored"
    stored = build_config(file=folder / "default.json", stored=True)
    assert (stored.training.update, stored.model.adversarial_weight) == ("serial", 1.0)
    with pytest.raises(UserError, match=r"training\.generator_rate_ratio"):
        build_config("paper", assignments=["training.update=joint"])


def test_a_shift_shorter_than_a_sample_is_refused():
    low = ["frontend.sample_rate_hz=1000", "frontend.shift_ms=0.1"]
    assert "frontend.shift_ms" in message(build_config, assignments=low)


def test_corpora_are_called_as_their_folders_are():
    config = build_config(
        assignments=["dataset=RAVDESS", "auxiliary=LibriSpeech", "protocol.target=MSP_improv"],
        aliases={"msp_improv": "msp"},
    )
    names = (config.dataset, config.auxiliary, config.protocol.target)
    assert names == ("ravdess", ("librispeech",), "msp")
    assert build_config(assignments=["dataset=csv:My Calls.csv"]).dataset == "csv:My Calls.csv"


@pytest.mark.parametrize(
    ("given", "read", "told"),
    [
        (
            "happy,angry",
            "happiness,anger",
            ["happy is read as happiness", "angry is read as anger"],
        ),
        ("Neutral, wut", "neutral,anger", ["Neutral is read as neutral", "wut is read as anger"]),
        ("anger, sadness", "anger, sadness", []),
        ("four", "four", []),
        ("all", "all", []),
        ("growling,-", "growling,-", []),
        ("colère,gioia", "colère,gioia", ["colère is read as anger where", "gioia is read as hap"]),
    ],
)
def test_a_synonym_is_read_as_its_class_and_names_the_same_run(config_file, given, read, told):
    file = config_file(f"classes: {given}")
    for sources in ({"assignments": [f"classes={given}"]}, {"file": file}):
        config = build_config(**sources)
        assert config.classes == read
        assert config.digest() == build_config(assignments=[f"classes={read}"]).digest()
    lines = describe_synonyms([Given("classes", "four", "--classes"), *read_file(file)])
    assert len(lines) == len(told)
    for line, words in zip(lines, told, strict=True):
        assert line.startswith(f"classes: {words}")


def test_the_pools_are_those_of_the_networks():
    from ser_aae.model.networks import POOLS

    assert math.prod(pool[0] for pool in POOLS) == FREQUENCY_POOLS
    assert math.prod(pool[1] for pool in POOLS) == TIME_POOLS


def test_settings_are_all_fields_and_no_group():
    assert {"dataset", "model.alpha", "protocol.fold"} <= settings().keys()
    assert not {"model", "training"} & settings().keys()
    assert choices("model.kind") == ("mtl", "stl", "ae", "ae-mtl", "cnn", "cnn-mtl")


def test_a_name_like_no_other_gets_the_whole_list():
    assert nearest("zzz", ["alpha", "beta"]) == "; there are alpha, beta"


def test_a_group_is_replaced_only_where_something_was_said():
    config = build_config(assignments=["model.alpha=0.9"])
    assert config == replace(RunConfig(), model=replace(RunConfig().model, alpha=0.9))


BOTH = ["training.class_weights=balanced", "training.logit_adjustment=0.5"]


def test_one_balance_of_classes_at_a_time():
    said = message(build_config, assignments=BOTH)
    assert "training.class_weights: expected none where training.logit_adjustment is 0.5" in said
    for one, other in (("class_weights", "none"), ("logit_adjustment", "0")):
        build_config(assignments=[*BOTH, f"training.{one}={other}"])
    assert not RunConfig().training.logit_adjustment or RunConfig().training.class_weights == "none"


def test_a_run_of_before_that_has_both_is_read_and_trained_again(tmp_path):
    both = dict(assignment.split("=") for assignment in BOTH)
    config = with_settings(RunConfig(), {**both, "training.logit_adjustment": 0.5})
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.to_dict()))
    assert build_config(file=path, stored=True) == config
    path.write_text(json.dumps(config.to_dict() | {"corpora": {"demo": "00"}}))
    assert build_config(file=path) == config


def test_more_labelled_rows_than_a_batch_has_are_refused():
    given = ["data.labelled_rows=16", "training.batch_size=8"]
    text = message(build_config, assignments=given)
    assert "data.labelled_rows: expected at most the 8 rows of a batch" in text
    assert build_config(assignments=["data.labelled_rows=32"]).data.labelled_rows == 32
