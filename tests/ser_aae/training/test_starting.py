"""Starting from another model: what is taken over, what is fresh, and what is refused."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from tiny import DATA, FRONTEND, MODEL

from ser_aae.batches.pipeline import Normalisation
from ser_aae.config import RunConfig, TrainingConfig
from ser_aae.config.fields import with_settings
from ser_aae.config.kinds import KINDS
from ser_aae.errors import DamagedError, UserError
from ser_aae.export.segment_model import build_segment_model
from ser_aae.export.writers import write_model
from ser_aae.inference.exported_model import write_signature
from ser_aae.inference.signature import SPECTROGRAM, Signature
from ser_aae.inference.start_source import read_source
from ser_aae.labels import FOUR, GENDERS
from ser_aae.model.aae import build_model
from ser_aae.results.folder import start_file
from ser_aae.results.heard_sounds import sounds_of
from ser_aae.store.corpus import load_corpus
from ser_aae.training.starting import (
    Start,
    adopt_start,
    check_heard,
    networks_of,
    read_start,
    refuse_other_input,
    write_start,
)
from ser_aae.utterance import Sound

CONFIG = RunConfig(frontend=FRONTEND, data=DATA, model=MODEL)
THREE = ("anger", "happiness", "sadness")
HEARD = "0" * 15 + "1"
VOICES = tuple(f"there:{number}" for number in range(5))


def make_model(emotions=FOUR, speakers=5, seed=1, **changes):
    keras.utils.set_random_seed(seed)
    counts = {"emotion": len(emotions), "gender": 2, "speaker": speakers}
    model = build_model(replace(CONFIG, model=replace(MODEL, **changes)), counts)
    draw = np.random.default_rng(seed)
    for weight in model.weights:
        # moments of batch norms and offsets too, so that nothing agrees by chance
        values = draw.normal(0, 0.3, weight.shape)
        weight.assign(0.5 + np.abs(values) if "variance" in weight.path else values)
    return model


def start_of(model, emotions=FOUR, **changes):
    layers = {
        f"{name}/{layer.name}": tuple(weight.numpy() for weight in layer.weights)
        for name, network in networks_of(model).items()
        for layer in network.layers
        if layer.weights
    }
    classes = {"emotion": emotions, "gender": GENDERS, "speaker": VOICES}
    facts = ("a model", FRONTEND.to_dict(), DATA.segment_frames, classes, VOICES, True, layers)
    return replace(Start(*facts, sounds=(HEARD,), knows_sounds=True), **changes)


def data_of(emotions=FOUR, speakers=("there:2", "here:1", "here:2")):
    target = SimpleNamespace(task="emotion", classes=emotions)
    return SimpleNamespace(target=target, speakers=speakers)


def test_layers_that_agree_are_taken_over_and_heads_by_class_name():
    there, here = make_model(THREE), make_model(speakers=3, seed=2)
    fresh = here.classifiers["emotion"].get_layer("emotion_logits").get_weights()
    taken = adopt_start(here, start_of(there, THREE), data_of())
    for name in ("encoder", "decoder", "discriminator"):
        for one, two in zip(
            networks_of(there)[name].weights, networks_of(here)[name].weights, strict=True
        ):
            np.testing.assert_array_equal(one, two)
    kernel, bias = here.classifiers["emotion"].get_layer("emotion_logits").get_weights()
    known, known_bias = there.classifiers["emotion"].get_layer("emotion_logits").get_weights()
    np.testing.assert_array_equal(kernel[:, [0, 1, 3]], known)
    np.testing.assert_array_equal(bias[[0, 1, 3]], known_bias)
    np.testing.assert_array_equal(kernel[:, 2], fresh[0][:, 2])
    speakers = here.classifiers["speaker"].get_layer("speaker_logits").get_weights()[0]
    known = there.classifiers["speaker"].get_layer("speaker_logits").get_weights()[0]
    np.testing.assert_array_equal(speakers[:, 0], known[:, 2])
    assert taken.classes["emotion"] == list(THREE)
    assert taken.fresh == {"emotion": ["neutral"], "gender": [], "speaker": ["here:1", "here:2"]}
    assert "(anger, happiness, sadness; fresh: neutral)" in taken.describe()


def test_a_layer_of_another_size_begins_fresh():
    there, here = make_model(dense_units=(4, 8)), make_model(seed=2)
    before = here.classifiers["emotion"].get_layer("emotion_dense_1").get_weights()[0]
    taken = adopt_start(here, start_of(there), data_of(speakers=VOICES))
    after = here.classifiers["emotion"].get_layer("emotion_dense_1").get_weights()[0]
    np.testing.assert_array_equal(before, after)
    count, total = taken.layers["emotion"]
    assert 0 < count < total
    assert taken.layers["encoder"][0] == taken.layers["encoder"][1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_can_be_started_from_and_started(kind):
    there, here = make_model(kind=kind), make_model(kind=kind, seed=2)
    taken = adopt_start(here, start_of(there), data_of(speakers=VOICES))
    assert all(count == total for count, total in taken.layers.values())
    for name, network in networks_of(there).items():
        for one, two in zip(network.weights, networks_of(here)[name].weights, strict=True):
            np.testing.assert_array_equal(one, two)


def test_nothing_in_common_is_refused():
    other = start_of(make_model(kind="cnn"))
    odd = {name: tuple(each[:1] for each in own) for name, own in other.layers.items()}
    with pytest.raises(UserError, match="expected a model with a layer of the same name"):
        adopt_start(make_model(), replace(other, layers=odd, classes={}), data_of())


@pytest.mark.parametrize("latent", ["standardised", "relu"])
def test_an_exported_file_gives_what_it_gave(tmp_path, latent):
    model = make_model(latent=latent)
    plain = np.zeros(FRONTEND.bins, np.float32), np.ones(FRONTEND.bins, np.float32)
    signature = Signature(
        *(SPECTROGRAM, FRONTEND, DATA.segment_frames, 32, 1, "repeat"),
        {"emotion": FOUR, "gender": GENDERS, "speaker": VOICES},
        (),
    )
    path = tmp_path / "model.keras"
    write_model(build_segment_model(model, Normalisation(*plain), signature), "keras", "none", path)
    write_signature(path, signature)
    start = read_source(path)
    assert (start.name, start.knows_speakers, start.speakers) == ("model.keras", False, VOICES)
    again = make_model(latent=latent, seed=2)
    taken = adopt_start(again, start, data_of(speakers=VOICES))
    assert taken.layers["encoder"][0] == taken.layers["encoder"][1]
    assert taken.layers["decoder"][0] == 0
    segments = np.random.default_rng(3).normal(size=(3, FRONTEND.bins, DATA.segment_frames, 1))
    wanted, found = (each.head_outputs(segments.astype(np.float32)) for each in (model, again))
    for task, (logits, _) in wanted.items():
        np.testing.assert_allclose(found[task][0], logits, rtol=1e-3, atol=1e-3)


def test_a_run_says_whom_it_has_heard(recorded_run):
    start = read_source(recorded_run.folder)
    assert start.knows_speakers
    assert len(start.speakers) == 6
    corpus = load_corpus(recorded_run.store, "tones", FRONTEND)
    heard = [item for item in corpus.utterances if item.speaker in start.speakers]
    assert start.knows_sounds
    assert set(start.sounds) == sounds_of(heard)
    assert len(start.sounds) == len(heard) == 48
    assert start.segment_frames == DATA.segment_frames
    assert start.classes["emotion"] == FOUR
    assert not start.name.startswith("/")


def test_a_start_is_read_back_and_damage_is_noticed(tmp_path):
    start = start_of(make_model())
    digest = write_start(tmp_path, start)
    assert write_start(tmp_path, replace(start, name="another name")) == digest
    again = read_start(tmp_path, digest)
    assert (again.name, again.facts) == (start.name, start.facts)
    assert again.sounds == (HEARD,)
    assert again.digest() == digest
    path = start_file(tmp_path, digest)
    content = path.read_bytes()
    middle = len(content) // 2
    changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for damaged in (content[:-100], b"", changed):
        path.write_bytes(damaged)
        with pytest.raises(DamagedError, match=r"weights.npz.*start-from MODEL again"):
            read_start(tmp_path, digest)
    path.unlink()
    with pytest.raises(UserError, match=r"training\.start: expected"):
        read_start(tmp_path, digest)


def test_other_weights_have_another_name(tmp_path):
    one, two = start_of(make_model()), start_of(make_model(seed=2))
    assert one.digest() != two.digest()
    assert replace(one, sounds=()).digest() != one.digest()
    # where nothing is known of sounds, facts and name are those of an earlier version
    silent = replace(one, sounds=(), knows_sounds=False)
    assert not {"sounds", "knows_sounds"} & set(silent.facts)
    started = with_settings(CONFIG, {"training.start": one.digest()})
    assert started.digest() != CONFIG.digest()
    assert "start" not in CONFIG.identity()["training"]
    assert started.digest() != with_settings(CONFIG, {"training.start": two.digest()}).digest()


def test_another_front_end_or_window_is_refused_with_what_differs():
    start = start_of(make_model())
    refuse_other_input(start, CONFIG)
    other = with_settings(CONFIG, {"data.segment_frames": 96, "frontend.bins": 48})
    words = "frontend.bins: 32 there, 48 here; data.segment_frames: 64 there, 96 here"
    with pytest.raises(UserError, match=words):
        refuse_other_input(start, other)


def speech_of(*speakers, sound=None):
    utterances = [
        SimpleNamespace(utterance_id=f"{name}-1", speaker=name, has_known_speaker=True, sound=sound)
        for name in speakers
    ]
    return SimpleNamespace(utterances=utterances)


def test_who_is_evaluated_must_not_have_been_heard():
    start = start_of(make_model())
    apart = SimpleNamespace(validation=speech_of("here:a"), test=speech_of("here:b"))
    assert check_heard(start, apart) == []
    (doubt,) = check_heard(replace(start, knows_speakers=False), apart)
    assert "nobody can tell" in doubt
    for validation, test in (("there:1", "here:b"), ("here:a", "there:1")):
        both = SimpleNamespace(validation=speech_of(validation), test=speech_of(test))
        with pytest.raises(UserError, match=r"leakage: a model, which the run starts.*there:1"):
            check_heard(start, both)


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("digest", ["samples", "file"])
def test_what_is_evaluated_must_not_have_been_heard_under_any_name(part, digest):
    start = start_of(make_model())
    digests = {"samples": "a" * 32, "file": "b" * 32} | {digest: HEARD + "c" * 16}
    speech = {name: speech_of(f"renamed:{name}") for name in ("validation", "test")}
    heard = speech | {part: speech_of("renamed:x", sound=Sound(**digests))}
    with pytest.raises(UserError, match=r"leakage: .*known by their sound, .*: renamed:x-1;"):
        check_heard(start, SimpleNamespace(**heard))
    other = speech | {part: speech_of("renamed:x", sound=Sound("a" * 32, "b" * 32))}
    assert check_heard(start, SimpleNamespace(**other)) == []
    # a model of before says whom it has heard, and not what
    (doubt,) = check_heard(replace(start, sounds=(), knows_sounds=False), SimpleNamespace(**heard))
    assert "does not say on which recordings" in doubt


def test_namesakes_in_another_corpus_are_told():
    """A table under another name has the same people, whom their speakers' names do not betray."""
    start = replace(start_of(make_model()), speakers=("csv-calls-1:anna", "csv-calls-1:ben"))
    apart = SimpleNamespace(validation=speech_of("csv-new-2:carl"), test=speech_of("csv-new-2:a"))
    assert check_heard(start, apart) == []
    renamed = SimpleNamespace(validation=speech_of("csv-new-2:ben"), test=speech_of("csv-new-2:a"))
    (doubt,) = check_heard(start, renamed)
    assert "csv-new-2:ben; if they are the same people" in doubt


def test_a_run_that_starts_from_a_model_has_no_stage_one():
    config = replace(CONFIG, auxiliary=("voices",), training=TrainingConfig())
    assert config.has_stage_one
    started = with_settings(config, {"training.start": "0" * 16})
    assert not started.has_stage_one
    # what stage 1 is trained on has no effect then
    other = with_settings(started, {"training.pretraining": "supervised"})
    assert other.digest() == started.digest()
