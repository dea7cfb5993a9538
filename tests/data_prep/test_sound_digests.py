"""Digests of sound: what they know again, and how a store gets them, also one of before."""

import errno
import importlib
import json
import os
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from corpus_layouts.sound import tone
from stored import read_unsealed

from data_prep import build
from data_prep.build import prepare
from data_prep.csv_table import parse_row
from data_prep.sound_digests import FileDigests, digest_samples, read_sound
from data_prep.synthetic import synthesise
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.store.corpus import MANIFEST, is_prepared, load_corpus
from ser_aae.store.sounds import SOUNDS, VERSION
from ser_aae.utterance import Sound, contradict, group_copies

FRONTEND = FrontEndConfig(scale="linear", bins=32)
RATE_HZ = 16000


def voice(seed=0, seconds=1.0):
    """Return a tone in noise, in steps of 16-bit sound."""
    noise = np.random.default_rng(seed).normal(0, 0.05, round(seconds * RATE_HZ))
    return np.round((0.5 * tone(seconds) + noise) * 2**15) / 2**15


def sound_in(path, start="", end=""):
    row = {"file": path.name, "speaker": "1", "gender": "f", "emotion": "", "start": start}
    return read_sound(parse_row(row | {"end": end}, "x"), path, FileDigests())


def write(path, samples, **keywords):
    soundfile.write(path, samples, keywords.pop("rate_hz", RATE_HZ), **keywords)
    return path


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("a.flac", {}),
        ("a.wav", {"subtype": "PCM_24"}),
        ("a.wav", {"subtype": "FLOAT"}),
        ("a.aiff", {}),
    ],
)
def test_the_same_samples_have_one_digest_in_every_container(tmp_path, name, keywords):
    known = sound_in(write(tmp_path / "known.wav", voice()))
    assert sound_in(write(tmp_path / name, voice(), **keywords)) == known
    assert known.samples == known.file != ""
    twice = np.stack([voice(), voice()], axis=1)
    assert sound_in(write(tmp_path / "stereo.wav", twice)) == known


@pytest.mark.parametrize(
    "change",
    [
        lambda samples: samples[1:],
        lambda samples: np.append(samples, 0.0),
        lambda samples: samples * 0.5,
        lambda samples: np.where(np.arange(len(samples)) == 99, samples + 2**-15, samples),
    ],
)
def test_other_samples_have_another(tmp_path, change):
    known = sound_in(write(tmp_path / "known.wav", voice()))
    assert sound_in(write(tmp_path / "other.wav", change(voice()))).samples != known.samples


def test_the_rate_counts_and_the_sign_of_zero_does_not():
    samples = np.array([0.0, 0.5], np.float32)
    assert digest_samples([samples], 16000) != digest_samples([samples], 8000)
    assert digest_samples([-np.float32(0) * samples[:1], samples[1:]], 8000) == digest_samples(
        [samples], 8000
    )


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_piece_knows_the_file_that_it_is_cut_from(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}", voice(seconds=5.0))
    whole, piece, to_end = sound_in(path), sound_in(path, "1", "2"), sound_in(path, "0", "5")
    assert piece.file == whole.file == whole.samples
    assert piece.samples not in ("", whole.samples)
    assert to_end.file == whole.file
    copy = write(tmp_path / "piece.wav", soundfile.read(path)[0][RATE_HZ : 2 * RATE_HZ],
                 subtype="FLOAT")  # fmt: skip
    if suffix in ("wav", "flac"):
        assert sound_in(copy).samples == piece.samples


def test_digital_silence_has_none(tmp_path):
    quiet = np.concatenate([np.zeros(RATE_HZ), voice()])
    path = write(tmp_path / "a.wav", quiet)
    assert sound_in(path, "0", "1").samples == ""
    assert sound_in(path, "0", "1").file == sound_in(path).file != ""
    assert sound_in(write(tmp_path / "b.wav", np.zeros(99))) == Sound("", "")


def test_a_file_that_is_damaged_behind_a_piece_is_known_by_the_piece(tmp_path):
    path = write(tmp_path / "a.flac", voice(seconds=8.0))
    piece = sound_in(path, "0", "1")
    content = bytearray(path.read_bytes())
    content[-2000:] = bytes(2000)
    path.write_bytes(content)
    assert sound_in(path, "0", "1") == Sound(piece.samples, "")


# in the store


@pytest.fixture
def made(tmp_path):
    """A data root with the demo corpus, and an empty store."""
    synthesise("demo", tmp_path / "data", 2)
    return tmp_path / "data", tmp_path / "store"


def forget_sounds(folder):
    """Make a prepared corpus one of a version that kept no digests of sounds."""
    content = read_unsealed(folder / MANIFEST)
    del content["sounds"]
    (folder / MANIFEST).write_text(json.dumps(content))
    (folder / SOUNDS).unlink()


def test_a_prepared_corpus_knows_its_sounds(made):
    data_root, store = made
    prepare("demo", data_root, store, FRONTEND)
    corpus = load_corpus(store, "demo", FRONTEND)
    assert corpus.has_sounds
    for item in corpus.utterances[::7]:
        path = item.audio_path(data_root / "demo")
        assert item.sound == read_sound(item, path, FileDigests())


def lose_version(folder):
    content = read_unsealed(folder / MANIFEST)
    content["sounds"]["version"] = VERSION - 1
    (folder / MANIFEST).write_text(json.dumps(content))


@pytest.mark.parametrize(
    "forget", [forget_sounds, lose_version, lambda folder: (folder / SOUNDS).unlink()]
)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_store_of_before_gets_them_and_keeps_its_shards_and_its_digest(
    made, small_shards, monkeypatch, forget, workers
):
    data_root, store = made
    folder = prepare("demo", data_root, store, FRONTEND).folder
    digest = load_corpus(store, "demo", FRONTEND).digest
    sounds, manifest = (folder / SOUNDS).read_bytes(), read_unsealed(folder / MANIFEST)
    times = {path: path.stat().st_mtime_ns for path in folder.glob("shard-*")}
    forget(folder)
    assert not is_prepared(store, "demo", FRONTEND)
    assert not load_corpus(store, "demo", FRONTEND).has_sounds

    monkeypatch.setattr("data_prep.workers.signal_to_spectrogram", None)  # it is not called
    result = prepare("demo", data_root, store, FRONTEND, workers=workers)
    assert "digests of its sound are added" in result.messages[0]
    assert is_prepared(store, "demo", FRONTEND)
    assert load_corpus(store, "demo", FRONTEND).digest == digest
    assert (folder / SOUNDS).read_bytes() == sounds
    assert read_unsealed(folder / MANIFEST) == manifest
    assert times == {path: path.stat().st_mtime_ns for path in folder.glob("shard-*")}
    assert not prepare("demo", data_root, store, FRONTEND).is_new


def test_a_store_of_before_whose_recordings_are_gone_says_what_it_lacks(made, tmp_path):
    data_root, store = made
    forget_sounds(prepare("demo", data_root, store, FRONTEND).folder)
    result = prepare("demo", tmp_path / "elsewhere", store, FRONTEND)
    assert "kept no digests of its sound" in " ".join(result.messages)
    assert not load_corpus(store, "demo", FRONTEND).has_sounds


def test_a_store_of_before_that_may_only_be_read_is_told(made, monkeypatch):
    data_root, store = made
    forget_sounds(prepare("demo", data_root, store, FRONTEND).folder)

    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("data_prep.manifest.write_bytes", refuse)
    with pytest.raises(UserError, match="cannot be written"):
        prepare("demo", data_root, store, FRONTEND)


def test_changed_digests_are_refused_with_what_mends_them(made):
    data_root, store = made
    folder = prepare("demo", data_root, store, FRONTEND).folder
    content = (folder / SOUNDS).read_bytes()
    (folder / SOUNDS).write_bytes(content.replace(b"0", b"1", 1))
    with pytest.raises(UserError, match=r"sounds\.jsonl: changed since .* remove this file and"):
        load_corpus(store, "demo", FRONTEND)
    (folder / SOUNDS).unlink()
    prepare("demo", data_root, store, FRONTEND)
    assert (folder / SOUNDS).read_bytes() == content


def test_an_interrupted_preparation_keeps_the_digests_of_its_shards(
    made, small_shards, monkeypatch
):
    data_root, store = made
    whole = prepare("demo", data_root, store.with_name("whole"), FRONTEND).folder
    write_shard = build.write_shard

    def interrupted(folder, number, *rest):
        if number == 1:
            raise KeyboardInterrupt
        return write_shard(folder, number, *rest)

    monkeypatch.setattr(build, "write_shard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare("demo", data_root, store, FRONTEND)
    monkeypatch.setattr(build, "write_shard", write_shard)
    folder = prepare("demo", data_root, store, FRONTEND).folder
    assert (folder / SOUNDS).read_bytes() == (whole / SOUNDS).read_bytes()


# real recordings


def test_ravdess_has_one_recording_twice(real_corpora):
    folder = real_corpora / "ravdess" / "Actor_07"
    if not folder.is_dir():
        pytest.skip("no RAVDESS among the real corpora")
    read = importlib.import_module("data_prep.corpora.ravdess").read
    actor = [u for u in read(folder.parent).utterances if u.speaker == "ravdess:07"]
    heard = [with_sound(item, folder.parent) for item in actor]
    (pair,) = group_copies(heard)
    assert [item.utterance_id for item in pair] == [f"03-01-03-01-02-0{n}-07" for n in (1, 2)]
    assert not contradict(pair)


def test_baved_has_27_groups_of_which_21_name_two_speakers(real_corpora):
    folder = real_corpora / "baved"
    if not folder.is_dir():
        pytest.skip("no BAVED among the real corpora")
    heard = []
    for path in sorted(folder.rglob("*.flac")):
        speaker, gender, *_ = path.stem.split("-")
        row = {"speaker": speaker, "gender": gender, "emotion": ""}
        item = parse_row(row | {"file": path.relative_to(folder).as_posix()}, "baved")
        heard.append(with_sound(item, folder))
    groups = group_copies(heard)
    assert (len(heard), len(groups), sum(map(contradict, groups))) == (1935, 27, 21)


def with_sound(item, root):
    return replace(item, sound=read_sound(item, item.audio_path(root), FileDigests()))
