"""A setting that is added renames nothing that is stored, and stored configs mean its `before`."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from data_prep.manifest import _content_digest
from data_prep.shards import input_digest
from data_prep.workers import Task
from ser_aae.config import UNSTATED, FrontEndConfig, ModelConfig, RunConfig, setting
from ser_aae.config import build as config_file
from ser_aae.config import fields as config_fields
from ser_aae.config.build import build_config
from ser_aae.config.fields import with_settings
from ser_aae.errors import UserError
from ser_aae.experiments.setup import Setup, read_setups, setup_folder, write_setup
from ser_aae.experiments.tuned import Outcome, Tuned
from ser_aae.files.digests import digest_of_plain
from ser_aae.inference import signature
from ser_aae.inference.signature import Signature, parse_signature, read_config
from ser_aae.results import folder as run_folders
from ser_aae.results.evaluation import _common_config
from ser_aae.store.corpus import corpus_folder, load_corpus, other_frontends
from ser_aae.training.pretraining_key import settings_of_stage_one
from ser_aae.training.run import _begin_folder
from tuning import definition
from tuning.definition import Search, read_search
from tuning.space import read_space

STORED = Path(__file__).parent / "stored"
"""The config.json of `train --dataset ravdess --protocol speaker-kfold --folds 6` by preset."""

DIGESTS = {"default": ("863258da", "82606b2f"), "paper": ("f15aad23", "cf62510f")}
"""Preset to the names of its run and of its front end, when these files were stored."""
SETUPS = {"default": "c737f7db", "paper": "7fe6b8af"}
SEARCHES = {"default": "8b687951", "paper": "3d98fb17"}


@dataclass(frozen=True)
class GrownFrontEnd(FrontEndConfig):
    """The front end of a later version."""

    tilt_db: float = setting(3.0, UNSTATED, "a setting of a later version", low=0, before=0.0)


@dataclass(frozen=True)
class GrownModel(ModelConfig):
    """The model of a later version."""

    heads: tuple[int, ...] = setting((4, 2), UNSTATED, "another one", low=1, before=(1, 1))


@dataclass(frozen=True)
class GrownRun(RunConfig):
    """The config of a later version."""

    frontend: GrownFrontEnd = field(default_factory=GrownFrontEnd)
    model: GrownModel = field(default_factory=GrownModel)


@pytest.fixture
def grown(monkeypatch):
    for module in (config_fields, config_file, run_folders, definition):
        monkeypatch.setattr(module, "RunConfig", GrownRun)


@pytest.fixture(params=DIGESTS)
def preset(request):
    return request.param


def stored_run(preset, folder):
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes((STORED / f"{preset}.json").read_bytes())
    (folder / "result.json").write_text("{}")
    return folder


def stored_config(preset):
    return build_config(file=STORED / f"{preset}.json", stored=True)


def test_stored_configs_have_the_names_that_they_had(preset):
    config = stored_config(preset)
    assert (config.digest(), config.frontend.digest()) == DIGESTS[preset]


def test_they_keep_them_when_a_setting_is_added(preset, grown, tmp_path):
    config = read_config(stored_run(preset, tmp_path / "fold00-rep00"))
    assert isinstance(config, GrownRun)
    assert (config.model.heads, config.frontend.tilt_db) == ((1, 1), 0.0)
    assert (config.digest(), config.frontend.digest()) == DIGESTS[preset]
    assert corpus_folder(Path(), "ravdess", config.frontend).name == f"ravdess-{DIGESTS[preset][1]}"
    assert setup_folder(Path(), Setup(base=config)).name == SETUPS[preset]
    space = read_space("latent,alpha,beta")
    search = Search(config, space, algorithm="grid", trials=0)
    assert search.folder(Path()).name == SEARCHES[preset]


def test_another_value_of_it_has_another_name(preset, grown):
    config = stored_config(preset)
    other = replace(config, model=replace(config.model, heads=(4, 2)))
    assert other.digest() != config.digest()
    assert other.to_dict()["model"]["heads"] == [4, 2]
    tilted = replace(config, frontend=replace(config.frontend, tilt_db=3.0))
    assert tilted.frontend.digest() != config.frontend.digest()
    assert tilted.digest() != config.digest()


def test_settings_older_than_this_rule_count_at_their_value_of_before(preset):
    named = stored_config(preset).identity()
    assert "evaluation_segments" in named["data"]
    assert "discriminator_zero_start" in named["model"]
    assert "logit_adjustment" in named["training"]


def test_a_stored_config_without_them_did_what_was_done_before(tmp_path):
    run = stored_run("default", tmp_path / "fold00-rep00")
    plain = json.loads((run / "config.json").read_text())
    del plain["data"]["evaluation_segments"], plain["training"]["logit_adjustment"]
    (run / "config.json").write_text(json.dumps(plain))
    config = read_config(run)
    assert (config.data.evaluation_segments, config.training.logit_adjustment) == (1, 0.0)
    assert config.model.discriminator_zero_start


def test_a_file_of_the_users_means_todays_defaults(grown, tmp_path):
    plain = json.loads((STORED / "default.json").read_text())
    del plain["corpora"]
    mine = tmp_path / "mine.yaml"
    plain["training"]["logit_adjustment"] = 0.0  # both balances were possible then
    mine.write_text(yaml.safe_dump(plain))
    assert build_config(file=mine).model.heads == (4, 2)


def test_a_runs_own_config_given_as_a_file_is_that_run(preset, grown):
    config = build_config(file=STORED / f"{preset}.json")
    assert config.digest() == DIGESTS[preset][0]
    chosen = build_config(file=STORED / f"{preset}.json", assignments=["model.heads=3,3"])
    assert chosen.model.heads == (3, 3)


def test_an_exported_model_hears_as_it_was_trained(grown, monkeypatch):
    about = Signature(
        input="spectrogram",
        frontend=FrontEndConfig(),
        segment_frames=64,
        shift_frames=32,
        fewest_segments=1,
        pad="repeat",
        classes={"emotion": ("anger", "neutral")},
        warnings=(),
    )
    text = about.to_json()
    monkeypatch.setattr(signature, "FrontEndConfig", GrownFrontEnd)
    read = parse_signature(text, Path("model.onnx"))
    assert read.frontend == GrownFrontEnd(tilt_db=0.0)


def test_a_stored_setup_is_read_as_it_was_run(preset, tmp_path, request):
    written = write_setup(tmp_path, Setup(base=stored_config(preset)))
    request.getfixturevalue("grown")
    (setup,) = read_setups(tmp_path)
    assert setup.base.model.heads == (1, 1)
    assert setup_folder(tmp_path, setup) == written


def test_a_stored_search_is_read_as_it_was_run(preset, request):
    search = Search(stored_config(preset), read_space("alpha"), folds=(1,))
    plain = json.loads(json.dumps(search.to_dict()))
    request.getfixturevalue("grown")
    again = read_search(plain)
    assert again.config.model.heads == (1, 1)
    assert again.folder(Path()) == search.folder(Path())


def test_a_search_of_a_later_version_is_refused():
    plain = json.loads(json.dumps(Search(stored_config("paper"), read_space("alpha")).to_dict()))
    plain["config"]["model"]["heads"] = [1, 1]
    with pytest.raises(UserError, match=r"not a search of this version.*model\.heads"):
        read_search(plain)


def test_a_prepared_corpus_is_found_and_told_apart(tiny_store):
    values = {"bins": 32, "scale": "linear"}  # as it was prepared
    level, tilted = (GrownFrontEnd(**values, tilt_db=tilt) for tilt in (0.0, 3.0))
    assert load_corpus(tiny_store, "tiny", level).digest
    assert other_frontends(tiny_store, "tiny", level) == {}
    (differences,) = other_frontends(tiny_store, "tiny", tilted).values()
    assert differences == ["tilt_db: 0.0 there, 3.0 here"]


def test_prepared_content_keeps_its_digests(tmp_path):
    fronts = (FrontEndConfig(), GrownFrontEnd(tilt_db=0.0), GrownFrontEnd())
    contents = [_content_digest(front, "00", [{"sha256": "11"}]) for front in fronts]
    inputs = [input_digest(Task((), tmp_path, front, skip_unreadable=False), 0) for front in fronts]
    for before, same, other in (contents, inputs):
        assert before == same != other


def test_a_run_begun_before_goes_on(preset, grown, tmp_path):
    folder = stored_run(preset, tmp_path / "fold00-rep00")
    config = read_config(folder)
    data = SimpleNamespace(digests=json.loads((folder / "config.json").read_text())["corpora"])
    before = (folder / "config.json").read_bytes()
    _begin_folder(folder, config, data, None)
    assert (folder / "config.json").read_bytes() == before
    other = replace(config, model=replace(config.model, heads=(4, 2)))
    with pytest.raises(UserError, match="begun with another config"):
        _begin_folder(folder, other, data, None)


def test_folds_of_before_and_after_are_pooled(preset, grown, tmp_path):
    old = stored_run(preset, tmp_path / "fold00-rep00")
    new = stored_run(preset, tmp_path / "fold01-rep00")
    config = read_config(old)
    plain = replace(config, protocol=replace(config.protocol, fold=1)).to_dict()
    corpora = json.loads((old / "config.json").read_text())["corpora"]
    (new / "config.json").write_text(json.dumps(plain | {"corpora": corpora}))
    assert _common_config([old, new])["model"]["heads"] == [1, 1]
    assert _common_config([new, old])["frontend"]["tilt_db"] == 0.0


@pytest.mark.parametrize(
    ("values", "idle"),
    [
        ({}, {"data.clusters"}),
        ({"task": "clusters-3"}, set()),
        ({"protocol.name": "loso"}, {"protocol.draw", "data.clusters"}),
        ({"protocol.name": "10-fold", "task": "clusters-5"}, {"protocol.draw"}),
        ({"protocol.name": "cross-corpus", "task": "clusters-5"}, {"protocol.draw"}),
        (
            {"protocol.name": "cross-corpus", "protocol.target_speakers": "apart"},
            {"data.clusters"},
        ),
        ({"protocol.name": "folds"}, {"data.clusters"}),
        ({"task": "gender"}, {"data.clusters", "classes", "data.unlabelled_rest"}),
    ],
)
def test_a_setting_without_an_effect_on_a_run_is_not_in_its_name(preset, values, idle):
    config = with_settings(stored_config(preset), values)
    for key, other in (
        ("protocol.draw", "stratified"),
        ("data.clusters", "corpus"),
        ("classes", "calm,neutral"),
        ("data.unlabelled_rest", not config.data.unlabelled_rest),
    ):
        changed = with_settings(config, {key: other})
        assert (changed.digest() == config.digest()) == (key in idle)
        assert changed.identity() != config.identity()


MASKED = {"data.mask_bins": 8, "data.mask_frames": 16}
MASKED_NAMES = {
    "default": ("a4f148a0", "7032f5c3", "501617b3"),
    "paper": ("9f4a56a3", "d41e4e68", "b693e950"),
}
"""Preset to the names of a run, a setup and a stage 1 with masks, before masks had a setting."""
MASKED_SEARCHES = {"default": ("eee976d8", "22ad6702"), "paper": ("13321fd8", "fce22dda")}
"""Preset to the names of a search that varies masks, and of a setup with an outcome of it."""


def names_of(config):
    setup = setup_folder(Path(), Setup(base=config)).name
    return config.digest(), setup, digest_of_plain(settings_of_stage_one(config), 8)


def test_masks_of_before_keep_every_name_and_todays_have_others(preset):
    config = with_settings(stored_config(preset), MASKED)
    assert config.data.masks == "tensorflow-io"
    assert names_of(config) == MASKED_NAMES[preset]
    today = names_of(with_settings(config, {"data.masks": "pipeline"}))
    assert all(map(str.__ne__, today, MASKED_NAMES[preset]))


def test_without_masks_their_setting_is_in_no_name(preset):
    config = stored_config(preset)
    assert names_of(with_settings(config, {"data.masks": "pipeline"})) == names_of(config)


def test_a_search_and_its_outcome_say_by_what_their_trials_are_masked(preset):
    """Their base masks nothing."""
    base = stored_config(preset)
    values = {"data.mask_bins": 16, "data.mask_frames": 16}
    tuned = Tuned((Outcome(values=values),))

    def names(config, space="masks,alpha", tuned=tuned):
        search = Search(config, read_space(space), folds=(1,))
        setup = Setup(base=config, tuned=tuned)
        return search.folder(Path()).name, setup_folder(Path(), setup).name

    today = with_settings(base, {"data.masks": "pipeline"})
    assert names(base) == MASKED_SEARCHES[preset]
    assert all(map(str.__ne__, names(today), names(base)))
    assert names(today, "alpha", Tuned()) == names(base, "alpha", Tuned())


FORMER = {
    "default": {
        "frontend.remove_offset": False,
        "training.update": "serial",
        "training.logit_adjustment": 1.0,
        "training.selection_start": "left-out",
    },
    "paper": {"model.reconstruction": "sum", "training.epochs": 60},
}
"""Settings that presets had other values of when the stored runs were trained."""


def test_todays_runs_with_sorted_names_are_those_that_are_stored(preset, tmp_path):
    words = ["dataset=ravdess", "protocol.name=speaker-kfold", "protocol.folds=6"]
    drawn = with_settings(build_config(preset, assignments=words), FORMER[preset])
    today = with_settings(drawn, {"protocol.draw": "sorted"})
    folder = stored_run(preset, tmp_path / "fold00-rep00")
    assert today.data.clusters == "corpus" != read_config(folder).data.clusters
    assert today.digest() == DIGESTS[preset][0]
    data = SimpleNamespace(digests=json.loads((folder / "config.json").read_text())["corpora"])
    _begin_folder(folder, today, data, None)
    assert drawn.digest() != DIGESTS[preset][0]
    with pytest.raises(UserError, match="begun with another config"):
        _begin_folder(folder, drawn, data, None)


def test_folds_that_differ_in_what_has_no_effect_are_pooled(preset, tmp_path):
    old = stored_run(preset, tmp_path / "fold00-rep00")
    new = stored_run(preset, tmp_path / "fold01-rep00")
    config = read_config(old)
    plain = replace(config, protocol=replace(config.protocol, fold=1)).to_dict()
    plain["data"]["clusters"] = "corpus"
    corpora = json.loads((old / "config.json").read_text())["corpora"]
    (new / "config.json").write_text(json.dumps(plain | {"corpora": corpora}))
    assert _common_config([old, new])["data"]["clusters"] == "training"
    plain["protocol"]["draw"] = "stratified"
    (new / "config.json").write_text(json.dumps(plain | {"corpora": corpora}))
    with pytest.raises(UserError, match=r"protocol\.draw is 'stratified'"):
        _common_config([old, new])


def test_stage_one_keeps_its_name(preset, request):
    before = settings_of_stage_one(stored_config(preset))
    request.getfixturevalue("grown")
    config = stored_config(preset)
    assert settings_of_stage_one(config) == before
    other = replace(config, model=replace(config.model, heads=(4, 2)))
    assert settings_of_stage_one(other) == {**before, "model.heads": "4,2"}
