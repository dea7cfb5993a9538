"""Fixtures of a tiny store in the real format: neither recordings nor data_prep are needed."""

import os
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
import tiny

from ser_aae.batches.pipeline import Normalisation
from ser_aae.cli import main
from ser_aae.config import ProtocolConfig, RunConfig
from ser_aae.data.part import Part
from ser_aae.labels import FOUR, GENDERS
from ser_aae.store.corpus import load_corpus

MARKED_FRAMES = (20, 64, 65, 128, 129, 300, 40, 64, 90, 200, 63)


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    """Run in an empty folder, with nothing set that a developer may have set."""
    for name in [name for name in os.environ if name.startswith("SER_AAE_")]:
        monkeypatch.delenv(name)
    # so that what main() sets for trackers and for TensorFlow is undone
    monkeypatch.setenv("SER_AAE_LOG", "tensorboard")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def refused(capsys):
    """A function: words of a command line -> what the program says against them."""

    def say(*words):
        code = main([str(word) for word in words])
        printed = capsys.readouterr()
        assert code == 2
        assert printed.out == ""
        assert "ser-aae: error: " in printed.err
        assert "Traceback" not in printed.err
        return printed.err

    return say


@pytest.fixture(scope="session")
def frontend():
    """The front end of the tiny stores: 32 linear bins."""
    return tiny.FRONTEND


@pytest.fixture(scope="session")
def tiny_store(tmp_path_factory):
    """A store not to be changed: `tiny` and `foreign` have emotions, `voices` is auxiliary.

    `tiny` has 8 speakers in 4 sessions, 64 utterances; the other two 4 and 6 speakers.
    """
    store = tmp_path_factory.mktemp("store")
    for seed, (corpus, speakers) in enumerate([("tiny", 8), ("foreign", 4), ("voices", 6)]):
        utterances = tiny.speakers_of(corpus, speakers)
        tiny.write_corpus(store, utterances, tiny.sounds_of(utterances, tiny.FRONTEND.bins, seed))
    return store


@pytest.fixture(scope="session")
def tiny_part(tiny_store):
    """All of `tiny`, labelled for emotion and gender."""
    corpus = load_corpus(tiny_store, "tiny", tiny.FRONTEND)
    emotion = np.array([FOUR.index(item.emotion) for item in corpus.utterances], np.int32)
    gender = np.array([GENDERS.index(item.gender) for item in corpus.utterances], np.int32)
    return Part(corpus, np.arange(len(emotion)), {"emotion": emotion, "gender": gender})


@pytest.fixture(scope="session")
def marked(tmp_path_factory, frontend):
    """A function: corpus name (frames, first number, shards) -> part.

    Bin 0 of each of its frames holds the number of the utterance, bin 1 that of the frame, so
    that a segment says where it was cut.
    """

    def make(name, frames=MARKED_FRAMES, first=0, shards=4):
        one = tiny.speakers_of(name, speakers=1, each=1)[0]
        utterances = [replace(one, utterance_id=str(row)) for row in range(len(frames))]
        sounds = []
        for row, length in enumerate(frames, start=first):
            sound = np.random.default_rng(row).normal(-30, 5, (length, frontend.bins))
            sound[:, 0], sound[:, 1] = row, np.arange(length)
            sounds.append(sound)
        corpus = tiny.write_corpus(
            tmp_path_factory.mktemp("store"), utterances, sounds, shards=shards
        )
        rows = np.arange(len(frames))
        labels = {"emotion": (rows % 4).astype(np.int32), "speaker": rows.astype(np.int32) + first}
        return Part(corpus, rows, labels)

    return make


@pytest.fixture(scope="session")
def marked_part(marked):
    """Eleven such utterances, of 20 to 300 frames; not to be changed."""
    return marked("primary")


@pytest.fixture(scope="session")
def as_they_are():
    """A normalisation that leaves dB values as they are, so that planted ones are read back."""
    return Normalisation(
        np.zeros(tiny.FRONTEND.bins, np.float32), np.ones(tiny.FRONTEND.bins, np.float32)
    )


@pytest.fixture
def global_seed():
    """What training sets before it draws: a global seed, not 0, or seeds are no tensors."""
    tf.random.set_seed(1)


@pytest.fixture(scope="session")
def kfold_config():
    """A run on `tiny`: four folds of a woman and a man, in the order of names."""
    return RunConfig(
        dataset="tiny",
        frontend=tiny.FRONTEND,
        protocol=ProtocolConfig(name="speaker-kfold", folds=4, draw="sorted"),
    )
