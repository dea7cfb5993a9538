"""Parts of the program that `growth` measures, each on made-up manifests and runs of some size.

    python benchmarks/growth_parts.py make|measure PART SIZE FOLDER

`make` writes to the folder what the part reads; `measure` prints its seconds and the peak memory
of its process, as JSON. In that are the made-up utterances, and the libraries that the part needs:
each is imported where it is used. Of several processes the largest counts.
"""

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from measuring import peak_mb

from ser_aae.config import DataConfig, FrontEndConfig, ProtocolConfig, RunConfig
from ser_aae.corpus_facts import CorpusFacts
from ser_aae.experiments.artefacts import choose, runs_of
from ser_aae.experiments.setup import BUDGETS, Setup, write_setup
from ser_aae.files.atomic import write_bytes, write_json
from ser_aae.files.digests import digest_of_file
from ser_aae.labels import CLUSTERS, FOUR, GENDERS, LEVELS
from ser_aae.protocols.leakage import check_leakage
from ser_aae.protocols.splits import cut_split
from ser_aae.results.folder import CONFIG, PREDICTIONS, RESULT, run_folder
from ser_aae.results.places import Places
from ser_aae.store.corpus import MANIFEST, SCHEMA_VERSION, UTTERANCES, corpus_folder, load_corpus
from ser_aae.store.sounds import SOUNDS, describe_sounds, format_sounds
from ser_aae.utterance import Sound, Utterance

Action = Callable[[], object]

CORPUS = "made-up"
FRONTEND = FrontEndConfig(bins=8, scale="linear")
DATA = replace(DataConfig(), segment_frames=16, mask_bins=0, mask_frames=0, warp_frequency=0.0)
FOLDS = 10
FRAMES = 16

_UTTERANCES_A_SPEAKER = 100  # LibriSpeech's and MSP-Podcast's speakers have about as many
_TESTED = 81
_LANDMARKS = 20


@dataclass(frozen=True)
class Part:
    """Part of the program whose growth is measured.

    Attributes:
        unit: Things that its size counts.
        sizes: Sizes that it is measured at.
        make: Writes what the part reads to a folder.
        open: Returns a context with what is timed, once all that it needs is there.
    """

    unit: str
    sizes: tuple[int, ...]
    make: Callable[[Path, int], None]
    open: Callable[[Path, int], AbstractContextManager[Action]]


def make_utterances(count: int) -> Iterator[Utterance]:
    """Yield utterances of four emotions, a hundred a speaker, ten speakers a session."""
    for number in range(count):
        speaker = number // _UTTERANCES_A_SPEAKER
        yield Utterance(
            corpus=CORPUS,
            utterance_id=f"{number:07d}",
            path=f"{speaker:05d}/{number:07d}.wav",
            speaker=f"{CORPUS}:{speaker:05d}",
            gender=GENDERS[speaker % 2],
            emotion=FOUR[number % len(FOUR)],
            session=f"Session{speaker // 10 + 1}",
            sound=Sound(f"{number:032x}", f"{number:032x}"),
        )


def write_store(folder: Path, count: int, has_sound: bool = False) -> None:
    """Write a prepared corpus of one shard, which is empty where no sound is asked for."""
    place = corpus_folder(folder, CORPUS, FRONTEND)
    shard = place / "shard-00000.tfrecord"
    lines = "".join(
        json.dumps(item.to_dict() | {"num_frames": FRAMES}) + "\n"
        for item in make_utterances(count)
    ).encode()
    write_bytes(place / UTTERANCES, lines)
    sounds = format_sounds([item.sound for item in make_utterances(count) if item.sound])
    write_bytes(place / SOUNDS, sounds)
    if has_sound:
        _write_sound(shard, count)
    else:
        write_bytes(shard, b"")
    row = {"file": shard.name, "sha256": digest_of_file(shard), "bytes": shard.stat().st_size}
    content = {
        "schema_version": SCHEMA_VERSION,
        "corpus": CORPUS,
        "frontend": FRONTEND.to_dict(),
        "frontend_digest": FRONTEND.digest(),
        "facts": asdict(CorpusFacts()),
        "shards": [row | {"records": count}],
        "utterances_sha256": hashlib.sha256(lines).hexdigest(),
        "sounds": describe_sounds(sounds),
        "digest": "0" * 16,
    }
    write_json(place / MANIFEST, content)


def _write_sound(shard: Path, count: int) -> None:
    import tensorflow as tf

    from ser_aae.store.records import serialise

    sound = np.zeros((FRAMES, FRONTEND.bins), np.float32)
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for row in range(count):
            writer.write(serialise(row, sound))


def _write_nothing(folder: Path, count: int) -> None:
    """Write nothing: the part's data are made in memory."""


@contextlib.contextmanager
def _open_listing(folder: Path, _count: int) -> Iterator[Action]:
    yield lambda: load_corpus(folder, CORPUS, FRONTEND)


@contextlib.contextmanager
def _open_checking(_folder: Path, count: int) -> Iterator[Action]:
    """Give the search for shared sound, of landmarks that a tenth of the corpus shares."""
    from data_prep.shared_sound import Landmarks, suggest_overlaps

    draw = np.random.default_rng(0)
    found = [
        Landmarks(
            draw.integers(0, 1 << 62, _LANDMARKS).astype(np.uint64),
            np.arange(_LANDMARKS, dtype=np.int64),
        )
        for _ in range(count)
    ]
    for place in range(0, count - 1, 10):
        found[place + 1] = found[place]
    yield lambda: suggest_overlaps(found)


@contextlib.contextmanager
def _open_splitting(_folder: Path, count: int) -> Iterator[Action]:
    utterances = list(make_utterances(count))
    names = ("10-fold", "speaker-kfold", "loso-session")
    protocols = [ProtocolConfig(name=name, folds=5) for name in names]
    fewest = 3 * 10 * _UTTERANCES_A_SPEAKER  # three sessions
    kept = protocols if count >= fewest else protocols[:2]
    yield lambda: [cut_split(utterances, protocol, 0) for protocol in kept]


@contextlib.contextmanager
def _open_leakage(_folder: Path, count: int) -> Iterator[Action]:
    utterances = list(make_utterances(count))
    split = cut_split(utterances, ProtocolConfig(name="speaker-kfold", folds=5), 0)
    yield lambda: check_leakage(split, utterances)


def _run_config() -> RunConfig:
    protocol = ProtocolConfig(name="speaker-kfold", folds=5)
    return RunConfig(dataset=CORPUS, frontend=FRONTEND, protocol=protocol, data=DATA)


@contextlib.contextmanager
def _open_first_batch(folder: Path, _count: int) -> Iterator[Action]:
    """Give the way from a store to the first batch, the training part measured on it."""
    from ser_aae.batches.pipeline import measure_normalisation, training_dataset
    from ser_aae.data.mixture import Share
    from ser_aae.data.run_data import assemble

    def read_batch() -> None:
        data = assemble(_run_config(), folder)
        measured = measure_normalisation(data.train)
        next(iter(training_dataset([Share(data.train, 32)], 1, measured, DATA, 0)))

    yield read_batch


@contextlib.contextmanager
def _open_bookkeeping(folder: Path, _count: int) -> Iterator[Action]:
    """Give an epoch's bookkeeping: its steps, and the scores of the validation part."""
    from ser_aae.data.mixture import Share, steps_per_epoch
    from ser_aae.data.run_data import assemble
    from ser_aae.training.scoring import score_tasks

    data = assemble(_run_config(), folder)
    draw = np.random.default_rng(0)
    rows = len(data.validation.rows)
    posteriors = {task: draw.random((rows, size)) for task, size in data.num_classes.items()}

    def keep_books() -> None:
        steps_per_epoch([Share(data.train, 32)], DATA.segment_frames)
        score_tasks(posteriors, data.validation, data.target.task)

    yield keep_books


def write_run(runs: Path, config: RunConfig, tested: int) -> Path:
    """Write a complete run with made-up predictions of some utterances; return its folder."""
    import pandas as pd

    from ser_aae.results.predictions import score, write_predictions

    classes = _classes_of(config)
    rows = np.arange(tested)
    truth = np.array(classes)[rows % len(classes)]
    is_right = np.random.default_rng([config.seed, config.protocol.fold]).random(tested) < 0.6
    predicted = np.where(is_right, truth, np.array(classes)[(rows + 1) % len(classes)])
    speakers = max(2, tested // _UTTERANCES_A_SPEAKER)
    fold = config.protocol.fold
    frame = pd.DataFrame(
        {
            "utterance_id": [f"{fold}-{row}" for row in rows],
            "corpus": config.dataset,
            "speaker": [f"{config.dataset}:{fold}-{row % speakers}" for row in rows],
            "gender": "F",
            "truth": truth,
            "predicted": predicted,
            "segments": 1,
            "gender_predicted": "F",
        }
        | {f"p_{name}": (predicted == name).astype(float) for name in classes}
    )
    folder = run_folder(runs, config)
    write_json(folder / CONFIG, config.to_dict())
    write_predictions(folder / PREDICTIONS, frame)
    leakage = {"speaker_independent": True, "folds": FOLDS}
    stored = {"leakage": leakage, "predictions_sha256": digest_of_file(folder / PREDICTIONS)}
    write_json(folder / RESULT, score(frame, classes) | stored)
    return folder


def _classes_of(config: RunConfig) -> tuple[str, ...]:
    if config.task in CLUSTERS:
        return tuple(f"cluster {number + 1}" for number in range(CLUSTERS[config.task]))
    return LEVELS.get(config.task, FOUR)


def _make_evaluation(folder: Path, count: int) -> None:
    write_run(folder, RunConfig(dataset=CORPUS), count)


@contextlib.contextmanager
def _open_evaluation(folder: Path, _count: int) -> Iterator[Action]:
    from ser_aae.results.evaluation import evaluate_run

    run = run_folder(folder, RunConfig(dataset=CORPUS))
    yield lambda: evaluate_run(run)


def list_cells(count: int) -> list[RunConfig]:
    """Return runs of the whole paper, an experiment's after each other, repeated as it needs."""
    setup = Setup(budget=BUDGETS["full"])
    artefacts = choose(["all"], setup)
    one = len(runs_of(artefacts, setup, 1, lambda _: FOLDS))
    repetitions = -(-count // one)
    found = runs_of(artefacts, setup, repetitions, lambda _: FOLDS)
    return found[:count]


@contextlib.contextmanager
def _open_plan(folder: Path, count: int) -> Iterator[Action]:
    from ser_aae.grid.plan import make_plan

    yield lambda: make_plan(list_cells(count), str(folder))


@contextlib.contextmanager
def _open_grid(folder: Path, count: int) -> Iterator[Action]:
    """Give a grid of empty runs on two workers, which have started before."""
    from ser_aae.grid.cluster import open_client, run_grid

    cells, places = list_cells(count), Places(store=str(folder), runs=str(folder))
    with open_client(2) as client:
        client.wait_for_workers(2)
        yield lambda: run_grid(cells, places, client, lambda _: None, work=train_nothing)


def train_nothing(_config: RunConfig, _places: Places) -> object:
    """Return the outcome of a run without training it."""
    from ser_aae.grid.run_worker import DONE, Outcome

    return Outcome(DONE)


def _make_runs(folder: Path, count: int) -> None:
    for config in list_cells(count):
        write_run(folder / "runs", config, _TESTED)
    write_setup(folder / "runs", Setup(budget=BUDGETS["full"]))


@contextlib.contextmanager
def _open_report(folder: Path, _count: int) -> Iterator[Action]:
    from data_prep.corpora import known_facts
    from reports.build import build_report

    corpora = known_facts()
    yield lambda: build_report(
        folder / "runs", folder / "report", corpora=corpora, workers=os.cpu_count() or 1
    )


_CORPUS_SIZES = (1_000, 10_000, 100_000, 300_000)
_GRID_SIZES = (100, 1_000, 10_000)


def _write_sound_store(folder: Path, count: int) -> None:
    write_store(folder, count, has_sound=True)


PARTS = {
    "listing": Part("utterances", _CORPUS_SIZES, write_store, _open_listing),
    "checking": Part("utterances", _CORPUS_SIZES, _write_nothing, _open_checking),
    "splitting": Part("utterances", _CORPUS_SIZES, _write_nothing, _open_splitting),
    "leakage": Part("utterances", _CORPUS_SIZES, _write_nothing, _open_leakage),
    "first-batch": Part("utterances", _CORPUS_SIZES, _write_sound_store, _open_first_batch),
    "bookkeeping": Part("utterances", _CORPUS_SIZES, write_store, _open_bookkeeping),
    "evaluation": Part("utterances", _CORPUS_SIZES, _make_evaluation, _open_evaluation),
    "plan": Part("cells", _GRID_SIZES, _write_nothing, _open_plan),
    "grid": Part("cells", _GRID_SIZES, _write_nothing, _open_grid),
    "report": Part("runs", (50, 500, 5_000), _make_runs, _open_report),
}
"""Parts by name."""


def main(words: list[str] | None = None) -> None:
    """Make a part's data, or measure the part."""
    task, name, size, folder = sys.argv[1:] if words is None else words
    part, place = PARTS[name], Path(folder)
    if task == "make":
        part.make(place, int(size))
        return
    with part.open(place, int(size)) as action:
        begin = time.perf_counter()
        action()
        seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    # under its own name, by which the grid's workers import what they are given
    import growth_parts

    growth_parts.main()
