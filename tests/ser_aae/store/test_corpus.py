"""Stored corpora: found, read, and refused where they are not whole."""

import json
from dataclasses import replace

import numpy as np
import pytest
from stored import read_unsealed
from tiny import sounds_of, speakers_of, write_corpus

from ser_aae.errors import UserError
from ser_aae.store.corpus import (
    MANIFEST,
    UTTERANCES,
    corpus_folder,
    is_prepared,
    load_corpus,
    other_frontends,
)
from ser_aae.store.records import parse


@pytest.fixture
def small(tmp_path):
    """A corpus of its own for each test, which may break it: `(store, stored corpus)`."""
    utterances = speakers_of("small", speakers=3, each=1)
    return tmp_path, write_corpus(tmp_path, utterances, sounds_of(utterances, 32))


def change_manifest(stored, **changes):
    path = stored.folder / MANIFEST
    content = read_unsealed(path)
    path.write_text(json.dumps(content | changes), encoding="utf-8")


def refuse(store, frontend, *words):
    with pytest.raises(UserError) as caught:
        load_corpus(store, "small", frontend)
    message = str(caught.value)
    for word in (*words, "ser-aae prepare --dataset small", str(store)):
        assert word in message


def test_a_corpus_comes_back(tmp_path, frontend):
    utterances = speakers_of("small", speakers=3, each=1)
    sounds = sounds_of(utterances, frontend.bins)
    write_corpus(tmp_path, utterances, sounds)
    corpus = load_corpus(tmp_path, "small", frontend)
    assert corpus.name == "small"
    assert corpus.frontend == frontend
    assert corpus.folder == corpus_folder(tmp_path, "small", frontend)
    assert list(corpus.utterances) == utterances
    assert corpus.num_frames.dtype == np.int64
    assert corpus.num_frames.tolist() == [len(sound) for sound in sounds]
    assert [path.name for path in corpus.shards] == [f"shard-0000{n}.tfrecord" for n in range(3)]


def test_every_field_of_an_utterance_comes_back(tmp_path):
    full = replace(
        speakers_of("small", speakers=1, each=1)[0],
        emotion_raw="Ärger 生气",
        start_s=1.5,
        end_s=2.25,
        language="deu",
        activation=4.5,
        valence=1.0,
        extra={"Satz": "„Nein“"},
    )
    corpus = write_corpus(tmp_path, [full], [np.zeros((3, 32), np.float32)], shards=1)
    assert corpus.utterances == (full,)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\n"])
def test_unusual_line_separators_in_a_label_cut_no_line(tmp_path, separator):
    odd = replace(speakers_of("small", speakers=1)[0], emotion_raw=f"very{separator}angry")
    corpus = write_corpus(tmp_path, [odd], [np.zeros((3, 32), np.float32)], shards=1)
    assert corpus.utterances == (odd,)


def test_record_i_belongs_to_utterance_i(small, frontend):
    import tensorflow as tf

    _, corpus = small
    records = tf.data.TFRecordDataset([str(path) for path in corpus.shards])
    parsed = [parse(record, frontend.bins) for record in records]
    assert [int(index) for index, _ in parsed] == list(range(len(corpus.utterances)))
    assert [len(sound) for _, sound in parsed] == corpus.num_frames.tolist()


def test_the_digest_names_the_content(tmp_path):
    utterances = speakers_of("small", speakers=3, each=1)
    sounds = sounds_of(utterances, 32)
    louder = [sounds[0] + 1, *sounds[1:]]
    renamed = [replace(utterances[0], emotion_raw="x"), *utterances[1:]]
    digests = [
        write_corpus(tmp_path / str(number), *content).digest
        for number, content in enumerate(
            [(utterances, sounds), (utterances, sounds), (utterances, louder), (renamed, sounds)]
        )
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_nothing_prepared(tmp_path, frontend):
    assert not is_prepared(tmp_path, "small", frontend)
    refuse(tmp_path, frontend, "expected a prepared corpus", MANIFEST)


def test_a_folder_without_its_manifest_is_not_prepared(small, frontend):
    store, corpus = small
    assert is_prepared(store, "small", frontend)
    (corpus.folder / MANIFEST).unlink()
    assert not is_prepared(store, "small", frontend)
    refuse(store, frontend, "expected a prepared corpus", MANIFEST)


def test_two_front_ends_lie_side_by_side(small, frontend):
    store, corpus = small
    other = replace(frontend, scale="mel")
    assert corpus_folder(store, "small", other) != corpus.folder
    assert not is_prepared(store, "small", other)
    refuse(store, other, "expected a prepared corpus")


@pytest.mark.parametrize("content", ["{", "", "not JSON", b"\xff\xfe"])
def test_a_damaged_manifest(small, frontend, content):
    store, corpus = small
    raw = content if isinstance(content, bytes) else content.encode()
    (corpus.folder / MANIFEST).write_bytes(raw)
    refuse(store, frontend, str(corpus.folder / MANIFEST), "not JSON")


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_another_schema_version(small, frontend, version):
    store, corpus = small
    change_manifest(corpus, schema_version=version)
    refuse(store, frontend, "expected schema version 1", f"found {version}")


@pytest.mark.parametrize("key", ["corpus", "frontend", "shards", "utterances_sha256", "digest"])
@pytest.mark.parametrize("value", [None, 3, "gone"])
def test_a_manifest_that_lacks_something(small, frontend, key, value):
    store, corpus = small
    if value == "gone":
        content = read_unsealed(corpus.folder / MANIFEST)
        del content[key]
        (corpus.folder / MANIFEST).write_text(json.dumps(content), encoding="utf-8")
    else:
        change_manifest(corpus, **{key: value})
    refuse(store, frontend, str(corpus.folder / MANIFEST), key, "expected", "remove")


@pytest.mark.parametrize("shard", [{"file": "shard-00000.tfrecord"}, {"bytes": 1}, "x", None])
def test_a_manifest_with_half_a_shard(small, frontend, shard):
    store, corpus = small
    change_manifest(corpus, shards=[shard])
    refuse(store, frontend, str(corpus.folder / MANIFEST), "shards.0", "expected")


@pytest.mark.parametrize("content", ["[]", "3", "null"])
def test_a_manifest_that_is_something_else(small, frontend, content):
    store, corpus = small
    (corpus.folder / MANIFEST).write_text(content, encoding="utf-8")
    refuse(store, frontend, "expected a JSON object", "remove its folder")


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "not JSON"), ('{"schema_version": 1}', "expected corpus, found none")],
)
def test_a_damaged_manifest_of_another_front_end_is_named(small, frontend, content, said):
    store, corpus = small
    path = corpus.folder / MANIFEST
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=f"^{path}: .*{said}.*; remove its folder and prepare"):
        other_frontends(store, "small", replace(frontend, bins=64))


def test_a_manifest_of_another_front_end(small, frontend):
    store, corpus = small
    change_manifest(corpus, frontend={"bins": 16})
    refuse(store, frontend, "front end", str(corpus.folder / MANIFEST))


@pytest.mark.parametrize("change", ["a line less", "another label", "gone"])
def test_changed_utterances(small, frontend, change):
    store, corpus = small
    path = corpus.folder / UTTERANCES
    text = path.read_text(encoding="utf-8")
    if change == "gone":
        path.unlink()
    elif change == "another label":
        path.write_text(text.replace("sadness", "neutral", 1), encoding="utf-8")
    else:
        path.write_text("".join(text.splitlines(keepends=True)[:-1]), encoding="utf-8")
    refuse(store, frontend, str(path))


def test_a_corpus_under_the_name_of_another_is_refused(small, frontend):
    store, stored = small
    stored.folder.rename(corpus_folder(store, "other", frontend))
    with pytest.raises(UserError, match=r"manifest\.json: expected the corpus other, .* small;"):
        load_corpus(store, "other", frontend)


def test_a_corpus_without_shards(small, frontend):
    store, stored = small
    change_manifest(stored, shards=[])
    refuse(store, frontend, MANIFEST, "expected shards, found none")


def test_a_missing_shard(small, frontend):
    store, corpus = small
    corpus.shards[1].unlink()
    refuse(store, frontend, str(corpus.shards[1]), "found none")


@pytest.mark.parametrize("change", [-1, 1])
def test_a_shortened_or_lengthened_shard(small, frontend, change):
    store, corpus = small
    path = corpus.shards[2]
    content = path.read_bytes()
    path.write_bytes(content[:-1] if change < 0 else content + b"x")
    refuse(store, frontend, str(path), f"of {len(content)} bytes", f"{len(content) + change} bytes")


@pytest.mark.parametrize(
    ("field", "there", "here"),
    [
        ("scale", "linear", "mel"),
        ("bins", 32, 64),
        ("sample_rate_hz", 16000, 8000),
        ("remove_silence", True, False),
        ("silence_db", 30.0, 20.0),
        ("window_ms", 25.0, 40.0),
        ("shift_ms", 10.0, 20.0),
        ("fft_size", 512, 1024),
        ("floor_db", 80.0, 60.0),
    ],
)
def test_another_front_end_is_found_and_its_difference_named(small, frontend, field, there, here):
    store, corpus = small
    wanted = replace(frontend, **{field: here})
    found = other_frontends(store, "small", wanted)
    assert found == {corpus.folder: [f"{field}: {there} there, {here} here"]}


def test_the_same_front_end_or_another_corpus_is_no_other_front_end(small, frontend):
    store, corpus = small
    assert other_frontends(store, "small", frontend) == {}
    assert other_frontends(store, "smaller", replace(frontend, bins=8)) == {}
    # `small-12345678` as a corpus' name must not be taken for `small` of some front end
    change_manifest(corpus, corpus="small-12345678", frontend={})
    assert other_frontends(store, "small", frontend) == {}


def test_a_field_the_other_front_end_did_not_have_is_named(small, frontend):
    store, corpus = small
    change_manifest(corpus, frontend={"bins": 32})
    (differences,) = other_frontends(store, "small", frontend).values()
    assert "floor_db: None there, 80.0 here" in differences
    assert not any(text.startswith("bins") for text in differences)
