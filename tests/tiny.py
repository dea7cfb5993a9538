"""A tiny corpus in the format of a store, and a run trained on one, for tests of any package."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import soundfile
import tensorflow as tf

from ser_aae.config import (
    DataConfig,
    FrontEndConfig,
    ModelConfig,
    ProtocolConfig,
    RunConfig,
    TrainingConfig,
)
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.files.atomic import written_whole
from ser_aae.frontend import signal_to_spectrogram
from ser_aae.frontend.audio import read_audio
from ser_aae.labels import FOUR, GENDERS
from ser_aae.results.folder import BEST_WEIGHTS
from ser_aae.store.corpus import MANIFEST, SCHEMA_VERSION, UTTERANCES, corpus_folder, load_corpus
from ser_aae.store.records import serialise
from ser_aae.store.sounds import SOUNDS, describe_sounds, format_sounds
from ser_aae.utterance import Sound, Utterance

# linear, because mel bands need librosa, which takes longer to import than a test takes
FRONTEND = FrontEndConfig(bins=32, scale="linear")
MODEL = replace(ModelConfig(), filters=(4, 4), latent_channels=4, dense_units=(8, 8))
DATA = replace(DataConfig(), segment_frames=64, evaluation_shift_frames=32)
"""A model and segments that train in seconds."""

UNCHANGED = replace(
    DATA, pad="repeat", mask_bins=0, mask_frames=0, warp_time=0, warp_frequency=0, gain_db=0
)
"""Segments as they are stored."""

FEWEST_FRAMES, MOST_FRAMES = 40, 150


def speakers_of(corpus: str, speakers: int = 8, each: int = 2) -> list[Utterance]:
    """Return `each` takes of the four emotions a speaker; a woman and a man share a session."""
    return [
        Utterance(
            corpus=corpus,
            utterance_id=f"{speaker:02d}-{emotion}-{take}",
            path=f"{speaker:02d}/{emotion}-{take}.wav",
            speaker=f"{corpus}:{speaker:02d}",
            gender=GENDERS[speaker % 2],
            emotion=emotion,
            session=f"Session{speaker // 2 + 1}",
        )
        for speaker in range(speakers)
        for emotion in FOUR
        for take in range(each)
    ]


def speak(speaker, number, corpus: str = "demo", **more) -> Utterance:
    """Return an utterance of a woman, of whom nothing but what is given matters."""
    return Utterance(
        corpus=corpus,
        utterance_id=f"{speaker}-{number}",
        path=f"wav/{speaker}/{number}.wav",
        speaker=f"{corpus}:{speaker}",
        gender="F",
        **more,
    )


def corpus_of(speakers: int, each: int = 3, corpus: str = "demo") -> list[Utterance]:
    """Return the first utterance of each speaker, 1 and on, then the second of each."""
    return [
        speak(name, number, corpus) for number in range(each) for name in range(1, speakers + 1)
    ]


def sounds_of(utterances: Sequence[Utterance], bins: int, seed: int = 0) -> list[np.ndarray]:
    """Return noise in dB; four bands are raised by the emotion, others by gender and speaker."""
    draw = np.random.default_rng(seed)
    speakers = sorted({item.speaker for item in utterances})
    sounds = []
    for item in utterances:
        frames = int(draw.integers(FEWEST_FRAMES, MOST_FRAMES))
        sound = draw.normal(-50.0, 4.0, (frames, bins))
        if item.emotion in FOUR:
            first = 4 * FOUR.index(item.emotion)
            sound[:, first : first + 4] += 20.0
        if item.gender in GENDERS:
            sound[:, 20 + 2 * GENDERS.index(item.gender)] += 20.0
        sound[:, 24 + speakers.index(item.speaker) % 8] += 20.0
        sounds.append(sound.astype(np.float32))
    return sounds


def sound_of(name: str, file: str = "") -> Sound:
    """Return the digests of a sound of some name, in a file of its own or of another name."""
    own, whole = (hashlib.sha256(each.encode()).hexdigest()[:32] for each in (name, file or name))
    return Sound(own, whole)


def write_corpus(store, utterances, spectrograms, frontend=FRONTEND, shards=3):
    """Write what `ser_aae.store.corpus` describes, the manifest last; return the corpus.

    An utterance without a sound gets one that no other has.
    """
    corpus = utterances[0].corpus
    folder = corpus_folder(store, corpus, frontend)
    folder.mkdir(parents=True)
    rows = []
    for number, part in enumerate(np.array_split(np.arange(len(utterances)), shards)):
        path = folder / f"shard-{number:05d}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for row in part:
                writer.write(serialise(int(row), spectrograms[row]))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        size = path.stat().st_size
        rows.append({"file": path.name, "sha256": digest, "bytes": size, "records": len(part)})
    lines = "".join(
        json.dumps(item.to_dict() | {"num_frames": len(sound)}, ensure_ascii=False) + "\n"
        for item, sound in zip(utterances, spectrograms, strict=True)
    )
    (folder / UTTERANCES).write_text(lines, encoding="utf-8", newline="\n")
    lines_digest = hashlib.sha256(lines.encode()).hexdigest()
    sounds = format_sounds(
        [item.sound or sound_of(f"{item.corpus} {item.utterance_id}") for item in utterances]
    )
    (folder / SOUNDS).write_bytes(sounds)
    content = [lines_digest, *(row["sha256"] for row in rows)]
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "corpus": corpus,
        "frontend": asdict(frontend),
        "frontend_digest": frontend.digest(),
        "facts": asdict(CorpusFacts()),
        "shards": rows,
        "utterances_sha256": lines_digest,
        "sounds": describe_sounds(sounds),
        "digest": hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16],
    }
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return load_corpus(store, corpus, frontend)


@dataclass(frozen=True)
class RecordedRun:
    """A run whose corpus lies there as recordings too; nothing of it is to be changed."""

    folder: Path
    store: Path
    recordings: Path


def _speak(item: Utterance, draw: np.random.Generator) -> np.ndarray:
    """Return a second or so at 16 kHz: a tone for the emotion, a hum for the gender, a pause."""
    time_s = np.arange(int(draw.integers(12000, 24000))) / 16000
    tone = 0.2 * np.sin(2 * np.pi * (1000 + 1500 * FOUR.index(item.emotion)) * time_s)
    hum = 0.1 * np.sin(2 * np.pi * (300 + 300 * GENDERS.index(item.gender)) * time_s)
    sound = tone + hum + draw.normal(0, 0.01, len(time_s))
    sound[5000:8000] *= 0.001
    return sound.astype(np.float32)


def recording_to_spectrogram(path: Path, config: FrontEndConfig) -> np.ndarray:
    """Return the log spectrogram of a whole recording."""
    return signal_to_spectrogram(read_audio(path, config.sample_rate_hz), config)


def change_weights(run: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Change the matrices of a run's classifiers; what they were is not kept."""
    matrices = []

    def collect(name, item):
        if name.startswith("classifiers") and getattr(item, "ndim", 0) == 2:
            matrices.append(item)

    with h5py.File(run / BEST_WEIGHTS, "r+") as file:
        file.visititems(collect)
        for each in matrices:
            each[...] = change(each[...])


def poison(values: np.ndarray, value: float = np.inf) -> np.ndarray:
    """Return the values with one that is not finite."""
    values = values.copy()
    values.flat[0] = value
    return values


def export_small(folder: Path, kind: str, change: Callable = np.asarray, **more: Any) -> Path:
    """Write a network of one layer for four emotions as a file of a format, its weights changed.

    `more` goes into its signature.
    """
    import keras

    from ser_aae.export.writers import write_model
    from ser_aae.inference.exported_model import SUFFIXES, write_signature
    from ser_aae.inference.signature import SPECTROGRAM, Signature

    keras.utils.set_random_seed(1)
    segments = keras.Input((DATA.segment_frames, FRONTEND.bins), name="segments")
    logits = keras.layers.Dense(4)(keras.layers.Flatten()(segments))
    model = keras.Model(segments, {"emotion": keras.layers.Softmax(name="emotion")(logits)})
    model.set_weights([change(each) for each in model.get_weights()])
    path = folder / f"model{SUFFIXES[kind]}"
    write_model(model, kind, "none", path)
    about = Signature(SPECTROGRAM, FRONTEND, DATA.segment_frames, 32, 1, "repeat", {}, ())
    write_signature(path, replace(about, **{"classes": {"emotion": FOUR}, **more}))
    return path


@contextmanager
def traced_steps() -> Iterator[None]:
    """Trace what is trained meanwhile into graphs, also in a module with `few_steps`."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(False)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def append(path: Path, content: bytes = b"\0") -> None:
    """Append bytes to a file."""
    path.write_bytes(path.read_bytes() + content)


def _record(place: Path) -> None:
    """Write recordings of 8 speakers, and a store with their spectrograms."""
    draw = np.random.default_rng(0)
    utterances = speakers_of("tones")
    for item in utterances:
        path = item.audio_path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, _speak(item, draw), 16000, subtype="FLOAT")
    sounds = [recording_to_spectrogram(item.audio_path(place), FRONTEND) for item in utterances]
    write_corpus(place / "store", utterances, sounds)


def train_recorded_run(place: Path) -> RecordedRun:
    """Train on 64 recordings of 8 speakers, who are told apart by their tones, if not done yet."""
    from ser_aae.training.run import train_and_evaluate

    if not place.exists():
        with written_whole(place) as folder:
            _record(folder)
    config = RunConfig(
        dataset="tones",
        frontend=FRONTEND,
        protocol=ProtocolConfig(name="loso-session"),
        data=replace(DATA, warp_frequency=0.0),
        model=replace(MODEL, dense_units=(16, 16)),
        training=replace(
            TrainingConfig(), epochs=5, batch_size=8, learning_rate=5e-3, average_decay=0.5
        ),
    )
    folder = train_and_evaluate(config, place / "store", place / "runs")
    return RecordedRun(folder, place / "store", place)
