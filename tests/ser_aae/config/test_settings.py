"""Settings: their bounds, and the digests that name runs."""

import json
import re
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from ser_aae.config import UNSTATED, FrontEndConfig, ProtocolConfig, RunConfig
from ser_aae.config.build import build_config
from ser_aae.config.fields import Given, read_value, settings
from ser_aae.config.presets import PRESETS

SETTINGS = settings()


def as_text(value):
    return tuple(map(str, value)) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize("key", SETTINGS)
def test_every_setting_says_where_it_comes_from_and_what_it_means(key):
    metadata = SETTINGS[key][0].metadata
    source = metadata["source"]
    assert source == UNSTATED or re.fullmatch(r"Sec\. [1-6](\.\d)*", source), source
    assert len(metadata["doc"]) > 3


@pytest.mark.parametrize("key", SETTINGS)
def test_every_default_is_a_value_that_its_own_range_allows(key):
    default = SETTINGS[key][0].default
    assert read_value(Given(key, as_text(default), key)) == default


@pytest.mark.parametrize(
    ("preset", "key"), [(preset, key) for preset, values in PRESETS.items() for key in values]
)
def test_every_value_of_a_preset_is_allowed(preset, key):
    value = PRESETS[preset][key]
    assert read_value(Given(key, as_text(value), key)) == value


def test_the_default_preset_is_the_fields_own_defaults():
    assert not PRESETS["default"]


def test_the_paper_is_taken_to_the_letter():
    paper = build_config("paper")
    assert (paper.training.optimiser, paper.training.learning_rate) == ("sgd", 1e-4)
    assert (paper.training.batch_size, paper.training.patience_epochs) == (32, 5)
    assert (paper.training.rate_factor, paper.training.stop_ratio) == (0.5, 0.1)
    assert (paper.model.alpha, paper.model.beta, paper.model.dropout) == (0.4, 0.6, 0.3)
    assert (paper.model.latent, paper.model.pooling) == ("relu", "flatten")
    assert (paper.frontend.bins, paper.data.segment_frames) == (128, 256)
    assert (paper.data.mask_bins, paper.data.warp_time, paper.data.gain_db) == (0, 0.0, 0.0)
    assert paper.frontend.scale == "linear"


def test_a_config_is_plain_json_and_comes_back_as_it_was():
    plain = RunConfig(auxiliary=("librispeech",)).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["auxiliary"] == ["librispeech"]
    assert plain["model"]["filters"] == list(RunConfig().model.filters)


def test_the_digest_names_the_experiment_and_not_the_fold_or_the_repetition():
    config = RunConfig()
    assert re.fullmatch("[0-9a-f]{8}", config.digest())
    assert replace(config, seed=7, protocol=ProtocolConfig(fold=3)).digest() == config.digest()
    assert replace(config, protocol=ProtocolConfig(folds=5)).digest() != config.digest()
    assert replace(config, classes="all").digest() != config.digest()


def test_each_setting_of_the_front_end_changes_its_digest():
    usual = FrontEndConfig()
    for item in fields(FrontEndConfig):
        value = getattr(usual, item.name)
        other = not value if isinstance(value, bool) else value * 2
        assert replace(usual, **{item.name: other}).digest() != usual.digest(), item.name


def test_the_front_ends_digest_does_not_depend_on_the_rest():
    assert replace(RunConfig(), classes="all").frontend.digest() == FrontEndConfig().digest()


def test_a_config_cannot_be_changed_after_it_was_made():
    with pytest.raises(FrozenInstanceError):
        RunConfig().seed = 3
